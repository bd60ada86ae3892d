"""Commodity codes: six to ten digits of the Harmonized System and what nations add to it."""

import re

from features.messages.drafts import Draft, Value
from features.messages.element import Element
from features.messages.reading import Reading
from features.records import RECORD_FILES


def commodity(element: Element | None, reading: Reading) -> Value | None:
    """A commodity code without its dots; what is none is left over."""
    if element is None or not element.text:
        return None
    digits = re.sub(r"[\s.]", "", element.text)
    if not re.fullmatch(r"[0-9]{6,10}", digits):
        reading.leave(element, "no commodity code of 6 to 10 digits")
        return None
    return Value(digits, element.place, (element,))


def heading(code: Value | None) -> Value | None:
    """The six digits of the Harmonized System that a commodity code begins with."""
    return code and Value(code.content[:6], code.place, code.elements)


def nomenclature_of(code: Value | None) -> Value | None:
    """The nomenclature of a code that says none: six digits are those of the Harmonized System."""
    if code is None or len(code.content) != 6:
        return None
    return Value("HS", code.place, code.elements)


def keep_item(draft: Draft, reading: Reading) -> None:
    """Make a goods item of a draft."""
    if draft.record_type in RECORD_FILES:
        reading.keep(draft)
