"""Constraints on the text of elements, by name, checked over a whole message.

Standards name elements by rule: a name that ends in `Amount` is a number with a currency. Each
standard has a table of such rules, so that a wrong message is refused at the exact location,
whether or not a record would use the element.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC

from features.errors import MessageRefused
from features.messages.codes import CURRENCIES
from features.messages.element import Element
from features.messages.written_values import decimal_of, instant_of

Check = Callable[[Element], bool]


@dataclass(frozen=True)
class ElementConstraint:
    """A constraint on a text: its description and a test of an element."""

    wanted: str
    is_met: Check


def matching(pattern: str, wanted: str) -> ElementConstraint:
    """Require a text that matches the pattern as a whole."""
    compiled = re.compile(pattern, re.ASCII)
    return ElementConstraint(
        f"want {wanted}", lambda element: bool(compiled.fullmatch(element.text))
    )


def one_of(words: str, wanted: str = "") -> ElementConstraint:
    """Require one of the words."""
    known = frozenset(words.split())
    return ElementConstraint(
        f"want {wanted or f'one of {words}'}", lambda element: element.text in known
    )


def of_kind(kind: str) -> ElementConstraint:
    """Require a JSON value of a type, or null."""
    # A null stands for a member that was omitted.
    return ElementConstraint(f"want a {kind}", lambda element: element.kind in (kind, "null"))


def with_attribute(name: str, pattern: str, wanted: str) -> ElementConstraint:
    """Require a number with an attribute that matches the pattern."""
    compiled = re.compile(pattern, re.ASCII)
    return ElementConstraint(
        f"want a number with {wanted} in {name}",
        lambda element: (
            is_number(element) and bool(compiled.fullmatch(element.attributes.get(name, "")))
        ),
    )


def is_number(element: Element) -> bool:
    """Return whether an element is a number; exponents are allowed in JSON only."""
    return decimal_of(element.text) is not None and (
        element.kind == "number" or "e" not in element.text.lower()
    )


def amount_with(name: str) -> ElementConstraint:
    """Require a number with a currency in an attribute."""
    return ElementConstraint(
        f"want a number with a currency in {name}",
        lambda element: is_number(element) and element.attributes.get(name, "") in CURRENCIES,
    )


def not_negative(constraint: ElementConstraint) -> ElementConstraint:
    """Require a constraint and a number without a minus sign."""
    return ElementConstraint(
        f"{constraint.wanted}, not negative",
        lambda element: constraint.is_met(element) and not element.text.startswith("-"),
    )


NUMBER = ElementConstraint("want a number", is_number)
TRUTH = one_of("true false 1 0", "true or false")
# Dates are parsed as well as matched, because 30 February matches any pattern.
DATE = ElementConstraint(
    "want a date",
    lambda element: "T" not in element.text and instant_of(element.text, UTC) is not None,
)
DATE_AND_TIME = ElementConstraint(
    "want a date and time",
    lambda element: "T" in element.text and instant_of(element.text, UTC) is not None,
)
INSTANT = ElementConstraint(
    "want an instant with its offset",
    lambda element: (read := instant_of(element.text, UTC)) is not None and read[1],
)
WHEN = ElementConstraint("want a date", lambda element: instant_of(element.text, UTC) is not None)
CLOCK = matching(
    # 24:00:00 is the end of a day, and second 60 a leap second.
    r"([01]\d|2[0-4]):[0-5]\d(:([0-5]\d|60)(\.\d{1,12})?)?(Z|[+-]\d\d:\d\d)?",
    "a time of day",
)


def required(element: Element, path: str) -> Element:
    """Return the element at a path. Raises MessageRefused if there is none with any content."""
    found = element.first(path)
    if found is None:
        raise MessageRefused(element.place, f"want {path}", element.line)
    return found


def check_elements(
    elements: Iterable[Element], constraints: Mapping[str, ElementConstraint], endings: str = ""
) -> None:
    """Raise MessageRefused at the first element whose text violates the constraint on its name.

    A name is looked up as a whole, then by its ending; `endings` is a pattern of all endings.
    """
    ending = re.compile(rf"(?:{endings})$") if endings else None
    for element in elements:
        constraint = constraints.get(element.name)
        if constraint is None and ending and (found := ending.search(element.name)):
            constraint = constraints.get(f"*{found[0]}")
        if constraint and not constraint.is_met(element):
            raise MessageRefused(element.place, constraint.wanted, element.line)
