"""Windows over the linked records of a request, computed with the shared reducers."""

from collections.abc import Sequence

import numpy as np

from features.engine.columns import DAY_US, Column
from features.engine.expressions.program import Program
from features.engine.numba_cache import compiled, inlined
from features.engine.windows.reducers import (
    DIFFERENT,
    EVENTS,
    EXTREME,
    FIRST,
    GATHERED_WORDS,
    LAST,
    MISSING,
    NEWEST,
    PRESENT,
    SUM,
    Reducer,
    is_as_extreme,
    reduced_number,
    window_begin,
)
from features.engine.windows.window_declaration import Window
from features.errors import TidegateError

_NONE = -1


class RequestWindows:
    """Windows over the rows of one source, whose columns a program computes or reads.

    `windows` and the register `known_at` have the form that `_reduce` expects.
    """

    def __init__(self, program: Program, windows: Sequence[Window]) -> None:
        self.known_at = program.outputs["known_at"].place
        self.windows = np.array([_numbered(program, one) for one in windows], np.int64)
        self.windows.shape = (len(windows), 5)

    def reduce(
        self,
        registers: Column,
        starts: Column,
        instants: Column,
        into: Column,
        first: int = 0,
    ) -> None:
        """Write each window's value for each subject at its instant, a row per subject.

        The rows of subject i, in the order they became known, begin at `starts[i]`. `first` is the
        column of the first window.
        """
        wholes = registers.view(np.int64)
        _reduce(self.windows, registers, wholes, self.known_at, starts, instants, into, first)


def _numbered(program: Program, window: Window) -> tuple[int, ...]:
    if window.by != ("subject_id",):
        raise TidegateError(f"{window}: linked records have no key but the id of their subject")
    value, where = (
        program.outputs[name].place if name else _NONE for name in (window.value, window.where)
    )
    is_text = window.value is not None and not program.outputs[window.value].kind.is_float
    span = _NONE if window.days is None else window.days * DAY_US
    return int(window.reducer), span, value, where, is_text


@compiled
def _reduce(
    windows: Column,
    numbers: Column,
    wholes: Column,
    known_at: int,
    starts: Column,
    instants: Column,
    into: Column,
    first: int,
) -> None:
    """Write the value of each window; a row of `windows` is reducer, span, value, where, is_text.

    Value and where are registers, -1 for none. `known_at` is the register of instants of knowledge.
    """
    gathered, is_inside = np.empty(GATHERED_WORDS, np.int64), np.empty(numbers.shape[1], np.bool_)
    for subject in range(len(instants)):
        start, stop, at = starts[subject], starts[subject + 1], instants[subject]
        for i in range(len(windows)):
            _select_rows(is_inside, windows[i], numbers, wholes[known_at], start, stop, at)
            _gather(gathered, is_inside, windows[i], numbers, wholes, known_at, start, stop)
            into[subject, first + i] = reduced_number(windows[i, 0], gathered, at)


@inlined
def _select_rows(
    is_inside: Column,
    window: Column,
    numbers: Column,
    known_at: Column,
    start: int,
    stop: int,
    at: int,
) -> None:
    """Mark the rows from `start` up to `stop` that are inside a window."""
    begin, where = window_begin(at, window[1]), window[3]
    for row in range(start, stop):
        is_inside[row] = begin <= known_at[row] < at and (where < 0 or numbers[where, row] == 1)


@inlined
def _gather(
    gathered: Column,
    is_inside: Column,
    window: Column,
    numbers: Column,
    wholes: Column,
    known_at: int,
    start: int,
    stop: int,
) -> None:
    """Gather a window's totals from the marked rows."""
    gathered[:] = 0
    gathered[NEWEST] = MISSING
    value = window[2]
    for row in range(start, stop):
        if is_inside[row]:
            _take_instant(gathered, wholes[known_at, row])
            if window[0] == Reducer.DISTINCT:
                is_new = _is_new(numbers[value], wholes[value], is_inside, start, row, window[4])
                gathered[DIFFERENT] += is_new
            elif value >= 0:
                _take_value(gathered, window[0], numbers[value, row])


@inlined
def _take_instant(gathered: Column, instant: int) -> None:
    if gathered[EVENTS] == 0:
        # Rows come in the order they became known, so the first one is the oldest.
        gathered[FIRST] = instant
    gathered[LAST] = instant
    gathered[EVENTS] += 1


@inlined
def _is_new(
    numbers: Column, codes: Column, is_inside: Column, start: int, row: int, is_text: int
) -> bool:
    """Return whether a value is present and occurs in no earlier marked row."""
    if codes[row] < 0 if is_text else np.isnan(numbers[row]):
        return False
    # A quadratic search, since a request links few records.
    for before in range(start, row):
        is_same = codes[before] == codes[row] if is_text else numbers[before] == numbers[row]
        if is_inside[before] and is_same:
            return False
    return True


@inlined
def _take_value(gathered: Column, reducer: int, value: float) -> None:
    # LATEST takes the value of the newest event even if that is missing.
    gathered[NEWEST] = MISSING
    if not np.isnan(value):
        number = int(value)
        # The first present value replaces the initial 0, which is no value.
        if gathered[PRESENT] == 0 or is_as_extreme(reducer, number, gathered[EXTREME]):
            gathered[EXTREME] = number
        gathered[SUM] += number
        gathered[PRESENT] += 1
        gathered[NEWEST] = number
