"""The conversion of a message: records with the places they came from, and all that is in none."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple

from features.records import RECORD_FILES

# The place of what no message says: who imports it gave it.
GIVEN = "given with the import"

NOTHING_TO_WITHDRAW = "nothing is known under this reference that it could withdraw"


@dataclass(frozen=True)
class MadeRecord:
    """A record that `features.records` accepts, and for each field where the message says it.

    `amended_at` is when it became known, of one that states anew what was declared before.
    """

    record_type: str
    fields: dict[str, Any]
    places: dict[str, str]
    amended_at: datetime | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """Return what makes it one record of its type; empty where its type has no such fields."""
        unique = RECORD_FILES[self.record_type].unique_fields
        fields = RECORD_FILES[self.record_type].model_fields
        return tuple(self.fields.get(name, fields[name].default) for name in unique)

    @property
    def identity(self) -> tuple[Any, ...]:
        """Return what makes it one record of its message: its key, or what tells positions apart.

        Of those of a craft at an instant the first counts, and a call for help besides.
        """
        if self.record_type != "positions":
            return self.key
        told = tuple(map(self.fields.get, ("journey_id", "observed_at")))
        return (*told, bool(self.fields.get("is_distress")))

    def after(self, before: Mapping[str, Any]) -> "MadeRecord":
        """The same as the version after another; it stays where that was declared."""
        told: dict[str, Any] = {"version": _next_version(before)}
        has_instant = "known_at" in RECORD_FILES[self.record_type].model_fields
        if self.amended_at is not None and has_instant:
            if "declared_at" in self.fields:
                told["declared_at"] = before["declared_at"]
            told["known_at"] = max(self.amended_at, told.get("declared_at", self.amended_at))
        places = {name: each for name, each in self.places.items() if name not in told}
        return replace(self, fields=self.fields | told, places=places)


@dataclass(frozen=True)
class RefusedRecord:
    """A record that could not be made of what the message says at `place`, and why."""

    record_type: str
    place: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Withdrawal:
    """What a message withdraws: a record of a subject by its id, in whatever version it stands.

    `at` is when that became known; `behind` so many records of its message it is said.
    """

    record_type: str
    subject: tuple[str, str]
    named: dict[str, Any]
    places: dict[str, str]
    at: datetime
    behind: int = 0

    def after(self, before: dict[str, Any]) -> MadeRecord:
        """The version that withdraws a record, given the fields of the one before it."""
        fields = RECORD_FILES[self.record_type].model_fields
        known = "known_at" if "known_at" in fields else "received_at"
        at = max(self.at, before.get("declared_at", self.at))
        withdrawn = {"version": _next_version(before), known: at, "withdrawn": True}
        return MadeRecord(self.record_type, before | withdrawn, self.places)

    @property
    def unfounded(self) -> RefusedRecord | None:
        """Why it withdraws nothing; None of a part, which ends with what it is part of."""
        if RECORD_FILES[self.record_type].is_part_of_declaration:
            return None
        place = next(iter(self.places.values()))
        return RefusedRecord(self.record_type, place, (NOTHING_TO_WITHDRAW,))


class LeftOver(NamedTuple):
    """An element that no field holds: it is in no record, and is not about a party."""

    place: str
    path: str
    why: str = "no field"


class Withheld(NamedTuple):
    """An element about a party, who may be a person; its text is in no record."""

    place: str
    path: str
    how: Literal["dropped", "pseudonym"]


@dataclass(frozen=True)
class Conversion:
    """One message, read whole. Every element that holds a text is used, left over or withheld.

    `withdrawals` are those that no record was found for so far; `looked_at` are the journeys of a
    message that withdraws goods, in which a life may be in danger. `parties` are the register and
    number behind each pseudonym; they are never written.
    """

    standard: str
    kind: str
    message_id: str
    records: tuple[MadeRecord, ...]
    refused: tuple[RefusedRecord, ...]
    left_over: tuple[LeftOver, ...]
    withheld: tuple[Withheld, ...]
    remarks: tuple[str, ...]
    elements_used: int
    withdrawals: tuple[Withdrawal, ...] = ()
    looked_at: tuple[MadeRecord, ...] = ()
    parties: Mapping[str, tuple[str, str]] = field(
        default_factory=dict[str, tuple[str, str]], compare=False, repr=False
    )

    @property
    def not_made(self) -> tuple[RefusedRecord, ...]:
        """Return what makes no record, with withdrawals of what nobody declared."""
        unfounded = (each.unfounded for each in self.withdrawals)
        return (*self.refused, *filter(None, unfounded))

    def count_of_records(self) -> dict[str, int]:
        """Return how many records of each type were made."""
        return dict(sorted(Counter(each.record_type for each in self.records).items()))

    def report(self) -> dict[str, Any]:
        """The conversion as plain JSON, without the text of any element."""
        return {
            "standard": self.standard,
            "kind": self.kind,
            "message_id": self.message_id,
            "records": self.count_of_records(),
            "fields_used": sum(len(each.fields) for each in self.records),
            "refused": [
                {"record_type": each.record_type, "place": each.place, "reasons": each.reasons}
                for each in self.not_made
            ],
            "left_over": _by_path(self.left_over, lambda each: each.why),
            "withheld": _by_path(self.withheld, lambda each: each.how),
            "remarks": list(self.remarks),
        }


def _by_path(elements: Iterable[Any], because: Any) -> list[dict[str, Any]]:
    """Elements of one path and one reason together, with the place of the first."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for each in elements:
        key = (each.path, because(each))
        entry = found.setdefault(
            key, {"path": each.path, "why": key[1], "count": 0, "first": each.place}
        )
        entry["count"] += 1
    return list(found.values())


def _next_version(before: Mapping[str, Any]) -> int:
    return int(before.get("version", 1)) + 1
