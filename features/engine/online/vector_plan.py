"""Feature vectors of subjects of one type: planned once, computed for one or more at a time."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import accumulate

import numpy as np

from features.engine.columns import Column
from features.engine.expressions.encode_rows import (
    NO_PLACES,
    CopiedColumns,
    RegisterReader,
    RegisterTemplate,
    RequestCodes,
    RowEncoder,
    initial_string_ids,
    run_rows,
)
from features.engine.expressions.program import Key, Program
from features.engine.online.history_of_records import HistoryOfRecords, HistoryReader
from features.engine.online.request_records import LinkedRows, LinkedWindows, RequestRows
from features.engine.store.layout import Layout
from features.engine.store.query_plan import QueryPlan, RequestRecords, WindowQuery
from features.engine.windows.window_declaration import Keying, Window

FeatureValue = float | str | None


class VectorPlan:
    """Plan for computing feature vectors of subjects of one type; `names` are the features.

    `features` computes features from subject columns and `windows`; `subject` returns the program
    of the subject columns that are read. Windows whose source is not among the `linked` ones are
    windows over history, whose events `layouts` describe. Values of the `shown` windows are
    returned in addition to features.
    """

    def __init__(
        self,
        *,
        features: Program,
        windows: Sequence[Window],
        linked: Collection[LinkedRows],
        subject: Callable[[Collection[Key]], Program],
        layouts: Mapping[Keying, Layout],
        shown: Sequence[Window] = (),
    ) -> None:
        sources = {source.source for source in linked}
        history_windows = [window for window in windows if window.source not in sources]
        self._plan = QueryPlan.from_windows(history_windows, layouts)
        read = {key for key in features.inputs if not isinstance(key, Window)}
        read.update(self._plan.columns, *(source.subject_columns.values() for source in linked))
        self._subject = subject(read)
        programs = [source.program for source in linked]
        self._codes = initial_string_ids([features, self._subject, *programs])
        self._encoder = RowEncoder(self._subject, self._codes)
        self._key_columns = RegisterReader(self._subject, self._plan.columns)
        self._linked = [LinkedWindows(one, windows, self._subject, self._codes) for one in linked]
        self._histories = [
            (one.source, HistoryOfRecords(name, history, layouts))
            for one in linked
            for name, history in one.histories.items()
        ]
        sizes = (len(one.windows) for one in self._linked)
        # Windows of each linked source have adjacent columns; those over history come last.
        *self._first, self._first_of_history = accumulate(sizes, initial=0)
        self._windows = [window for one in self._linked for window in one.windows] + history_windows
        self._features = _Features(features, self._subject, self._windows, self._codes)
        self._shown = [self._windows.index(window) for window in shown]
        self.names = (*features.outputs,)

    def vectors(
        self,
        requests: Sequence[RequestRows],
        history: HistoryReader,
        overlays: Sequence[RequestRecords | None],
    ) -> list[tuple[list[FeatureValue], list[float]]]:
        """Return the features of each subject, None if missing, and its shown window values."""
        # Codes of this request only, so that its texts are forgotten afterwards.
        codes = RequestCodes(self._codes)
        subjects, numbers = self._reduced(requests, history, overlays, codes)
        values = self._features.values(subjects, numbers, codes)
        return [*zip(values, numbers[:, self._shown].tolist(), strict=True)]

    def windows(
        self, request: RequestRows, history: HistoryReader, overlays: RequestRecords | None = None
    ) -> dict[Window, float]:
        """Return the value of every window that one subject's features read; NaN if missing."""
        _, numbers = self._reduced([request], history, [overlays], RequestCodes(self._codes))
        return dict(zip(self._windows, numbers[0].tolist(), strict=True))

    def _reduced(
        self,
        requests: Sequence[RequestRows],
        history: HistoryReader,
        overlays: Sequence[RequestRecords | None],
        codes: RequestCodes,
    ) -> tuple[Column, Column]:
        """Return the registers of the subjects, and the value of each window, a row per subject."""
        subjects = self._encoder.encode([request.subject for request in requests], codes)
        at = np.array([request.as_of for request in requests], np.int64)
        declared_at = [request.declared_at for request in requests]
        rows = {
            linked.source: [request.linked[linked.source] for request in requests]
            for linked in self._linked
        }
        # History first: windows over linked records may reduce the values it adds.
        for source, own in self._histories:
            rows[source] = own.with_numbers(rows[source], declared_at, history, overlays)
        numbers = np.empty((len(requests), len(self._windows)))
        for linked, first in zip(self._linked, self._first, strict=True):
            linked.reduce(rows[linked.source], subjects, at, codes, numbers, first)
        values = self._key_columns.values(subjects, codes)
        queries = [*map(WindowQuery, values, declared_at, overlays)]
        numbers[:, self._first_of_history :] = history.window_numbers(self._plan, queries)
        return subjects, numbers


class _Features:
    """Last step: features computed from subject registers and window values."""

    def __init__(
        self, program: Program, subject: Program, reduced: Iterable[Window], codes: RequestCodes
    ) -> None:
        windows = np.array([program.inputs[window].place for window in reduced], np.int64)
        columns = [
            (subject.outputs[key].place, register.place)
            for key, register in program.inputs.items()
            if not isinstance(key, Window)
        ]
        self._template = RegisterTemplate(
            row=program.registers(codes.__getitem__),
            numbers=windows,
            instants=NO_PLACES,
            texts=NO_PLACES,
            copied=np.array(columns, np.int64).reshape(-1, 2),
            steps=program.steps,
            tables=program.tables,
        )
        self._reading = RegisterReader(program, program.outputs)

    def values(
        self, subjects: Column, numbers: Column, codes: RequestCodes
    ) -> list[list[FeatureValue]]:
        """Return every feature of each subject, in catalogue order."""
        rows = len(numbers)
        copies = CopiedColumns(np.arange(rows + 1), subjects)
        outputs = run_rows(self._template, rows, numbers.ravel(), NO_PLACES, copies)
        return self._reading.values(outputs, codes)
