"""Windows by DuckDB: running sums under each key, and as-of joins at both ends of the window."""

from collections import defaultdict
from pathlib import Path

import duckdb

from experiments.window_peers.tasks import DAY_US, HOUR_US, Task, tasks_of


def compute(folder: Path, out: Path, threads: int) -> None:
    """Read the tables in `folder`, write every window to `out`, one row per subject."""
    engine = duckdb.connect(config={"threads": threads})
    engine.execute(
        f"CREATE VIEW subjects AS SELECT *, row_number() OVER () - 1 AS n "
        f"FROM '{folder}/subjects.parquet'"
    )
    engine.execute("CREATE TABLE results AS SELECT n, subject_id FROM subjects")
    by_events = defaultdict(list)
    for task in tasks_of(folder):
        counted = (task.value, task.span_us) if task.reducer == "distinct" else None
        by_events[task.events, task.by, task.matching, task.where, counted].append(task)
    for at, tasks in enumerate(by_events.values()):
        engine.execute(f"CREATE TABLE part{at} AS {_query(folder, tasks)}")
    joins = " ".join(f"JOIN part{at} USING (n)" for at in range(len(by_events)))
    columns = ", ".join(task.name for task in tasks_of(folder))
    engine.execute(
        f"COPY (SELECT subject_id, {columns} FROM results {joins} ORDER BY n) "
        f"TO '{out}' (FORMAT parquet)"
    )


def _query(folder: Path, tasks: list[Task]) -> str:
    task = tasks[0]
    keys = [f"k{at}" for at in range(len(task.by))] or ["k0"]
    named = ", ".join(f"{m} AS {k}" for m, k in zip(task.matching or ("0",), keys, strict=True))
    asked = ", ".join(f"{b} AS {k}" for b, k in zip(task.by or ("0",), keys, strict=True))
    chosen = [f"{k} IS NOT NULL" for k in keys] + ([f"{task.where} = 1"] if task.where else [])
    events = f"SELECT {named}, * FROM '{folder}/{task.events}.parquet' WHERE {' AND '.join(chosen)}"
    key = ", ".join(keys)
    running = (
        _deltas(events, key, task) if task.reducer == "distinct" else _running(events, key, tasks)
    )
    spans = sorted({t.span_us for t in tasks if t.span_us is not None and t.reducer != "distinct"})
    match = " AND ".join(f"q.{k} = {{0}}.{k}" for k in keys)
    joins = f"ASOF LEFT JOIN e a ON {match.format('a')} AND q.at > a.known_at "
    for span in spans:
        alias = f"b{span}"
        joins += (
            f"ASOF LEFT JOIN e {alias} ON {match.format(alias)} "
            f"AND q.at - {span} > {alias}.known_at "
        )
    is_keyed = " AND ".join(f"q.{k} IS NOT NULL" for k in keys)
    numbers = ", ".join(f"CASE WHEN {is_keyed} THEN {_number(t)} END AS {t.name}" for t in tasks)
    return (
        f"WITH e AS ({running}), q AS (SELECT n, declared_at AS at, {asked} FROM subjects) "
        f"SELECT q.n, {numbers} FROM q {joins}"
    )


def _running(events: str, key: str, tasks: list[Task]) -> str:
    values = sorted({t.value for t in tasks if t.value is not None})
    window = f"PARTITION BY {key} ORDER BY known_at, place"
    frame = f"({window} ROWS UNBOUNDED PRECEDING)"
    columns = [f"count(*) OVER {frame} AS many", f"min(known_at) OVER {frame} AS oldest"]
    for v in values:
        columns += [
            f"coalesce(sum({v}::BIGINT) OVER {frame}, 0) AS sum_{v}",
            f"count({v}) OVER {frame} AS count_{v}",
            f"max({v}) OVER {frame} AS max_{v}",
            f"min({v}) OVER {frame} AS min_{v}",
            f"{v} AS last_{v}",
        ]
    return (
        f"SELECT {key}, known_at, {', '.join(columns)} FROM ({events}) QUALIFY row_number() OVER "
        f"(PARTITION BY {key}, known_at ORDER BY place DESC) = 1"
    )


def _deltas(events: str, key: str, task: Task) -> str:
    """+1 where a value begins to stand in the window and -1 where it ceases to, summed."""
    of_value = f"PARTITION BY {key}, {task.value} ORDER BY known_at"
    span = "NULL" if task.span_us is None else str(task.span_us)
    return (
        f"WITH o AS (SELECT {key}, known_at, lag(known_at) OVER ({of_value}) AS before, "
        f"lead(known_at) OVER ({of_value}) AS next FROM ({events}) "
        f"WHERE {task.value} IS NOT NULL), "
        f"d AS (SELECT {key}, known_at, 1 AS delta FROM o WHERE before IS NULL "
        f"OR before + {span} < known_at UNION ALL SELECT {key}, known_at + {span}, -1 FROM o "
        f"WHERE {span} IS NOT NULL AND (next IS NULL OR next > known_at + {span})), "
        f"s AS (SELECT {key}, known_at, sum(delta) AS delta FROM d GROUP BY {key}, known_at) "
        f"SELECT {key}, known_at, "
        f"sum(delta) OVER (PARTITION BY {key} ORDER BY known_at) AS different FROM s"
    )


def _number(task: Task) -> str:
    b, v = f"b{task.span_us}", task.value

    def since(column: str) -> str:
        begun = "0" if task.span_us is None else f"coalesce({b}.{column}, 0)"
        return f"(coalesce(a.{column}, 0) - {begun})"

    return {
        "count": f"{since('many')}::DOUBLE",
        "total": f"{since(f'sum_{v}')}::DOUBLE",
        "mean": f"{since(f'sum_{v}')}::DOUBLE / nullif({since(f'count_{v}')}, 0)",
        "distinct": "coalesce(a.different, 0)::DOUBLE",
        "hours_since_latest": f"(q.at - a.known_at) / {HOUR_US}::DOUBLE",
        "days_since_first": f"(q.at - a.oldest) / {DAY_US}::DOUBLE",
        "latest": f"a.last_{v}::DOUBLE",
        "largest": f"a.max_{v}::DOUBLE",
        "smallest": f"a.min_{v}::DOUBLE",
    }[task.reducer]
