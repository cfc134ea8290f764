"""What the repository ships: its scenarios and sites."""

from pathlib import Path

from firmware_bridge.site.survey import Site
from sim.scenario.scenario import ScenarioTable, load_scenario

CONFIGS = Path(__file__).parents[2] / "configs"


def shipped(name: str = "ms09-2018") -> tuple[ScenarioTable, Site]:
    """A shipped scenario and its site."""
    return load_scenario(CONFIGS / "scenarios" / f"{name}.toml", CONFIGS / "sites")
