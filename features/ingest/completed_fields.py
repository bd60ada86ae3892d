"""Complete fields that a record may omit because records of another file state them.

If both state a value, the values must agree. The only such field is a shipment's HS code, which its
goods items state as well.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pyarrow as pa

from features.arrow_schema import arrow_schema
from features.engine.columns import Column, Columns, columns_of_table, is_missing
from features.ingest.principal_item import FIELDS_READ, contradicts, hs_codes
from features.records import RECORD_FILES


@dataclass(frozen=True)
class CompletedField:
    """A field of a record type that follows from `source_fields` of the records of `source`.

    `complete` returns the field of each record; `contradicts` flags records that state it wrongly.
    Both read `own_fields` of the records, the first of which is their id.
    """

    field: str
    own_fields: tuple[str, ...]
    source: str
    source_fields: tuple[str, ...]
    complete: Callable[[Columns, Columns], Column]
    contradicts: Callable[[Columns, Columns], Column]
    words_when_missing: str
    words_when_wrong: str

    def faults(self, records: Columns, source: Columns) -> dict[str, Column]:
        """Return flags of records that lack the field or state it wrongly, by error text."""
        is_named = ~is_missing(records[self.own_fields[0]])
        return {
            self.words_when_missing: is_missing(records[self.field]) & is_named,
            self.words_when_wrong: self.contradicts(records, source) & is_named,
        }

    def columns_of_source(self, table: pa.Table | None) -> Columns:
        """Return the columns read from the other file; empty columns if there is no such file."""
        if table is None:
            table = arrow_schema(RECORD_FILES[self.source]).empty_table()
        return columns_of_table(table.select(self.source_fields))


# By record type, the field that records of another type also state.
COMPLETED_FIELDS: Mapping[str, CompletedField] = MappingProxyType(
    {
        "shipments": CompletedField(
            field="hs_code",
            own_fields=("shipment_id", "declared_at", "hs_code", "version"),
            source="goods_items",
            source_fields=FIELDS_READ,
            complete=hs_codes,
            contradicts=contradicts,
            words_when_missing="is required of a shipment that has no item in goods_items",
            words_when_wrong="is not the first six digits of an item in goods_items",
        )
    }
)
