"""Check which elements must and may be inside others, from a table with one line per parent.

A table covers all versions of a standard together, so it refuses only what none allows. The content
of parents that are not in the table, such as an envelope for anything, is not checked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from features.errors import MessageRefused, nearest_of
from features.messages.element import Element

# Signs: none is at most once, ! exactly once, + at least once, * any number.
_ONCE, _WANTED = ("", "!"), ("!", "+")


@dataclass(frozen=True)
class Parent:
    """A parent element: the sign (multiplicity) of each of its children, by name.

    `wanted` are the mandatory children, in any message and in those of a family.
    """

    signs: Mapping[str, str]
    may_be_text: bool = False
    wants_one: bool = False
    wanted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Structure:
    """The parents of a standard, by name."""

    parents: Mapping[str, Parent]

    def check_wanted(self, elements: Iterable[Element], family: str = "") -> None:
        """Raise MessageRefused at the first element that lacks a child or repeats a single one."""
        for element in elements:
            parent = self.parents.get(element.name)
            if parent is not None and not parent.may_be_text:
                _check_children(element, parent, family, has_all_names=False)

    def check_whole(self, root: Element, family: str, *, has_all_names: bool) -> None:
        """Raise MessageRefused at the first misplaced element, or the first that lacks a child.

        Without `has_all_names`, the table may not cover the version, so unknown children are
        accepted.
        """
        for element in self._known(root):
            parent = self.parents.get(element.name)
            if element.namespace != root.namespace:
                wanted = f"want an element of {root.namespace or 'no namespace'}"
                raise MessageRefused(element.place, wanted, element.line)
            if not element.children:
                self._check_empty(element, parent, family)
            elif parent is not None:
                _check_children(element, parent, family, has_all_names=has_all_names)

    def _known(self, root: Element) -> list[Element]:
        """Return the elements in document order, without those inside unknown parents."""
        found, waiting = [], [root]
        while waiting:
            element = waiting.pop()
            found.append(element)
            if element.name in self.parents:
                waiting.extend(reversed(element.children))
        return found

    def _check_empty(self, element: Element, parent: Parent | None, family: str) -> None:
        if element.text:
            return
        if parent is None:
            raise MessageRefused(element.place, "want a text", element.line)
        if parent.may_be_text:
            raise MessageRefused(element.place, "want a text or an element", element.line)
        _check_children(element, parent, family, has_all_names=True)


def _check_children(element: Element, parent: Parent, family: str, *, has_all_names: bool) -> None:
    there = set()
    for child in element.children:
        sign = parent.signs.get(child.name)
        if sign is None and has_all_names:
            wanted = f"want no such element; {nearest_of(child.name, parent.signs)}"
            raise MessageRefused(child.place, wanted, child.line)
        if child.name in there and sign in _ONCE:
            raise MessageRefused(child.place, f"want one {child.name}", child.line)
        there.add(child.name)
    for name in (*parent.wanted[""], *parent.wanted.get(family, ())):
        if name not in there:
            raise MessageRefused(element.place, f"want {name}", element.line)
    if parent.wants_one and not there:
        names = " or ".join(parent.signs)
        raise MessageRefused(element.place, f"want {names}", element.line)


def read_structure(file: Path) -> Structure:
    """Return the structure that a table file describes."""
    parents: dict[str, Parent] = {}
    # A line is `PARENT[@FAMILIES]: CHILD…`; ~ marks a parent that may be a text, | one that needs
    # any child.
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        head, _, children = line.partition(":")
        name, _, families = head.partition("@")
        signs = {each.rstrip("!+*"): each[len(each.rstrip("!+*")) :] for each in children.split()}
        wanted = tuple(child for child, sign in signs.items() if sign in _WANTED)
        if families:
            own = parents[name]
            by_family = dict.fromkeys(families.split(","), wanted)
            parents[name] = replace(own, wanted={**own.wanted, **by_family})
        else:
            parents[name.rstrip("~|")] = Parent(signs, "~" in name, "|" in name, {"": wanted})
    return Structure(parents)
