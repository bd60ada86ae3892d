"""Assign a ship's positions to its declared journey; AIS names only the ship.

A plain position belongs to the journey under way. A distress call also belongs to a journey that is
long overdue, withdrawn, or declared by a wrong clock: it helps to find the people, and an unneeded
rescue does less harm than a missing one. For the same reason a call is also assigned to a journey
that is declared after the call was heard; a plain position is not.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from features.linked_records import LINKED_RECORD_TYPES
from features.messages.ais import journey_of_ship, ship_of
from features.messages.conversion import MadeRecord
from features.records import Journey, Position
from features.submission import Submission
from serving.access.callers import Caller
from serving.history.client import HistoryClient
from serving.history.received_records import ReceivedRecord
from serving.scoring.message_plan import ReadMessage

if TYPE_CHECKING:
    from serving.storage.repositories.decision_repository import DecisionRepository
    from serving.storage.repositories.record_repository import RecordRepository
    from serving.storage.repositories.ship_journey_repository import ShipJourneyRepository

# A late ship counts as still on its journey for this long after it was due.
UNDER_WAY_AFTER_DUE = timedelta(days=7)

# A distress call may come from a missing ship for this long after it was due.
CALLS_AFTER_DUE = timedelta(days=90)


@dataclass(frozen=True)
class NotedJourney:
    """One version of a journey, identified by the token of its id.

    `is_of_ship` is True if it names the requested ship. `noted_at` is when it was decided or
    received, by the service's clock. `came_with_shipment` is True if nobody declared it on its own.
    """

    token: str
    version: int
    declared_at: datetime
    begins_at: datetime
    due_at: datetime
    noted_at: datetime
    is_withdrawn: bool
    is_of_ship: bool
    came_with_shipment: bool = False

    def is_under_way(self, at: datetime) -> bool:
        """Return True if a ship is on the journey."""
        return not self.is_withdrawn and self.begins_at <= at <= self.due_at + UNDER_WAY_AFTER_DUE

    def may_call(self, at: datetime) -> bool:
        """Return True if a distress call may come from the journey."""
        # The earliest of three instants, since any of them may come from a wrong clock.
        first = min(self.begins_at, self.declared_at, self.noted_at)
        return first <= at <= self.due_at + CALLS_AFTER_DUE

    def order_at(self, at: datetime) -> tuple[bool, timedelta]:
        """Return the sort key of candidate journeys: next due first, then least overdue.

        A ship ends one journey before the next, which may have been declared ahead.
        """
        return self.due_at < at, abs(self.due_at - at)


@dataclass(frozen=True)
class ShipPositions:
    """Assigns positions of ships to their declared journeys."""

    journeys: "ShipJourneyRepository"
    decisions: "DecisionRepository"

    def assigned(self, read: ReadMessage, caller: Caller) -> ReadMessage:
        """Return the message with positions that name their ships' declared journeys.

        A journey decided by another office is ignored if the caller may not send records about it.
        """
        positions = {id(made): mmsi for made in read.conversion.records if (mmsi := ship_of(made))}
        if not positions:
            return read
        noted = self.journeys.noted({*positions.values()}, _due_since(read.conversion.records))
        declared = {mmsi: _as_declared(versions) for mmsi, versions in noted.items()}
        known = _KnownJourneys(self, caller)
        records = tuple(
            known.assigned(made, declared[positions[id(made)]]) if id(made) in positions else made
            for made in read.conversion.records
        )
        return read.with_conversion(replace(read.conversion, records=records))


@dataclass
class _KnownJourneys:
    """A cache of journey ids for one message, limited to those its caller may use."""

    of: ShipPositions
    caller: Caller
    ids: dict[str, str | None] = field(default_factory=dict)

    def assigned(self, made: MadeRecord, declared: list[NotedJourney]) -> MadeRecord:
        """Return a position with its ship's journey; unchanged if there is none."""
        at = made.fields["observed_at"]
        # A journey under way is preferred; the wider rule for distress calls applies only after it.
        fits: list[Callable[[NotedJourney], bool]] = [lambda each: each.is_under_way(at)]
        if made.fields.get("is_distress"):
            fits.append(lambda each: each.may_call(at))
        in_order = sorted(declared, key=lambda each: each.order_at(at))
        allowed = [each for each in in_order if not (each.came_with_shipment and self._has_offices)]
        found = (self._id(each.token) for fit in fits for each in filter(fit, allowed))
        journey_id = next(filter(None, found), None)
        if journey_id is None:
            return made
        return replace(made, fields=made.fields | {"journey_id": journey_id})

    @property
    def _has_offices(self) -> bool:
        """True if the caller is limited to offices; the goods of one ship belong to several."""
        return bool(self.caller.offices)

    def _id(self, token: str) -> str | None:
        if token not in self.ids:
            found = self.of.journeys.journey_id(token)
            self.ids[token] = found if found and self._is_allowed(found) else None
        return self.ids[token]

    def _is_allowed(self, journey_id: str) -> bool:
        own = self.caller.offices
        offices = self.of.decisions.offices_of("route", [journey_id]) if own else {}
        return not own or bool(own & offices.get(journey_id, own))


@dataclass(frozen=True)
class EarlierCalls:
    """Distress calls that were heard before the journey of their ship was declared."""

    records: "RecordRepository"
    history: HistoryClient

    def follow(self, submissions: Iterable[Submission], at: datetime) -> None:
        """Store each ship's earlier distress calls under the journey that is declared now.

        The decision about to be made then counts them. Raises Unavailable.
        """
        declared = [
            (("route", journey_of_ship(each.journey.mmsi)), each.journey)
            for each in submissions
            if each.journey is not None and each.journey.mmsi
        ]
        if not declared:
            return
        heard = self.records.about(list(dict.fromkeys(ship for ship, _ in declared)))
        calls = {
            call.key: call
            for ship, journey in declared
            for call in _calls_from(journey, heard[ship], at)
        }
        kept = self.records.stored_under_ids([*calls.values()]) if calls else {}
        new = [call for key, call in calls.items() if key not in kept]
        if new:
            # The rescuers were alerted to these calls when they were first received.
            self.records.add_new(new, raises_alerts=False)
            self.history.ingest_records([call.record for call in new], at.isoformat())


def _calls_from(
    journey: Journey, heard: Iterable[ReceivedRecord], at: datetime
) -> Iterator[ReceivedRecord]:
    """Yield, as calls of the journey, its ship's distress calls that may come from it."""
    first = min(journey.departed_at or journey.declared_at, journey.declared_at)
    for row in heard:
        told = row.record
        if not isinstance(told, Position) or not told.is_distress:
            continue
        if first <= told.observed_at <= journey.due_at + CALLS_AFTER_DUE:
            call = told.model_copy(update={"journey_id": journey.journey_id})
            yield replace(
                row,
                record_id=LINKED_RECORD_TYPES["positions"].id_of(call),
                subject_id=journey.journey_id,
                received_at=at.isoformat(),
                body=call.model_dump_json(exclude_none=True),
            )


def _due_since(positions: Iterable[MadeRecord]) -> datetime:
    """Return since when a journey must have been due for one of these positions to belong to it."""
    return min(
        each.fields["observed_at"]
        - (CALLS_AFTER_DUE if each.fields.get("is_distress") else UNDER_WAY_AFTER_DUE)
        for each in positions
    )


def _as_declared(versions: Iterable[NotedJourney]) -> list[NotedJourney]:
    """Return the last declared version of each journey of a ship, newest declaration first."""
    by_token: dict[str, list[NotedJourney]] = defaultdict(list)
    for each in versions:
        by_token[each.token].append(each)
    declared = (_newest(each) for each in by_token.values())
    of_ship = (each for each in declared if each.is_of_ship)
    return sorted(of_ship, key=lambda each: (each.declared_at, each.noted_at), reverse=True)


def _newest(versions: list[NotedJourney]) -> NotedJourney:
    """Return the newest version that is no withdrawal, with the instants of the first version.

    `is_withdrawn` is True if a withdrawal follows it.
    """
    ordered = sorted(versions, key=lambda each: (each.version, each.noted_at))
    declared = [each for each in ordered if not each.is_withdrawn] or ordered
    return replace(
        declared[-1],
        declared_at=min(each.declared_at for each in versions),
        noted_at=min(each.noted_at for each in versions),
        is_withdrawn=ordered[-1].is_withdrawn,
    )
