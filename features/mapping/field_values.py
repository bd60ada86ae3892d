"""Convert columns to the values of one field, as the mapping describes."""

from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from features.arrow_schema import INSTANT
from features.field_kinds import FieldKind, Text
from features.ingest.contract import typed, what_is_wanted, without_point
from features.mapping.block_columns import BlockColumns, JoinedColumns, as_texts
from features.mapping.instants import Broken, instants_of
from features.mapping.mapping import Codes, FieldMapping, cell_text
from features.mapping.units import factors_of
from features.register_pseudonyms import RegisterPseudonyms


def _as_people_write(decimal: str, apart: tuple[str, ...]) -> str:
    """Return a pattern of numbers, plain or with one separator between thousands.

    Grouped numbers do not begin with 0: otherwise `0.125` would be read as 125 where the decimal
    sign is a comma.
    """
    grouped = "|".join(rf"(?:{sign}\d{{3}})+" for sign in apart)
    return rf"^[+-]?(?:\d+|[1-9]\d{{0,2}}(?:{grouped}))(?:{decimal}\d+)?$"


# Blanks and apostrophes that separate thousands, the no-break ones included.
_BLANKS = (" ", "'", r"\x{2019}", r"\x{a0}", r"\x{202f}")
# Patterns of numbers with thousands separators, by decimal sign.
_GROUPED = {
    ",": _as_people_write(",", (r"\.", *_BLANKS)),
    ".": _as_people_write(r"\.", (",", *_BLANKS)),
}


@dataclass(frozen=True)
class FieldValues:
    """The values of a field, null where unreadable; the original texts; and the errors."""

    values: pa.Array
    stood: pa.Array
    broken: Broken


@dataclass(frozen=True)
class FieldReading:
    """The conversion of columns to one field."""

    says: FieldMapping
    want: pa.Field
    kind: FieldKind | None
    zone: str | None
    decimal: str | None
    codes: Codes | None
    pseudonyms: RegisterPseudonyms | None

    def values(self, columns: BlockColumns | JoinedColumns) -> FieldValues:
        """Return the values of the field in a block."""
        if self.says.constant is not None:
            constant = pa.repeat(self._filler(self.says.constant), len(columns))
            return FieldValues(constant, constant, [])
        column, stood, broken = self._column(columns)
        values, wrong = self._read(column)
        if self.says.pseudonym is not None:
            stood = values  # ids of a register are shown nowhere
        if self.says.when_empty is not None:
            values = pc.if_else(pc.is_null(column), self._filler(self.says.when_empty), values)
        return FieldValues(values, stood, broken + wrong)

    def _column(self, columns: BlockColumns | JoinedColumns) -> tuple[pa.Array, pa.Array, Broken]:
        """Return the column to read, its original texts, and the errors of splitting it."""
        if self.says.columns:
            parts = [columns.text(name) for name in self.says.columns]
            joined = pc.binary_join_element_wise(
                *parts, self.says.joined_by, null_handling="replace", null_replacement=""
            )
            return joined, joined, []
        name = self.says.column or ""
        column, unsplit = columns.column(name), columns.split_broken(name)
        if self.says.zero_pad:
            column = pc.utf8_lpad(columns.text(name), self.says.zero_pad, padding="0")
        if unsplit is None:
            stands = column if not pa.types.is_string(column.type) else columns.stood(name)
            return column, stands, []
        return column, columns.stood(name), [("is not as in the pattern that splits it", unsplit)]

    def _read(self, column: pa.Array) -> tuple[pa.Array, Broken]:
        if self._key_of_codes is not None:
            return self._coded(column)
        if self.says.pseudonym is not None and self.pseudonyms is not None:
            return self.pseudonyms.of_column(self.says.pseudonym, as_texts(column)), []
        if self.want.type == INSTANT:
            return self._instants(column)
        if pa.types.is_string(self.want.type):
            return (_in_one_line(column) if isinstance(self.kind, Text) else as_texts(column)), []
        return self._number(column)

    def _coded(self, column: pa.Array) -> tuple[pa.Array, Broken]:
        keys, meanings = self._key_of_codes or (pa.array([]), pa.array([]))
        at = pc.index_in(as_texts(column), keys)
        values = meanings.take(at)
        unlisted = pc.and_(pc.is_valid(column), pc.is_null(at))
        if not pc.any(unlisted).as_py():
            return values, []
        if self.says.otherwise is not None:
            other = self._filler(self.says.otherwise)
            return pc.if_else(unlisted, other, values), []
        what = "is a code that the mapping's list does not hold"
        return values, [(what, unlisted)]

    @cached_property
    def _key_of_codes(self) -> tuple[pa.Array, pa.Array] | None:
        if self.codes is None:
            return None
        meanings = pa.array([cell_text(each) for each in self.codes.values()], pa.string())
        return pa.array([*self.codes], pa.string()), meanings.cast(self.want.type)

    def _instants(self, column: pa.Array) -> tuple[pa.Array, Broken]:
        instants, broken = instants_of(
            column, self.says.format, self.zone, self.says.at_clock_change
        )
        if self.says.plus is not None:
            instants = pc.add(instants, pa.scalar(self.says.plus, pa.duration("us")))
        return instants, broken

    def _number(self, column: pa.Array) -> tuple[pa.Array, Broken]:
        """Return numbers or flags, converted from text if the column has another type."""
        broken: Broken = []
        factor = factors_of(self.kind)[self.says.unit] if self.says.unit else 1.0
        # Convert units as floats even for whole numbers, and round afterwards.
        read_as = pa.float64() if factor != 1.0 else self.want.type
        if pa.types.is_string(column.type) and self.decimal is not None:
            column, broken = ungrouped(column, self.decimal)
        if pa.types.is_integer(read_as) or pa.types.is_boolean(read_as):
            column = without_point(as_texts(column))
        values, wrong = typed(column, self.want.with_type(read_as))
        if wrong is not None:
            broken = [*broken, (f"not {what_is_wanted(read_as)}", pa.array(wrong))]
        if factor != 1.0:
            values = pc.multiply(values, factor)
            if read_as != self.want.type:
                values = pc.round(values).cast(self.want.type, safe=False)
        return values, broken

    def _filler(self, value: str | bool | float) -> pa.Scalar:
        if self.want.type != INSTANT:
            return pa.scalar(cell_text(value)).cast(self.want.type)
        return pa.array([cell_text(value)]).cast(INSTANT)[0]


def _in_one_line(column: pa.Array) -> pa.Array:
    """Return texts with blanks for line breaks and tabs, which spreadsheet cells may contain."""
    return pc.replace_substring_regex(as_texts(column), r"[ ]*[\t\n\v\f\r\x{85}]+[ ]*", " ")


def ungrouped(column: pa.Array, decimal: str) -> tuple[pa.Array, Broken]:
    """Return numbers with a decimal point and without thousands separators."""
    is_number = pc.match_substring_regex(column, _GROUPED[decimal])
    plain = pc.replace_substring_regex(column, rf"[^0-9+\-{decimal}]", "")
    plain = pc.replace_substring(plain, decimal, ".")
    if pc.all(is_number).as_py():
        return plain, []
    what = f"is no number with {decimal!r} before its decimals, thousands apart or not"
    return pc.if_else(is_number, plain, pa.scalar(None, pa.string())), [
        (what, pc.invert(is_number))
    ]
