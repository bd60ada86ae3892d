"""Journeys as they are noted to be found by their ship, in the transaction that stores them.

A version that is stored once more takes the place of what was noted of it, but not of what was
noted since: so journeys can be noted again from the log while others are decided about. One that
came with a shipment, of which others may say otherwise, never takes that of one declared by itself.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, select, text

from features.records import Journey
from serving.audit.ship_journey import ShipJourney
from serving.db.data_keys import DataKeys
from serving.db.tables.scoring import decisions, ship_journeys, ship_journeys_from
from serving.history.received_records import ReceivedRecord

MMSI = "mmsi"
"""As what the token of a ship is made."""

_KEY = ("journey_id", "version", MMSI)
_TOLD = tuple(column.name for column in ship_journeys.c if column.name not in _KEY)
_NOTE = text(
    f"INSERT INTO ship_journeys ({', '.join((*_KEY, *_TOLD))}) "  # noqa: S608 - names of our own
    f"VALUES ({', '.join(f':{name}' for name in (*_KEY, *_TOLD))}) "
    f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE "
    f"SET {', '.join(f'{name} = excluded.{name}' for name in _TOLD)} "
    "WHERE CASE WHEN (excluded.shipment_id IS NULL) = (ship_journeys.shipment_id IS NULL) "
    "THEN excluded.noted_at >= ship_journeys.noted_at ELSE excluded.shipment_id IS NULL END"
)


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
    if rows:
        connection.execute(_NOTE, rows)


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
    newest = connection.scalar(select(func.max(decisions.c.seq))) or 0
    connection.execute(ship_journeys_from.update().values(seq=newest + 1, record_id=""))
