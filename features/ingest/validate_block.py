"""Convert blocks of a record file to columns, and check them against the contract."""

import functools
from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.arrow_schema import Limits, limits
from features.engine.columns import Column, Columns, column_of_array
from features.engine.numba_cache import compiled
from features.engine.string_table import STRING_TABLE, cells_of, codes_at, hashes_of_texts
from features.ingest.contract import CURRENCY_OF, broken_values
from features.ingest.fast_checks import is_surely_sound
from features.records import RECORD_FILES


class Identities:
    """The identities of records, to find repetitions.

    A single returned text is identified by its code, anything else by a hash.
    """

    def __init__(self, unique: tuple[str, ...]) -> None:
        self._unique = unique
        self._hashes: list[Column] = []
        self._codes = np.zeros(0, bool)
        self._has_repeated = False

    def add(self, block: pa.RecordBatch, columns: Columns) -> None:
        """Add the rows of a block, some of whose columns are returned."""
        if len(self._unique) == 1 and self._unique[0] in columns:
            codes = columns[self._unique[0]]
            if len(self._codes) < len(STRING_TABLE):
                # Keep the marks and make room for twice as many texts as are known.
                self._codes = np.append(
                    self._codes, np.zeros(2 * len(STRING_TABLE) - len(self._codes), bool)
                )
            self._has_repeated |= _mark_seen(codes, self._codes)
            return
        self._hashes.append(identity_hashes(block, self._unique))

    def may_repeat(self) -> bool:
        """Return whether two rows share a code or hash, and so most likely the identity."""
        hashes = np.sort(np.concatenate([np.zeros(0, np.int64), *self._hashes]))
        return self._has_repeated or bool((hashes[1:] == hashes[:-1]).any())


def identity_hashes(block: pa.RecordBatch, unique: tuple[str, ...]) -> Column:
    """Return a hash of the unique key of each row of a block."""
    parts = [_hashes(block[column]) for column in unique]
    return functools.reduce(lambda one, other: one * 31 + other, parts)


class BlockChecks:
    """The checks of one file: all columns read are checked, some of them are returned."""

    def __init__(self, name: str, read: Collection[str], returned: Collection[str]):
        unique = RECORD_FILES[name].unique_fields
        self._limits = limits(RECORD_FILES[name])
        self._currency_of = CURRENCY_OF[name]
        self._returned = returned
        self._identities = Identities(unique) if unique and set(unique) <= set(read) else None

    def check(self, block: pa.RecordBatch) -> tuple[Columns, bool]:
        """Return the requested columns, and whether the block is certainly free of faults."""
        columns: Columns = {}
        is_sound = not self._has_amount_alone(block)
        for field, array in zip(block.schema.names, block.columns, strict=True):
            limit = self._limits[field]
            if limit.required and array.null_count:
                is_sound = False
            if field in self._returned and _is_text(array):
                columns[field], holds = self._text(array, limit)
            else:
                holds = _holds(array, limit)
                if field in self._returned:
                    columns[field] = column_of_array(array)
            is_sound &= holds
        if self._identities is not None:
            self._identities.add(block, columns)
        return columns, is_sound

    def may_repeat(self) -> bool:
        """Return whether two rows are most likely the same record."""
        return self._identities is not None and self._identities.may_repeat()

    def _text(self, array: pa.Array, limit: Limits) -> tuple[Column, bool]:
        if not pa.types.is_dictionary(array.type):
            codes = STRING_TABLE.learnt(array)
            return codes, are_sound_texts(array, codes, limit)
        # Only the dictionary is checked, however many rows refer to it.
        codes = STRING_TABLE.learnt(array.dictionary)
        holds = are_sound_texts(array.dictionary, codes, limit)
        return codes_at(codes, array.indices), holds

    def _has_amount_alone(self, block: pa.RecordBatch) -> bool:
        """Return whether any amount lacks a currency."""
        return any(
            {amount, currency} <= {*block.schema.names}
            and block[currency].null_count > 0
            and pc.any(pc.and_(pc.is_valid(block[amount]), pc.is_null(block[currency]))).as_py()
            for amount, currency in self._currency_of.items()
        )


def _is_text(array: pa.Array) -> bool:
    return bool(pa.types.is_string(array.type) or pa.types.is_dictionary(array.type))


def are_sound_texts(texts: pa.Array, codes: Column, limit: Limits) -> bool:
    """Return whether all texts, given with their codes, satisfy a limit."""
    listed = _listed(limit)
    if listed is None:
        return _are_sound(texts, limit)
    return listed.issuperset(codes.tolist()) or _are_sound(texts, limit)


@functools.cache
def _listed(limit: Limits) -> frozenset[int] | None:
    """Return the codes of the texts that a limit lists; None if its pattern excludes any."""
    listed = limit.choices or (limit.codes and limit.codes[1])
    if not listed:
        return None
    codes = STRING_TABLE.codes(sorted(listed))
    # The list replaces the check of the pattern, so the pattern must allow all of it.
    pattern_alone = replace(limit, choices=None, codes=None)
    are_allowed = is_surely_sound(STRING_TABLE.texts(codes), pattern_alone)
    return frozenset(codes.tolist()) if are_allowed else None


def _holds(array: pa.Array, limit: Limits) -> bool:
    """Return whether values satisfy their limits.

    Each distinct text of a dictionary is checked once.
    """
    values = array.dictionary if pa.types.is_dictionary(array.type) else array
    if limit.choices or limit.codes:
        return are_sound_texts(values, STRING_TABLE.learnt(values), limit)
    return _are_sound(values, limit)


def _are_sound(values: pa.Array, limit: Limits) -> bool:
    if is_surely_sound(values, limit):
        return True
    broken = broken_values(values, replace(limit, required=False))
    return not any(pc.any(flags).as_py() for _, flags in broken)


def _hashes(column: pa.Array) -> Column:
    if pa.types.is_dictionary(column.type):
        hashes = np.append(hashes_of_texts(column.dictionary), 0)
        return hashes[cells_of(column.indices, np.int32, -1)]
    if pa.types.is_string(column.type):
        return hashes_of_texts(column)
    # Fibonacci hashing spreads small integers over all bits.
    return cells_of(column.cast(pa.int64()), np.int64, 0) * np.int64(-7046029254386353131)


@compiled(nogil=True)
def _mark_seen(codes: Column, marked: Column) -> bool:
    """Mark codes; return whether any is missing or was marked before."""
    is_any_known = False
    for code in codes:
        is_any_known |= code < 0 or marked[code]
        if code >= 0:
            marked[code] = True
    return is_any_known
