"""Windows against an oracle in plain SQL, over random streams with ties, edges and gaps."""

from collections.abc import Iterable
from dataclasses import replace

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.engine.batch.gather import SUBJECT_ROW
from features.engine.batch.reduce_windows import reduce_windows
from features.engine.batch.self_join import SelfJoin
from features.engine.batch.shared_keys import keys_where, paired_keys
from features.engine.batch.sort_by_key import KeyGroups
from features.engine.columns import DAY_US, HOUR_US, Columns
from features.engine.string_table import STRING_TABLE
from features.engine.windows.window_declaration import (
    Window,
    count,
    days_since_first,
    distinct,
    hours_since_latest,
    largest,
    latest,
    mean,
    smallest,
    total,
)
from tests.counts import count as how_many

# Instants that fall on each other, on window edges one day and one year apart, and beside them.
OFFSETS = (0, 1, HOUR_US, DAY_US - 1, DAY_US, DAY_US + 1, 365 * DAY_US - 1, 365 * DAY_US)
START = 1_700_000_000_000_000

instants = st.builds(
    lambda offset, days: START + offset + days * DAY_US,
    st.sampled_from(OFFSETS),
    st.integers(min_value=0, max_value=3),
)
event = st.tuples(
    st.sampled_from(["a", "b", None]),
    instants,
    st.one_of(st.none(), st.integers(min_value=-(2**40), max_value=2**40)),
    st.sampled_from(["x", "y", "z", None]),
    st.booleans(),
)
query = st.tuples(st.sampled_from(["a", "b", "never seen", None]), instants)

SQL = {
    "count": "count(e.id)",
    "total": "coalesce(sum(e.value), 0)",
    "mean": "sum(e.value)::DOUBLE / count(e.value)",
    "largest": "max(e.value)",
    "smallest": "min(e.value)",
    "latest": "last(e.value ORDER BY e.known_at, e.id)",
    "distinct": "count(DISTINCT e.label)",
    "hours_since_latest": f"(any_value(q.instant) - max(e.known_at)) / {HOUR_US}::DOUBLE",
    "days_since_first": f"(any_value(q.instant) - min(e.known_at)) / {DAY_US}::DOUBLE",
}
ENGINE = duckdb.connect()
BUILDERS = {
    "count": lambda **face: count("events", **face),
    "total": lambda **face: total("events", "value", **face),
    "mean": lambda **face: mean("events", "value", **face),
    "largest": lambda **face: largest("events", "value", **face),
    "smallest": lambda **face: smallest("events", "value", **face),
    "latest": lambda **face: latest("events", "value", **face),
    "distinct": lambda **face: distinct("events", "label", **face),
    "hours_since_latest": lambda **face: hours_since_latest("events", **face),
    "days_since_first": lambda **face: days_since_first("events", **face),
}


def coded(texts: Iterable[str | None]) -> np.ndarray:
    return STRING_TABLE.codes([text if isinstance(text, str) else None for text in texts])


def in_order(rows: list[tuple]) -> Columns:
    frame = pd.DataFrame(rows, columns=["key", "known_at", "value", "label", "is_chosen"])
    frame["id"] = np.arange(len(frame))
    frame = frame.sort_values(["known_at", "id"], kind="stable")
    return {
        "key": coded(frame["key"]),
        "known_at": frame["known_at"].to_numpy(dtype=np.int64),
        "value": frame["value"].to_numpy(dtype=np.float64),
        "label": coded(frame["label"]),
        "is_chosen": frame["is_chosen"].to_numpy(dtype=np.float64),
        "id": frame["id"].to_numpy(),
    }


def by_sweep(events: Columns, subjects: Columns, at: np.ndarray, window: Window) -> np.ndarray:
    keys, asked, size = paired_keys(events, window.matching, subjects, window.by)
    groups = KeyGroups.sort(asked, at, size)
    ((_, column),) = reduce_windows(
        [window], events, keys_where(keys, events, window.where), groups, len(at)
    )
    return column


def by_sql(events: Columns, queries: list[tuple], window: Window) -> np.ndarray:
    texts = {name: STRING_TABLE.texts(events[name]).to_pandas() for name in ("key", "label")}
    e = pd.DataFrame(events | texts).astype({"key": "string", "label": "string", "value": "Int64"})
    q = pd.DataFrame(queries, columns=["key", "instant"]).astype({"key": "string"})
    q["n"] = range(len(q))
    since = "" if window.days is None else f"AND e.known_at >= q.instant - {window.days * DAY_US}"
    condition = "AND e.is_chosen = 1" if window.where else ""
    ENGINE.register("e", e).register("q", q)
    answer = ENGINE.execute(
        f"SELECT CASE WHEN any_value(q.key) IS NULL THEN NULL ELSE {SQL[str(window.reducer)]} END "
        f"FROM q LEFT JOIN e ON e.key = q.key AND e.known_at < q.instant {since} {condition} "
        "GROUP BY q.n ORDER BY q.n"
    ).fetchall()
    return np.array([np.nan if value is None else value for (value,) in answer], dtype=np.float64)


@pytest.mark.parametrize("reducer", SQL)
@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(event, max_size=25),
    queries=st.lists(query, min_size=1, max_size=6),
    days=st.sampled_from([1, 365, None]),
    where=st.sampled_from([None, "is_chosen"]),
)
def test_every_reducer_equals_plain_sql_bit_for_bit(
    reducer: str, rows: list[tuple], queries: list[tuple], days: int | None, where: str | None
) -> None:
    events = in_order(rows)
    window: Window = BUILDERS[reducer](by="key", days=days, where=where)
    subjects = {"key": coded(key for key, _ in queries)}
    at = np.array([instant for _, instant in queries], dtype=np.int64)

    np.testing.assert_array_equal(
        by_sweep(events, subjects, at, window), by_sql(events, queries, window), strict=True
    )


@settings(max_examples=how_many(25, 100), deadline=None)
@given(rows=st.lists(event, min_size=1, max_size=25), data=st.data())
def test_what_becomes_known_at_the_scoring_instant_or_later_changes_nothing(
    rows: list[tuple], data: st.DataObject
) -> None:
    key, at, *_ = data.draw(st.sampled_from(rows), label="the event at the scoring instant")
    past = [row for row in rows if row[1] < at]
    subject, instant = {"key": coded([key])}, np.array([at])

    for reducer, build in BUILDERS.items():
        window = build(by="key")
        values = [by_sweep(in_order(some), subject, instant, window) for some in (rows, past)]
        assert values[0].tobytes() == values[1].tobytes(), reducer


@pytest.mark.parametrize("is_everyone", [True, False])
@settings(max_examples=how_many(25, 60), deadline=None)
@given(rows=st.lists(event, min_size=1, max_size=25), is_asked=st.lists(st.booleans(), min_size=25))
def test_what_subjects_did_before_is_reduced_as_any_event_is(
    is_everyone: bool, rows: list[tuple], is_asked: list[bool]
) -> None:
    everyone = in_order(rows)
    everyone |= {"subject_id": coded(map(str, everyone["id"])), "declared_at": everyone["known_at"]}
    asked = np.array(is_asked[: len(rows)])
    subjects = dict(everyone) if is_everyone else {n: c[asked] for n, c in everyone.items()}
    found = np.flatnonzero(everyone["is_chosen"] == 1)  # an inspection each, known a little later
    outcomes = {name: column[found] for name, column in everyone.items()} | {SUBJECT_ROW: found}
    outcomes["known_at"] = outcomes["known_at"] + 1
    events = {"events": everyone, "outcomes": outcomes}
    windows = [
        replace(build(by="key", where=where), source=source)
        for build in BUILDERS.values()
        for source in events
        for where in (None, "is_chosen")
    ]

    for window, column in SelfJoin(everyone, subjects, events).reduce(windows):
        expected = by_sweep(events[window.source], subjects, subjects["declared_at"], window)
        np.testing.assert_array_equal(column, expected, strict=True)
