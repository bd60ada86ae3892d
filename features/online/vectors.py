"""The vectors of subjects of one kind: planned once, then made for one after the other."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Protocol

import numpy as np

from features.asof.windows import Window
from features.attached.beside import of_subject
from features.catalogue import windows_of
from features.columns import Column, instant_us
from features.computation import computation
from features.online.attached import PAYMENTS, Attached, brought
from features.online.filling import Codes, Filling, Reading, Transfer, first_codes
from features.online.subject import subject_program, subject_row
from features.program.machine import execute
from features.program.program import Program
from features.records import SubjectKind
from features.state.keys import Part
from features.state.layout import layouts_of
from features.state.plan import Plan
from features.state.state import SOURCES, Brought, history_windows
from features.submission import Submission

Value = float | str | None


class Past(Protocol):
    """What was known before, of anyone."""

    def numbers(
        self, plan: Plan, subject: Mapping[str, Part], at: int, beside: Brought | None = None
    ) -> Column:
        """The number of each window of a plan, as of an instant in microseconds.

        `beside` are records that count as known too.
        """
        ...


class Vectors:
    """How vectors of subjects of one kind are made; `names` are those of their values."""

    def __init__(self, kind: SubjectKind) -> None:
        windows, sources, features = windows_of(kind), brought(kind), computation(kind)
        past = [window for window in windows if window.source in SOURCES]
        self._plan = Plan.of(past, layouts_of(history_windows()))
        programs = [source.program for source in sources]
        own = {key for key in features.inputs if not isinstance(key, Window)}
        beside = {of_subject(key) for program in programs for key in program.inputs} - {None}
        self._subject = subject_program(kind, {*own, *beside, *self._plan.columns})
        self._codes = first_codes([features, self._subject, *programs])
        self._filling = Filling(self._subject, self._codes)
        self._parts = Reading(self._subject, self._plan.columns)
        self._attached = [Attached(one, windows, self._subject, self._codes) for one in sources]
        self._windows = [window for one in self._attached for window in one.windows] + past
        self._features = _Features(features, self._subject, self._windows, self._codes)
        self.names = (*features.outputs,)

    def of(self, submission: Submission, past: Past, beside: Brought | None = None) -> list[Value]:
        """The values of one subject, None where one is missing."""
        codes = Codes(self._codes)
        subject, numbers = self._reduced(submission, past, beside, codes)
        return self._features.values(subject, numbers, codes)

    def windows(
        self, submission: Submission, past: Past, beside: Brought | None = None
    ) -> dict[Window, float]:
        """The number of every window that the features of one subject read; NaN for a missing."""
        _, numbers = self._reduced(submission, past, beside, Codes(self._codes))
        return dict(zip(self._windows, numbers.tolist(), strict=True))

    def _reduced(
        self, submission: Submission, past: Past, beside: Brought | None, codes: Codes
    ) -> tuple[Column, Column]:
        """The registers of the subject, and the number of each window."""
        at = instant_us(submission.declared_at)
        rows = [attached.brought.rows(submission) for attached in self._attached]
        subject = self._filling.filled([subject_row(submission, rows[PAYMENTS])], codes)
        execute(self._subject.steps, subject, subject.view(np.int64))
        numbers = [
            attached.numbers(brings, subject, at, codes)
            for attached, brings in zip(self._attached, rows, strict=True)
        ]
        parts = dict(zip(self._plan.columns, self._parts.values(subject, codes), strict=True))
        numbers.append(past.numbers(self._plan, parts, at, beside))
        return subject, np.concatenate(numbers)


class _Features:
    """The last step: features of the subject's registers and of the numbers of windows."""

    def __init__(
        self, program: Program, subject: Program, reduced: Iterable[Window], codes: Codes
    ) -> None:
        self._steps = program.steps
        self._registers = program.registers(codes.__getitem__)[:, None]
        self._windows = np.array([program.inputs[window].place for window in reduced], np.int64)
        self._columns = Transfer(
            (subject.outputs[key].place, register.place)
            for key, register in program.inputs.items()
            if not isinstance(key, Window)
        )
        self._reading = Reading(program, program.outputs)

    def values(self, subject: Column, numbers: Column, codes: Codes) -> list[Value]:
        """Every feature in catalogue order."""
        registers = self._registers.copy()
        self._columns.copy(subject, registers)
        registers[self._windows, 0] = numbers
        execute(self._steps, registers, registers.view(np.int64))
        return self._reading.values(registers, codes)


@cache
def vectors(kind: SubjectKind) -> Vectors:
    """How vectors of one kind are made."""
    return Vectors(kind)
