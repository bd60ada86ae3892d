"""Functions that are compiled, and kept on disk for the next process.

The compiler makes a function anew when its own file changes, and knows nothing of other files whose
functions and constants are compiled into it. Beside the sources, where Python keeps its own, code
from before one of these changed is forgotten; a cache folder, which outlives the sources, keeps
code by what they contain. So an upgrade never runs a mixture of old and new.
"""

import fcntl
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast, overload

from numba import config, njit
from numba.core.caching import FunctionCache

from features.engine.cache_folder import code_folder

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


def inner(function: F) -> F:
    """Compile a function for compiled callers, in whose code it is put and kept.

    It has no entry from Python, whose making is most of the work of compiling a small function; and
    a call would hand over every array of a tuple, time and again.
    """
    decorate: Any = njit
    for_callers = decorate(no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)
    return cast(F, for_callers(function))


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
    kept: Any = _SharedCache
    dispatcher = decorate(no_cfunc_wrapper=True, **options)(function)  # C never calls
    file = Path(function.__code__.co_filename)
    package = function.__module__.partition(".")[0]
    folder = code_folder(file.parent).path
    if folder is None:
        return cast(F, dispatcher)
    if folder.parent == file.parent:
        _forget_outdated(file, package, folder)
        folder = None
    else:
        folder /= _content_of(file, package)
    with _kept_in(folder):
        dispatcher._cache = kept(function)
    return cast(F, dispatcher)


@contextmanager
def _kept_in(folder: Path | None) -> Iterator[None]:
    """Let the compiler keep what is decorated meanwhile in a folder, or beside the sources."""
    settings: Any = config
    chosen, settings.CACHE_DIR = settings.CACHE_DIR, str(folder or "")
    try:
        yield
    finally:
        settings.CACHE_DIR = chosen


class _SharedCache(FunctionCache):
    """The stored code of one function, shared by several processes while the disk has room."""

    def save_overload(self, signature: Any, compiled_code: Any) -> None:
        """Keep the code for arguments of some types, one process after the other.

        Each adds to the index that it has read: two at once would give their code the same name.
        """
        with suppress(OSError), Path(self.cache_path, "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            super().save_overload(signature, compiled_code)  # type: ignore[no-untyped-call]  # numba's


@cache
def _forget_outdated(file: Path, package: str, kept_in: Path) -> None:
    """Forget what is kept of a file's functions where it is older than a file that they hold.

    They may hold what the file imports of its own package, and what is imported there.
    """
    changed = max(map(_changed_ns, _files_imported(file, package)))
    for index in kept_in.glob(f"{file.stem}.*.nbi"):
        with suppress(FileNotFoundError):  # another process has just forgotten it
            if index.stat().st_mtime_ns < changed:
                index.unlink()


@cache
def _content_of(file: Path, package: str) -> str:
    """A digest of all that code of a file may hold."""
    content = sha256()
    for source in sorted(_files_imported(file, package)):
        content.update(source.read_bytes())
    return content.hexdigest()[:16]


def _files_imported(file: Path, package: str) -> set[Path]:
    """A file and all that it imports of the package, directly or not."""
    files, unread = set[Path](), {file}
    while unread:
        source = unread.pop()
        files.add(source)
        unread |= _imported_by(source, package) - files
    return files


@cache
def _imported_by(file: Path, package: str) -> frozenset[Path]:
    root = next(source for source in file.parents if source.name == package).parent
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
