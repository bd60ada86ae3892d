"""Which declared journey a position of a ship belongs to: AIS names the ship alone.

A plain position belongs to the journey that is under way. A call for help asks for less: it belongs
also to a journey that is long overdue, was withdrawn, or was declared by a clock that goes wrong.
Whoever calls is found by it, and a rescue that was not needed harms less than none. So a call also
follows to a journey that is declared only after it was heard; a plain position does not.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

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

# So long after it was due a ship that is late is still on its journey.
UNDER_WAY_AFTER_DUE = timedelta(days=7)

# So long after it was due whoever calls for help may be who is missing on it.
CALLS_AFTER_DUE = timedelta(days=90)


@dataclass(frozen=True)
class NotedJourney:
    """A version of a journey, by the token of its id.

    `is_of_ship` says whether it names the ship that was asked for. `noted_at` is when it was
    decided about or received, by the service's clock. `came_with_shipment` says that nobody
    declared it by itself.
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
        """Return whether a ship is on it."""
        return not self.is_withdrawn and self.begins_at <= at <= self.due_at + UNDER_WAY_AFTER_DUE

    def may_call(self, at: datetime) -> bool:
        """Return whether it may be those on board who call for help."""
        first = min(self.begins_at, self.declared_at, self.noted_at)
        return first <= at <= self.due_at + CALLS_AFTER_DUE

    def order_at(self, at: datetime) -> tuple[bool, timedelta]:
        """Orders those that a ship may be on: who is due next first, then who is least overdue.

        A ship ends one journey before the next, which may have been declared ahead.
        """
        return self.due_at < at, abs(self.due_at - at)


class ShipJourneys(Protocol):
    """The declared journeys of ships. Every method raises LogUnavailable where it fails."""

    def noted(self, mmsis: Collection[str], due_since: datetime) -> dict[str, list[NotedJourney]]:
        """All versions of the journeys that each of these ships was on and that were due since."""
        ...

    def journey_id(self, token: str) -> str | None:
        """The id that a token stands for; None where all that says it was erased."""
        ...


@dataclass(frozen=True)
class ShipPositions:
    """Gives positions of ships to the journeys that were declared of them."""

    journeys: ShipJourneys
    decisions: "DecisionRepository"

    def assigned(self, read: ReadMessage, caller: Caller) -> ReadMessage:
        """A message whose positions name the declared journeys that their ships are on.

        What another office decides about is no journey to a caller who cannot send records of it.
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
    """The ids of journeys that one message was looked up for, as far as its caller may use them."""

    of: ShipPositions
    caller: Caller
    ids: dict[str, str | None] = field(default_factory=dict)

    def assigned(self, made: MadeRecord, declared: list[NotedJourney]) -> MadeRecord:
        """A position of the journey that its ship is on; as it was where that is none."""
        at = made.fields["observed_at"]
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
        """Return whether the caller has offices: the goods of one ship belong to several."""
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
    """Calls for help that were heard before anybody declared the journey of their ship."""

    records: "RecordRepository"
    history: HistoryClient

    def follow(self, submissions: Iterable[Submission], at: datetime) -> None:
        """Keep the calls of each ship under the journey that is declared of it now, too.

        What is about to be decided counts them then. Raises LogUnavailable or HistoryUnavailable.
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
        kept = self.records.kept([*calls.values()]) if calls else {}
        new = [call for key, call in calls.items() if key not in kept]
        if new:
            self.records.add_new(new, raises_alerts=False)
            self.history.ingest_records([call.record for call in new], at.isoformat())


def _calls_from(
    journey: Journey, heard: Iterable[ReceivedRecord], at: datetime
) -> Iterator[ReceivedRecord]:
    """The calls among what was heard of its ship that may be from a journey, as calls of it."""
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
    """Since when a journey must have been due for one of these to belong to it."""
    return min(
        each.fields["observed_at"]
        - (CALLS_AFTER_DUE if each.fields.get("is_distress") else UNDER_WAY_AFTER_DUE)
        for each in positions
    )


def _as_declared(versions: Iterable[NotedJourney]) -> list[NotedJourney]:
    """The journeys of a ship as they were declared last, the one that was declared last first."""
    by_token: dict[str, list[NotedJourney]] = defaultdict(list)
    for each in versions:
        by_token[each.token].append(each)
    declared = (_newest(each) for each in by_token.values())
    of_ship = (each for each in declared if each.is_of_ship)
    return sorted(of_ship, key=lambda each: (each.declared_at, each.noted_at), reverse=True)


def _newest(versions: list[NotedJourney]) -> NotedJourney:
    """The newest version, or the one that it withdraws; declared when the first one was."""
    ordered = sorted(versions, key=lambda each: (each.version, each.noted_at))
    declared = [each for each in ordered if not each.is_withdrawn] or ordered
    return replace(
        declared[-1],
        declared_at=min(each.declared_at for each in versions),
        noted_at=min(each.noted_at for each in versions),
        is_withdrawn=ordered[-1].is_withdrawn,
    )
