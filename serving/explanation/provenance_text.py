"""Name the records behind a reason, so that a reader can find the papers."""

from collections.abc import Iterator
from dataclasses import replace

from features.catalogue import features_by_name
from features.linked_records import LINKED_RECORD_TYPES, windows_behind
from features.provenance import EarlierEvents, Provenance, fields_behind
from serving.explanation.formatting import enumerated, listed
from serving.language import ENGLISH, Language

RECORDS = {name: each.words_when_cited for name, each in LINKED_RECORD_TYPES.items()}
SOURCES = {
    "journeys": "journeys",
    "shipments": "shipments",
    "payments": "payments",
    "shipment_permits": "permits of shipments",
    "paid_outcomes": "inspected movements",
    "drifts": "positions of craft that hardly moved",
    "links": "links between parties",
    "party_outcomes": "inspected movements with parties",
    "route_outcomes": "inspected journeys",
    "shipment_outcomes": "inspected shipments",
}
IN_DAYS = "{source} of the same {by} in {days} days"
EVER = "{source} of the same {by}"
DECLARED = "what was declared: {fields}"
MAX_RECORDS = 6

# Fields whose identifiers, split into words, would not be understood.
_NAMES = {
    "call_sign": "radio call sign",
    "course_degrees": "course over ground",
    "declared_at": "instant of declaration",
    "drift_cell": "square of the sea and hour",
    "due_at": "instant of arrival",
    "error_radius_m": "error of the position",
    "expires_at": "end of validity",
    "hs_code": "goods code",
    "hs_heading": "goods heading",
    "imo_number": "IMO number",
    "is_distress": "distress",
    "issued_at": "instant of issue",
    "journey_due_at": "instant of arrival",
    "known_at": "known since",
    "mass_band": "band of masses",
    "mmsi": "MMSI number",
    "observed_at": "instant of the position",
    "occurred_at": "instant of the event",
    "paid_at": "instant of payment",
    "payer_iban_valid": "validity of the payer's IBAN",
    "received_at": "instant of receipt",
    "rounded_unit_value": "price per kg",
    "speed_kn": "speed over ground",
    "unit_value_band": "band of prices per kg",
}
_NOT_SAID = ("_id", "_at", "_kg", "_m3")


def provenance_in_words(provenance: Provenance, language: Language = ENGLISH) -> list[str]:
    """Return a phrase for declared fields, for records of each type, and for earlier events."""
    parts = []
    if provenance.declared:
        fields = list(dict.fromkeys(language.say(field_name(name)) for name in provenance.declared))
        parts.append(language.say(DECLARED, fields=listed(fields, language)))
    for name, ids in provenance.records.items():
        shown = [*ids[:MAX_RECORDS], *(["…"] if len(ids) > MAX_RECORDS else [])]
        parts.append(language.say(RECORDS[name], ids=enumerated(shown, language)))
    # Without a matching field there is no "of the same …" to name.
    return parts + [_earlier(events, language) for events in provenance.earlier_events if events.by]


def proof_in_words(provenance: Provenance, language: Language = ENGLISH) -> list[str]:
    """Return the phrases without earlier events: only what this case itself shows."""
    return provenance_in_words(replace(provenance, earlier_events=()), language)


def field_name(column: str) -> str:
    """Return a field or key under the name that people know.

    >>> field_name("gross_mass_kg"), field_name("consignee_id"), field_name("hs_code")
    ('gross mass', 'consignee', 'goods code')
    """
    if column in _NAMES:
        return _NAMES[column]
    for ending in _NOT_SAID:
        column = column.removesuffix(ending)
    return column.replace("_", " ")


def provenance_messages() -> Iterator[str]:
    """Yield every text that can occur in a provenance."""
    yield from (*RECORDS.values(), *SOURCES.values(), IN_DAYS, EVER, DECLARED)
    for feature in features_by_name().values():
        for kind in feature.subjects:
            fields = (field for name in feature.columns for field in fields_behind(kind, name))
            yield from map(field_name, fields)
            for window in feature.windows.values():
                for behind in windows_behind(kind, window):
                    yield from map(field_name, behind.matching)


def _earlier(events: EarlierEvents, language: Language) -> str:
    by = [language.say(field_name(name)) for name in events.by]
    return language.say(
        EVER if events.days is None else IN_DAYS,
        source=language.say(SOURCES[events.source]),
        by=listed(by, language),
        days=str(events.days),
    )
