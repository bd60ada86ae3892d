"""Drafts of records: values with their locations, checked by the schema at the end."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from pydantic import ValidationError

from features.errors import in_own_words
from features.field_kinds import Money, kinds_of_fields
from features.messages.conversion import MadeRecord, RefusedRecord
from features.messages.element import Element
from features.records import RECORD_FILES


class Value(NamedTuple):
    """The content of a field, its location in the message, and its source elements."""

    content: Any
    place: str
    elements: tuple[Element, ...] = ()
    is_pseudonym: bool = False


@dataclass
class RecordDraft:
    """A record in the making, from one location of a message."""

    record_type: str
    place: str
    values: dict[str, Value] = field(default_factory=dict)
    lacks: list[str] = field(default_factory=list)

    def put(self, name: str, *values: Value | None) -> "RecordDraft":
        """Set a field that is still empty to the first value that is not None."""
        found = next((value for value in values if value is not None), None)
        if found is not None and name not in self.values:
            self.values[name] = found
        return self

    def made(self) -> tuple[MadeRecord | RefusedRecord, dict[str, str]]:
        """Return the record or its refusal, and the reasons for optional values that were left out.

        An invalid optional value is left out; an invalid or missing required value refuses the
        record.
        """
        record = RECORD_FILES[self.record_type]
        required = _required(self.record_type)
        left_out: dict[str, str] = {}
        self._leave_out_amounts_without_currency(left_out)
        # Each round leaves out at least one invalid optional value, until the rest is valid.
        while True:
            fields = {name: value.content for name, value in self.values.items()}
            try:
                record.model_validate(fields)
                if self.lacks:
                    return self._refused({}, required), left_out
            except ValidationError as error:
                wrong = {
                    str(each["loc"][0]) if each["loc"] else "": each for each in error.errors()
                }
                optional = [name for name in wrong if name in self.values and name not in required]
                if len(optional) < len(wrong) or not optional:
                    return self._refused(wrong, required), left_out
                for name in optional:
                    left_out[self.values.pop(name).place] = f"does not fit {name}"
                continue
            places = {name: value.place for name, value in self.values.items()}
            return MadeRecord(self.record_type, fields, places), left_out

    def _refused(self, wrong: dict[str, Any], required: Iterable[str]) -> RefusedRecord:
        reasons = []
        for name in sorted({*wrong, *self.lacks}):
            if name not in self.values and name in (*required, *self.lacks):
                reasons.append(f"no {name}")
            elif name in self.values:
                reasons.append(f"{self.values[name].place} does not fit {name}")
            else:
                reasons.append(in_own_words(wrong[name]["msg"]))
        return RefusedRecord(self.record_type, self.place, tuple(reasons))

    def _leave_out_amounts_without_currency(self, left_out: dict[str, str]) -> None:
        for name, currency in _amounts(self.record_type).items():
            if name in self.values and currency not in self.values:
                left_out[self.values.pop(name).place] = f"{name} without a currency"


@cache
def _required(record_type: str) -> frozenset[str]:
    """Return the fields that a record must have."""
    fields = RECORD_FILES[record_type].model_fields
    return frozenset(name for name, each in fields.items() if each.is_required())


@cache
def _amounts(record_type: str) -> dict[str, str]:
    """Return the amounts of a record that are left out without a currency, with its field."""
    kinds = kinds_of_fields(RECORD_FILES[record_type])
    return {
        name: kind.currency_field
        for name, kind in kinds.items()
        # The amount of a payment is required: without its currency the record is refused instead.
        if isinstance(kind, Money) and name != "amount"
    }
