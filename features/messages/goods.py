"""Goods by their commodity codes: six to ten digits, of which six are the Harmonized System's."""

import re
from collections.abc import Sequence

from features.messages.element import Element
from features.messages.message_reading import MessageReading
from features.messages.record_drafts import RecordDraft, Value


def commodity(element: Element | None, reading: MessageReading) -> Value | None:
    """A commodity code without its dots; what is none is left over."""
    if element is None or not element.text:
        return None
    digits = re.sub(r"[\s.]", "", element.text)
    # Chapters of the Harmonized System begin at 01.
    if not re.fullmatch(r"(?!00)[0-9]{6,10}", digits):
        reading.leave(element, "no commodity code of 6 to 10 digits")
        return None
    return Value(digits, element.place, (element,))


def put_heading(shipment: RecordDraft, codes: Sequence[Value]) -> None:
    """Give a shipment the six digits that all its codes begin with.

    Where they differ its goods items say it; where there is no code, that is lacking.
    """
    if not codes:
        shipment.lacks.append("hs_code")
    elif len({code.content[:6] for code in codes}) == 1:
        first = codes[0]
        shipment.put("hs_code", Value(first.content[:6], first.place, first.elements))


def put_code(item: RecordDraft, code: Value | None) -> None:
    """Give a goods item its code; one of six digits is of the Harmonized System itself."""
    item.put("commodity_code", code)
    if code is not None and len(code.content) == 6:
        item.put("nomenclature", Value("hs", code.place, code.elements))


def keep_item(item: RecordDraft, reading: MessageReading, *, is_declared: bool) -> None:
    """Make a goods item: part of its shipment's declaration, or else known since the message."""
    if not is_declared:
        item.put("known_at", reading.received_at)
    reading.keep(item)
