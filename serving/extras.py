"""Which extras of this distribution are installed, as its own metadata list them.

Commands import what they need when they run, so a module that is not there says which extra is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, requires
from types import TracebackType

from serving.errors import ExtraMissing

DISTRIBUTION = "tidegate"
ROOMS = {"training": "train", "serving": "serve"}

_REQUIREMENT = re.compile(r"([\w.-]+)(?:.*; *extra == ['\"]([\w-]+)['\"])?")
# Which the name does not say.
_BROUGHT_BY = {"fpdf": "fpdf2", "markupsafe": "jinja2", "nats": "nats_py"}
_BROUGHT_BY |= {"starlette": "fastapi"}


@dataclass(frozen=True)
class Requirement:
    """A distribution that is needed; by an extra, or always."""

    distribution: str
    extra: str | None

    @property
    def is_installed(self) -> bool:
        """Whether its metadata are there."""
        try:
            distribution(self.distribution)
        except PackageNotFoundError:
            return False
        return True

    @property
    def module(self) -> str:
        """The name of its module, or what begins with it: `argon2_cffi` brings `argon2`."""
        return re.sub(r"[-_.]+", "_", self.distribution).lower()


def extras() -> dict[str, bool]:
    """Every extra by name, and whether all that it needs is installed."""
    found: dict[str, bool] = {}
    for requirement in _requirements():
        if requirement.extra:
            found[requirement.extra] = (
                found.get(requirement.extra, True) and requirement.is_installed
            )
    return found


def require(command: str, *names: str) -> None:
    """Refuse before the work begins. Raises ExtraMissing where one of the extras is not there."""
    found = extras()
    if absent := [name for name in names if not found.get(name, True)]:
        raise missing(command, *absent)


def missing(command: str, *names: str) -> ExtraMissing:
    """What is raised where a command needs extras that are not installed."""
    extra = f"tidegate[{','.join(names)}]"
    return ExtraMissing(f"{command} needs {extra}: pip install '{extra}'")


def extra_of(error: ModuleNotFoundError) -> str | None:
    """The extra that would bring a module that was not found.

    None where no extra brings it, or what brings it is installed, but broken. Of several extras, it
    is that of the room that was asked first.
    """
    module = (error.name or "").partition(".")[0]
    lacking = {each.extra for each in _bringing(module) if each.extra and not each.is_installed}
    rooms = (ROOMS[room] for room in _rooms(error.__traceback__) if room in ROOMS)
    return next((extra for extra in rooms if extra in lacking), min(lacking, default=None))


def _bringing(module: str) -> list[Requirement]:
    named = _BROUGHT_BY.get(module, module)
    exact = [requirement for requirement in _requirements() if requirement.module == named]
    return exact or [
        requirement for requirement in _requirements() if requirement.module.startswith(f"{named}_")
    ]


def _rooms(traceback: TracebackType | None) -> Iterator[str]:
    """Of the frames of a traceback, the first first; commands are the door to all rooms."""
    while traceback is not None:
        name = str(traceback.tb_frame.f_globals.get("__name__"))
        if not name.startswith("serving.cli"):
            yield name.partition(".")[0]
        traceback = traceback.tb_next


def _requirements() -> list[Requirement]:
    try:
        lines = requires(DISTRIBUTION) or []
    except PackageNotFoundError:  # sources that were never installed
        return []
    matches = filter(None, map(_REQUIREMENT.match, lines))
    return [Requirement(match[1], match[2]) for match in matches]
