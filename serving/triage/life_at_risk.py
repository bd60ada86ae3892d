"""Signals that lives may be at risk, derived from the records alone.

They open the rescue lane and are never inputs of a model. Each rule gives one signal: a code from
the list of indicators (L), and a text for the rescuers. Several may hold at once.

The rules look for people on craft not made to carry so many, for silence and for distance. A ship,
aircraft or lorry with a few more crew than its certificate says is not in danger. `docs/rescue.md`
gives the legal basis and the reason of each code.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from features.records import CargoUnit, ConveyanceKind, Journey, Position
from features.reference.geography.distances import great_circle_km
from features.reference.geography.nearest_place import km_to_nearest_place
from features.reference.geography.places import latitude, longitude
from features.submission import Submission

SignalCode = Literal["L01", "L02", "L03", "L04", "L05", "L07", "L09"]

SMALL_CRAFT: frozenset[ConveyanceKind] = frozenset(
    {"small_craft", "rigid_craft", "inflatable_craft"}
)
# One person too many is a danger on craft that may sink or overturn, or that lack a seat for them.
CARRIES_PERSONS: frozenset[ConveyanceKind] = SMALL_CRAFT | {"fishing_vessel", "coach", "van"}
# The usual number of crew or seats, where no certificate states more.
USUAL_SEATS: dict[ConveyanceKind, int] = {
    "truck": 3,
    "van": 9,
    "fishing_vessel": 24,
    "container_ship": 60,
    "general_cargo": 60,
    "tanker": 60,
}
# The passengers that a cargo ship may carry before it counts as a passenger ship (SOLAS I/2).
BESIDE_CREW = 12
SAILS_WITH_CREW: frozenset[ConveyanceKind] = frozenset(
    {"container_ship", "general_cargo", "tanker", "aircraft", "train"}
)
AT_SEA: frozenset[ConveyanceKind] = SMALL_CRAFT | {"fishing_vessel"}
CLOSED_IN: frozenset[CargoUnit] = frozenset({"reefer", "tank"})

FAR_FROM_LAND_KM = 50.0
MAX_SILENCE = timedelta(hours=6)
OVERDUE_AFTER = timedelta(hours=3)
# A port may lie this far from its registered position; a craft heard within it has landed.
LANDED_KM = 5.0

# The reason of a decision for danger that no record shows, only the lack of records.
TIME_PASSED = "time_passed"


UNCERTIFIED = {
    "a": (
        "1 person on board of a {kind} that no certificate is known of",
        "{count} persons on board of a {kind} that no certificate is known of",
    ),
    "an": (
        "1 person on board of an {kind} that no certificate is known of",
        "{count} persons on board of an {kind} that no certificate is known of",
    ),
}
# Texts for one person and for several, by the English article of the craft.
OVER_CERTIFIED = {
    "a": (
        "1 person on board of a {kind} certified for {certified}",
        "{count} persons on board of a {kind} certified for {certified}",
    ),
    "an": (
        "1 person on board of an {kind} certified for {certified}",
        "{count} persons on board of an {kind} certified for {certified}",
    ),
}

SHUT_IN = "persons may be shut in a {unit}: they may suffocate or freeze"
DISTRESS = "a call for help was heard from it"
SILENT = (
    "it was not heard for {count} hour and is overloaded",
    "it was not heard for {count} hours and is overloaded",
)
OVERDUE = (
    "it is {count} hour overdue and was not heard since",
    "it is {count} hours overdue and was not heard since",
)
FAR_OUT = "it was heard {km} km from the nearest known place"
# Every text of a signal; pairs are singular and plural.
SIGNAL_TEXTS: tuple[str | tuple[str, str], ...] = (
    *UNCERTIFIED.values(),
    *OVER_CERTIFIED.values(),
    *(SHUT_IN, DISTRESS, SILENT, OVERDUE, FAR_OUT),
)


@dataclass(frozen=True)
class DangerSignal:
    """One sign of danger to life: its code and text."""

    code: SignalCode
    words: str


CALL_FOR_HELP = DangerSignal("L04", DISTRESS)

# People shut in, overcrowding, and distress calls. With one of these signs, a single person who was
# not at the scene cannot settle that nobody was in danger.
GRAVE: frozenset[SignalCode] = frozenset({"L02", "L03", "L04"})


@dataclass(frozen=True)
class Craft:
    """The persons on board and the certified capacity of a craft; None if unknown.

    These are the fields of a journey that the rules on numbers use.
    """

    kind: ConveyanceKind
    persons_on_board: float | None
    certified_capacity: float | None
    cargo_unit: CargoUnit | None = None

    @classmethod
    def of_journey(cls, journey: Journey) -> "Craft":
        """Return the craft of a journey."""
        return cls(
            journey.conveyance_kind,
            journey.persons_on_board,
            journey.certified_capacity,
            journey.cargo_unit,
        )

    @property
    def words(self) -> str:
        """The persons on board and the craft, in words."""
        count = self.persons_on_board
        kind = self.kind.replace("_", " ")
        certified = self.certified_capacity
        texts = UNCERTIFIED if certified is None else OVER_CERTIFIED
        of_one, of_many = texts["an" if kind[0] in "aeiou" else "a"]
        return (of_one if count == 1 else of_many).format(
            count=f"{count or 0:.0f}", kind=kind, certified=f"{certified or 0:.0f}"
        )


def danger_signals(submission: Submission, as_of: datetime) -> tuple[DangerSignal, ...]:
    """Return the signals of a subject, from its craft and from where and when it was last heard.

    Silence and delay are measured up to `as_of`. A subject without a journey gives no signal.
    """
    if submission.journey is None:
        return ()
    craft = Craft.of_journey(submission.journey)
    return (*signals_of_craft(craft), *_signals_of_way(submission, craft, as_of))


def danger_begins_at(submission: Submission, since: datetime) -> datetime | None:
    """Return the first instant after `since` at which silence or delay becomes a sign.

    Assumes that no further record arrives. None if time alone shows no new danger.
    """
    if submission.journey is None:
        return None
    begins = [submission.journey.due_at + OVERDUE_AFTER]
    if last := last_heard(submission):
        # Silence must exceed the limit, hence one microsecond more.
        begins.append(last.observed_at + MAX_SILENCE + timedelta(microseconds=1))
    later = sorted(instant for instant in begins if instant > since)
    return next((instant for instant in later if begun_by_time(submission, since, instant)), None)


def begun_by_time(submission: Submission, since: datetime, as_of: datetime) -> set[SignalCode]:
    """Return the signs that hold as of an instant and, with the same records, not as of `since`."""
    before = {signal.code for signal in danger_signals(submission, since)}
    return {signal.code for signal in danger_signals(submission, as_of)} - before


def signals_of_craft(craft: Craft) -> Iterator[DangerSignal]:
    """Yield the signals that follow from numbers of persons."""
    for rule in _OF_CRAFT:
        if signal := rule(craft):
            yield signal


def in_words(signals: tuple[DangerSignal, ...]) -> str | None:
    """Join all signals in one clause; None if there are none."""
    return "; ".join(signal.words for signal in signals) or None


def _in_closed_unit(craft: Craft) -> DangerSignal | None:
    """Return L02: persons in a refrigerated unit or tank, beyond those who fit into its cab."""
    if craft.cargo_unit not in CLOSED_IN or not _is_above(craft, _seats(craft)):
        return None
    return DangerSignal("L02", SHUT_IN.format(unit=craft.cargo_unit))


def _in_freight_unit(craft: Craft) -> DangerSignal | None:
    """Return L01: more persons than ride as crew, on a craft that carries no passengers."""
    certified = craft.certified_capacity
    if craft.kind in SAILS_WITH_CREW and certified is not None:
        most: float | None = certified + BESIDE_CREW
    elif craft.kind in CARRIES_PERSONS and certified is not None:
        return None  # L03 covers these
    else:
        most = _seats(craft)
    return DangerSignal("L01", craft.words) if _is_above(craft, most) else None


def _overcrowded(craft: Craft) -> DangerSignal | None:
    """Return L03: more persons than certified, or any person on a small uncertified craft."""
    if craft.kind not in CARRIES_PERSONS:
        return None
    uncertified = 0 if craft.kind in SMALL_CRAFT else None
    certified = craft.certified_capacity
    is_over = _is_above(craft, uncertified if certified is None else certified)
    return DangerSignal("L03", craft.words) if is_over else None


def _seats(craft: Craft) -> float | None:
    """Return the number of crew or seats; None if unknown for this kind of craft."""
    usual = USUAL_SEATS.get(craft.kind)
    return None if usual is None else max(usual, craft.certified_capacity or 0)


def _is_above(craft: Craft, most: float | None) -> bool:
    return craft.persons_on_board is not None and most is not None and craft.persons_on_board > most


_OF_CRAFT: tuple[Callable[[Craft], DangerSignal | None], ...] = (
    _in_closed_unit,
    _in_freight_unit,
    _overcrowded,
)


def _signals_of_way(
    submission: Submission, craft: Craft, as_of: datetime
) -> Iterator[DangerSignal]:
    if any(position.is_distress for position in submission.positions):
        yield CALL_FOR_HELP
    if craft.kind not in AT_SEA:
        return
    last = last_heard(submission)
    if last and _overcrowded(craft) and (silence := as_of - last.observed_at) > MAX_SILENCE:
        yield DangerSignal("L05", SILENT[1].format(count=_hours(silence)))
    if last and (signal := _far_from_land(craft, last)):
        yield signal
    if overdue := _overdue(submission, last, as_of):
        yield DangerSignal("L07", OVERDUE[1].format(count=_hours(overdue)))


def last_heard(submission: Submission) -> Position | None:
    """Return the last position of the conveyance; None if it was never heard."""
    return max(submission.positions, key=lambda heard: heard.observed_at, default=None)


def _far_from_land(craft: Craft, last: Position) -> DangerSignal | None:
    """Return L09: a small craft, uncertified or overloaded, far from land."""
    may_be_unfit = craft.certified_capacity is None or _overcrowded(craft)
    if craft.kind not in SMALL_CRAFT or not may_be_unfit:
        return None
    km = km_to_nearest_place(last.latitude, last.longitude)
    if km <= FAR_FROM_LAND_KM:
        return None
    return DangerSignal("L09", FAR_OUT.format(km=f"{km:.0f}"))


def _overdue(submission: Submission, last: Position | None, as_of: datetime) -> timedelta | None:
    """Return L07: the delay of a journey that gave no sign of life since it was due."""
    journey = submission.journey
    if journey is None or as_of < journey.due_at + OVERDUE_AFTER:
        return None
    is_home = (
        _is_reported_home(submission, journey)
        or _has_landed(last, journey)
        or any(
            leg.arrived_at is not None and leg.destination == journey.destination
            for leg in submission.legs
        )
    )
    # Someone who declares a journey after it was due has arrived.
    spoke_at = [journey.declared_at, *([last.observed_at] if last else [])]
    return None if is_home or max(spoke_at) >= journey.due_at else as_of - journey.due_at


def _is_reported_home(submission: Submission, journey: Journey) -> bool:
    """Return True if an event reports the route's own arrival at its destination."""
    return submission.shipment is None and any(
        event.kind == "arrived"
        and event.place == journey.destination
        and event.occurred_at <= event.known_at
        for event in submission.events
    )


def _has_landed(last: Position | None, journey: Journey) -> bool:
    """Return True if the craft was last heard at its destination; False if its place is unknown."""
    if last is None:
        return False
    port = (latitude(journey.destination), longitude(journey.destination))
    return bool(great_circle_km(last.latitude, last.longitude, *port) <= LANDED_KM)


def _hours(duration: timedelta) -> str:
    return f"{duration / timedelta(hours=1):.0f}"
