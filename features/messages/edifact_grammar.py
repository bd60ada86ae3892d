"""Constraints on the texts of EDIFACT segments that apply to every message type."""

import re
from collections.abc import Iterable
from datetime import UTC

from features.errors import MessageRefused
from features.messages.codes import CURRENCIES
from features.messages.edifact_segments import Segment
from features.messages.element import Element
from features.messages.written_values import FORMATS_OF_TIME, day_of, decimal_of

# Element and component of the number in each segment.
_FIGURES = {"CNT": (1, 2), "GID": (1, 1), "MEA": (3, 2), "QTY": (1, 2)}
_CLOCK = re.compile(r"([01]\d|2[0-3])[0-5]\d([0-5]\d)?", re.ASCII)
_MESSAGE = re.compile(r"[A-Z]{6}")


def check_segment_texts(segments: Iterable[Segment]) -> None:
    """Raise MessageRefused at the first text that violates the constraint of its segment."""
    for segment in segments:
        if segment.tag == "UNB":
            _check_header(segment)
        elif segment.tag == "UNH":
            _check_message(segment)
        elif segment.tag == "DTM":
            _check_date(segment)
        elif segment.tag == "MOA":
            _check_amount(segment)
        elif segment.tag in _FIGURES and (figure := segment.at(*_FIGURES[segment.tag])):
            _check_number(figure)


def _check_header(segment: Segment) -> None:
    for element, wanted in ((2, "a sender"), (3, "a recipient"), (5, "a reference")):
        if segment.at(element) is None:
            raise MessageRefused(segment.place, f"want {wanted} in element {element}")
    if segment.text_at(1, 2) not in ("1", "2", "3", "4"):
        raise MessageRefused(segment.place, "want a version of the syntax from 1 to 4")
    day, clock = segment.text_at(4), segment.text_at(4, 2)
    written_as = "102" if len(day) == 8 else "101"
    if day_of(day, written_as, UTC) is None or not _CLOCK.fullmatch(clock):
        raise MessageRefused(segment.place, "want a date and a time in element 4")


def _check_message(segment: Segment) -> None:
    has_all = all(segment.at(2, component) for component in (2, 3))
    if segment.at(1) is None or not _MESSAGE.fullmatch(segment.text_at(2)) or not has_all:
        wanted = "want a reference, and type, version and release of the message"
        raise MessageRefused(segment.place, wanted)


def _check_date(segment: Segment) -> None:
    stamp, written_as = segment.at(1, 2), segment.text_at(1, 3)
    if stamp and written_as in FORMATS_OF_TIME and day_of(stamp.text, written_as, UTC) is None:
        raise MessageRefused(stamp.place, "want a date, or a date and time")


def _check_amount(segment: Segment) -> None:
    amount, code = segment.at(1, 2), segment.at(1, 3)
    # Some senders write a code such as NDV (no declared value) instead of an amount.
    if amount is not None and any(map(str.isdigit, amount.text)):
        _check_number(amount)
    if code is not None and code.text not in CURRENCIES:
        raise MessageRefused(code.place, "want a currency")


def _check_number(element: Element) -> None:
    if decimal_of(element.text.replace(",", ".", 1)) is None:
        raise MessageRefused(element.place, "want a number")
