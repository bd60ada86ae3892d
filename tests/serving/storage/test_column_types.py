"""Values of typed columns are texts and numbers on disk, and digests are taken of these."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Column, MetaData, Table, create_engine, select, text

from serving.storage.tables.column_types import (
    FLAG,
    INSTANT,
    JSON,
    TEXTS,
    Converted,
    stored_columns,
    stored_insert,
)

AT = datetime(2026, 11, 24, 12, 0, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        (INSTANT, AT, "2026-11-24T12:00:00.000005+00:00"),
        (TEXTS, ("A", "B"), '["A", "B"]'),
        (JSON, {"a": [1]}, '{"a": [1]}'),
        (FLAG, True, 1),
        (INSTANT, None, None),
    ],
)
def test_a_value_is_read_as_it_was_written_and_plain_on_disk(
    kind: Converted[Any], value: object, stored: object
) -> None:
    engine, table = create_engine("sqlite://"), Table("rows", MetaData(), Column("value", kind))
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(table.insert(), {"value": value})
        connection.execute(stored_insert(table), {"value": stored})

        assert connection.scalars(select(table.c.value)).all() == [value, value]
        assert connection.scalars(select(*stored_columns(table))).all() == [stored, stored]
        assert connection.scalars(text("SELECT value FROM rows")).all() == [stored, stored]
