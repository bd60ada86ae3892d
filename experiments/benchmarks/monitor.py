"""What `tidegate monitor` costs over a long log: one report, in a process of its own.

    python -m experiments.benchmarks.monitor [IN_SQLITE] [IN_POSTGRESQL]

A year of decisions (1,000,000 and 10,000,000) of which 3 in 100 were looked at, all with outcomes,
and a challenger asked about the newest 300,000. All but the newest are in the summaries, as after
a run of the day before; their records are empty, since nothing reads them again. The newest 2,000
are whole, and are counted in the run. Prints seconds of processor and wall time and the memory of
the process, and how many decisions a second of processor time are counted.
"""

import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import Engine, text

from experiments.benchmarks.memory import peak_mib
from features.catalogue import SHIPMENT
from serving.monitor.decision_facts import DecisionFacts, parts_of
from serving.monitor.monitoring import ReportRequest, report
from serving.monitor.rollups import catch_up, summary
from serving.storage.engine import open_database
from serving.storage.repositories.rollup_repository import RollupRepository
from serving.storage.tables.monitor import day_summaries, summarised_to
from serving.triage.triage_plan import TriagePlan
from tests.serving.postgres import postgresql

BEGIN, DAYS = datetime(2025, 11, 17, tzinfo=UTC), 365
NOW = BEGIN + timedelta(days=DAYS + 10)
NEWEST, ASKED = 2_000, 300_000
GOAL_S, GOAL_MIB = 60.0, 1_024

LANE = "CASE WHEN g % 100 < 2 THEN 'inspect' WHEN g % 100 = 2 THEN 'control' ELSE 'release' END"
REST = "not inspected, drawn at 0.01"
STRATUM = f"CASE WHEN g % 100 < 2 THEN 'inspected by score' ELSE '{REST}' END"
COUNTED = """(WITH RECURSIVE n(g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM n WHERE g < {})
    SELECT g FROM n)"""
SERIES = "generate_series(1::bigint, {}) AS g"
SAID = "(g * 7919 % 1000) / 1000.0"
FOUND = "CASE WHEN g * 7919 % 1000 < 150 THEN 'confirmed' ELSE 'not_confirmed' END"
FILLED = {
    "decisions": f"""INSERT INTO decisions (seq, decision_id, scored_at, subject_kind, subject_id,
        office_id, caller_id, lane, probability, record, chain) SELECT g, 'd' || g, {{at}},
        'shipment', 'S-' || g, 'office-' || (g % 40), 'c', {LANE}, {SAID}, '', {{link}}
        FROM {{numbers}}""",
    "visits": f"""INSERT INTO visits SELECT g, 'd' || g, 'shipment', 'S-' || g, {{at}}, {STRATUM},
        {LANE}, {SAID}, 'office-' || (g % 40), '1', 'sea', 'Western Asia', 'new'
        FROM {{numbers}} WHERE g % 100 < 3""",
    "records": f"""INSERT INTO records (kind, record_id, subject_kind, subject_id, received_at,
        caller_id, body, outline) SELECT 'outcomes', 'o' || g, 'shipment', 'S-' || g,
        {{later}}, 'c', '', '{{{{"subject_id":"S-' || g || '","inspected_at":"' || {{later}} ||
        '","known_at":"' ||
        {{later}} || '","result":"' || {FOUND} || '"}}}}' FROM {{numbers}} WHERE g % 100 < 3""",
    "shadow_scores": f"""INSERT INTO shadow_scores SELECT 'd' || g, 'challenger', 'm', '2', '-',
        0, ({SAID} + (g * 104729 % 1000) / 1000.0) / 2, 0
        FROM {{numbers}} WHERE g > {{asked_from}}""",
}


def main(in_sqlite: int = 1_000_000, in_postgresql: int = 10_000_000) -> None:
    """Measure both engines, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tidegate.db"
        _fill(_opened(str(file)), in_sqlite)
        _measure("SQLite", in_sqlite, str(file))
    with postgresql() as server:
        url = server.new_database()
        _fill(_opened(url), in_postgresql)
        _measure("PostgreSQL", in_postgresql, url)


def _opened(where: str) -> Engine:
    if "://" not in where:
        return open_database(Path(where), is_service=False)
    keys = Path(tempfile.gettempdir()) / "keys-of-a-benchmark"
    return open_database(where, is_service=False, keys=keys)


def _fill(engine: Engine, size: int) -> None:
    """A log of this many decisions, all but the newest in the summaries."""
    step_s = DAYS * 86_400 / size
    is_file = engine.dialect.name == "sqlite"
    told = {
        "numbers": (COUNTED if is_file else SERIES).format(size - NEWEST),
        "at": _instant(is_file, step_s, 0),
        "later": _instant(is_file, step_s, 3),
        "link": "zeroblob(32)" if is_file else "''::bytea",
        "asked_from": size - ASKED,
    }
    with engine.begin() as connection:
        if not is_file:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            # Made for those who look decisions up; filling them would take longer than all else.
            connection.execute(text("DROP INDEX decisions_by_subject, decisions_by_office"))
        for statement in FILLED.values():
            written = statement.format(**told)
            connection.exec_driver_sql(written if is_file else written.replace("%", "%%"))
        bodies = [_body(n) for n in range(8)]
        connection.execute(
            day_summaries.insert(),
            [
                {
                    "subject_kind": "shipment",
                    "day": (BEGIN + timedelta(days=day)).date().isoformat(),
                    "body": bodies[day % len(bodies)],
                }
                for day in range(DAYS)
            ],
        )
        connection.execute(summarised_to.insert().values(seq=size - NEWEST))
    with engine.begin() as connection:
        connection.execute(text(_WHOLE), [_whole(n, step_s) for n in range(size - NEWEST, size)])
        if not is_file:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("ANALYZE"))


_WHOLE = """INSERT INTO decisions (seq, decision_id, scored_at, subject_kind, subject_id, office_id,
    caller_id, lane, probability, record, chain) VALUES (:seq, :decision_id, :scored_at, 'shipment',
    :subject_id, 'office-1', 'c', 'release', 0.01, :record, :chain)"""


def _instant(is_file: bool, step_s: float, days: int) -> str:
    begin = BEGIN.timestamp() + 86_400 * days
    if is_file:
        return f"strftime('%Y-%m-%dT%H:%M:%f+00:00', {begin} + g * {step_s}, 'unixepoch')"
    shape = 'YYYY-MM-DD"T"HH24:MI:SS.MS"+00:00"'
    return f"to_char(to_timestamp({begin} + g * {step_s}) AT TIME ZONE 'UTC', '{shape}')"


def _record(number: int, lots: np.random.Generator, at: datetime) -> str:
    """A record as large as one of a shipment."""
    values = lots.lognormal(2, 2, len(SHIPMENT)).round(6).tolist()
    vector = {f.name: "a" if f.is_categorical else v for f, v in zip(SHIPMENT, values, strict=True)}
    return json.dumps(
        {
            "decision_id": f"d{number}",
            "scored_at": at.isoformat(),
            "subject_kind": "shipment",
            "subject_id": f"S-{number}",
            "office_id": "office-1",
            "model": {"version": "1"},
            "lane": "release",
            "lane_reason": "score",
            "lane_probabilities": {"inspect": 0.0, "control": 0.01, "release": 0.99},
            "score": {"probability": 0.01, "log_odds": -4.6},
            "reasons": {"indicators": {"D07": 0.1}, "words": "x" * 20_000},
            "vector": vector,
            "request": json.dumps(
                {
                    "shipment": {
                        "origin_country": "TR",
                        "dispatch_country": "TR",
                        "destination_country": "DE",
                    }
                }
            ),
        }
    )


def _whole(number: int, step_s: float) -> dict[str, object]:
    at = BEGIN + timedelta(seconds=number * step_s)
    return {
        "seq": number + 1,
        "decision_id": f"d{number + 1}",
        "scored_at": at.isoformat(),
        "subject_id": f"S-{number + 1}",
        "record": _record(number + 1, np.random.default_rng(number), at),
        "chain": bytes(32),
    }


def _body(seed: int) -> str:
    """A day's summary with the cells of a thousand subjects."""
    lots = np.random.default_rng(seed)
    return summary(
        DecisionFacts.from_record(parts_of(_record(n, lots, BEGIN))) for n in range(1_000)
    ).as_json()


def _measure(engine: str, size: int, where: str) -> None:
    command = [sys.executable, "-m", "experiments.benchmarks.monitor", "--child", where]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    print(
        f"{engine}, {size:,} decisions: {told['cpu_s']:.1f} s of processor time, "
        f"{told['wall_s']:.1f} s by the clock (goal {GOAL_S:.0f}), "
        f"{told['peak_mib']:,.0f} MiB (goal {GOAL_MIB:,}); "
        f"{told['visits']:,} visits; {told['counted_a_s']:,.0f} new decisions counted a second"
    )


def _child(where: str) -> None:
    began, cpu = time.monotonic(), time.process_time()
    engine = _opened(where)
    store = RollupRepository(engine)
    counted = catch_up(store, NOW)
    counting = time.process_time() - cpu
    last = (BEGIN + timedelta(days=DAYS - 1)).date()
    made = report(store, ReportRequest("shipment", BEGIN.date(), last, NOW), TriagePlan(), NOW)
    told = {
        "cpu_s": time.process_time() - cpu,
        "wall_s": time.monotonic() - began,
        "peak_mib": peak_mib(),
        "visits": made.delay.visits,
        "counted_a_s": counted / counting,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _child(sys.argv[2])
    else:
        main(*map(int, sys.argv[1:]))
