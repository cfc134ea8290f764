"""Controller files: every shipped one loads, and a wrong one is told by file, key and what is allowed."""

import dataclasses
import shutil
import tomllib
from pathlib import Path

import pytest

from controller.config import Configuration, load_configuration
from controller.declared import ControllerTable
from controller.errors import ControllerError
from controller.localize.locate import Settings as LocateSettings
from controller.pipeline.pipeline import Settings as PipelineSettings
from firmware_bridge.errors import BridgeError, DeclaredFileError
from firmware_bridge.session.conversation import Settings as SessionSettings
from firmware_bridge.site.survey import load_site
from sim.scenario.scenario import load_scenario
from tests.support.shipped import CONFIGS, shipped

SITE = "soyuz-orbital-module.toml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the shipped site in it."""
    shutil.copy(CONFIGS / "sites" / SITE, tmp_path / "site.toml")
    return tmp_path


def load(folder: Path, text: str = "") -> Configuration:
    """A controller file that says `text` besides what it must."""
    path = folder / "controller.toml"
    path.write_text(f'format = 1\nsite = "site.toml"\n{text}', encoding="utf-8")
    return load_configuration(path)


def refused(folder: Path, text: str) -> str:
    """The whole message about a wrong file, on one line."""
    with pytest.raises(BridgeError) as error:
        load(folder, text)
    return " ".join(str(error.value).split())


def shipped_files(kind: str) -> list[str]:
    files = sorted(path.name for path in (CONFIGS / kind).glob("*.toml"))
    assert files
    return files


@pytest.mark.parametrize("name", shipped_files("controller"))
def test_shipped_controller_files_load(name: str) -> None:
    configuration = load_configuration(CONFIGS / "controller" / name)
    assert configuration.table.links
    hull = configuration.site.compartment(configuration.compartment).hull
    assert hull is not None


@pytest.mark.parametrize("name", shipped_files("sites"))
def test_shipped_sites_load(name: str) -> None:
    assert load_site(CONFIGS / "sites" / name).nodes


@pytest.mark.parametrize("name", shipped_files("scenarios"))
def test_shipped_scenarios_load(name: str) -> None:
    scenario, site = load_scenario(CONFIGS / "scenarios" / name, CONFIGS / "sites")
    assert scenario.links.keys() <= {node.name for node in site.nodes}


def test_no_shipped_file_is_of_an_unknown_kind() -> None:
    """A new folder of files needs a test that loads them."""
    kinds = {path.parent.name for path in CONFIGS.rglob("*.toml")}
    assert kinds == {"controller", "sites", "scenarios"}


def test_what_a_file_does_not_say_is_as_the_rooms_say(folder: Path) -> None:
    configuration = load(folder)
    assert configuration.pipeline == PipelineSettings()
    assert configuration.locate == LocateSettings()
    assert configuration.session == SessionSettings()
    assert configuration.compartment == "orbital-module"
    assert configuration.site.name == shipped()[1].name


def test_what_a_file_says_reaches_its_room(folder: Path) -> None:
    configuration = load(
        folder,
        "[onset]\nlearning_bursts = 30\n[pressure]\nconfirm_sigmas = 4.0\n[size]\nevacuation_limit_mmhg = 500.0\n"
        "[locate]\nmin_standing = 9.0\n[health]\nstartup_grace_s = 5.0\n[tasking]\nburst_samples = 4096\n"
        "[alarm]\ncaution_mmhg_h = 0.7\n[session]\nsilence_s = 4.5\n",
    )
    pipeline = configuration.pipeline
    assert pipeline.onset.learning_bursts == 30
    assert pipeline.pressure.confirm_sigmas == 4.0
    assert pipeline.size.evacuation_limit_mmhg == 500.0
    assert pipeline.health.startup_grace_s == 5.0
    assert pipeline.tasking.burst_samples == 4096
    assert pipeline.policy.caution_mmhg_h == 0.7
    assert configuration.locate.min_standing == 9.0
    assert configuration.session.silence_s == 4.5


def test_every_setting_of_a_room_can_be_set() -> None:
    """A setting that no file can reach is none."""
    rooms = {**{f.name: f.default_factory for f in dataclasses.fields(PipelineSettings)}, "locate": LocateSettings}
    rooms["alarm"] = rooms.pop("policy")
    for name, settings in rooms.items():
        table = type(getattr(ControllerTable(format=1, site="x"), name))
        assert callable(settings)
        assert set(table.model_fields) == {f.name for f in dataclasses.fields(settings())}, name


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[onset]\nlearning_burst = 30\n", ["onset.learning_burst", "unknown key", "spelling"]),
        ("colour = 'red'\n", ["colour", "unknown key"]),
        ("[onset]\nlearning_bursts = 2\n", ["onset.learning_bursts", "greater than or equal to 3", "found 2"]),
        ("[pressure]\nwalk_pa2_s = 0\n", ["pressure.walk_pa2_s", "greater than 0", "found 0"]),
        ("[pressure]\nconfirm_sigmas = nan\n", ["pressure.confirm_sigmas", "finite"]),
        ("[mqtt]\nport = 70000\n", ["mqtt.port", "less than or equal to 65535", "found 70000"]),
        ("[mqtt]\nport = '1883'\n", ["mqtt.port", "valid integer", "found '1883'"]),
        ("[locate]\nmin_standing = 1.0\n", ["locate.min_standing", "greater than or equal to 5"]),
        ("[tasking]\nburst_samples = 100\n", ["tasking.burst_samples", "2048"]),
        ("[[links]]\nkind = 'serial'\n", ["links[0].port", "missing, but required"]),
        ("[[links]]\nkind = 'pigeon'\nport = 'x'\n", ["links[0]", "serial", "mqtt"]),
        ("[[links]]\nkind = 'mqtt'\nprefix = 'a/#'\n", ["links[0].prefix", "pattern", "found 'a/#'"]),
    ],
)
def test_a_wrong_value_is_told_by_file_and_key(folder: Path, text: str, told: list[str]) -> None:
    message = refused(folder, text)
    assert "controller.toml is not valid" in message
    for part in told:
        assert part in message


def test_all_that_is_wrong_is_told_at_once(folder: Path) -> None:
    message = refused(folder, "[onset]\nlearning_bursts = 0\nnonsense = 1\n[mqtt]\nport = 0\n")
    assert all(key in message for key in ("onset.learning_bursts", "onset.nonsense", "mqtt.port"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[alarm]\nwarning_mmhg_h = 0.1\n", "caution_mmhg_h < warning_mmhg_h"),
        ("[alarm]\nemergency_reserve_h = 100.0\n", "emergency_reserve_h must be less than warning_reserve_h"),
        ("[tasking]\ncapture_window_s = 0.5\n", "capture_window_s: must be longer than capture_lead_s"),
        ("[[links]]\nkind = 'serial'\nport = 'a'\n[[links]]\nkind = 'serial'\nport = 'a'\n", "'a' is listed 2 times"),
        ("[[links]]\nkind = 'mqtt'\nprefix = 'a'\n[mqtt]\nenabled = false\n", "mqtt.enabled is false"),
    ],
)
def test_what_contradicts_itself_is_refused(folder: Path, text: str, told: str) -> None:
    message = refused(folder, text)
    assert "controller.toml contradicts itself" in message
    assert told in message


def test_files_that_are_none(folder: Path) -> None:
    with pytest.raises(DeclaredFileError, match="cannot read"):
        load_configuration(folder / "nowhere.toml")
    assert "is not TOML" in refused(folder, "[onset\n")
    (folder / "controller.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(DeclaredFileError, match="is not text"):
        load_configuration(folder / "controller.toml")
    (folder / "site.toml").unlink()
    assert "site.toml" in refused(folder, "")


def test_the_compartment_must_have_microphones(folder: Path) -> None:
    message = refused(folder, "compartment = 'station'\n")
    assert "'station' has no microphones" in message
    assert "orbital-module" in message


def test_of_two_compartments_with_microphones_one_must_be_named(folder: Path) -> None:
    text = (folder / "site.toml").read_text(encoding="utf-8")
    text = text.replace('name = "station"\nvolume_m3 = 916.0', 'name = "station"\nvolume_m3 = 916.0\nhull = HULL')
    text = text.replace(
        "hull = HULL", 'hull = { shape = "box", size_m = [10.0, 10.0, 9.2], origin_m = [5.0, 0.0, 0.0] }'
    )
    more = '[[nodes]]\nname = "Z"\nuid = "99"\ncompartment = "station"\nsensors = [{ name = "Z1", '
    more += 'quantity = "ultrasound", channel = 0, position_m = [6.0, 1.0, 1.0] }]\n'
    (folder / "site.toml").write_text(text + more, encoding="utf-8")
    assert "microphones in 2 compartments" in refused(folder, "")
    assert load(folder, "compartment = 'station'\n").compartment == "station"


def test_the_broker_and_its_password(folder: Path) -> None:
    secret = folder / "secret"
    secret.write_text("tea leaves\n", encoding="utf-8")
    secret.chmod(0o600)
    broker = load(folder, f"[mqtt]\nhost = 'somewhere'\nusername = 'me'\npassword_file = '{secret}'\n").broker
    assert broker is not None
    assert (broker.host, broker.port, broker.username, broker.password) == ("somewhere", 1883, "me", "tea leaves")
    assert "tea leaves" not in repr(broker)
    plain = load(folder).broker
    assert plain is not None
    assert (plain.username, plain.password) == (None, None)
    assert load(folder, "[mqtt]\nenabled = false\n").broker is None


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"], ids=["missing", "not text"])
def test_a_password_file_that_cannot_be_read_is_named(folder: Path, content: bytes | None) -> None:
    secret = folder / "secret"
    if content is not None:
        secret.write_bytes(content)
        secret.chmod(0o600)
    configuration = load(folder, f"[mqtt]\npassword_file = '{secret}'\n")
    with pytest.raises(ControllerError, match=r"cannot read mqtt\.password_file .*secret"):
        _ = configuration.broker


def test_a_password_never_stands_in_the_controller_file() -> None:
    """Such files are shown to people who ask for help."""
    for name in shipped_files("controller"):
        assert "password" not in tomllib.loads((CONFIGS / "controller" / name).read_text()).get("mqtt", {})
