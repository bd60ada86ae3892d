"""The extras of this distribution that are installed, by its own metadata.

Commands import what they need when they run, so a module that is not there says which extra is.
"""

import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, requires

from features.errors import TidegateError

DISTRIBUTION = "tidegate"

# The extras of commands that need others than `serve`; `docs/installation.md` lists them.
EXTRAS_OF_COMMAND = {
    **dict.fromkeys(("train", "evaluate", "gates", "fit-worker", "backtest"), ("train",)),
    **dict.fromkeys(("demo", "promote", "retrain", "dossier"), ("train", "serve")),
    "stream": ("streams",),
    "import": ("messages",),
}

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
        """Return whether its metadata are there."""
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


def require(command: str) -> None:
    """Refuse before the work begins. Raises TidegateError where an extra of it is not installed."""
    if absent := _absent(command):
        raise missing(command, *absent)


def missing(command: str, *names: str) -> TidegateError:
    """Return the error of a command that needs extras that are not installed."""
    extra = f"tidegate[{','.join(names)}]"
    return TidegateError(f"{command} needs {extra}: pip install '{extra}'")


def extras_for(command: str, error: ModuleNotFoundError) -> tuple[str, ...]:
    """Return the missing extras that a command needs, after it did not find a module.

    Empty where no extra brings the module, or what brings it is installed, but broken.
    """
    module = (error.name or "").partition(".")[0]
    lacking = {each.extra for each in _bringing(module) if each.extra and not each.is_installed}
    of_command = _absent(command)
    return of_command if lacking.intersection(of_command) else tuple(sorted(lacking)[:1])


def _absent(command: str) -> tuple[str, ...]:
    found = extras()
    wanted = EXTRAS_OF_COMMAND.get(command, ("serve",))
    return tuple(name for name in wanted if not found.get(name, True))


def _bringing(module: str) -> list[Requirement]:
    named = _BROUGHT_BY.get(module, module)
    exact = [requirement for requirement in _requirements() if requirement.module == named]
    return exact or [
        requirement for requirement in _requirements() if requirement.module.startswith(f"{named}_")
    ]


def _requirements() -> list[Requirement]:
    try:
        lines = requires(DISTRIBUTION) or []
    except PackageNotFoundError:  # sources that were never installed
        return []
    matches = filter(None, map(_REQUIREMENT.match, lines))
    return [Requirement(match[1], match[2]) for match in matches]
