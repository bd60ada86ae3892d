"""Read DCSA Track & Trace 2.2 and 3.0 as events of the shipments that the documents identify.

Planned and estimated events become announced ones. Document events, and moves that records cannot
express, are left over.
"""

import re
from collections.abc import Iterable

from features.errors import MessageRefused
from features.messages.codes import EVENTS
from features.messages.element import Element
from features.messages.field_tables import Fields, Scope, of_shipment, put_fields
from features.messages.grammar import required
from features.messages.message_reading import MessageReading
from features.messages.record_drafts import RecordDraft, Value

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TYPES = ("SHIPMENT", "TRANSPORT", "EQUIPMENT", "IOT", "REEFER")
_ACTUAL, _AHEAD = ("ACT", "ACTUAL"), ("PLN", "EST", "PLANNED", "ESTIMATED")
# Types of references that identify a shipment, in order of preference.
_DOCUMENTS = ("TRD", "TRANSPORT_DOCUMENT", "BKG", "BOOKING", "CBR", "CARRIER_BOOKING_REQUEST")
_CODES_2_2 = {
    "SHIPMENT": "RECE DRFT PENA PENU REJE APPR ISSU SURR SUBM VOID CONF REQS CMPL HOLD RELS",
    "TRANSPORT": "ARRI DEPA",
    "EQUIPMENT": "LOAD DISC GTIN GTOT STUF STRP PICK DROP INSP RSEA RMVD",
}
_WORDS_3 = {
    "eventType": " ".join(_TYPES),
    "eventTypeCode": " ".join(_TYPES),
    "eventClassifier": " ".join((*_ACTUAL, *_AHEAD)),
    "eventClassifierCode": " ".join((*_ACTUAL, *_AHEAD)),
    "transportEventType": "APPROACHING ARRIVED DEPARTED",
    "transportEventTypeCode": "ARRI DEPA",
    "equipmentEventType": "AVAILABLE_FOR_DROP_OFF AVAILABLE_FOR_PICKUP CROSSED CUSTOMS_RELEASED "
    "CUSTOMS_SELECTED_FOR_INSPECTION CUSTOMS_SELECTED_FOR_SCAN DISCHARGED DROPPED_OFF GATED_IN "
    "GATED_OUT INSPECTED LOADED PICKED_UP REMOVED RESEALED STRIPPED STUFFED",
}
_DOCUMENT_CODES_2_2 = "CBR BKG SHI SRM TRD ARN VGM CAS CUS DGD OOG".split()
_REQUIRED_2_2 = ("eventCreatedDateTime", "eventType", "eventClassifierCode", "eventDateTime")
_REQUIRED_OF_TYPE = {
    "SHIPMENT": ("shipmentEventTypeCode", "documentID", "documentTypeCode"),
    "TRANSPORT": ("transportEventTypeCode", "transportCall"),
    "EQUIPMENT": ("equipmentEventTypeCode", "emptyIndicatorCode"),
}


def keep_events(root: Element, reading: MessageReading) -> None:
    """Store an event for each reported move of goods."""
    is_list = root.kind == "array" or any(child.name == "events" for child in root.children)
    # Events come as an array, in an object with an array, or alone.
    events = root.every("events") or (root.every("item") if is_list else [root])
    for event in events:
        if event.kind not in ("object", "array"):
            raise MessageRefused(event.place, "want an event")
    events = [event for event in events if event.kind == "object"]
    reading.kind = "events"
    _check_ids(events)
    for event in events:
        # Only version 3 nests the types of an event.
        is_3 = event.first("eventClassification") is not None
        reading.kind = f"Track & Trace {'3' if is_3 else '2'}"
        if is_3:
            _check_3(event)
        else:
            _check_2_2(event)
        _keep_event(event, event.first("eventClassification") or event, reading)


def _check_ids(events: Iterable[Element]) -> None:
    """Raise MessageRefused if an event id is not a text, or is used twice."""
    seen = set()
    for event in events:
        found = event.first("eventID")
        if found is None:
            continue
        is_2 = event.first("eventClassification") is None
        if found.kind != "text" or (is_2 and not _UUID.fullmatch(found.text)):
            raise MessageRefused(found.place, "want a UUID" if is_2 else "want a text")
        if found.text in seen:
            raise MessageRefused(found.place, "want an id that no other event has")
        seen.add(found.text)


def _check_3(event: Element) -> None:
    kinds = event.first("eventClassification") or event
    if kinds.first("eventType", "eventTypeCode") is None:
        raise MessageRefused(kinds.place, "want eventType")
    for name, words in _WORDS_3.items():
        _check_word(kinds, name, words.split())
    required(event, "eventDateTime")
    kind = kinds.text_at("eventType", "eventTypeCode").lower()
    for wanted in ("eventClassifier", f"{kind}EventType"):
        if kinds.first(wanted, f"{wanted}Code") is None:
            raise MessageRefused(kinds.place, f"want {wanted}")


def _check_2_2(event: Element) -> None:
    for wanted in _REQUIRED_2_2:
        required(event, wanted)
    kind = event.text_at("eventType")
    if kind not in _REQUIRED_OF_TYPE:
        words = ", ".join(_REQUIRED_OF_TYPE)
        raise MessageRefused(f"{event.place}/eventType", f"want one of {words}")
    for wanted in _REQUIRED_OF_TYPE[kind]:
        required(event, wanted)
    _check_word(event, f"{kind.lower()}EventTypeCode", _CODES_2_2[kind].split())
    _check_word(
        event, "eventClassifierCode", ("ACT",) if kind == "SHIPMENT" else ("ACT", "PLN", "EST")
    )
    _check_word(event, "documentTypeCode", _DOCUMENT_CODES_2_2)
    _check_word(event, "emptyIndicatorCode", ("EMPTY", "LADEN"))
    _check_call(event)


def _check_word(event: Element, name: str, words: Iterable[str]) -> None:
    found = event.first(name)
    if found is not None and found.text not in words:
        raise MessageRefused(found.place, f"want one of {' '.join(words)}")


def _check_call(event: Element) -> None:
    call = event.first("transportCall")
    if call is None:
        return
    required(call, "transportCallID")
    required(call, "modeOfTransport")
    _check_word(call, "modeOfTransport", ("VESSEL", "RAIL", "TRUCK", "BARGE"))
    # Both codes are optional, but they must not contradict each other.
    own, located = call.first("UNLocationCode"), call.first("location/UNLocationCode")
    if own is not None and located is not None and own.text != located.text:
        raise MessageRefused(located.place, "want the UNLocationCode of the transport call")


def _keep_event(event: Element, kinds: Element, reading: MessageReading) -> None:
    word = kinds.first(
        *("transportEventTypeCode", "equipmentEventTypeCode"),
        *("transportEventType", "equipmentEventType"),
    )
    if word is None or word.text not in EVENTS:
        code = word or kinds.first("shipmentEventTypeCode", "shipmentEventType", "eventTypeCode")
        reading.leave(code or event, "no kind of event that records have")
        return
    created = reading.instant(event.first("eventCreatedDateTime", "eventUpdatedDateTime"))
    occurred = reading.instant(event.first("eventDateTime"))
    known = reading.received_at if reading.options.received_at is not None else created
    classifier = kinds.first("eventClassifierCode", "eventClassifier")
    is_ahead = classifier is not None and classifier.text in _AHEAD
    # An announcement is only evidence if it was known before the time it announces.
    if is_ahead and occurred and known and known.content >= occurred.content:
        reading.refuse("events", event.place, "announced for a time that was past when known")
        return
    draft = RecordDraft("events", event.place)
    draft.put("kind", Value(EVENTS[word.text], word.place, (word,)))
    draft.put("occurred_at", occurred).put("known_at", known)
    reading.keep(put_fields(draft, _EVENT, Scope(event, event), reading))


def _document(event: Scope, reading: MessageReading) -> Value | None:
    """Return the shipment id; a transport document takes precedence over a booking."""
    shipment = event.own.first("shipmentDetails") or event.own
    references = {
        each.text_at("documentReferenceType", "typeCode", "type"): each.first(
            "documentReferenceValue", "reference"
        )
        for path in ("documentReferences", "documentReference", "additionalDocumentReferences")
        for each in shipment.every(path)
    }
    found = (found for kind in _DOCUMENTS if (found := references.get(kind)))
    return reading.id(next(found, None))


_EVENT: Fields = {
    "event_id": "eventID",
    "subject_kind": of_shipment,
    "subject_id": _document,
    "place": """
        eventLocation/UNLocationCode transportCall/UNLocationCode
        transportCall/location/UNLocationCode
        """,
    "container_number": "equipmentReference equipmentDetails/equipmentReference",
}
