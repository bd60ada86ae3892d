"""What a message became: records with the places they came from, and all that is in none."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from features.records import RECORD_FILES

GIVEN = "given with the import"
"""The place of what no message says: who imports it gave it."""


@dataclass(frozen=True)
class MadeRecord:
    """A record that `features.records` accepts, and for each field where the message says it."""

    record_type: str
    fields: dict[str, Any]
    places: dict[str, str]

    @property
    def key(self) -> tuple[Any, ...]:
        """What makes it one record of its type; empty where its type has no such fields."""
        unique = RECORD_FILES[self.record_type].unique_fields
        fields = RECORD_FILES[self.record_type].model_fields
        return tuple(self.fields.get(name, fields[name].default) for name in unique)


@dataclass(frozen=True)
class RefusedRecord:
    """A record that could not be made of what the message says at `place`, and why."""

    record_type: str
    place: str
    reasons: tuple[str, ...]


class LeftOver(NamedTuple):
    """An element that no field holds: it is in no record, and is not about a party."""

    place: str
    path: str
    why: str = "no field"


class Withheld(NamedTuple):
    """An element that tells of a party, who may be a person; its text is in no record."""

    place: str
    path: str
    how: Literal["dropped", "pseudonym"]


@dataclass(frozen=True)
class Conversion:
    """One message, read whole. Every element that holds a text is used, left over or withheld."""

    standard: str
    kind: str
    message_id: str
    records: tuple[MadeRecord, ...]
    refused: tuple[RefusedRecord, ...]
    left_over: tuple[LeftOver, ...]
    withheld: tuple[Withheld, ...]
    remarks: tuple[str, ...]
    elements_used: int

    def count_of_records(self) -> dict[str, int]:
        """How many records of each type were made."""
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
                for each in self.refused
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
