"""Tables of fields: for each field of a record, the paths at which a message states it.

A path leads from the element that a record is made of, or with a leading `/` from the root of the
message. The name of a field says how its text is read; a function reads what paths cannot express.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from features.messages.element import Element
from features.messages.message_reading import MessageReading
from features.messages.record_drafts import RecordDraft, Value


@dataclass(frozen=True)
class Scope:
    """The element that a record is made of, and the root of its message."""

    root: Element
    own: Element

    def every(self, path: str) -> list[Element]:
        """Return the elements at a path."""
        return (self.root if path.startswith("/") else self.own).every(path.removeprefix("/"))

    def first(self, *paths: str) -> Element | None:
        """Return the first element with a text or children, trying each path in turn."""
        found = (each for path in paths for each in self.every(path))
        return next((each for each in found if each.text or each.children), None)


Source = Callable[[Scope, MessageReading], Value | None]
Convert = Callable[[MessageReading, Element | None], Value | None]
# Paths separated by blanks, tried in turn, or a function.
Fields = Mapping[str, str | Source]


def commodity(reading: MessageReading, element: Element | None) -> Value | None:
    """Return a commodity code without dots and blanks; an invalid one is left over."""
    if element is None or not element.text:
        return None
    digits = re.sub(r"[\s.]", "", element.text)
    # Six to ten digits, six of which are the Harmonized System's; its chapters begin at 01.
    if not re.fullmatch(r"(?!00)[0-9]{6,10}", digits):
        reading.leave(element, "no commodity code of 6 to 10 digits")
        return None
    return Value(digits, element.place, (element,))


_CONVERT: dict[str, Convert] = {
    **dict.fromkeys(
        ("shipment_id", "subject_id", "office_id", "event_id", "journey_id"), MessageReading.id
    ),
    **dict.fromkeys(
        (
            *("consignor_id", "consignee_id", "notify_party_id", "forwarder_id", "declarant_id"),
            *("issuer_id", "carrier_id"),
        ),
        MessageReading.party_at,
    ),
    **dict.fromkeys(
        ("origin_country", "dispatch_country", "destination_country"), MessageReading.country
    ),
    **dict.fromkeys(("gross_mass_kg", "net_mass_kg"), MessageReading.mass_kg),
    **dict.fromkeys(("number", "seal_number"), MessageReading.number_of_document),
    **dict.fromkeys(("description", "goods_description"), MessageReading.text),
    **dict.fromkeys(("issued_at", "expires_at", "occurred_at"), MessageReading.instant),
    **dict.fromkeys(("value", "declared_value"), MessageReading.amount),
    "commodity_code": commodity,
    "container_number": MessageReading.container,
    "currency": MessageReading.currency_of_amount,
    "packages": MessageReading.count,
    "place": MessageReading.place,
    "volume_m3": MessageReading.volume_m3,
}


def put_fields(
    draft: RecordDraft, fields: Fields, scope: Scope, reading: MessageReading
) -> RecordDraft:
    """Set the fields of a table that the message states."""
    for name, source in fields.items():
        if isinstance(source, str):
            draft.put(name, _CONVERT[name](reading, scope.first(*source.split())))
        else:
            draft.put(name, source(scope, reading))
    return draft


def fixed(content: str, path: str) -> Source:
    """Return the source of a content that follows from the element at a path."""
    return lambda scope, reading: reading.derived(content, scope.first(path))


def of_shipment(scope: Scope, _: MessageReading) -> Value | None:
    """Return that the record is about a shipment, whichever it is."""
    return Value("shipment", scope.root.place)


def received(_: Scope, reading: MessageReading) -> Value | None:
    """Return when the authority received the message."""
    return reading.received_at


def texts(*paths: str) -> Source:
    """Return the source of the free texts at all of the paths."""
    return lambda scope, reading: reading.texts(
        each for path in paths for each in scope.every(path)
    )


def prefixed(stem: str, value: Value | None) -> Value | None:
    """Return an id with a prefix that keeps it apart from ids of other kinds."""
    return value and value._replace(content=f"{stem}:{value.content}"[:64])


def sum_of_values(values: Sequence[Value | None]) -> Value | None:
    """Return the sum of values, or None if any is missing."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    elements = tuple(element for value in known for element in value.elements)
    return Value(sum(value.content for value in known), known[0].place, elements)


def put_heading(shipment: RecordDraft, codes: Iterable[Value | None]) -> RecordDraft:
    """Set the six-digit heading that all codes of a shipment share.

    If they differ, only the goods items state them; if there are none, the draft lacks `hs_code`.
    """
    known = [code for code in codes if code is not None]
    if not known:
        shipment.lacks.append("hs_code")
    elif len({code.content[:6] for code in known}) == 1:
        shipment.put("hs_code", known[0]._replace(content=known[0].content[:6]))
    return shipment


def keep_item(
    item: RecordDraft, number: int, reading: MessageReading, *, is_declared: bool
) -> None:
    """Store a goods item, as part of its shipment's declaration or as known since the message."""
    item.put("number", Value(number, item.place))
    code = item.values.get("commodity_code")
    if code is not None and len(code.content) == 6:
        # Six digits are a code of the Harmonized System itself.
        item.put("nomenclature", code._replace(content="hs"))
    if not is_declared:
        item.put("known_at", reading.received_at)
    reading.keep(item)


def keep_items(
    root: Element,
    items: Iterable[Element],
    fields: Fields,
    reading: MessageReading,
    *,
    is_declared: bool,
) -> None:
    """Store the goods items of a shipment, numbered from 1."""
    for position, item in enumerate(items, start=1):
        draft = RecordDraft("goods_items", item.place)
        put_fields(draft, fields, Scope(root, item), reading)
        keep_item(draft, position, reading, is_declared=is_declared)
