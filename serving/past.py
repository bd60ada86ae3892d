"""History as the service holds it: the record files, and every subject decided since."""

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from features.asof.history import History
from features.submission import Submission
from features.vector import Vector, feature_vector


class Past:
    """One history shared by all requests; a subject is part of it once its decision is durable."""

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
        """The features of a subject, seen against all that was known before it."""
        with self._lock:
            return feature_vector(submission, self._history)

    def add(self, submission: Submission) -> None:
        """Make a decided subject part of what later ones are seen against."""
        with self._lock:
            self._history.add(submission)
