"""Digests of functions: the syntax tree and everything it refers to in this package.

They cover what is not a traced program: functions of single texts, and the few rules of the engine
that decide values. Docstrings, comments, annotations, formatting and the names of local variables
are left out. Constants count by value, and functions of this package by their own digest, so
renaming one changes nothing. Imports from other packages count by name.
"""

import ast
import builtins
import hashlib
import inspect
import re
from collections.abc import Iterable, Mapping
from enum import Enum, EnumType
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from features.digests.syntax import spelling
from features.engine.numba_cache import compiled, inlined, inner
from features.errors import TidegateError

PACKAGE = __name__.partition(".")[0]
ROOT = Path(__file__).parent.parent
# Wrappers that only compile a function; they do not change what it computes.
_COMPILING = (compiled, inlined, inner)


def combined(*parts: str) -> str:
    """Return one digest of texts and digests, in order."""
    # `ascii` of the tuple quotes every part, so that two lists of parts never run together.
    return hashlib.sha256(ascii(parts).encode()).hexdigest()


@cache
def code_digest(code: Any, without: tuple[Any, ...] = ()) -> str:
    """Return the digest of a function of this package and of everything it refers to.

    Objects in `without`, and decorators that compile, count by name only. Raises TidegateError if
    the function refers to something that no digest covers, such as a file, an object or a closure.
    """
    return _reader((*_COMPILING, *without)).of(code)


@cache
def source_digest(path: str, name: str | None = None) -> str:
    """Return the digest of a file below `features`, or of one function in it, without importing it.

    Names that are not local count as they are spelled.
    """
    file = ROOT / path
    statements = _tree(file).body if name is None else [_named(_tree(file).body, name, file)]
    kept = [node for node in statements if not isinstance(node, ast.Import | ast.ImportFrom)]
    # Sorted, so that the order of definitions in a file does not matter.
    return combined(*sorted(combined(*spelling(node, str)) for node in kept))


class _CodeReader:
    """Reader of a function and everything it refers to; digests each object once."""

    def __init__(self, without: tuple[Any, ...]) -> None:
        self._without = without
        self._open: list[Any] = []
        # Keeps the values as well: an id is reused once its object is freed.
        self._known: dict[int, tuple[Any, str]] = {}

    def of(self, value: Any) -> str:
        """Return the digest of the value of a name."""
        if id(value) not in self._known:
            self._known[id(value)] = value, self._of(value)
        return self._known[id(value)][1]

    def _of(self, value: Any) -> str:
        if any(value is named for named in self._without):
            return combined("named", getattr(value, "__name__", type(value).__name__))
        if isinstance(value, ModuleType) and not _is_ours(value.__name__):
            return combined("module", value.__name__)
        if isinstance(value, EnumType):
            members: Iterable[Enum] = value
            return combined("members", *(f"{member.name} {member.value!r}" for member in members))
        value = inspect.unwrap(value) if callable(value) else value
        module = getattr(value, "__module__", None)
        if (inspect.isroutine(value) or inspect.isclass(value)) and not _is_ours(module):
            return combined("other", f"{module}.{value.__qualname__}")
        return self._of_code(value) if inspect.isfunction(value) else self._of_constant(value)

    def _of_code(self, code: Any) -> str:
        # A recursive call counts as the depth of the function on the stack, which ends the
        # recursion.
        if code in self._open:
            return combined("itself", str(self._open.index(code)))
        # Lambdas and closures cannot be found by name in the source of their module.
        if not code.__qualname__.isidentifier():
            raise _not_covered(code, "want a named function of a module")
        file = Path(code.__code__.co_filename)
        node = _named(_tree(file).body, code.__name__, file)
        names = code.__globals__
        self._open.append(code)
        try:
            return combined(*spelling(node, lambda name: self.of(_value(names, name, code))))
        finally:
            self._open.pop()

    def _of_constant(self, value: Any) -> str:
        if isinstance(value, str | int | float | bytes | type(None) | np.generic):
            return combined(type(value).__name__, repr(value))
        if isinstance(value, re.Pattern):
            return combined("pattern", repr(value.pattern), str(value.flags))
        if isinstance(value, Mapping):
            pairs = ((self.of(key), self.of(item)) for key, item in value.items())
            return combined("mapping", *map("".join, sorted(pairs)))
        if isinstance(value, set | frozenset):
            return combined("set", *sorted(map(self.of, value)))
        if isinstance(value, tuple | list):
            return combined("sequence", *map(self.of, value))
        raise _not_covered(
            value, "want constants, or a rule for it in features/digests/column_digests.py"
        )


_reader = cache(_CodeReader)


def _is_ours(module: str | None) -> bool:
    return module is not None and module.partition(".")[0] == PACKAGE


def _not_covered(value: Any, want: str) -> TidegateError:
    name = getattr(value, "__qualname__", repr(value))
    return TidegateError(f"{name}: no digest covers what it computes; {want}")


def _value(names: Mapping[str, Any], name: str, code: Any) -> Any:
    if name in names:
        return names[name]
    if hasattr(builtins, name):
        return getattr(builtins, name)
    raise _not_covered(code, f"{name!r} is not a name in its module")


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _named(statements: Iterable[ast.stmt], name: str, file: Path) -> ast.FunctionDef:
    for statement in statements:
        if isinstance(statement, ast.FunctionDef) and statement.name == name:
            return statement
    raise TidegateError(f"{file}: there is no function {name} in it")
