"""The windows over what a subject brings, reduced over its rows by the shared reducers."""

from collections.abc import Sequence

import numpy as np

from features.asof.windows import Window
from features.columns import DAY_US, Column
from features.compiled import compiled
from features.errors import DefinitionError
from features.program.program import Program
from features.state.layout import MISSING
from features.state.reducers import (
    DIFFERENT,
    DISTINCT,
    EVENTS,
    FIRST,
    LAST,
    NEWEST,
    PRESENT,
    REDUCERS,
    SUM,
    number_gathered,
    take_extremes,
    window_begin,
)

_NOTHING = -1


class Gathering:
    """Windows over the rows of one source, whose columns a program makes or reads.

    `windows` and the register `known_at` are as `reduced` takes them.
    """

    def __init__(self, program: Program, windows: Sequence[Window]) -> None:
        self.known_at = program.outputs["known_at"].place
        self.windows = np.array([_numbered(program, one) for one in windows], np.int64)
        self.windows.shape = (len(windows), 5)

    def reduce(self, registers: Column, starts: Column, instants: Column, into: Column) -> None:
        """Put each window's number for each subject as of its instant, a row per subject.

        The i-th subject's rows, in the order of knowledge, are those from `starts[i]` on.
        """
        wholes = registers.view(np.int64)
        reduced(self.windows, registers, wholes, self.known_at, starts, instants, into)


def _numbered(program: Program, window: Window) -> tuple[int, ...]:
    if window.by != ("subject_id",):
        raise DefinitionError(f"{window}: what is attached to a subject has no key but its id")
    value, where = (
        program.outputs[name].place if name else _NOTHING for name in (window.value, window.where)
    )
    is_text = window.value is not None and not program.outputs[window.value].kind.is_float
    span = _NOTHING if window.days is None else window.days * DAY_US
    return REDUCERS.index(window.reducer), span, value, where, is_text


@compiled
def reduced(
    windows: Column,
    numbers: Column,
    wholes: Column,
    known_at: int,
    starts: Column,
    instants: Column,
    made: Column,
) -> None:
    """Make the number of each window; a row of `windows` is reducer, span, value, where, is_text.

    Value and where are registers, -1 for none; `known_at` is that of the instants of knowledge.
    """
    told = np.empty(9, np.int64)
    for subject in range(len(instants)):
        own = slice(starts[subject], starts[subject + 1])
        _gather(
            windows,
            numbers[:, own],
            wholes[:, own],
            known_at,
            instants[subject],
            told,
            made[subject],
        )


@compiled
def _gather(
    windows: Column,
    numbers: Column,
    wholes: Column,
    known_at: int,
    at: int,
    told: Column,
    made: Column,
) -> None:
    is_meant = np.empty(numbers.shape[1], np.bool_)
    for i in range(len(windows)):
        reducer, span, value, where, is_text = windows[i]
        told[:] = 0
        told[NEWEST] = MISSING
        begin = window_begin(at, span)
        for row in range(numbers.shape[1]):
            is_meant[row] = begin <= wholes[known_at, row] < at and (
                where < 0 or numbers[where, row] == 1
            )
            if is_meant[row]:
                _tell(told, wholes[known_at, row])
                if reducer == DISTINCT:
                    is_new = _is_new(numbers[value], wholes[value], is_meant, row, is_text)
                    told[DIFFERENT] += is_new
                elif value >= 0:
                    _take(told, numbers[value, row])
        made[i] = number_gathered(told, reducer, at)


@compiled
def _tell(told: Column, instant: int) -> None:
    if told[EVENTS] == 0:
        told[FIRST] = instant
    told[LAST] = instant
    told[EVENTS] += 1


@compiled
def _is_new(numbers: Column, codes: Column, is_meant: Column, row: int, is_text: int) -> bool:
    """Whether a value is given and in no meant row before."""
    if codes[row] < 0 if is_text else np.isnan(numbers[row]):
        return False
    for before in range(row):
        is_same = codes[before] == codes[row] if is_text else numbers[before] == numbers[row]
        if is_meant[before] and is_same:
            return False
    return True


@compiled
def _take(told: Column, value: float) -> None:
    told[NEWEST] = MISSING
    if not np.isnan(value):
        whole = int(value)
        take_extremes(told, whole, whole)
        told[SUM] += whole
        told[PRESENT] += 1
        told[NEWEST] = whole
