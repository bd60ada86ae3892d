"""Find the columns of each table that a mapping reads, and those that it leaves over."""

from collections.abc import Mapping

import pyarrow as pa

from features.mapping.mapping import MappingFile, RecordMapping
from features.persons import is_about_a_person

Schemas = Mapping[str, pa.Schema]
# The columns of each table, including those that the mapping splits off.
Columns = Mapping[str, set[str]]


def known_columns(mapping: MappingFile, schemas: Schemas) -> Columns:
    """Return the columns of each table that a mapping may name."""
    return {
        name: {*schema.names, *mapping.table(name).split_from} for name, schema in schemas.items()
    }


def source_of_column(record: RecordMapping, column: str, known: Columns) -> tuple[str, str]:
    """Return the table and column behind a column name of a record.

    The table is the record's own, or one that is joined to it: `importers.COUNTRY`.
    """
    joined, _, inside = column.partition(".")
    if column not in known.get(record.head.table, ()) and joined in record.head.join:
        return joined, inside
    return record.head.table, column


def joined_names(mapping: MappingFile, record: RecordMapping, schemas: Schemas) -> set[str]:
    """Return the names that a record reads from joined tables."""
    known = known_columns(mapping, schemas)
    names = {column for column, _ in record.reads()}
    return {name for name in names if source_of_column(record, name, known)[0] != record.head.table}


def own_columns(mapping: MappingFile, table: str, schemas: Schemas) -> list[str]:
    """Return the columns of a table that records read, directly or by splitting."""
    known, split_from = known_columns(mapping, schemas), mapping.table(table).split_from
    found: dict[str, None] = {}
    for record in mapping.records:
        for column, _ in record.reads():
            of, own = source_of_column(record, column, known)
            if of == table:
                found[own if own in schemas[table].names else split_from[own]] = None
    return [*found]


def columns_left(
    mapping: MappingFile, schemas: Schemas
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return, by table, the columns about persons and others that are not read or dropped."""
    about_persons, left = {}, {}
    for name, schema in schemas.items():
        read = {*own_columns(mapping, name, schemas)}
        about_persons[name] = [e for e in schema.names if e not in read and is_about_a_person(e)]
        known = {*read, *mapping.table(name).drop, *about_persons[name]}
        left[name] = [each for each in schema.names if each not in known]
    return about_persons, left
