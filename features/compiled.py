"""Functions that are compiled, and kept on disk for the next process.

The compiler makes a function anew when its own file changes, and knows nothing of other files whose
functions and constants are compiled into it. Code that was kept before one of these changed is
forgotten here, so that an upgrade in place never runs a mixture of old and new.
"""

import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar, cast, overload

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])

_IMPORT = re.compile(r"^from (\S+) import (\([^)]*\)|.*)|^import (\S+)", re.MULTILINE)


@overload
def compiled(function: F) -> F: ...


@overload
def compiled(**options: Any) -> Callable[[F], F]: ...


def compiled(function: F | None = None, **options: Any) -> F | Callable[[F], F]:
    """Compile a function when it is first called, unless that was done before; by some options."""
    if function is None:
        return partial(_compiled, options=options)
    return _compiled(function, {})


@overload
def inner(function: F) -> F: ...


@overload
def inner(**options: Any) -> Callable[[F], F]: ...


def inner(function: F | None = None, **options: Any) -> F | Callable[[F], F]:
    """Compile a function for compiled callers, in whose code it is put and kept; by some options.

    It has no entry from Python, whose making is most of the work of compiling a small function; and
    a call would hand over every array of a tuple, time and again.
    """
    decorate: Any = njit
    for_callers = decorate(
        no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True, **options
    )
    return cast("F | Callable[[F], F]", for_callers if function is None else for_callers(function))


def inlined(function: F) -> F:
    """Compile a function as lines of its caller, which should be the only one.

    Each function that is compiled by itself is made ready to run, and then once more in each that
    calls it, and once more in each that calls that.
    """
    decorate: Any = njit
    return cast(F, decorate(inline="always")(function))


def _load_numba() -> None:
    """Load what runs compiled functions, without SciPy's linear algebra, which none of ours calls.

    Numba loads it where it is found, 16 MiB and a sixth of a second, and else does without.
    """
    known = sys.modules.get("scipy.linalg")
    sys.modules["scipy.linalg"] = known  # type: ignore[assignment]  # None: not to be found
    try:
        import numba.np.arraymath  # noqa: F401, PLC0415
    finally:
        if known is None:
            del sys.modules["scipy.linalg"]


_load_numba()


def _compiled(function: F, options: Mapping[str, Any]) -> F:
    decorate: Any = njit
    dispatcher = decorate(cache=True, no_cfunc_wrapper=True, **options)(function)  # C never calls
    package = function.__module__.partition(".")[0]
    _forget_outdated(Path(function.__code__.co_filename), package, dispatcher.stats.cache_path)
    return cast(F, dispatcher)


@cache
def _forget_outdated(file: Path, package: str, kept_in: str) -> None:
    """Forget what is kept of a file's functions where it is older than a file that they hold.

    They may hold what the file imports of its own package, and what is imported there.
    """
    changed = max(map(_changed_ns, _held_by(file, package)))
    for index in Path(kept_in).glob(f"{file.stem}.*.nbi"):
        with suppress(FileNotFoundError):  # another process has just forgotten it
            if index.stat().st_mtime_ns < changed:
                index.unlink()


def _held_by(file: Path, package: str) -> set[Path]:
    """A file and all that it imports of the package, directly or not."""
    held, unread = set[Path](), {file}
    while unread:
        each = unread.pop()
        held.add(each)
        unread |= _imported_by(each, package) - held
    return held


@cache
def _imported_by(file: Path, package: str) -> frozenset[Path]:
    root = next(each for each in file.parents if each.name == package).parent
    found = set[Path]()
    for module, names, alone in _IMPORT.findall(file.read_text(encoding="utf-8")):
        name = module or alone
        if name.partition(".")[0] == package:
            place = root.joinpath(*name.split("."))
            found |= _of_package(place, names) if place.is_dir() else {place.with_suffix(".py")}
    return frozenset(found)


def _of_package(folder: Path, names: str) -> set[Path]:
    """The file of a package, and those of the modules that are named of it."""
    modules = (folder / f"{name}.py" for name in re.findall(r"\w+", names))
    return {folder / "__init__.py", *filter(Path.exists, modules)}


@cache
def _changed_ns(file: Path) -> int:
    return file.stat().st_mtime_ns
