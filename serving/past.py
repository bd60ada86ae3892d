"""History as the service holds it: the record files, and every subject submitted since."""

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from features.asof.history import History
from features.columns import columns_of_records
from features.records import RECORD_FILES, Outcome, Record
from features.submission import Submission, records_of
from features.vector import Vector, feature_vector


class Past:
    """One history shared by all requests; what is submitted is known from then on."""

    def __init__(self, history: History):
        self._history = history
        self._lock = threading.Lock()

    @classmethod
    def of(cls, records: Path, decided: Iterable[Submission]) -> Self:
        """The history of a folder of records (none is made empty) and of what was decided since."""
        records.mkdir(parents=True, exist_ok=True)
        history = History.of_folder(records)
        for submission in decided:
            history.add(submission)
        return cls(history)

    def vector(self, submission: Submission) -> Vector:
        """The features of a subject, seen against all that was known before it.

        The submission joins history first, as in a training set: the payments and the journey it
        brings were known before the subject was declared, the subject itself was not.
        """
        with self._lock:
            self._history.add(submission)
            return feature_vector(submission, self._history)

    def add(self, records: Iterable[Record]) -> None:
        """Make records known that came by themselves."""
        by_type: dict[type[Record], list[Record]] = {}
        for record in records:
            by_type.setdefault(type(record), []).append(record)
        columns = {
            name: columns_of_records(by_type.get(record, []), record)
            for name, record in RECORD_FILES.items()
        }
        if by_type:
            with self._lock:
                self._history.add_records(columns)

    def learn(self, submission: Submission, outcome: Outcome) -> None:
        """Make what an inspection found part of what later subjects are seen against."""
        found = {"outcomes": columns_of_records([outcome], Outcome)}
        with self._lock:
            self._history.add_records(records_of(submission) | found)

    def example_vector(self, example: Submission) -> Vector:
        """The features of a subject that does not exist, and of which nothing is kept."""
        with self._lock:
            return feature_vector(example, self._history)
