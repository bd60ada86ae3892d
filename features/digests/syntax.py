"""Spelling of a syntax tree, reduced to what affects a result.

Docstrings, comments, annotations and formatting are left out; local variables are numbered in the
order they are bound. `ast.dump` is not used because its output differs between Python versions.
"""

import ast
from collections.abc import Callable, Iterator
from typing import Any

# Returns the spelling of a name that is not a local variable.
Resolve = Callable[[str], str]

_Scopes = tuple[dict[str, int], ...]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_SCOPES = (*_FUNCTIONS, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_DECIDES_NOTHING = {"annotation", "returns", "ctx", "kind", "type_comment", "type_params"}


def spelling(tree: ast.AST, resolve: Resolve) -> list[str]:
    """Return the parts of the spelling in order; `resolve` spells names that are not local."""
    parts: list[str] = []
    _spell(tree, resolve, (), parts)
    return parts


def _spell(node: Any, resolve: Resolve, scopes: _Scopes, parts: list[str]) -> None:
    if isinstance(node, ast.Name):
        parts.append(_name(node.id, resolve, scopes))
    elif isinstance(node, ast.AST):
        parts.append(type(node).__name__)
        _spell_fields(node, resolve, scopes, parts)
    elif isinstance(node, list):
        parts.append("[")
        for item in node:
            if not _is_docstring(item):
                _spell(item, resolve, scopes, parts)
        parts.append("]")
    else:
        parts.append(repr(node))


def _spell_fields(node: ast.AST, resolve: Resolve, scopes: _Scopes, parts: list[str]) -> None:
    within = (*scopes, _bound_in(node)) if isinstance(node, _SCOPES) else scopes
    for name in node._fields:
        value = getattr(node, name, None)
        # Skip empty fields: newer Python versions add some. In a Constant, None is a value.
        if value is None and not isinstance(node, ast.Constant):
            continue
        if name in _DECIDES_NOTHING or (name == "name" and isinstance(node, _FUNCTIONS)):
            continue
        parts.append(name)
        # Keyword and attribute names are part of an interface, so they count as spelled.
        if isinstance(value, str) and not isinstance(node, ast.keyword | ast.Attribute):
            parts.append(_name(value, repr, within))  # a name bound here
        else:
            _spell(value, resolve, scopes if name == "decorator_list" else within, parts)


def _name(name: str, resolve: Resolve, scopes: _Scopes) -> str:
    for depth in reversed(range(len(scopes))):
        if name in scopes[depth]:
            return f"local {depth} {scopes[depth][name]}"
    return resolve(name)


def _is_docstring(node: Any) -> bool:
    """Return whether the statement is a lone string."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _bound_in(scope: ast.AST) -> dict[str, int]:
    """Return a number for each name that a scope binds itself, not in an inner scope."""
    bound: dict[str, int] = {}
    _bind(scope, bound)
    return bound


def _bind(node: ast.AST, bound: dict[str, int]) -> None:
    for child in ast.iter_child_nodes(node):
        for name in _binds(child):
            bound.setdefault(name, len(bound))
        if not isinstance(child, _SCOPES):
            _bind(child, bound)


def _binds(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.FunctionDef | ast.ExceptHandler | ast.MatchAs) and node.name:
        yield node.name
