"""Constraints on the text of elements by their names, checked over a whole message.

Standards name their elements by rule: what ends in `Amount` is a number with a currency. A table of
such rules for each standard refuses a wrong message at the place where it is wrong, whether or not
a record would have used it.
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
    """A constraint on a text, in words and as a test of an element."""

    wanted: str
    is_kept: Check


def matching(pattern: str, wanted: str) -> ElementConstraint:
    """A text of this pattern."""
    compiled = re.compile(pattern, re.ASCII)
    return ElementConstraint(
        f"want {wanted}", lambda element: bool(compiled.fullmatch(element.text))
    )


def one_of(words: str, wanted: str = "") -> ElementConstraint:
    """One of these words."""
    known = frozenset(words.split())
    return ElementConstraint(
        f"want {wanted or f'one of {words}'}", lambda element: element.text in known
    )


def of_kind(kind: str) -> ElementConstraint:
    """A member that JSON says to be of this kind."""
    return ElementConstraint(f"want a {kind}", lambda element: element.kind in (kind, "null"))


def with_attribute(name: str, pattern: str, wanted: str) -> ElementConstraint:
    """A number with an attribute of this pattern."""
    compiled = re.compile(pattern, re.ASCII)
    return ElementConstraint(
        f"want a number with {wanted} in {name}",
        lambda element: (
            is_number(element) and bool(compiled.fullmatch(element.attributes.get(name, "")))
        ),
    )


def is_number(element: Element) -> bool:
    """Return whether it says a number; an exponent has it only in JSON."""
    return decimal_of(element.text) is not None and (
        element.kind == "number" or "e" not in element.text.lower()
    )


def amount_with(name: str) -> ElementConstraint:
    """A number with a currency in an attribute."""
    return ElementConstraint(
        f"want a number with a currency in {name}",
        lambda element: is_number(element) and element.attributes.get(name, "") in CURRENCIES,
    )


def not_negative(promise: ElementConstraint) -> ElementConstraint:
    """Return what is promised, and no less than nothing."""
    return ElementConstraint(
        f"{promise.wanted}, not negative",
        lambda element: promise.is_kept(element) and not element.text.startswith("-"),
    )


NUMBER = ElementConstraint("want a number", is_number)
TRUTH = one_of("true false 1 0", "true or false")
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
    r"([01]\d|2[0-4]):[0-5]\d(:([0-5]\d|60)(\.\d{1,12})?)?(Z|[+-]\d\d:\d\d)?", "a time of day"
)


def check_elements(
    elements: Iterable[Element], promises: Mapping[str, ElementConstraint], endings: str = ""
) -> None:
    """Raise MessageRefused at the first element whose text breaks what its name promises.

    A name is looked up whole, then by its ending, where `endings` is a pattern of those there are.
    """
    ending = re.compile(rf"(?:{endings})$") if endings else None
    for element in elements:
        promise = promises.get(element.name)
        if promise is None and ending and (found := ending.search(element.name)):
            promise = promises.get(f"*{found[0]}")
        if promise and not promise.is_kept(element):
            raise MessageRefused(element.place, promise.wanted, element.line)
