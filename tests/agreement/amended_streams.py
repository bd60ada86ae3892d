"""Random record streams in which records are amended, withdrawn and corrected."""

from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from features.records import RECORD_FILES
from tests.agreement import streams as plain
from tests.agreement.streams import Row, Stream, instants

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
    stream: Stream = draw(plain.streams())
    for name in ("journeys", "shipments"):  # of which a few became known after their declaration
        for row in stream[name]:
            row["known_at"] = draw(st.none() | st.none() | instants)
    for name in OF_TYPE:
        rows = [*stream[name]]
        for at in draw(st.lists(st.integers(0, 11), max_size=5)):
            if at < len(rows):
                rows.append(later_version(rows[at], name, draw))
        unique = RECORD_FILES[name].unique_fields
        stream[name] = plain.first_of_each(
            [
                {"version": 1, **row} if "version" in RECORD_FILES[name].model_fields else row
                for row in rows
            ],
            *unique,
        )
    return stream
