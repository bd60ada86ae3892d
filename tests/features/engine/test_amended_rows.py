"""Rows that are taken out of logs, and rows beside them, against plain SQL over what counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.engine.store.amended_rows import put_amended, remove_rows
from features.engine.store.event_writer import event_keys, event_words, insert_events
from features.engine.store.layout import Layout, layouts_of
from features.engine.store.query_plan import QueryPlan
from features.engine.windows.lifetimes import FOREVER
from features.errors import OnlineStoreUnavailable
from tests.counts import count as how_many
from tests.features.engine.test_online_store import (
    START,
    WINDOWS,
    Blobs,
    asked,
    by_sql,
    columns_of,
    event,
    instants,
    query,
)


def rows_under_keys(store: Blobs, layouts: list[Layout], rows: list[tuple]):
    """The words of events under each key of each layout."""
    events, first = columns_of(rows), 0
    words = event_words(store, layouts, events)
    for layout, keys in zip(layouts, event_keys(layouts, events), strict=True):
        of_layout = words[:, first : first + layout.width]
        first += layout.width
        for key in sorted({key for key in keys if key is not None}):
            own = of_layout[[k == key for k in keys]]
            yield layout, key, own[np.argsort(own[:, 0], kind="stable")]


def take_out(store: Blobs, layouts: list[Layout], rows: list[tuple]) -> None:
    for layout, key, words in rows_under_keys(store, layouts, rows):
        remove_rows(store, layout, key, words)


def put_beside(
    store: Blobs, layouts: list[Layout], row: tuple, lifetime: tuple[int, int], *, is_there: bool
) -> None:
    for layout, key, words in rows_under_keys(store, layouts, [row]):
        told = [(lifetime, words[0].tolist())]
        put_amended(store, layout, key, [] if is_there else told, told if is_there else [])


@pytest.mark.faults
@pytest.mark.parametrize(("page_rows", "chapter_pages"), [(1, 2), (2, 2), (3, 3), (128, 512)])
@settings(max_examples=how_many(20, 400), deadline=None)
@given(
    rows=st.lists(event, min_size=1, max_size=30),
    gone=st.sets(st.integers(0, 29), max_size=12),
    later=st.lists(event, max_size=6),
    lifetimes=st.lists(st.tuples(st.integers(0, 29), instants, instants), max_size=6),
    queries=st.lists(query, min_size=1, max_size=4),
)
def test_what_was_taken_out_counts_no_more_and_what_is_beside_while_it_lives(
    page_rows: int,
    chapter_pages: int,
    rows: list[tuple],
    gone: set[int],
    later: list[tuple],
    lifetimes: list[tuple],
    queries: list[tuple],
) -> None:
    layouts = layouts_of(WINDOWS, page_rows, chapter_pages)
    store, plan = Blobs(), QueryPlan.from_windows(WINDOWS, layouts)
    insert_events(store, layouts.values(), columns_of(rows))

    if out := [rows[at] for at in sorted(gone) if at < len(rows)]:
        take_out(store, [*layouts.values()], out)
    if later:
        insert_events(store, layouts.values(), columns_of(later))
    lives = [(rows[at % len(rows)], (since, until)) for at, since, until in lifetimes]
    for row, life in lives:
        put_beside(store, [*layouts.values()], row, life, is_there=True)

    kept = [row for at, row in enumerate(rows) if at not in gone] + later
    for key, at in asked(rows, queries):
        counts = kept + [row for row, (since, until) in lives if since < at <= until]
        numbers = plan.numbers(store, {"key": key}, at)
        if not counts:
            counts = [("nobody", START, None, None, False)]
        np.testing.assert_array_equal(numbers[None], by_sql(counts, [(key, at)], WINDOWS))


def test_what_is_taken_away_from_beside_a_log_counts_no_more() -> None:
    layouts, store = layouts_of(WINDOWS, 2, 2), Blobs()
    plan, row = QueryPlan.from_windows(WINDOWS, layouts), ("a", START, 1, "x", True)
    nothing = plan.numbers(store, {"key": "a"}, START + 1)

    put_beside(store, [*layouts.values()], row, (START, FOREVER), is_there=True)
    assert (plan.numbers(store, {"key": "a"}, START + 1) != nothing).any()
    put_beside(store, [*layouts.values()], row, (START, FOREVER), is_there=False)

    np.testing.assert_array_equal(plan.numbers(store, {"key": "a"}, START + 1), nothing)


def test_a_row_that_is_not_there_is_not_taken_out_in_silence() -> None:
    layouts, store = layouts_of(WINDOWS, 2, 2), Blobs()
    insert_events(store, layouts.values(), columns_of([("a", START, 1, "x", True)]))

    with pytest.raises(OnlineStoreUnavailable, match="state rebuild"):
        take_out(store, [*layouts.values()], [("a", START, 2, "x", True)])
