"""The kept history against an oracle in plain SQL, over streams that come in any order."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.engine.columns import DAY_US, HOUR_US
from features.engine.store.blob_store import BlobOverlay
from features.engine.store.event_writer import insert_events
from features.engine.store.layout import layouts_of
from features.engine.store.query_plan import QueryPlan
from features.engine.store.raw_columns import RawColumns
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
from features.errors import OnlineStoreUnavailable, TidegateError
from tests.counts import count as how_many

START = 1_700_000_000_000_000
OFFSETS = (0, 1, HOUR_US, DAY_US - 1, DAY_US, DAY_US + 1, 365 * DAY_US - 1, 365 * DAY_US)
DAYS = (1, 30, 365, None)

instants = st.builds(
    lambda offset, days: START + offset + days * DAY_US,
    st.sampled_from(OFFSETS),
    st.integers(min_value=0, max_value=3),
)
event = st.tuples(
    st.sampled_from(["a", "b", None]),
    instants,
    st.one_of(st.none(), st.integers(min_value=-(2**40), max_value=2**40)),
    st.sampled_from(["x", "y", "z", "w", None]),
    st.booleans(),
)
# An event, and how long after it is asked: so that windows begin and end at events, or just beside.
query = st.tuples(
    st.sampled_from(["a", "b", "never seen", None]),
    st.integers(min_value=0, max_value=39),
    st.sampled_from(
        [0, 1, *(days * DAY_US + late for days in DAYS if days for late in (-1, 0, 1))]
    ),
)

SQL = {
    "count": "count(e.id) {held}",
    "total": "coalesce(sum(e.value) {held}, 0)",
    "mean": "(sum(e.value) {held})::DOUBLE / count(e.value) {held}",
    "distinct": "count(DISTINCT e.label) {held}",
    "hours_since_latest": f"(any_value(q.instant) - max(e.known_at) {{held}}) / {HOUR_US}::DOUBLE",
    "days_since_first": f"(any_value(q.instant) - min(e.known_at) {{held}}) / {DAY_US}::DOUBLE",
}
ENGINE = duckdb.connect()


def every_window(where: str | None) -> list[Window]:
    windows = []
    for days in DAYS:
        face = {"by": "key", "days": days, "where": where}
        windows += [
            count("events", **face),
            *(make("events", "value", **face) for make in (total, mean)),
            distinct("events", "label", **face),
            hours_since_latest("events", **face),
            days_since_first("events", **face),
        ]
    return windows


WINDOWS = [*every_window(None), *every_window("is_chosen")]


def asked(rows: list[tuple], queries: list[tuple]) -> list[tuple]:
    """The key and the instant of each query."""
    return [(key, rows[at % len(rows)][1] + after) for key, at, after in queries]


class Blobs(BlobOverlay):
    """A store in memory."""

    def __init__(self) -> None:
        super().__init__(self)

    def get(self, keys):
        return [self.blobs.get(key) for key in keys]


def columns_of(rows: list[tuple]) -> RawColumns:
    keys, known_at, values, labels, chosen = zip(*rows, strict=True)
    return {
        "key": list(keys),
        "known_at": np.array(known_at, np.int64),
        "value": np.array([np.nan if v is None else v for v in values], np.float64),
        "label": list(labels),
        "is_chosen": np.array(chosen, np.float64),
    }


def by_sql(rows: list[tuple], queries: list[tuple], windows: list[Window]) -> np.ndarray:
    e = pd.DataFrame(rows, columns=["key", "known_at", "value", "label", "is_chosen"])
    e["id"] = range(len(e))
    e = e.astype({"key": "string", "label": "string", "value": "Int64", "is_chosen": "boolean"})
    q = pd.DataFrame(queries, columns=["key", "instant"]).astype({"key": "string"})
    q["n"] = range(len(q))
    ENGINE.register("e", e).register("q", q)
    numbers = ", ".join(map(_expression, windows))
    answer = ENGINE.execute(
        f"SELECT any_value(q.key) IS NULL, {numbers} FROM q "
        "LEFT JOIN e ON e.key = q.key AND e.known_at < q.instant GROUP BY q.n ORDER BY q.n"
    ).fetchall()
    has_none = np.array([row[0] for row in answer])
    numbers = np.array([[np.nan if v is None else v for v in row[1:]] for row in answer])
    return np.where(has_none[:, None], np.nan, numbers.astype(np.float64))


def _expression(window: Window) -> str:
    since = f" AND e.known_at >= q.instant - {window.days * DAY_US}" if window.days else ""
    chosen = " AND e.is_chosen" if window.where else ""
    held = f"FILTER (WHERE e.id IS NOT NULL{since}{chosen})"
    return SQL[str(window.reducer)].format(held=held)


@pytest.mark.faults
@pytest.mark.parametrize(("page_rows", "chapter_pages"), [(1, 2), (2, 2), (3, 3), (128, 512)])
@settings(max_examples=how_many(25, 400), deadline=None)
@given(
    rows=st.lists(event, min_size=1, max_size=40),
    queries=st.lists(query, min_size=1, max_size=4),
    seed=st.randoms(use_true_random=False),
    parts=st.integers(min_value=1, max_value=8),
)
def test_every_window_equals_plain_sql_however_the_events_came(
    page_rows: int, chapter_pages: int, rows: list[tuple], queries: list[tuple], seed, parts: int
) -> None:
    layouts = layouts_of(WINDOWS, page_rows, chapter_pages)
    store, order = Blobs(), list(range(len(rows)))
    seed.shuffle(order)
    for start in range(parts):
        ids = order[start::parts]
        if ids:
            events = columns_of([rows[i] for i in ids])
            insert_events(store, layouts.values(), events)
    plan = QueryPlan.from_windows(WINDOWS, layouts)
    about = asked(rows, queries)
    numbers = np.array([plan.numbers(store, {"key": key}, at) for key, at in about])

    np.testing.assert_array_equal(numbers, by_sql(rows, about, WINDOWS), strict=True)


@pytest.mark.parametrize("page_rows", [1, 2, 3])
def test_a_window_holds_the_event_at_its_begin_and_none_at_its_end_wherever_pages_end(
    page_rows: int,
) -> None:
    layouts, store = layouts_of(WINDOWS, page_rows, chapter_pages=2), Blobs()
    rows = [("a", START + i * DAY_US // 2, i, "xyz"[i % 3], i % 2 == 0) for i in range(20)]
    insert_events(store, layouts.values(), columns_of(rows))
    about = [("a", known_at + late) for _, known_at, *_ in rows for late in (0, 1)]
    plan = QueryPlan.from_windows(WINDOWS, layouts)
    numbers = np.array([plan.numbers(store, {"key": key}, at) for key, at in about])

    np.testing.assert_array_equal(numbers, by_sql(rows, about, WINDOWS), strict=True)


@pytest.mark.faults
@pytest.mark.parametrize(("page_rows", "chapter_pages"), [(1, 2), (2, 2), (3, 3), (128, 512)])
@settings(max_examples=how_many(30, 400), deadline=None)
@given(
    rows=st.lists(event, min_size=1, max_size=40),
    queries=st.lists(query, min_size=1, max_size=4),
    brought=st.sets(st.integers(min_value=0, max_value=39), min_size=1),
)
def test_what_comes_beside_counts_as_if_it_had_been_kept(
    page_rows: int, chapter_pages: int, rows: list[tuple], queries: list[tuple], brought: set[int]
) -> None:
    counts_as_kept(rows, asked(rows, queries), brought, page_rows, chapter_pages)


def counts_as_kept(
    rows: list[tuple], about: list[tuple], brought: set[int], page_rows: int, chapter_pages: int
) -> None:
    """Hold against plain SQL what is told of rows when some of them come beside the others."""
    layouts, store = layouts_of(WINDOWS, page_rows, chapter_pages), Blobs()
    plan, numbers = QueryPlan.from_windows(WINDOWS, layouts), []
    if kept := [i for i in range(len(rows)) if i not in brought]:
        events = columns_of([rows[i] for i in kept])
        insert_events(store, layouts.values(), events)
    for key, at in about:
        parts = plan.parts([key])
        overlay, view = plan.overlay([parts]), BlobOverlay(store)
        for i in sorted(brought):
            if i < len(rows) and rows[i][1] < at:
                overlay.insert(view, layouts.values(), columns_of([rows[i]]), [0])
        (of_one,) = plan.numbers_of(store, plan.keys(parts), np.array([at]), overlay)
        numbers.append(of_one)

    np.testing.assert_array_equal(numbers, by_sql(rows, about, WINDOWS), strict=True)


@pytest.mark.parametrize("page_rows", [1, 2, 3])
@pytest.mark.parametrize("labels", ["xyz", "xxxyz", "wxyz"])
def test_what_comes_beside_closed_pages_counts_once_whatever_became_known_after_the_question(
    page_rows: int, labels: str
) -> None:
    rows = [
        ("a", START + i * DAY_US // 2, i, labels[i % len(labels)], i % 2 == 0) for i in range(24)
    ]
    about = [("a", known_at + late) for _, known_at, *_ in rows[1:] for late in (0, 1)]
    for every in (3, 4, 7):
        counts_as_kept(rows, about, set(range(1, 24, every)), page_rows, chapter_pages=2)


def test_what_a_late_event_pushes_out_of_closed_pages_counts_once() -> None:
    window: Window = distinct("events", "label", by="key")
    layouts, store = layouts_of([window], page_rows=2), Blobs()
    for names in ("bcde", "a"):
        rows = [("a", START + ord(name), None, name, True) for name in names]
        insert_events(store, layouts.values(), columns_of(rows))

    numbers = QueryPlan.from_windows([window], layouts).numbers(store, {"key": "a"}, START + DAY_US)
    assert numbers.tolist() == [5]


LAYOUTS = layouts_of(every_window(None), page_rows=128, chapter_pages=16)


@pytest.mark.parametrize("make", [largest, smallest, latest])
def test_a_window_over_history_by_a_reducer_that_is_not_stored_is_refused(make) -> None:
    with pytest.raises(TidegateError, match=f"of history no {make.__name__} value"):
        layouts_of([make("payments", "amount", by="payer_id")])


def a_long_ledger(events: int) -> Blobs:
    """One key's events, an hour apart."""
    store = Blobs()
    rows = [("a", START + i * HOUR_US, i, "xyzw"[i % 4], True) for i in range(events)]
    insert_events(store, LAYOUTS.values(), columns_of(rows))
    return store


def words_read(window: Window, store: Blobs, at: int) -> int:
    """How many words are read for one window as of an instant."""
    read = []

    class Counting(Blobs):
        def get(self, keys):
            blobs = store.get(keys)
            read.extend(len(blob) // 8 for blob in blobs if blob is not None)
            return blobs

    QueryPlan.from_windows([window], LAYOUTS).numbers(Counting(), {"key": "a"}, at)
    return sum(read)


@pytest.mark.parametrize("days", [30, 365, None])
@pytest.mark.parametrize("is_late", [False, True])
def test_what_a_window_reads_does_not_grow_with_the_events_in_it(
    days: int | None, is_late: bool
) -> None:
    window: Window = mean("events", "value", by="key", days=days)
    few, many = (
        words_read(window, a_long_ledger(events), START + (events - 9_000 * is_late) * HOUR_US)
        for events in (20_000, 60_000)
    )
    (layout,) = LAYOUTS.values()
    assert many - few < layout.page_rows * layout.width


def test_a_state_that_lacks_a_page_of_its_own_says_so() -> None:
    store = a_long_ledger(20_000)
    for key in [key for key in store.blobs if key.startswith(b"p")]:
        del store.blobs[key]
    window: Window = count("events", by="key", days=30)
    with pytest.raises(OnlineStoreUnavailable, match="tidegate state rebuild"):
        QueryPlan.from_windows([window], LAYOUTS).numbers(
            store, {"key": "a"}, START + 20_000 * HOUR_US
        )
