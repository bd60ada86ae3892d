"""Read goods by commodity code: six to ten digits, six of which are the Harmonized System's."""

import re
from collections.abc import Sequence

from features.messages.element import Element
from features.messages.message_reading import MessageReading
from features.messages.record_drafts import RecordDraft, Value


def commodity(element: Element | None, reading: MessageReading) -> Value | None:
    """Return a commodity code without dots and blanks; an invalid one is left over."""
    if element is None or not element.text:
        return None
    digits = re.sub(r"[\s.]", "", element.text)
    # The chapters of the Harmonized System begin at 01.
    if not re.fullmatch(r"(?!00)[0-9]{6,10}", digits):
        reading.leave(element, "no commodity code of 6 to 10 digits")
        return None
    return Value(digits, element.place, (element,))


def put_heading(shipment: RecordDraft, codes: Sequence[Value]) -> None:
    """Set the six-digit heading that all codes of a shipment share.

    If they differ, only the goods items state them; if there are none, the draft lacks `hs_code`.
    """
    if not codes:
        shipment.lacks.append("hs_code")
    elif len({code.content[:6] for code in codes}) == 1:
        first = codes[0]
        shipment.put("hs_code", Value(first.content[:6], first.place, first.elements))


def put_code(item: RecordDraft, code: Value | None) -> None:
    """Set the code of a goods item; six digits are a code of the Harmonized System itself."""
    item.put("commodity_code", code)
    if code is not None and len(code.content) == 6:
        item.put("nomenclature", Value("hs", code.place, code.elements))


def keep_item(item: RecordDraft, reading: MessageReading, *, is_declared: bool) -> None:
    """Store a goods item, as part of its shipment's declaration or as known since the message."""
    if not is_declared:
        item.put("known_at", reading.received_at)
    reading.keep(item)
