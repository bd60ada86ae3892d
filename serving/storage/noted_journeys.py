"""Notes of journeys by ship, written in the transaction that stores the journeys.

A version stored again replaces its earlier note, but not a newer one: journeys can thus be noted
again from the log while others are decided about. A journey that came with a shipment never
replaces one declared by itself, since other shipments may contradict it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, delete, select, update

from features.records import Journey
from serving.audit.ship_journey import ShipJourney
from serving.history.received_records import ReceivedRecord
from serving.storage.keys.data_keys import DataKeys
from serving.storage.log_positions import SHIP_JOURNEYS, newest_decision
from serving.storage.tables.scoring import ship_journeys

# The kind under which tokens of ships are made.
MMSI = "mmsi"


def journey_row(
    keys: DataKeys,
    ship: ShipJourney,
    journey_token: str,
    noted_at: str,
    shipment_token: str | None = None,
) -> dict[str, Any]:
    """Return the row of a journey that was decided about or received.

    `shipment_token` is set if it was only submitted with that shipment.
    """
    tokens = {
        "journey_id": journey_token,
        MMSI: keys.token(MMSI, ship.mmsi),
        "shipment_id": shipment_token,
    }
    return {**vars(ship), **tokens, "noted_at": noted_at}


def note_journeys(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Note journeys in a transaction that is already writing."""
    newest: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[column.name] for column in ship_journeys.primary_key)
        # One batch may contain several versions of a note; only the newest is written.
        if key not in newest or _takes_place_of(row, newest[key]):
            newest[key] = row
    columns = [*ship_journeys.primary_key]
    for key, row in newest.items():
        is_it = and_(*(column == part for column, part in zip(columns, key, strict=True)))
        found = connection.execute(select(ship_journeys).where(is_it)).mappings().first()
        if found is None:
            connection.execute(ship_journeys.insert(), row)
        elif _takes_place_of(row, found):
            connection.execute(update(ship_journeys).where(is_it).values(row))


def _takes_place_of(row: Mapping[str, Any], noted: Mapping[Any, Any]) -> bool:
    """Return whether a row should replace the existing note of a version."""
    if (row["shipment_id"] is None) != (noted["shipment_id"] is None):
        return row["shipment_id"] is None
    return bool(row["noted_at"] >= noted["noted_at"])


def ship_journey_of(row: ReceivedRecord) -> ShipJourney | None:
    """Return the ship and times of a received record if it is a journey of a ship, else None."""
    if row.kind != "journeys":
        return None
    return ShipJourney.of_journey(Journey.model_validate_json(row.body))


def note_again(connection: Connection) -> None:
    """Make the service note all journeys again, as after a rotation of the token key.

    Those that came with shipments are deleted, and noted when the shipment is scored next.
    """
    connection.execute(delete(ship_journeys).where(ship_journeys.c.shipment_id.is_not(None)))
    SHIP_JOURNEYS.move(connection, newest_decision(connection) + 1, record_id="")
