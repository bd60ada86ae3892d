"""SQLite and PostgreSQL keep the same log."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from serving.errors import DatabaseUrlRefused
from serving.store.decision_log import AnswerRow, DecisionLog, DecisionRow
from serving.store.engine import open_database
from tests.serving.postgres import postgresql, url


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | str]:
    if request.param == "sqlite":
        yield tmp_path / "log.db"
        return
    with postgresql() as folder:
        yield url(folder, "postgres")


def entry(number: int) -> tuple[DecisionRow, AnswerRow]:
    name = f"d-{number}"
    row = DecisionRow(name, "now", "shipment", "S", None, "c", "release", 0.1, f"record {number}")
    return row, AnswerRow("c", f"k-{number}", "digest", name, "now", b"answer")


def test_logs_that_append_at_once_make_one_chain(where: Path | str) -> None:
    logs = [DecisionLog(open_database(where, is_service=True)) for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: logs[n % 4].append([entry(n)]), range(40)))

    with logs[0]._engine.connect() as connection:
        numbers = connection.scalars(text("SELECT seq FROM decisions ORDER BY seq"))
        assert list(numbers) == list(range(1, 41))
    assert logs[1].answer("c", "k-7") == entry(7)[1]


def test_no_engine_lets_a_decision_be_changed(where: Path | str) -> None:
    log = DecisionLog(open_database(where, is_service=True))
    log.append([entry(1)])

    for statement in ("UPDATE decisions SET lane = 'inspect'", "DELETE FROM decisions"):
        with pytest.raises(IntegrityError, match="never"), log._engine.begin() as connection:
            connection.exec_driver_sql(statement)


def test_steps_that_were_half_taken_are_taken_again(where: Path | str) -> None:
    engine = open_database(where, is_service=True)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
        connection.exec_driver_sql("DROP TABLE api_keys")

    log = DecisionLog(open_database(where, is_service=True))

    log.append([entry(1)])
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM api_keys")) == 0


def test_another_kind_of_database_is_refused_without_its_password() -> None:
    with pytest.raises(DatabaseUrlRefused) as refusal:
        open_database("mysql://a:secret@b/c", is_service=True)

    assert "secret" not in str(refusal.value)
