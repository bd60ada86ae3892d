"""History of the records that a request links to its subject, found by keys of the records."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from features.engine.columns import Column
from features.engine.expressions.encode_rows import Row
from features.engine.store.layout import Layout
from features.engine.store.query_plan import QueryPlan, RequestRecords, WindowQuery
from features.engine.windows.record_history import RecordHistory
from features.engine.windows.window_declaration import Keying


class HistoryReader(Protocol):
    """Interface to windows over earlier records of all subjects."""

    def window_numbers(self, plan: QueryPlan, queries: Sequence[WindowQuery]) -> Column:
        """Return the value of each window of a plan, a row per query."""
        ...


class HistoryOfRecords:
    """One value from history for each linked record, added to its fields as `name`."""

    def __init__(self, name: str, history: RecordHistory, layouts: Mapping[Keying, Layout]) -> None:
        self._name = name
        self._history = history
        windows = [*dict.fromkeys(history.windows.values())]
        self._plan = QueryPlan.from_windows(windows, layouts)

    def with_numbers(
        self,
        rows: Sequence[Sequence[Row]],
        declared_at: Sequence[int],
        reader: HistoryReader,
        overlays: Sequence[RequestRecords | None],
    ) -> list[Sequence[Row]]:
        """Return the records of each subject with their value.

        Each key is queried once per subject.
        """
        keys = [[self._history.key_of(row[self._history.field]) for row in own] for own in rows]
        # Records of one subject that share a key are queried once.
        asked = {(at, key): place for place, (at, key) in enumerate(_each_once(keys))}
        if not asked:
            return [*rows]
        queries = [
            WindowQuery([key] * len(self._plan.columns), declared_at[at], overlays[at])
            for at, key in asked
        ]
        numbers = self._numbers(reader.window_numbers(self._plan, queries))
        return [
            [
                {**row, self._name: numbers[asked[at, key]]}
                for row, key in zip(own, keys[at], strict=True)
            ]
            for at, own in enumerate(rows)
        ]

    def _numbers(self, reduced: Column) -> list[float]:
        column = {window: reduced[:, at] for at, window in enumerate(self._plan.windows)}
        columns = {name: column[window] for name, window in self._history.windows.items()}
        return np.asarray(self._history.function(**columns)).tolist()


def _each_once(keys: Sequence[Sequence[str]]) -> list[tuple[int, str]]:
    return [(at, key) for at, own in enumerate(keys) for key in dict.fromkeys(own)]
