"""Readers of the columns that the store needs, from files or from records of a request."""

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from features.engine.columns import Column, Columns, Kind
from features.engine.expressions.encode_rows import (
    RequestCodes,
    Row,
    RowEncoder,
    initial_string_ids,
)
from features.engine.expressions.measures import Measured, measures_of, with_measures
from features.engine.expressions.program import traced_columns
from features.engine.store.raw_columns import RawColumns, Texts
from features.engine.store.store_keys import texts_of
from features.engine.string_table import NO_TEXT

# Records of one type, as columns of a file or as record objects of a request.
# In columns, ids may be texts, so that values read only once never enter the string table.
IncomingRecords = Columns | RawColumns | Sequence[Any]


class RecordReader:
    """Reader of some columns of one record type, including derived ones.

    `measured` maps the names of values that no program can derive to the fields they are computed
    from and a function of whole columns.
    """

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        derive: Callable[[dict[str, Any]], Mapping[str, Any]],
        columns: Collection[str],
        measured: Measured = MappingProxyType({}),
    ):
        self._measured = measured
        self._program = traced_columns(
            lambda columns: {**columns, **derive(columns)},
            {**kinds, **dict.fromkeys(measured, Kind.NUMBER)},
            columns,
        )
        self._codes = initial_string_ids([self._program])
        self._encoder = RowEncoder(self._program, self._codes)
        outputs = self._program.outputs
        self.kinds: dict[str, Kind] = {name: register.kind for name, register in outputs.items()}
        self._texts = [name for name, kind in self.kinds.items() if kind is Kind.TEXT]
        self._text_places = np.array([outputs[name].place for name in self._texts], np.int64)
        self._others = [
            (name, register.place, register.kind.is_float)
            for name, register in outputs.items()
            if register.kind is not Kind.TEXT
        ]

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields of a record that are read."""
        own = [name for name in self._program.columns if name not in self._measured]
        of_measures = [name for fields, _ in self._measured.values() for name in fields]
        return (*dict.fromkeys([*own, *of_measures]),)

    def read(self, records: IncomingRecords) -> RawColumns:
        """Return the columns of records."""
        return self._of_columns(records) if isinstance(records, dict) else self._of_each(records)

    def _of_columns(self, columns: Mapping[str, Texts | Column]) -> RawColumns:
        columns = {**columns, **measures_of(columns, self._measured)}
        given = {name: column for name, column in columns.items() if isinstance(column, list)}
        outputs = self._program.run({name: _coded(column) for name, column in columns.items()})
        # Texts that no step reads pass through uncoded.
        passed = {self._program.inputs[name].place: column for name, column in given.items()}
        columns_read: RawColumns = {
            name: texts_of(column) if self.kinds[name] is Kind.TEXT else column
            for name, column in outputs.items()
        }
        return columns_read | {
            name: passed[register.place]
            for name, register in self._program.outputs.items()
            if register.place in passed
        }

    def _of_each(self, records: Sequence[Any]) -> RawColumns:
        codes = RequestCodes(self._codes)
        rows: list[Row] = [record.__dict__ for record in records]
        if self._measured:
            rows = with_measures(rows, self._measured)
        registers = self._encoder.encode(rows, codes)
        wholes = registers.view(np.int64)
        texts, of_texts = [*codes], (wholes[self._text_places] - NO_TEXT).tolist()
        columns_read: RawColumns = {
            name: [texts[code] for code in column]
            for name, column in zip(self._texts, of_texts, strict=True)
        }
        for name, place, is_float in self._others:
            columns_read[name] = (registers if is_float else wholes)[place]
        return columns_read


def _coded(column: Texts | Column) -> Column:
    """Return a column as programs take it; texts that no step reads become NO_TEXT."""
    return np.full(len(column), NO_TEXT, np.int32) if isinstance(column, list) else column
