"""What a group of decisions asks of the database, by its driver and by SQLAlchemy: `commits.py`.

For a group: the answers under its keys, the records about its subjects, and one durable commit of
the decisions with their answers. In memory (/dev/shm), where the disk is not waited for.
"""

import json
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields
from functools import partial
from pathlib import Path
from statistics import median
from time import thread_time

from sqlalchemy import Table, select, tuple_

from serving.audit.hash_chain import FIRST_LINK, next_link
from serving.audit.logged_decision import LoggedDecision, StoredAnswer
from serving.db.engine import open_database
from serving.db.lookups import Pair
from serving.db.repositories.decision_repository import _GIVEN, _LAST, DecisionRepository
from serving.db.repositories.record_repository import _ABOUT
from serving.db.tables.scoring import answers, decisions, records
from serving.db.write_lock import turn_without_transaction
from serving.history.received_records import ReceivedRecord

GROUPS = (1, 2, 4, 16, 64)
ROUNDS, UNTIMED = 250, 10
DAY = "2026-11-27T10:00:00+00:00"
Entries = list[tuple[LoggedDecision, StoredAnswer]]

_ANSWERED = select(*(answers.c[each.name] for each in fields(StoredAnswer)))
_ANSWER_KEY = tuple_(answers.c.caller_id, answers.c.idempotency_key)
_RECORDED = select(*(records.c[each.name] for each in fields(ReceivedRecord)))
_SUBJECT = tuple_(records.c.subject_kind, records.c.subject_id)


class FixedText:
    """As the service does it: what is looked up by fixed texts, all by SQLAlchemy."""

    def __init__(self, folder: Path) -> None:
        self.engine = open_database(folder / f"{type(self).__name__}.sqlite", is_service=True)
        self.log = DecisionRepository(self.engine)

    def look_up(self, keys: list[Pair], subjects: list[Pair]) -> None:
        """Ask for answers and records."""
        _GIVEN.rows(self.engine, keys)
        _ABOUT.rows(self.engine, subjects)

    def append(self, entries: Entries) -> None:
        """Commit decisions."""
        self.log.append(entries)


class BySqlAlchemy(FixedText):
    """Statements that SQLAlchemy makes of the pairs."""

    def look_up(self, keys: list[Pair], subjects: list[Pair]) -> None:
        """Ask for answers and records."""
        with self.engine.connect() as connection:
            given = connection.execute(_ANSWERED.where(_ANSWER_KEY.in_(keys)))
            _ = [StoredAnswer(*row) for row in given]
            about = connection.execute(_RECORDED.where(_SUBJECT.in_(subjects)))
            _ = [ReceivedRecord(*row) for row in about]


class ByDriver(FixedText):
    """Everything put to the driver itself, on a connection of the pool."""

    def look_up(self, keys: list[Pair], subjects: list[Pair]) -> None:
        """Ask for answers and records."""
        for lookup, pairs in ((_GIVEN, keys), (_ABOUT, subjects)):
            values = [value for pair in pairs for value in pair]
            text = lookup._text(len(pairs), self.engine.dialect.paramstyle)
            with closing(self.engine.raw_connection()) as connection:
                found = connection.cursor().execute(text, values).fetchall()
            _ = [lookup._found(*row) for row in found]

    def append(self, entries: Entries) -> None:
        """Commit decisions."""
        encrypted = [self.log._decisions.rows(*entry) for entry in entries]
        with (
            turn_without_transaction(self.engine),
            closing(self.engine.raw_connection()) as connection,
        ):
            cursor = connection.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute(_LAST)
            seq, link = cursor.fetchone() or (0, FIRST_LINK)
            for row, _ in encrypted:
                seq, link = seq + 1, next_link(link, row["record"])
                row.update(seq=seq, chain=link)
            cursor.executemany(_into(decisions), [row for row, _ in encrypted])
            cursor.executemany(_into(answers), [answer for _, answer in encrypted])
            connection.commit()


def _into(table: Table) -> str:
    names = [column.name for column in table.columns]
    values = ", ".join(f":{name}" for name in names)
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({values})"


WAYS: tuple[type[FixedText], ...] = (ByDriver, BySqlAlchemy, FixedText)


def main() -> None:
    """Print a table of CPU µs for each decision."""
    print(f"{'':>14}{'look-up':>30}{'commit':>30}")
    print(f"{'group':>14}" + 2 * "    driver SQLAlchemy fixed text")
    for size in GROUPS:
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            ways = [way(Path(folder)) for way in WAYS]
            taken = [_round(ways, size, at) for at in range(ROUNDS)][UNTIMED:]
        us = [
            1e6 * median(each[part][way] for each in taken) / size
            for part in (0, 1)
            for way in range(len(ways))
        ]
        print(f"{size:>14}" + "".join(f"{each:10.1f}" for each in us), flush=True)


def _round(ways: list[FixedText], size: int, at: int) -> list[list[float]]:
    entries = [_entry(at * size + i) for i in range(size)]
    # Each is looked for by its token and by what older rows have.
    keys = [("caller", f"{a.idempotency_key}{v}") for _, a in entries for v in "ab"]
    subjects = [("shipment", f"{d.subject_id}{v}") for d, _ in entries for v in "ab"]
    taken = [[0.0] * len(ways), [0.0] * len(ways)]
    for turn in range(len(ways)):
        way = (at + turn) % len(ways)  # each comes first as often as last
        taken[0][way] = _seconds(partial(ways[way].look_up, keys, subjects))
        taken[1][way] = _seconds(partial(ways[way].append, entries))
    return taken


def _seconds(call: Callable[[], None]) -> float:
    began = thread_time()
    call()
    return thread_time() - began


def _entry(number: int) -> tuple[LoggedDecision, StoredAnswer]:
    name = f"{number:032x}"
    record = json.dumps({"decision_id": name, "body": "x" * 9_000})
    decision = LoggedDecision(
        name, DAY, "shipment", f"S-{number}", "EU-1", "caller", "release", 0.01, record
    )
    return decision, StoredAnswer("caller", f"K-{number}", "d", name, DAY, b"y" * 600)


if __name__ == "__main__":
    main()
