"""Journeys as they are noted to be found by their ship, in the transaction that stores them.

A version that is stored once more takes the place of what was noted of it, but not of what was
noted since: so journeys can be noted again from the log while others are decided about. One that
came with a shipment, of which others may say otherwise, never takes that of one declared by itself.
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

# As what the token of a ship is made.
MMSI = "mmsi"


def journey_row(
    keys: DataKeys,
    ship: ShipJourney,
    journey_token: str,
    noted_at: str,
    shipment_token: str | None = None,
) -> dict[str, Any]:
    """The row of a journey with a token, of what was decided about or received then.

    With `shipment_token` it was only submitted with that shipment.
    """
    tokens = {
        "journey_id": journey_token,
        MMSI: keys.token(MMSI, ship.mmsi),
        "shipment_id": shipment_token,
    }
    return {
        **vars(ship),
        **tokens,
        "is_withdrawn": int(ship.is_withdrawn),
        "noted_at": noted_at,
    }


def note_journeys(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Note journeys, in a transaction that is already writing."""
    newest: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[column.name] for column in ship_journeys.primary_key)
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
    """Return whether a row says more of a version than what was noted of it."""
    if (row["shipment_id"] is None) != (noted["shipment_id"] is None):
        return row["shipment_id"] is None
    return bool(row["noted_at"] >= noted["noted_at"])


def ship_journey_of(row: ReceivedRecord) -> ShipJourney | None:
    """What a received record is found by, if it is a journey of a ship."""
    if row.kind != "journeys":
        return None
    return ShipJourney.of_journey(Journey.model_validate_json(row.body))


def note_again(connection: Connection) -> None:
    """Let the service note all journeys again, as under another key of tokens.

    Those that were submitted with shipments are noted when such a one is scored next.
    """
    connection.execute(delete(ship_journeys).where(ship_journeys.c.shipment_id.is_not(None)))
    SHIP_JOURNEYS.move(connection, newest_decision(connection) + 1, record_id="")
