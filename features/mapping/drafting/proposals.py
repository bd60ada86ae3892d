"""Propose a column for each field, with a reason and the conversion of its values."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from features.arrow_schema import arrow_schema, limits
from features.errors import nearest_of
from features.field_kinds import (
    FieldKind,
    Identifier,
    Money,
    Party,
    Place,
    Quantity,
    kinds_of_fields,
)
from features.mapping.drafting.column_values import (
    ColumnSample,
    has_container_check_digit,
    is_instant,
    is_unlocode,
)
from features.mapping.drafting.column_words import likeness, meanings_of, unit_in
from features.mapping.units import factors_of
from features.records import RECORD_FILES, Record

# Lowest confidence of each word.
SURE, LIKELY = 0.8, 0.6
MIN_SURENESS = 0.55
# Just below SURE, so that a doubtful proposal is never called sure.
_NOT_SURE = 0.79
_SIX_DIGITS = "^[0-9]{6}$"
_YES_AND_NO = ({"1", "0"}, {"y", "n"}, {"true", "false"}, {"yes", "no"}, {"j", "n"}, {"s", "n"})
# UN/ECE Recommendation 19 codes; many tables write 10 for 1.
_MODES = {"1": "sea", "2": "rail", "3": "road", "4": "air", "8": "inland_waterway"}


# Evidence of the values for a field, from 0 to 1; the reason; and the mapping options.
Evidence = tuple[float, str, dict[str, Any]]


@dataclass(frozen=True)
class Proposal:
    """A column proposed for a field, with a confidence from 0 to 1, a reason and options."""

    field: str
    column: str
    sureness: float
    why: str
    options: dict[str, Any]

    @property
    def in_words(self) -> str:
        """Return the confidence as a word."""
        return "sure" if self.sureness >= SURE else "likely" if self.sureness >= LIKELY else "guess"


@dataclass(frozen=True)
class RecordProposal:
    """A record type proposed for a table, with the columns of its fields and the missing ones."""

    name: str
    fields: tuple[Proposal, ...]
    missing: tuple[str, ...]

    @property
    def instants(self) -> list[Proposal]:
        """Return the proposals for fields that hold instants."""
        schema = arrow_schema(RECORD_FILES[self.name])
        return [each for each in self.fields if is_instant(schema.field(each.field))]


def proposed_records(samples: Sequence[ColumnSample]) -> list[RecordProposal]:
    """Return the record types that a table most likely holds, the likeliest first."""
    found = [_record(name, record, samples) for name, record in RECORD_FILES.items()]
    found.sort(key=lambda each: -sum(proposal.sureness for proposal in each.fields))
    proposed: list[RecordProposal] = []
    used: set[str] = set()
    for each in found:
        required = _required(RECORD_FILES[each.name])
        columns = {p.column for p in each.fields if p.field in required}
        is_named = not _ids(RECORD_FILES[each.name]) & {*each.missing}
        # Propose a type with its ids, half of its required fields and a column that no likelier
        # type uses.
        if is_named and len(each.missing) * 2 <= len(required) and columns - used:
            proposed.append(_doubting_shared_days(each, proposed))
            used |= {p.column for p in each.fields}
    return proposed


def _doubting_shared_days(record: RecordProposal, others: list[RecordProposal]) -> RecordProposal:
    """Lower the confidence of instants whose column was already proposed for another instant."""
    taken = {p.column: f"{each.name}.{p.field}" for each in others for p in each.instants}
    doubted: dict[str, Proposal] = {}
    for each in record.instants:
        other = taken.setdefault(each.column, f"{record.name}.{each.field}")
        if other != f"{record.name}.{each.field}":
            why = f"{each.why}, but it is taken for {other} too"
            doubted[each.field] = replace(each, sureness=min(each.sureness, MIN_SURENESS), why=why)
    return replace(record, fields=tuple(doubted.get(p.field, p) for p in record.fields))


def _record(name: str, record: type[Record], samples: Sequence[ColumnSample]) -> RecordProposal:
    candidates = sorted(
        (proposal for sample in samples for proposal in _candidates(record, sample)),
        key=lambda each: -each.sureness,
    )
    chosen: dict[str, Proposal] = {}
    for each in candidates:
        is_taken = any(each.column == other.column for other in chosen.values())
        if each.field not in chosen and (not is_taken or _is_shared(record, each, chosen)):
            chosen[each.field] = each
    in_order = tuple(chosen[field] for field in record.model_fields if field in chosen)
    missing = tuple(field for field in _required(record) if field not in chosen)
    return RecordProposal(name, in_order, missing)


def _is_shared(record: type[Record], each: Proposal, chosen: dict[str, Proposal]) -> bool:
    """Return whether two instants may share a column: the second must be required."""
    is_required = record.model_fields[each.field].is_required()
    others = [o for o in chosen.values() if o.column == each.column]
    fields = arrow_schema(record)
    return is_required and all(is_instant(fields.field(o.field)) for o in (*others, each))


def _required(record: type[Record]) -> list[str]:
    return [name for name, field in record.model_fields.items() if field.is_required()]


def _ids(record: type[Record]) -> set[str]:
    kinds = kinds_of_fields(record)
    told = record.versions_of or record.unique_fields
    unique = {name for name in told if isinstance(kinds.get(name), Identifier)}
    return unique or {name for name in _required(record) if isinstance(kinds[name], Identifier)}


def _candidates(record: type[Record], sample: ColumnSample) -> Iterator[Proposal]:
    for want in arrow_schema(record):
        name_like = likeness(sample.name, want.name)
        value_like, why, options = _of_values(record, want, sample)
        if value_like <= 0 or (name_like == 0 and value_like < 1):
            continue
        # Names count slightly more than values, which fit many fields by chance.
        sureness = 0.55 * name_like + 0.45 * value_like if name_like else 0.45 * value_like
        if sureness >= MIN_SURENESS:
            reasons = [f"its name is {'like' if name_like < 1 else 'just'} that"] * bool(name_like)
            if doubts := _doubts(record, want, sample):
                sureness, reasons = min(sureness, _NOT_SURE), [*reasons, *doubts]
            yield Proposal(
                want.name, sample.name, sureness, ", ".join([*reasons, *filter(None, [why])]),
                options,
            )  # fmt: skip


def _doubts(record: type[Record], want: pa.Field, sample: ColumnSample) -> list[str]:
    """Return reasons for doubt: dates are ambiguous, or required values are missing."""
    is_read_twice = is_instant(want) and len(sample.formats) > 1
    doubts = ["its dates can be read in two ways"] * is_read_twice
    if record.model_fields[want.name].is_required() and sample.share_empty:
        doubts.append(f"but it is required, and {sample.share_empty:.0%} of the rows have none")
    return doubts


def _of_values(record: type[Record], want: pa.Field, sample: ColumnSample) -> Evidence:
    """Return the evidence of the values; 0 if they contradict the field."""
    limit = limits(record)[want.name]
    if not len(sample.texts):
        return 0.4, "it is empty in the first rows", {}
    if is_instant(want):
        return _of_instants(sample)
    if limit.choices:
        return _of_choices(want.name, sample, limit.choices)
    if limit.pattern == _SIX_DIGITS:
        return _of_six_digits(sample)
    if sample.share_fitting(want, limit) < 0.95:
        return 0.0, "", {}
    return _of_fitting(record, want.name, sample, is_listed=bool(limit.codes))


def _of_fitting(
    record: type[Record], name: str, sample: ColumnSample, *, is_listed: bool
) -> Evidence:
    kind = kinds_of_fields(record).get(name)
    if is_listed:
        return 0.9, "all its values are in the list of the field", {}
    if isinstance(kind, Quantity | Money):
        return _of_measure(sample, kind)
    return _of_texts(record, name, sample, kind)


def _of_instants(sample: ColumnSample) -> Evidence:
    if not sample.has_instants:
        return 0.0, "", {}
    if not sample.formats:
        return 0.9, "it holds instants", {}
    form, *others = sample.formats
    either = f"dates are as in {form}" + (f", or in {others[0]}" if others else "")
    return (0.6 if others else 0.9), either, {"format": form}


def _of_choices(name: str, sample: ColumnSample, choices: tuple[str, ...]) -> Evidence:
    if not sample.distinct:
        return 0.0, "", {}
    if {*sample.distinct} <= {*choices}:
        return 1.0, "all its values are those of the field", {}
    codes = {value: _choice(name, value, sample.distinct, choices) for value in sample.distinct}
    if not all(codes.values()):
        return 0.0, "", {}
    return 0.7, "its values seem to mean these", {"codes": codes}


def _choice(name: str, value: str, others: list[str], choices: tuple[str, ...]) -> str | None:
    small = value.lower().strip()
    if name == "mode" and (number := small.rstrip("0") or small) in _MODES:
        return _MODES[number]
    if any({each.lower() for each in others} == both for both in _YES_AND_NO):
        is_yes = small in {"1", "y", "true", "yes", "j", "s"}
        return {"result": choices[0 if is_yes else 1]}.get(name)
    nearest = nearest_of(small.replace(" ", "_"), choices)
    return nearest.split("'")[1] if nearest.startswith("the nearest") else None


def _of_six_digits(sample: ColumnSample) -> Evidence:
    if sample.share_matching("^[0-9]{6}$") > 0.99:
        return 0.9, "all its values have six digits", {}
    # Spreadsheets drop the leading zeros of codes.
    if sample.share_matching("^[0-9]{5,6}$") > 0.99:
        return 0.8, "some of six digits lost a zero", {"zero_pad": 6}
    if sample.share_matching("^[0-9]{6,10}$") > 0.99:
        return 0.8, "the first six of its digits are those of the HS", {"first_six": True}
    return 0.0, "", {}


def _of_measure(sample: ColumnSample, kind: FieldKind) -> Evidence:
    unit = unit_in(sample.name, factors_of(kind))
    is_own = isinstance(kind, Quantity) and unit == kind.unit
    if unit and not is_own:
        return 0.9, f"its name says {unit}", {"unit": unit}
    return 0.7, "it holds numbers that the field takes", {}


def _of_texts(
    record: type[Record], name: str, sample: ColumnSample, kind: FieldKind | None
) -> Evidence:
    if isinstance(kind, Party):
        is_other = sample.has_instants or "country" in meanings_of(sample.name)
        return (0.0 if is_other else 0.6), "", {"pseudonym": "parties"}
    if record.versions_of == (name,):
        return (0.9 if sample.is_unique else 0.0), "every row has a value of its own", {}
    is_container = isinstance(kind, Identifier) and kind.identifies == "container"
    if is_container and _most(sample, has_container_check_digit):
        return 1.0, "its check digits are right", {}
    if isinstance(kind, Place) and _most(sample, is_unlocode):
        return 0.9, "its values look like UN/LOCODE", {}
    return 0.5, "", {}


def _most(sample: ColumnSample, is_one: Callable[[str], bool]) -> bool:
    return sample.share_of(is_one) > 0.9
