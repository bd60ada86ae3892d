"""The installed extras of this distribution, from its own metadata.

Commands import their libraries when they run, so a missing module leads to the missing extra.
"""

import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, requires

from features.errors import TidegateError

DISTRIBUTION = "tidegate"

# Commands that need other extras than `serve`; `docs/installation.md` lists them.
EXTRAS_OF_COMMAND = {
    **dict.fromkeys(
        ("train", "evaluate", "gates", "compare", "fit-worker", "backtest"), ("train",)
    ),
    **dict.fromkeys(("demo", "promote", "retrain", "dossier"), ("train", "serve")),
    "stream": ("streams",),
    "exchange": ("serve", "exchange"),
    "import": ("messages",),
}

_REQUIREMENT = re.compile(r"([\w.-]+)(?:.*; *extra == ['\"]([\w-]+)['\"])?")
# Modules whose distribution has another name.
_BROUGHT_BY = {"fpdf": "fpdf2", "markupsafe": "jinja2", "nats": "nats_py"}
_BROUGHT_BY |= {"sklearn": "scikit_learn", "starlette": "fastapi"}


@dataclass(frozen=True)
class Requirement:
    """A required distribution; `extra` is None if it is always required."""

    distribution: str
    extra: str | None

    @property
    def is_installed(self) -> bool:
        """True if its metadata is present."""
        try:
            distribution(self.distribution)
        except PackageNotFoundError:
            return False
        return True

    @property
    def module(self) -> str:
        """The name of its module, or a longer name: `argon2_cffi` provides `argon2`."""
        return re.sub(r"[-_.]+", "_", self.distribution).lower()


def extras() -> dict[str, bool]:
    """Return every extra by name, and whether all its requirements are installed."""
    found: dict[str, bool] = {}
    for requirement in _requirements():
        if requirement.extra:
            found[requirement.extra] = (
                found.get(requirement.extra, True) and requirement.is_installed
            )
    return found


def require(command: str) -> None:
    """Check the extras of a command before it starts; raises TidegateError if one is missing."""
    if absent := _absent(command):
        raise missing(command, *absent)


def missing(command: str, *names: str) -> TidegateError:
    """Return the error of a command whose extras are not installed."""
    extra = f"tidegate[{','.join(names)}]"
    return TidegateError(f"{command} needs {extra}: pip install '{extra}'")


def extras_for(command: str, error: ModuleNotFoundError) -> tuple[str, ...]:
    """Return the missing extras of a command that failed to import a module.

    Empty if no extra provides the module, or if its distribution is installed but broken.
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
    except PackageNotFoundError:  # running from sources that were never installed
        return []
    matches = filter(None, map(_REQUIREMENT.match, lines))
    return [Requirement(match[1], match[2]) for match in matches]
