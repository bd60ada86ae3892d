"""What one subject's windows cost several workers, whose store lies in PostgreSQL.

    python experiments/2026-11-27-cumulative-rows/postgres_reads.py FOLDER

FOLDER is one of `study.py`. Paged logs are read by their keys, as now: a statement, and one more
where windows begin in closed pages. Blocks are read by a backward seek of the index for each key
and instant, all in one statement; a window that counts labels would need one more. Times are of
the processor, of client and server together.
"""

import json
import os
import sys
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import psycopg
from cumulative_stores import INSTANT, TIE, CumulativeBlocks, _eight, _name
from study import SUBJECTS, _opened, _subjects

from experiments.benchmarks.online import OWN, submissions_of_some
from features.engine.columns import DAY_US
from features.engine.store.query_plan import QueryPlan, WindowQuery
from features.vector import feature_vector
from tests.serving.postgres import postgresql

TICKS = os.sysconf("SC_CLK_TCK")
SEEKS = """
    SELECT asked.place, found.key, found.value
    FROM unnest(%s::bytea[], %s::bytea[]) WITH ORDINALITY AS asked (start, stop, place),
    LATERAL (
        SELECT key, value FROM blocks WHERE key >= asked.start AND key < asked.stop
        ORDER BY key DESC LIMIT 1
    ) AS found
"""


class Rows:
    """A view of the table of paged logs."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def get(self, keys: Any) -> list[bytes | None]:
        """The blob of each key."""
        rows = self._connection.execute(
            "SELECT key, value FROM pages WHERE key = ANY(%s)", ([*keys],), binary=True
        )
        found = dict(rows.fetchall())
        return [found.get(key) for key in keys]


def main() -> None:
    """Print one JSON document."""
    folder = Path(sys.argv[1])
    stores = _opened(folder)
    with postgresql() as server, psycopg.connect(server.new_database()) as connection:
        _copy(connection, "pages", stores["paged"].store.all())
        blocks: CumulativeBlocks = stores["blocks"]
        with blocks._database.begin(buffers=True) as transaction:
            _copy(connection, "blocks", transaction.cursor(blocks._main))
        connection.commit()
        print(json.dumps([_asked(folder, kind, stores, connection) for kind in OWN], indent=1))


def _copy(connection: Any, table: str, blobs: Any) -> None:
    connection.execute(f"CREATE TABLE {table} (key bytea PRIMARY KEY, value bytea NOT NULL)")
    with connection.cursor().copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["bytea", "bytea"])
        for key, value in blobs:
            copy.write_row((bytes(key), bytes(value)))
    connection.execute(f"ANALYZE {table}")


class Noting:
    """An online store that notes what it is asked."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.asked: list[tuple[QueryPlan, WindowQuery]] = []

    def window_numbers(self, plan: QueryPlan, queries: Any) -> Any:
        """As the store."""
        self.asked += [(plan, query) for query in queries]
        return self._store.window_numbers(plan, queries)


def _asked(folder: Path, kind: Any, stores: Any, connection: Any) -> dict[str, Any]:
    _, ids = next(_subjects(folder / "records", kind))
    noting = Noting(stores["paged"])
    for submission in submissions_of_some(kind, folder / "records", ids[-SUBJECTS // 2 :]):
        feature_vector(submission, noting)
    readers = {"paged": _read_pages, "blocks": _read_blocks}
    times, many = dict.fromkeys(readers, 0.0), 0
    for number in range(6):
        for name, read in readers.items():
            begin = process_time() + _server_s(connection)
            for plan, query in noting.asked:
                found = read(connection, plan, query)
                many += found if number == 0 and name == "blocks" else 0
            if number:
                times[name] += process_time() + _server_s(connection) - begin
    asked = len(noting.asked)
    return {
        "kind": kind,
        "subjects": asked,
        "seeks of each": round(many / asked),
        **{
            f"{name}, mean ms": round(1000 * taken_s / asked / 5, 3)
            for name, taken_s in times.items()
        },
    }


def _read_pages(connection: Any, plan: QueryPlan, query: WindowQuery) -> int:
    keys = plan.keys(plan.parts(query.values))
    plan.numbers_of(Rows(connection), keys, np.array([query.at], np.int64))
    connection.rollback()
    return len(keys)


def _read_blocks(connection: Any, plan: QueryPlan, query: WindowQuery) -> int:
    keys = plan.keys(plan.parts(query.values))
    logs = [(log.layout.keying, log.by) for log in plan.logs]
    asked: dict[tuple[bytes, bytes], None] = {}
    for window in plan.windows:
        key = keys[logs.index(((window.source, window.matching, window.where), window.by))]
        if key is None:
            continue
        name = _name(key)
        start = name + bytes(INSTANT + TIE)
        asked[start, name + _eight(query.at)] = None
        if window.days is not None:
            asked[start, name + _eight(query.at - window.days * DAY_US)] = None
    starts, stops = zip(*asked, strict=True)
    connection.execute(SEEKS, ([*starts], [*stops]), binary=True).fetchall()
    connection.rollback()
    return len(asked)


def _server_s(connection: Any) -> float:
    fields = Path(f"/proc/{connection.info.backend_pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


if __name__ == "__main__":
    main()
