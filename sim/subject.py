"""The controller under trial: whatever is installed under a name. How it thinks is its own affair."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
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
    """The installed controller called `name`, or the one that `module:function` names.

    Raises:
        SubjectError: none of that name is installed, or it cannot be loaded.
    """
    known = {point.name: point for point in entry_points(group=GROUP)}
    if ":" in name:
        known[name] = EntryPoint(name, name, GROUP)
    if name not in known:
        names = ", ".join(sorted(known)) or "none is"
        raise SubjectError(f"no controller {name!r} is installed", remedy=f"installed: {names}; run make setup")
    try:
        subject = known[name].load()
    except Exception as error:
        place = f"{known[name].value}; a module is looked for where Python does (PYTHONPATH)"
        raise SubjectError(f"controller {name!r} cannot be loaded: {in_words(error)}", remedy=place) from error
    if not callable(subject):
        raise SubjectError(f"controller {name!r} is no function", remedy=f"name an async function, not {subject!r}")
    return cast("Subject", subject)


def in_words(error: BaseException) -> str:
    """Kind and text of an error in one line; of a group, those of its first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
