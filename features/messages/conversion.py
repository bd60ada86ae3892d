"""The result of converting a message: records, the source of each field, and what was not used."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from features.records import RECORD_FILES

# Location of values that the importer supplied instead of the message.
GIVEN = "given with the import"

NOTHING_TO_WITHDRAW = "nothing is known under this reference that it could withdraw"


@dataclass(frozen=True)
class MadeRecord:
    """A valid record and, for each field, its location in the message.

    `amended_at` is the instant at which an amendment became known; None for a first declaration.
    """

    record_type: str
    fields: dict[str, Any]
    places: dict[str, str]
    amended_at: datetime | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """Return the unique key of the record in its type.

        Empty if its type has no unique fields.
        """
        unique = RECORD_FILES[self.record_type].unique_fields
        fields = RECORD_FILES[self.record_type].model_fields
        return tuple(self.fields.get(name, fields[name].default) for name in unique)

    @property
    def identity(self) -> tuple[Any, ...]:
        """Return the key that identifies the record within its message.

        Of several positions of one craft at one instant only the first counts, but a distress call
        is kept in addition to it.
        """
        if self.record_type != "positions":
            return self.key
        key = tuple(map(self.fields.get, ("journey_id", "observed_at")))
        return (*key, bool(self.fields.get("is_distress")))

    def after(self, before: Mapping[str, Any]) -> "MadeRecord":
        """Return this record as the version after `before`, with the same declaration instant."""
        changed: dict[str, Any] = {"version": _next_version(before)}
        has_instant = "known_at" in RECORD_FILES[self.record_type].model_fields
        if self.amended_at is not None and has_instant:
            if "declared_at" in self.fields:
                changed["declared_at"] = before["declared_at"]
            # An amendment cannot be known before the declaration that it amends.
            changed["known_at"] = max(self.amended_at, changed.get("declared_at", self.amended_at))
        places = {name: each for name, each in self.places.items() if name not in changed}
        return replace(self, fields=self.fields | changed, places=places)


@dataclass(frozen=True)
class RefusedRecord:
    """A record that could not be made, its location in the message, and the reasons."""

    record_type: str
    place: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Withdrawal:
    """The withdrawal of a record, identified by subject and key fields, whatever its version.

    `at` is when the withdrawal became known; `behind` is the number of records that precede it in
    its message.
    """

    record_type: str
    subject: tuple[str, str]
    named: dict[str, Any]
    places: dict[str, str]
    at: datetime
    behind: int = 0

    def after(self, before: dict[str, Any]) -> MadeRecord:
        """Return the version that withdraws a record, given the fields of its previous version."""
        fields = RECORD_FILES[self.record_type].model_fields
        # Documents have no `known_at`: they are known when they are received.
        known = "known_at" if "known_at" in fields else "received_at"
        at = max(self.at, before.get("declared_at", self.at))
        withdrawn = {"version": _next_version(before), known: at, "withdrawn": True}
        return MadeRecord(self.record_type, before | withdrawn, self.places)

    @property
    def unfounded(self) -> RefusedRecord | None:
        """Return a refusal if nothing matches the withdrawal.

        None for parts of a declaration, which end with the declaration.
        """
        if RECORD_FILES[self.record_type].is_part_of_declaration:
            return None
        place = next(iter(self.places.values()))
        return RefusedRecord(self.record_type, place, (NOTHING_TO_WITHDRAW,))


class UnusedElement(NamedTuple):
    """An element whose text enters no record, and why."""

    place: str
    path: str
    why: str


@dataclass(frozen=True)
class Conversion:
    """One fully read message: each element with a text is used, left over or withheld.

    `withheld` are about a party, which may be a person: dropped, or replaced by its pseudonym.
    `withdrawals` have not been matched to a record yet. `looked_at` are the journeys of a message
    that withdraws goods, checked because a life may be in danger. `parties` maps each pseudonym to
    its register and number, and is never stored.
    """

    standard: str
    kind: str
    message_id: str
    records: tuple[MadeRecord, ...]
    refused: tuple[RefusedRecord, ...]
    left_over: tuple[UnusedElement, ...]
    withheld: tuple[UnusedElement, ...]
    remarks: tuple[str, ...]
    elements_used: int
    withdrawals: tuple[Withdrawal, ...] = ()
    looked_at: tuple[MadeRecord, ...] = ()
    parties: Mapping[str, tuple[str, str]] = field(
        default_factory=dict[str, tuple[str, str]], compare=False, repr=False
    )

    @property
    def not_made(self) -> tuple[RefusedRecord, ...]:
        """Return the refused records, including withdrawals of records that do not exist."""
        unfounded = (each.unfounded for each in self.withdrawals)
        return (*self.refused, *filter(None, unfounded))

    def count_of_records(self) -> dict[str, int]:
        """Return the number of records of each type."""
        return dict(sorted(Counter(each.record_type for each in self.records).items()))

    def report(self) -> dict[str, Any]:
        """Return a JSON summary that holds no text of the message."""
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
            "left_over": _by_path(self.left_over),
            "withheld": _by_path(self.withheld),
            "remarks": list(self.remarks),
        }


def _by_path(elements: Iterable[UnusedElement]) -> list[dict[str, Any]]:
    """Group elements by path and reason, with a count and the location of the first."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for each in elements:
        entry = found.setdefault(
            (each.path, each.why),
            {"path": each.path, "why": each.why, "count": 0, "first": each.place},
        )
        entry["count"] += 1
    return list(found.values())


def _next_version(before: Mapping[str, Any]) -> int:
    return int(before.get("version", 1)) + 1
