"""The declared journeys of ships, found by MMSI with one index lookup each.

Journeys from before this table existed, or under another token key, are noted page by page, newest
first.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import orjson
from pydantic import ValidationError
from sqlalchemy import Connection, Engine, Select, delete, select

from features.records import Journey
from serving.audit.decision import Decision
from serving.audit.ship_journey import ShipJourney
from serving.crypto.errors import Undecipherable
from serving.errors import BodyMalformed, SubmissionRefused
from serving.scoring.ships import NotedJourney
from serving.storage.encrypted_decisions import WHOLE
from serving.storage.encrypted_records import EncryptedRecords
from serving.storage.log_positions import SHIP_JOURNEYS
from serving.storage.noted_journeys import MMSI, journey_row, note_journeys, ship_journey_of
from serving.storage.repository import Repository
from serving.storage.tables.audit import log_positions
from serving.storage.tables.scoring import decisions, records, ship_journeys

PAGE = 200
_BATCH_SIZE = 500

# A journey, the token of its id, and when it was decided about or received.
_Row = tuple[ShipJourney, str, str]


class ShipJourneyRepository(Repository):
    """The journeys of ships in one database."""

    def __init__(self, engine: Engine):
        super().__init__(engine)
        self._records = EncryptedRecords(self._keys)

    def noted(self, mmsis: Collection[str], due_since: datetime) -> dict[str, list[NotedJourney]]:
        """Return all versions of each ship's journeys that were due since an instant."""
        found: dict[str, list[NotedJourney]] = {mmsi: [] for mmsi in mmsis}
        with self._reading() as connection:
            self._keys.token_keys.follow(connection)
            ships = {token: mmsi for mmsi in mmsis for token in self._keys.tokens(MMSI, mmsi)}
            ships_on: dict[str, set[str]] = defaultdict(set)
            for ship, token in _journeys_of(connection, [*ships], due_since):
                ships_on[token].add(ships[ship])
            for row in _declared(_versions(connection, [*ships_on])):
                for mmsi in ships_on[row.journey_id]:
                    found[mmsi].append(_noted(row, is_of_ship=ships.get(row.mmsi) == mmsi))
        return found

    def journey_id(self, token: str) -> str | None:
        """Return the id that a token stands for; None if everything that states it was erased."""
        is_about = (decisions.c.subject_kind == "route", decisions.c.subject_id == token)
        decided = select(*WHOLE).where(*is_about).order_by(decisions.c.seq.desc())
        is_of = (records.c.subject_kind == "route", records.c.subject_id == token)
        received = select(records).where(*is_of, records.c.kind == "journeys")
        with self._reading() as connection:
            newest = connection.execute(decided.limit(1)).first()
            if newest is not None and (whole := self._decisions.record(newest)) is not None:
                return str(orjson.loads(whole)["subject_id"])
            row = connection.execute(received.limit(1)).first()
        record = None if row is None else self._records.of_row(row)
        if record is not None:
            return record.subject_id
        shipped = self.shipped(token)
        return None if shipped is None else shipped.journey_id

    def shipped(self, token: str) -> Journey | None:
        """Return a token's journey as stated by the shipment it was last submitted with.

        None if there is no such shipment, if it names another journey by now, or is unreadable.
        """
        row = self._first(_newest_with(token))
        whole = None
        with suppress(Undecipherable):
            whole = None if row is None else self._decisions.record(row)
        journey = whole and Decision.model_validate_json(whole).submission.journey
        # The newest decision may state another journey than the one the note was made of.
        if not journey or token not in self._keys.tokens("route", journey.journey_id):
            return None
        return journey

    def note_older(self) -> None:
        """Note a page of older journeys; do nothing once all are noted."""
        with self._reading() as connection:
            own = log_positions.c.name == SHIP_JOURNEYS.name
            place = connection.execute(select(log_positions).where(own)).first()
            # Both halves, decisions and records, have been noted.
            if place is None or (place.seq <= 1 and place.record_id is None):
                return
            decided = _decided_before(connection, place)
            received = _received_after(connection, place)
        self._note([*self._of_decisions(decided), *self._of_records(received)])
        self._go_on(
            place,
            seq=decided[-1].seq if len(decided) == PAGE else 1,
            record_id=received[-1].record_id if len(received) == PAGE else None,
        )

    def _of_decisions(self, rows: Sequence[Any]) -> Iterator[_Row]:
        for row in rows:
            # A decision that this release cannot read has no journey to note, and must not stop the
            # rest.
            with suppress(Undecipherable, ValidationError, SubmissionRefused, BodyMalformed):
                if (record := self._decisions.record(row)) is not None:
                    submission = Decision.model_validate_json(record).submission
                    if (ship := ShipJourney.of_submission(submission)) is not None:
                        yield ship, row.subject_id, row.logged_at or row.scored_at

    def _of_records(self, rows: Sequence[Any]) -> Iterator[_Row]:
        for row in rows:
            with suppress(Undecipherable, ValidationError):
                record = self._records.of_row(row)
                if record is not None and (ship := ship_journey_of(record)) is not None:
                    yield ship, row.subject_id, row.logged_at or row.received_at

    def _note(self, told: Sequence[_Row]) -> None:
        """Note journeys under the token key in use, and delete notes under former keys."""
        with self._writing() as connection:
            self._keys.token_keys.follow(connection)
            for ship, token, _ in told:
                _, *former = self._keys.tokens(MMSI, ship.mmsi)
                columns = ship_journeys.c
                if former:
                    is_it = (columns.journey_id == token, columns.mmsi.in_(former))
                    connection.execute(delete(ship_journeys).where(*is_it))
            note_journeys(connection, [journey_row(self._keys, *each) for each in told])

    def _go_on(self, before: Any, *, seq: int, record_id: str | None) -> None:
        """Advance the position, unless another process moved it meanwhile."""
        is_same = (
            log_positions.c.name == before.name,
            log_positions.c.seq == before.seq,
            log_positions.c.record_id.is_not_distinct_from(before.record_id),
        )
        with self._writing() as connection:
            moved = log_positions.update().where(*is_same)
            connection.execute(moved.values(seq=seq, record_id=record_id))


def _decided_before(connection: Connection, place: Any) -> Sequence[Any]:
    """Return the newest decisions about routes before a position."""
    is_before = (decisions.c.subject_kind == "route", decisions.c.seq < place.seq)
    query = select(*WHOLE, decisions.c.subject_id).where(*is_before)
    return connection.execute(query.order_by(decisions.c.seq.desc()).limit(PAGE)).all()


def _received_after(connection: Connection, place: Any) -> Sequence[Any]:
    """Return the next received journeys in token order; empty if all were noted."""
    if place.record_id is None:
        return []
    is_after = (records.c.kind == "journeys", records.c.record_id > place.record_id)
    query = select(records).where(*is_after).order_by(records.c.record_id)
    return connection.execute(query.limit(PAGE)).all()


def _journeys_of(
    connection: Connection, ships: Sequence[str], due_since: datetime
) -> Iterator[tuple[str, str]]:
    """Yield the tokens of ships with those of their journeys."""
    columns = ship_journeys.c
    query = select(columns.mmsi, columns.journey_id).where(columns.due_at >= due_since)
    for first in range(0, len(ships), _BATCH_SIZE):
        some = query.where(columns.mmsi.in_(ships[first : first + _BATCH_SIZE]))
        yield from ((row.mmsi, row.journey_id) for row in connection.execute(some))


def _versions(connection: Connection, journeys: Sequence[str]) -> Iterator[Any]:
    for first in range(0, len(journeys), _BATCH_SIZE):
        some = journeys[first : first + _BATCH_SIZE]
        query = select(ship_journeys).where(ship_journeys.c.journey_id.in_(some))
        yield from connection.execute(query)


def _declared(rows: Iterable[Any]) -> Iterator[Any]:
    """Yield the versions that were declared by themselves, or else those from shipments."""
    by_token: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        by_token[row.journey_id].append(row)
    for versions in by_token.values():
        yield from [each for each in versions if each.shipment_id is None] or versions


def _newest_with(token: str) -> Select[Any]:
    """Select the newest decision about the shipment that a journey was last submitted with."""
    noted = ship_journeys.c
    of_journey = noted.journey_id == token
    shipment = (
        select(noted.shipment_id)
        .where(of_journey, noted.shipment_id.is_not(None))
        .order_by(noted.noted_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    is_about = (decisions.c.subject_kind == "shipment", decisions.c.subject_id == shipment)
    return select(*WHOLE).where(*is_about).order_by(decisions.c.seq.desc()).limit(1)


def _noted(row: Any, *, is_of_ship: bool) -> NotedJourney:
    return NotedJourney(
        token=row.journey_id,
        version=row.version,
        declared_at=row.declared_at,
        begins_at=row.begins_at,
        due_at=row.due_at,
        noted_at=datetime.fromisoformat(row.noted_at),
        is_withdrawn=row.is_withdrawn,
        is_of_ship=is_of_ship,
        came_with_shipment=row.shipment_id is not None,
    )
