"""Compiled functions, cached on disk for the next process.

Numba recompiles a function when its own file changes, but ignores other files whose functions and
constants are compiled into it. Next to the sources, in `__pycache__`, code older than any of these
files is deleted. A cache folder, which may outlive the sources, stores code by the digest of their
content. An upgrade therefore never runs a mixture of old and new code.
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
from numba.core.caching import CompileResultCacheImpl, FunctionCache, UserProvidedCacheLocator
from numba.core.runtime.nrt import rtsys

from features.engine.cache_folder import code_folder

F = TypeVar("F", bound=Callable[..., Any])

_IMPORT = re.compile(r"^from (\S+) import (\([^)]*\)|.*)|^import (\S+)", re.MULTILINE)


@overload
def compiled(function: F) -> F: ...


@overload
def compiled(**options: Any) -> Callable[[F], F]: ...


def compiled(function: F | None = None, **options: Any) -> F | Callable[[F], F]:
    """Compile a function when it is first called, or load it from the cache."""
    if function is None:
        return partial(_compiled, options=options)
    return _compiled(function, {})


def inner(function: F) -> F:
    """Compile a function for compiled callers, which inline it and cache it as part of their code.

    It has no entry point from Python, which takes most of the time of compiling a small function.
    Inlining also avoids passing every array of a tuple with each call.
    """
    decorate: Any = njit
    for_callers = decorate(no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)
    return cast(F, for_callers(function))


def inlined(function: F) -> F:
    """Compile a function as part of its caller, which should be the only one.

    A function compiled separately is optimised by itself, then again in each of its callers, and
    again in each of their callers.
    """
    decorate: Any = njit
    return cast(F, decorate(inline="always")(function))


@cache
def _load_runtime() -> None:
    """Load numba's runtime without SciPy's linear algebra, which no compiled function here calls.

    Numba imports it if present, at a cost of 16 MiB and a sixth of a second, and works without it.
    """
    known = sys.modules.get("scipy.linalg")
    sys.modules["scipy.linalg"] = known  # type: ignore[assignment]  # None makes the import fail
    try:
        import numba.np.arraymath  # noqa: F401, PLC0415  loaded while SciPy is hidden
    finally:
        if known is None:
            del sys.modules["scipy.linalg"]


def _compiled(function: F, options: Mapping[str, Any]) -> F:
    decorate: Any = njit
    kept: Any = _SharedCache
    dispatcher = decorate(no_cfunc_wrapper=True, **options)(function)  # never called from C
    file = Path(function.__code__.co_filename)
    package = function.__module__.partition(".")[0]
    folder = code_folder(file.parent).path
    if folder is None:
        _load_runtime()
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
    """Set the folder where numba caches functions that are decorated in the block.

    None is the folder next to the sources.
    """
    settings: Any = config
    chosen, settings.CACHE_DIR = settings.CACHE_DIR, str(folder or "")
    try:
        yield
    finally:
        settings.CACHE_DIR = chosen


class _FolderOfContent(UserProvidedCacheLocator):
    """A folder named by the digest of its sources; it may be read-only, as in an image."""

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> "_FolderOfContent | None":
        """Return the chosen folder, None if none was chosen."""
        settings: Any = config
        if not settings.CACHE_DIR:
            return None
        folder: Any = cls
        chosen = folder(py_func, py_file)
        with suppress(OSError):
            chosen.ensure_cache_path()
        return cast("_FolderOfContent", chosen)

    def get_source_stamp(self) -> int:
        """Return a constant: the digest stands for the sources, whose times an image may round."""
        return 0


class _SharedImpl(CompileResultCacheImpl):
    _locator_classes = [_FolderOfContent, *CompileResultCacheImpl._locator_classes]  # noqa: RUF012  numba's


class _SharedCache(FunctionCache):
    """Cached code of one function, shared by several processes while the disk has space."""

    _impl_class = _SharedImpl

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """Return the code for one signature; None if there is none, which makes numba compile it.

        Numba would first load its whole compiler, which takes longer than loading all cached code.
        """
        _load_runtime()
        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            return self._load_overload(signature, target_context)  # type: ignore[no-untyped-call]  # numba's

    def save_overload(self, signature: Any, compiled_code: Any) -> None:
        """Store the code for one signature, under a lock.

        Each process extends the index it has read. Two at a time would give their code the same
        name.
        """
        # A full or read-only disk only costs the cache entry.
        with suppress(OSError), Path(self.cache_path, "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            super().save_overload(signature, compiled_code)  # type: ignore[no-untyped-call]  # numba's


@cache
def _forget_outdated(file: Path, package: str, kept_in: Path) -> None:
    """Delete cached code of a file's functions that is older than a file it depends on.

    It may depend on everything that the file imports from its own package, directly or not.
    """
    changed = max(map(_changed_ns, _files_imported(file, package)))
    for index in kept_in.glob(f"{file.stem}.*.nbi"):
        with suppress(FileNotFoundError):  # another process has just deleted it
            if index.stat().st_mtime_ns < changed:
                # Without its index numba compiles the function again.
                index.unlink()


@cache
def _content_of(file: Path, package: str) -> str:
    """Return a digest of all sources that the code of a file may depend on."""
    content = sha256()
    for source in sorted(_files_imported(file, package)):
        content.update(source.read_bytes())
    return content.hexdigest()[:16]


def _files_imported(file: Path, package: str) -> set[Path]:
    """Return a file and all files of the package that it imports, directly or not."""
    # Imports may be circular, so visited files are skipped.
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
    """Return the file of a package, and those of its modules that are imported by name."""
    modules = (folder / f"{name}.py" for name in re.findall(r"\w+", names))
    return {folder / "__init__.py", *filter(Path.exists, modules)}


@cache
def _changed_ns(file: Path) -> int:
    return file.stat().st_mtime_ns
