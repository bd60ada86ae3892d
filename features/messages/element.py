"""A message as a tree of elements that know where they stand, whichever syntax it came in."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

# A message may hold thousands of entries side by side, each of which looks for what is beside it.
_MANY = 16
Kind = Literal["text", "number", "boolean", "null", "object", "array"]


@dataclass(eq=False, slots=True)
class Element:
    """An element of XML, a member of JSON or a component of a segment.

    `place` is its address in the original: a path with indices from 1, a JSON pointer, or segment,
    element and component; `path` is the same without indices. `kind` is what JSON says it is.
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
        """The elements that a path of names leads to, as `Ntry/NtryDtls/TxDtls`."""
        found = [self]
        for name in path.split("/"):
            found = [child for each in found for child in each._named(name)]
        return found

    def _named(self, name: str) -> list["Element"]:
        """The children of a name; of many, by an index that is made once."""
        if len(self.children) < _MANY:
            return [child for child in self.children if child.name == name]
        if not self._by_name:
            for child in self.children:
                self._by_name.setdefault(child.name, []).append(child)
        return self._by_name.get(name, [])

    def first(self, *paths: str) -> "Element | None":
        """The first element that has a text or children, looked for by each path in turn."""
        for path in paths:
            for each in self.every(path):
                if each.text or each.children:
                    return each
        return None

    def says(self, *paths: str) -> str:
        """The text that the first of the paths leads to; empty where there is none."""
        for path in paths:
            for each in self.every(path):
                if each.text:
                    return each.text
        return ""

    def everywhere(self, *names: str) -> Iterator["Element"]:
        """All elements below of one of these names, in the order of the message."""
        return (each for each in self.walk() if each.name in names and each is not self)

    def walk(self) -> Iterator["Element"]:
        """This element and all below, in the order of the message."""
        waiting = [self]
        while waiting:
            each = waiting.pop()
            yield each
            waiting.extend(reversed(each.children))

    def leaves(self) -> Iterator["Element"]:
        """All elements that hold a text."""
        return (each for each in self.walk() if each.text)
