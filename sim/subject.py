"""The controller under trial: whatever is installed under a name. How it thinks is its own affair."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any, Protocol, cast

from firmware_bridge.link import LinkPort
from firmware_bridge.site.survey import Site
from sim.errors import SubjectError

GROUP = "leakloc.controllers"
DEFAULT = "leakctl"


class Subject(Protocol):
    """A controller that runs on our loop until it is cancelled and says its events as JSON lines."""

    def __call__(
        self,
        site: Site,
        ports: Sequence[LinkPort],
        on_line: Callable[[bytes], None],
        settings: Mapping[str, Any] | None = None,
    ) -> Awaitable[None]:
        """Run on `ports`; `settings` replace defaults of its configuration."""
        ...


def find_subject(name: str = DEFAULT) -> Subject:
    """The installed controller called `name`.

    Raises:
        SubjectError: none of that name is installed.
    """
    known = {point.name: point for point in entry_points(group=GROUP)}
    if name not in known:
        names = ", ".join(sorted(known)) or "none is"
        raise SubjectError(f"no controller {name!r} is installed", remedy=f"installed: {names}; run make setup")
    return cast("Subject", known[name].load())
