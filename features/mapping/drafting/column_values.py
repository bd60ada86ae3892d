"""Recognise the values of a column: dates of a format, container numbers, codes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc
from stdnum import iban, iso6346

from features.arrow_schema import INSTANT, Limits
from features.field_types import RFC_3339
from features.ingest.contract import broken_values, may_become, typed
from features.mapping.instants import instants_of
from features.reference.country_and_currency_codes import CODES

# Tried in this order, day first before month first.
FORMATS = (
    *("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"),
    *("%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S"),
    *("%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S"),
    *("%m/%d/%Y", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S"),
    *("%d-%m-%Y", "%d-%m-%Y %H:%M", "%Y/%m/%d", "%Y/%m/%d %H:%M:%S"),
    *("%Y%m%d", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%d-%b-%Y", "%d %b %Y"),
)
# A column with more distinct values is not taken for codes.
MAX_CODES = 30
# Number of values sufficient to judge whether a column fits a field.
FEW = 200


@dataclass(frozen=True)
class ColumnSample:
    """The first rows of a column."""

    name: str
    values: pa.Array

    @cached_property
    def texts(self) -> pa.Array:
        """Return the values as texts, without missing ones."""
        return self.values.drop_null().cast(pa.string())

    @cached_property
    def distinct(self) -> list[str]:
        """Return the distinct texts, sorted; empty if there are too many for a list of codes."""
        found = pc.unique(self.texts)
        return sorted(found.to_pylist()) if len(found) <= MAX_CODES else []

    @property
    def share_empty(self) -> float:
        """Return the share of rows without a value; 0 if none has a value."""
        return self.values.null_count / len(self.values) if len(self.texts) else 0.0

    @cached_property
    def is_unique(self) -> bool:
        """Return whether all values are distinct; False for fewer than two rows."""
        return 1 < len(self.values) == pc.count_distinct(self.values).as_py()

    def share_matching(self, pattern: str) -> float:
        """Return the share of values that a pattern matches."""
        return _share(pc.match_substring_regex(self.texts, pattern))

    def share_of(self, is_one: Callable[[str], bool]) -> float:
        """Return the share of values that satisfy a test, among the first ones."""
        some = self.texts[:FEW].to_pylist()
        return sum(map(is_one, some)) / len(some) if some else 0.0

    def share_fitting(self, want: pa.Field, limit: Limits) -> float:
        """Return the share of values that a field accepts unchanged."""
        values = self.values.drop_null()[:FEW]
        if not len(values) or not may_become(values.type, want.type):
            return 0.0
        if not pa.types.is_string(values.type) and pa.types.is_string(want.type):
            values = self.texts[:FEW]
        column, wrong = typed(values, want)
        bad = pa.array([False] * len(values)) if wrong is None else pa.array(wrong)
        for _, flags in broken_values(column, limit):
            bad = pc.or_(bad, pc.fill_null(flags, False))
        return 1.0 - _share(bad)

    @cached_property
    def formats(self) -> list[str]:
        """Return the formats that fit every value; empty for values that are not text."""
        if not pa.types.is_string(self.values.type) or not len(self.texts):
            return []
        return [form for form in FORMATS if self._is_in(form)]

    @cached_property
    def has_instants(self) -> bool:
        """Return whether the column holds instants in any form."""
        if pa.types.is_timestamp(self.values.type) or pa.types.is_date(self.values.type):
            return True
        is_text = pa.types.is_string(self.values.type)
        return bool(self.formats) or (is_text and self.share_matching(RFC_3339) == 1)

    def _is_in(self, form: str) -> bool:
        _, broken = instants_of(self.texts, form, "UTC", "earlier")
        return not broken


def has_container_check_digit(text: str) -> bool:
    """Return whether a text is a container number with a valid check digit (ISO 6346)."""
    return bool(iso6346.is_valid(text))


def is_iban(text: str) -> bool:
    """Return whether a text is an IBAN with valid check digits (ISO 13616)."""
    return bool(iban.is_valid(text))


def is_unlocode(text: str) -> bool:
    """Return whether a text has the form of a UN/LOCODE."""
    return len(text) == 5 and text[:2] in CODES["countries"] and text.isalnum() and text.isupper()


def is_instant(want: pa.Field) -> bool:
    """Return whether a field holds instants."""
    return bool(want.type == INSTANT)


def _share(flags: pa.Array) -> float:
    values: Iterable[bool | None] = flags.to_pylist()
    found = [bool(each) for each in values]
    return sum(found) / len(found) if found else 0.0
