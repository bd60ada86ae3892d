"""A message as a tree of elements that know their location, whatever their syntax."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

# Number of children from which lookups use an index, as a message may have thousands of entries.
_MANY = 16
Kind = Literal["text", "number", "boolean", "null", "object", "array"]


@dataclass(eq=False, slots=True)
class Element:
    """An element of XML, a member of JSON or a component of a segment.

    `place` is its location in the original: a path with indices from 1, a JSON pointer, or segment,
    element and component; `path` is the same without indices. `kind` is the JSON type.
    """

    name: str
    place: str
    path: str
    text: str = ""
    namespace: str = ""
    line: int | None = None
    kind: Kind = "text"
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element"] = field(default_factory=list)
    _by_name: dict[str, list["Element"]] = field(default_factory=dict)

    def every(self, path: str) -> list["Element"]:
        """Return the elements at a path of names, such as `Ntry/NtryDtls/TxDtls`.

        A name with `[1]` stands for the first child of that name with a text or children.
        """
        found = [self]
        for name in path.split("/"):
            if name.endswith("[1]"):
                firsts = [each.first(name.removesuffix("[1]")) for each in found]
                found = [each for each in firsts if each is not None]
            else:
                found = [child for each in found for child in each._named(name)]
        return found

    def _named(self, name: str) -> list["Element"]:
        """Return the children with a name; many children are indexed on first use."""
        if len(self.children) < _MANY:
            return [child for child in self.children if child.name == name]
        if not self._by_name:
            for child in self.children:
                self._by_name.setdefault(child.name, []).append(child)
        return self._by_name.get(name, [])

    def first(self, *paths: str) -> "Element | None":
        """Return the first element with a text or children, trying each path in turn."""
        for path in paths:
            for each in self.every(path):
                if each.text or each.children:
                    return each
        return None

    def text_at(self, *paths: str) -> str:
        """Return the first text found at the paths, tried in turn; empty if there is none."""
        for path in paths:
            for each in self.every(path):
                if each.text:
                    return each.text
        return ""

    def everywhere(self, *names: str) -> Iterator["Element"]:
        """Return all descendants with one of the names, in document order."""
        return (each for each in self.walk() if each.name in names and each is not self)

    def walk(self) -> Iterator["Element"]:
        """Yield this element and all its descendants in document order."""
        # An explicit stack: recursion could exceed Python's limit on a deeply nested message.
        waiting = [self]
        while waiting:
            each = waiting.pop()
            yield each
            waiting.extend(reversed(each.children))

    def leaves(self) -> Iterator["Element"]:
        """Return all elements with a text."""
        return (each for each in self.walk() if each.text)
