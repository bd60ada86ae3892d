"""Mutations of calls and keys: what a feature's windows are declared with, and what calls hand on.

Cosmic Ray's own operators change numbers and signs; most features are a window, whose reducer, key
and condition decide all. Nodes are those of parso.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

from cosmic_ray.operators.operator import Example, Operator

Node = Any
Span = tuple[tuple[int, int], tuple[int, int]]

# Each for one that is called alike and answers otherwise.
CALLED_ALIKE = {
    "total": "mean",
    "mean": "total",
    "largest": "total",
    "distinct": "total",
    "hours_since_latest": "days_since_first",
    "days_since_first": "hours_since_latest",
    "fmax": "fmin",
    "maximum": "minimum",
    "minimum": "maximum",
    "max": "min",
    "min": "max",
    "any": "all",
    "all": "any",
    "floor": "ceil",
    "ceil": "floor",
}


class ReplaceCalled(Operator):
    """Call another function that takes the same arguments."""

    def mutation_positions(self, node: Node) -> Iterator[Span]:
        """The names that are called."""
        if node.type == "name" and node.value in CALLED_ALIKE and _is_called(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Node, index: int) -> Node:
        """The other name."""
        node.value = CALLED_ALIKE[node.value]
        return node

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """One for the reader."""
        return (Example("max(a, b)", "min(a, b)"),)


class DropKeyword(Operator):
    """Leave out an argument that is given by its name."""

    def mutation_positions(self, node: Node) -> Iterator[Span]:
        """The named arguments of a call of several; what decorators say is no formula."""
        if node.type == "arglist" and not _is_decorating(node):
            yield from ((each.start_pos, each.end_pos) for each in _named(node))

    def mutate(self, node: Node, index: int) -> Node:
        """The call without it."""
        return _without(node, _named(node)[index])

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """One for the reader."""
        return (Example("count(source, days=30)", "count(source)"),)


# Of these it does not matter in which order they are asked.
SYMMETRIC = {"max", "min", "maximum", "minimum", "fmax", "fmin"}


class SwapArguments(Operator):
    """Hand over the first two arguments the wrong way round."""

    def mutation_positions(self, node: Node) -> Iterator[Span]:
        """Calls whose first two arguments are given by place, differ, and have an order."""
        if node.type == "arglist" and not _is_decorating(node) and not _is_symmetric(node):
            first, second = node.children[0], node.children[2]
            are_alike = {first.type, second.type} == {"string"} or _code(first) == _code(second)
            if "argument" not in (first.type, second.type) and not are_alike:
                yield first.start_pos, second.end_pos

    def mutate(self, node: Node, index: int) -> Node:
        """The call with both exchanged."""
        node.children[0], node.children[2] = node.children[2], node.children[0]
        return node

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """One for the reader."""
        return (Example("ratio(part,whole)", "ratio(whole,part)"),)


class ReplaceText(Operator):
    """Hand over the text that another call of the same function has in that place."""

    def mutation_positions(self, node: Node) -> Iterator[Span]:
        """Texts that are arguments, where another call has another."""
        if node.type == "string" and _another_text(node) is not None:
            yield node.start_pos, node.end_pos

    def mutate(self, node: Node, index: int) -> Node:
        """The other text."""
        node.value = _another_text(node)
        return node

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """One for the reader."""
        return (Example('f("a"); f("b")', 'f("b"); f("b")'),)


class DropElement(Operator):
    """Leave out an element of a tuple, such as a column of a key."""

    names: ClassVar[tuple[str, ...]] = ("testlist_comp",)

    def mutation_positions(self, node: Node) -> Iterator[Span]:
        """The elements of a written tuple, list or set of several."""
        if node.type in self.names and "comp_for" not in _types(node) and not _is_decorating(node):
            yield from ((each.start_pos, each.end_pos) for each in node.children[::2])

    def mutate(self, node: Node, index: int) -> Node:
        """The rest; a comma stays behind what would be no tuple without."""
        element = node.children[2 * index]
        return _without(node, element, keep_comma=len(node.children) == 3)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """One for the reader."""
        return (Example("(a, b)", "( b,)"),)


OPERATORS: dict[str, type[Operator]] = {
    operator.__name__: operator
    for operator in (ReplaceCalled, DropKeyword, SwapArguments, ReplaceText, DropElement)
}


def _another_text(string: Node) -> str | None:
    """The next text of the file in the same place of a call of the same function, if it differs."""
    if (place := _place(string)) is None:
        return None
    root = string.get_root_node()
    alike = [leaf for leaf in _leaves(root) if leaf.type == "string" and _place(leaf) == place]
    at = next(n for n, leaf in enumerate(alike) if leaf.start_pos == string.start_pos)
    others = [leaf.value for leaf in (*alike[at:], *alike[:at]) if _says(leaf) != _says(string)]
    return str(others[0]) if others else None


def _says(string: Node) -> str:
    """A text without its quotes."""
    return str(string.value).strip("\"'")


def _place(string: Node) -> tuple[str, str] | None:
    """The function that a text is handed to, and by which name or in which place."""
    argument = string.parent if string.parent.type == "argument" else string
    call = argument.parent
    if call.type not in ("arglist", "trailer") or _is_decorating(call):
        return None
    opening = call.children[0] if call.type == "trailer" else call.get_previous_leaf()
    name = _code(argument.children[0]) if argument is not string else None
    return _code(opening.get_previous_leaf()), name or str(call.children.index(argument))


def _leaves(root: Node) -> Iterator[Node]:
    leaf = root.get_first_leaf()
    while leaf is not None:
        yield leaf
        leaf = leaf.get_next_leaf()


def _named(arglist: Node) -> list[Node]:
    """The arguments given by name, but for a window's key, without which it is no window."""
    return [
        each
        for each in arglist.children
        if each.type == "argument"
        and _code(each.children[1]) == "="
        and _code(each.children[0]) != "by"
    ]


def _without(node: Node, element: Node, *, keep_comma: bool = False) -> Node:
    """A row of elements and commas without one of them and the comma after or before it."""
    at = node.children.index(element)
    rest = [each for place, each in enumerate(node.children) if place // 2 != at // 2]
    if not keep_comma and rest and _code(rest[-1]) == ",":
        rest.pop()
    if keep_comma and _code(rest[-1]) != ",":
        rest.append(node.children[1])
    node.children = rest
    return node


def _is_symmetric(arglist: Node) -> bool:
    opening = arglist.get_first_leaf().get_previous_leaf()
    return opening.get_previous_leaf().value in SYMMETRIC


def _is_called(name: Node) -> bool:
    after = name.get_next_leaf()
    return after is not None and after.value == "("


def _is_decorating(node: Node) -> bool:
    """Whether a node is said by a decorator itself rather than by a call within it."""
    if node is None or node.type == "decorator":
        return node is not None
    if node.type == "trailer" and node.parent.parent.type != "decorator":
        return False
    return _is_decorating(node.parent)


def _types(node: Node) -> set[str]:
    return {each.type for each in node.children}


def _code(node: Node) -> str:
    return str(node.get_code(include_prefix=False))
