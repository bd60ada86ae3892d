"""Random record streams in which records are amended, withdrawn and corrected."""

from datetime import datetime, timedelta
from itertools import product
from typing import Any

from hypothesis import strategies as st

from features.records import RECORD_FILES
from tests.agreement import streams as plain
from tests.agreement.streams import GOODS_ITEM, JOURNEY, NEW_YEAR, SHIPMENT, Row, Stream, instants

OF_TYPE: dict[str, st.SearchStrategy[Row]] = {
    "journeys": plain.journey,
    "legs": plain.leg,
    "shipments": plain.shipment,
    "goods_items": plain.goods_item,
    "documents": plain.document,
    "transactions": plain.transaction,
    "events": plain.event,
    "outcomes": plain.outcome,
}
SHARED = {"subject", "journey_id", "shipment_id", "number", "inspected_at"}
"""What versions of one record have alike, or what a later version keeps for simplicity."""


def later_version(row: Row, name: str, draw: st.DrawFn) -> Row:
    """A version that follows a row: all its fields drawn again, but for those of its identity."""
    record = RECORD_FILES[name]
    drawn: Row = draw(OF_TYPE[name])
    kept = SHARED - ({"journey_id"} if name == "shipments" else set())
    changed = {field: value for field, value in drawn.items() if field not in kept}
    identity = {field: row[field] for field in record.versions_of}
    known_at = (
        {record.known_from: draw(instants)} if name == "documents" else {"known_at": draw(instants)}
    )
    more: dict[str, Any] = {"withdrawn": draw(st.sampled_from([False, False, True]))}
    if "version" in record.model_fields:
        more["version"] = (row.get("version") or 1) + 1
    if name == "shipments" and not changed["hs_code"]:
        changed["hs_code"] = "240220"
    return (
        {field: row[field] for field in row if field != "offences"}
        | changed
        | identity
        | known_at
        | more
    )


def known_of(row: Row, name: str) -> datetime | None:
    """When a row became known."""
    return row.get("known_at") or row[RECORD_FILES[name].known_from]


@st.composite
def amended_streams(draw: st.DrawFn) -> Stream:
    """A small history of which some records have a second version, and some of these a third."""
    stream: Stream = draw(plain.separate_rows())
    for name in ("journeys", "shipments"):  # of which a few became known after their declaration
        for row in stream[name]:
            row["known_at"] = draw(st.none() | st.none() | instants)
    for name in OF_TYPE:
        rows = [*stream[name]]
        for at in draw(st.lists(st.integers(0, 11), max_size=5)):
            if at < len(rows):
                rows.append(later_version(rows[at], name, draw))
        stream[name] = once(rows, name)
    found: Stream = draw(inspected_and_amended())
    return stream | {name: [*rows, *stream[name]] for name, rows in found.items()}


@st.composite
def inspected_and_amended(draw: st.DrawFn) -> Stream:
    """A shipment of several goods and findings on such goods, of which some are amended.

    The shipment that is asked about stays as it was declared.
    """
    stream: Stream = draw(plain.inspected_before())
    for name, rows in stream.items():
        for row in [*rows]:
            is_asked_about = name == "shipments" and row["shipment_id"] == "S-goods"
            if not is_asked_about and draw(st.booleans()):
                declared = {"declared_at": row["declared_at"]} if name == "shipments" else {}
                rows.append(later_version(row, name, draw) | declared)
    return {name: once(rows, name) for name, rows in stream.items()}


def once(rows: list[Row], name: str) -> list[Row]:
    """Rows of a record type of which no two say that they are the same version of the same."""
    record = RECORD_FILES[name]
    first = {"version": 1} if "version" in record.model_fields else {}
    return plain.first_of_each([first | row for row in rows], *record.unique_fields)


CHANGES: dict[str, dict[str, Row]] = {
    "nothing": {},
    "what the goods are": {"shipments": {"version": 2, "hs_code": "840721"}},
    "whether they are declared": {"shipments": {"version": 2, "withdrawn": True}},
    "what was found": {"outcomes": {"result": "inconclusive"}},
}
"""What becomes known of an inspected shipment: of which record type a row says what otherwise."""


def goods_that_were_amended() -> Stream:
    """A shipment of several goods, and findings on such goods that are amended in every way.

    Some of it became known a day before `S-goods` was declared, and some a day later.
    """
    day = timedelta(days=1)
    stream: Stream = {name: [] for name in RECORD_FILES}

    def tell(name: str, row: Row, later: Row | None, known_at: datetime) -> None:
        stream[name] += [row, row | later | {"known_at": known_at}] if later else [row]

    told = product(("890310", "240220"), CHANGES.values(), (NEW_YEAR - day, NEW_YEAR + day))
    for at, (hs_code, change, known_at) in enumerate(told):
        own = {**SHIPMENT, "shipment_id": f"S{at}", "hs_code": hs_code}
        found = {"subject_kind": "shipment", "subject_id": f"S{at}", "selected_by": "random"}
        found |= {"inspected_at": NEW_YEAR - 8 * day, "known_at": NEW_YEAR - 7 * day}
        found |= {"result": "confirmed" if at % 3 else "not_confirmed"}
        own |= {"version": 1, "declared_at": NEW_YEAR - 9 * day}
        tell("shipments", own, change.get("shipments"), known_at)
        tell("outcomes", found, change.get("outcomes"), known_at)
    codes = product(("8903100000", "2402200011"), (NEW_YEAR - day, NEW_YEAR + day))
    for number, (code, known_at) in enumerate(codes, 1):
        item = {**GOODS_ITEM, "shipment_id": "S-goods", "number": number, "version": 1}
        later = {"version": 2, "commodity_code": "84072191"}
        tell("goods_items", item | {"commodity_code": code}, later, known_at)
    stream["shipments"].append({**SHIPMENT, "shipment_id": "S-goods", "declared_at": NEW_YEAR})
    return stream


DAY = timedelta(days=1)
DECLARED_OTHERWISE: list[dict[str, list[Row]]] = [
    # A shipment is known before it and its journey are declared.
    {"shipments": [{"known_at": NEW_YEAR - 99 * DAY}]},
    # What is known before it is declared is amended meanwhile.
    {
        "journeys": [
            {"known_at": NEW_YEAR - 99 * DAY},
            {"declared_at": NEW_YEAR - 90 * DAY, "known_at": NEW_YEAR - 40 * DAY, "mode": "road"},
        ],
    },
    {
        "shipments": [
            {"known_at": NEW_YEAR - 99 * DAY},
            {"declared_at": NEW_YEAR - 90 * DAY, "known_at": NEW_YEAR - 8 * DAY},
        ],
    },
    # An amendment tells another month, of other rates.
    {
        "shipments": [
            {},
            {"declared_at": NEW_YEAR - 90 * DAY, "known_at": NEW_YEAR - DAY, "currency": "HUF"},
        ],
    },
    # An amendment is known as soon as it says that it was declared.
    {"shipments": [{}, {"declared_at": NEW_YEAR - DAY, "known_at": NEW_YEAR - DAY}]},
    # A shipment is known late, and its journey meanwhile.
    {
        "journeys": [{"known_at": NEW_YEAR - 6 * DAY}],
        "shipments": [{"known_at": NEW_YEAR - 5 * DAY}],
    },
]
"""Of journeys with a shipment each what their versions say otherwise of when they were declared."""


def declared_otherwise(cases: list[dict[str, list[Row]]]) -> Stream:
    """Journeys and shipments in their versions, the last of each declared when all is known."""
    stream: Stream = {name: [] for name in RECORD_FILES}
    for at, told in enumerate([*cases, {}]):
        is_last = at == len(cases)
        ids = {"journey_id": f"J{at}", "version": 1}
        sailed = {**JOURNEY, **ids, "declared_at": NEW_YEAR - (0 if is_last else 37) * DAY}
        own = {**SHIPMENT, **ids, "shipment_id": f"S{at}", "declared_value": 9_999.99}
        own["declared_at"] = NEW_YEAR - (0 if is_last else 7) * DAY
        for name, first in (("journeys", sailed), ("shipments", own)):
            versions = enumerate(told.get(name, [{}]), 1)
            stream[name] += [first | said | {"version": number} for number, said in versions]
    return stream
