"""Tables of somebody else's database are read in blocks, and never written."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from features.errors import TidegateError
from features.mapping.mapping import TableMapping
from serving.storage import foreign_table
from serving.storage.foreign_table import ForeignTable

ROWS = [(f"S-{at}", Decimal(f"{at}.50"), None if at % 2 else "x", at) for at in range(5)]


@pytest.fixture
def url(where: Path | str) -> str:
    """A database of either engine with a table of an agency."""
    url = f"sqlite:///{where}" if isinstance(where, Path) else str(where)
    engine = engine_of(url)
    with engine.begin() as connection:
        connection.execute(
            text('CREATE TABLE decl ("ID" VARCHAR, mass NUMERIC(9, 2), note VARCHAR, at TIMESTAMP)')
        )
        for identity, mass, note, at in ROWS:
            connection.execute(
                text("INSERT INTO decl VALUES (:a, :b, :c, :d)"),
                {"a": identity, "b": float(mass), "c": note, "d": f"2026-01-0{at + 1} 10:00:00"},
            )
    engine.dispose()
    return url


def engine_of(url: str) -> Engine:
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"))


def read(table: ForeignTable, *columns: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {name: [] for name in (*columns, "place")}
    for block in table.blocks(columns):
        for name in columns:
            found[name] += block.rows[name].to_pylist()
        found["place"] += block.places.tolist()
    return found


def test_a_table_and_a_query_are_read_in_blocks(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_table, "BLOCK_ROWS", 2)
    whole = ForeignTable(url, TableMapping(table="decl"))
    some = ForeignTable(
        url, TableMapping(query='SELECT "ID" AS i FROM decl WHERE mass > 2 ORDER BY 1')
    )

    assert whole.schema.names == ["ID", "mass", "note", "at"]
    assert [len(block.rows) for block in whole.blocks(["ID"])] == [2, 2, 1]
    found = read(whole, "note", "ID", "mass", "at")
    assert found["ID"] == [row[0] for row in ROWS]
    assert found["note"] == [row[2] for row in ROWS]
    assert [float(each) for each in found["mass"]] == [float(row[1]) for row in ROWS]
    assert str(found["at"][0])[:16] == str(datetime(2026, 1, 1, 10))[:16]  # noqa: DTZ001 - naive
    assert read(some, "i") == {"i": ["S-2", "S-3", "S-4"], "place": [1, 2, 3]}


def test_a_query_that_writes_is_refused_and_changes_nothing(url: str) -> None:
    with pytest.raises(TidegateError):
        ForeignTable(url, TableMapping(query="DELETE FROM decl RETURNING *"))

    with engine_of(url).connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM decl")).scalar() == len(ROWS)


def test_what_the_database_says_is_passed_on_in_a_line(url: str) -> None:
    with pytest.raises(TidegateError, match="dcl") as refusal:
        ForeignTable(url, TableMapping(table="dcl"))

    assert "\n" not in str(refusal.value)
    with pytest.raises(TidegateError, match="neither table nor query"):
        ForeignTable(url, TableMapping())


def test_no_password_is_repeated() -> None:
    with pytest.raises(TidegateError) as refusal:
        ForeignTable("postgresql://reader:hidden-word@127.0.0.1:1/x", TableMapping(table="decl"))

    assert "hidden-word" not in str(refusal.value)
    assert "reader:***@" in str(refusal.value)


@pytest.mark.parametrize("url", ["sqlite:///missing.db", "nosuch://x", "sqlite://", "://"])
def test_a_database_that_is_not_there_is_none_and_is_not_made(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(TidegateError):
        ForeignTable(url, TableMapping(table="decl"))

    assert not [*tmp_path.iterdir()]
