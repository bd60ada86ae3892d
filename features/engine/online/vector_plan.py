"""The vectors of subjects of one kind: planned once, then made for as many as wait together."""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import accumulate
from typing import Protocol

import numpy as np

from features.catalogue import windows_of
from features.compiled_catalogue import computation
from features.derived.linked_record import of_subject
from features.engine.columns import Column, instant_us
from features.engine.expressions.encode_rows import (
    NO_PLACES,
    Codes,
    Copies,
    Filling,
    Reading,
    Template,
    first_codes,
    registers,
)
from features.engine.expressions.program import Program
from features.engine.online.request_linked_records import PAYMENTS, Attached, brought
from features.engine.online.request_subject import subject_program, subject_row
from features.engine.store.layout import layouts_of
from features.engine.store.online_store import SOURCES, history_windows
from features.engine.store.query_plan import Brought, Plan, Question
from features.engine.windows.window import Window
from features.records import SubjectKind
from features.submission import Submission

Value = float | str | None


class Past(Protocol):
    """What was known before, of anyone."""

    def numbers_of_each(self, plan: Plan, questions: Sequence[Question]) -> Column:
        """The number of each window of a plan, a row per question."""
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
        sizes = (len(one.windows) for one in self._attached)
        *self._first, self._first_past = accumulate(sizes, initial=0)
        self._windows = [window for one in self._attached for window in one.windows] + past
        self._features = _Features(features, self._subject, self._windows, self._codes)
        self.names = (*features.outputs,)

    def of(
        self, submissions: Sequence[Submission], past: Past, beside: Sequence[Brought | None]
    ) -> list[list[Value]]:
        """The values of each subject, None where one is missing."""
        codes = Codes(self._codes)
        subjects, numbers = self._reduced(submissions, past, beside, codes)
        return self._features.values(subjects, numbers, codes)

    def windows(
        self, submission: Submission, past: Past, beside: Brought | None = None
    ) -> dict[Window, float]:
        """The number of every window that the features of one subject read; NaN for a missing."""
        _, numbers = self._reduced([submission], past, [beside], Codes(self._codes))
        return dict(zip(self._windows, numbers[0].tolist(), strict=True))

    def _reduced(
        self,
        submissions: Sequence[Submission],
        past: Past,
        beside: Sequence[Brought | None],
        codes: Codes,
    ) -> tuple[Column, Column]:
        """The registers of the subjects, and the number of each window, a row per subject."""
        instants = [instant_us(one.declared_at) for one in submissions]
        rows = [[*map(attached.brought.rows, submissions)] for attached in self._attached]
        subjects = self._filling.made([*map(subject_row, submissions, rows[PAYMENTS])], codes)
        at, numbers = np.array(instants, np.int64), np.empty((len(rows[0]), len(self._windows)))
        for attached, brings, first in zip(self._attached, rows, self._first, strict=True):
            attached.reduce(brings, subjects, at, codes, numbers, first)
        values = self._parts.values(subjects, codes)
        questions = [*map(Question, values, instants, beside)]
        numbers[:, self._first_past :] = past.numbers_of_each(self._plan, questions)
        return subjects, numbers


class _Features:
    """The last step: features of the subjects' registers and of the numbers of windows."""

    def __init__(
        self, program: Program, subject: Program, reduced: Iterable[Window], codes: Codes
    ) -> None:
        windows = np.array([program.inputs[window].place for window in reduced], np.int64)
        columns = [
            (subject.outputs[key].place, register.place)
            for key, register in program.inputs.items()
            if not isinstance(key, Window)
        ]
        self._template = Template(
            row=program.registers(codes.__getitem__),
            numbers=windows,
            instants=NO_PLACES,
            texts=NO_PLACES,
            copied=np.array(columns, np.int64).reshape(-1, 2),
            steps=program.steps,
        )
        self._reading = Reading(program, program.outputs)

    def values(self, subjects: Column, numbers: Column, codes: Codes) -> list[list[Value]]:
        """Every feature of each subject, in catalogue order."""
        rows = len(numbers)
        copies = Copies(np.arange(rows + 1), subjects)
        made = registers(self._template, rows, numbers.ravel(), NO_PLACES, copies)
        return self._reading.values(made, codes)


@cache
def vectors(kind: SubjectKind) -> Vectors:
    """How vectors of one kind are made."""
    return Vectors(kind)
