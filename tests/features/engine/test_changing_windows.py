"""Windows in slices of time have the numbers of windows over all events at once, to the bit."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.engine.batch.changing_windows import GATHERED, SlicedEvents
from features.engine.batch.paired_windows import reduce_paired
from features.engine.columns import DAY_US, Columns, length, rows
from features.engine.string_table import STRING_TABLE
from features.engine.windows.lifetimes import COUNTS_FROM, COUNTS_UNTIL, FOREVER, NEVER
from features.engine.windows.reducers import Reducer
from features.engine.windows.window_declaration import Window
from tests.counts import count

TEXTS = STRING_TABLE.codes(["k1", "k2", "k3"])
# Instants that lie a window's length, or a microsecond more or less, from each other.
INSTANTS = st.builds(
    lambda days, beside: days * DAY_US + beside,
    st.sampled_from((0, 1, 2, 6, 7, 8, 14)),
    st.sampled_from((0, 0, -1, 1)),
)
Row = tuple[Any, ...]


def windows(*, are_amended: bool) -> list[Window]:
    """A window of every reducer, by keys of one column, of two and of none."""
    plain = (Reducer.LARGEST, Reducer.SMALLEST, Reducer.LATEST)
    return [
        Window(
            source="events",
            by=by,
            matching=tuple(f"event_{name}" for name in by),
            days=days,
            reducer=reducer,
            value=_value(reducer),
            where=where,
        )
        for reducer in Reducer
        if not (are_amended and reducer in plain)
        for days in (None, 7)
        for by, where in (((), None), (("key",), "is_meant"), (("key", "other"), None))
    ]


def _value(reducer: Reducer) -> str | None:
    if not reducer.needs_value:
        return None
    return "text" if reducer is Reducer.DISTINCT else "amount"


def texts(codes: Sequence[int]) -> Any:
    return np.append(TEXTS, np.int32(-1))[list(codes)].astype(np.int32)


def events_of(told: Sequence[Row], *, are_amended: bool) -> Columns:
    known, key, other, text, amount, is_meant, late, ends = [*zip(*told, strict=True)] or [()] * 8
    known_at = np.array(known, np.int64)
    events = {
        "known_at": known_at,
        "record_id": np.arange(len(known_at), dtype=np.float64),
        "event_key": texts(key),
        "event_other": texts(other),
        "text": texts(text),
        "amount": np.array(amount, np.float64),
        "is_meant": np.array(is_meant, np.float64),
    }
    if are_amended:
        since = known_at + np.array(late, np.int64) * DAY_US
        events[COUNTS_FROM] = since
        until = np.array([FOREVER if end is None else end for end in ends], np.int64)
        # Nothing ends before it begins, but what never counts.
        events[COUNTS_UNTIL] = np.where(until > since, until, np.where(late, FOREVER, NEVER))
    return rows(events, np.argsort(known_at, kind="stable"))


def subjects_of(told: Sequence[Row]) -> Columns:
    declared, key, other = [*zip(*told, strict=True)] or [()] * 3
    return {
        "declared_at": np.array(declared, np.int64),
        "key": texts(key),
        "other": texts(other),
        "row": np.arange(len(declared)),
    }


places = st.integers(0, 3)
event_rows = st.tuples(
    INSTANTS,
    places,
    places,
    places,
    st.sampled_from([np.nan, 0.0, 1.0, 5.0, -3.0]),
    st.sampled_from([0.0, 1.0]),
    st.sampled_from([0, 0, 3, 9]),  # days: within a window, and beyond it
    st.none() | INSTANTS | st.just(NEVER),
)


@pytest.mark.parametrize("are_amended", [False, True])
@settings(max_examples=count(15, 500))
@given(
    told=st.lists(event_rows, max_size=25),
    asking=st.lists(st.tuples(INSTANTS, places, places), max_size=12),
    bounds=st.lists(INSTANTS, max_size=4),
    size=st.integers(1, 9),
)
def test_slices_give_the_numbers_of_all_events_at_once(
    are_amended: bool,
    told: list[Row],
    asking: list[Row],
    bounds: list[int],
    size: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    events, subjects = events_of(told, are_amended=are_amended), subjects_of(asking)
    ends = np.array([*sorted(bounds), 15 * DAY_US], np.int64)
    wanted = windows(are_amended=are_amended)
    with ExitStack() as stack:
        folder: Path = tmp_path_factory.mktemp("slices")
        sliced = SlicedEvents(wanted, ends, folder / "s", stack, rows(events, np.zeros(0, int)))
        for begin in range(0, len(told), size):
            sliced.add({name: column[begin : begin + size] for name, column in events.items()})
        found = {window: np.full(len(asking), np.inf) for window in wanted}
        of_rows = np.searchsorted(ends, subjects["declared_at"], side="right")
        for at in range(len(ends)):
            here = np.flatnonzero(of_rows == at)
            for window, numbers in sliced.numbers(at, rows(subjects, here)).items():
                found[window][here] = numbers

    for window, numbers in reduce_paired(wanted, events, subjects):
        np.testing.assert_array_equal(found[window], numbers, err_msg=str(window))


def test_what_is_left_of_a_key_does_not_grow_with_its_events(tmp_path: Path) -> None:
    """A window of any reducer that is in use leaves a row for a key, however many events it had."""
    wanted = [w for w in windows(are_amended=True) if w.by == ("key",)]
    wanted = [w for w in wanted if w.days is None or w.reducer in GATHERED]
    told = [(day * DAY_US, 0, 0, 0, 1.0, 1.0, 0, None) for day in range(10) for _ in range(200)]
    with ExitStack() as stack:
        events = events_of(told, are_amended=False)
        ends = np.arange(1, 11) * DAY_US
        sliced = SlicedEvents(wanted, ends, tmp_path / "s", stack, events)
        for at in range(len(ends)):
            sliced.numbers(at, subjects_of([]))

            assert [length(left) for left in sliced.left.values()] == [1] * len(wanted)
