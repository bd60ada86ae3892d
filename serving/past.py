"""What was known before, as the service keeps it: in the state, which follows the decision log."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Self, TypeVar

from features.errors import StateUnavailable
from features.records import RECORD_FILES, Outcome, Record
from features.state.embedded import EmbeddedStore
from features.state.rebuild import rebuild
from features.state.state import TOLD_BY, State
from features.submission import Submission, told_by
from features.vector import Vector, feature_vector
from serving.decisions.decision import Decision
from serving.errors import PastUnavailable
from serving.settings import Settings
from serving.store.decision_log import DecisionLog

AT_ONCE = 500  # decisions read from the log and made known together

_DECISIONS, _RECORDS = "decisions", "records"

T = TypeVar("T")


class Past:
    """One state shared by all requests; what was decided is known from then on.

    The state may lag behind the log, after a kill or a failure of its own, but never loses what the
    log has: it keeps how far it followed, with what it learnt, and reads on from there.
    """

    def __init__(self, state: State, log: DecisionLog):
        self._state = state
        self._log = log

    @classmethod
    def of(cls, settings: Settings, log: DecisionLog) -> Self:
        """The past in the home folder, made from its record files where there is none yet."""
        if not settings.state.exists():
            settings.records.mkdir(parents=True, exist_ok=True)
            rebuild(settings.records, settings.state)
        past = cls(State(EmbeddedStore(settings.state)), log)
        past.catch_up()
        return past

    def vector(self, submission: Submission) -> Vector:
        """The features of a subject, seen against all that was known before it.

        The payments and the journey that it brings count as known; none of it is kept.
        """
        with _failing_as_unavailable():
            return feature_vector(submission, self._state, told_by([submission]))

    def follow(self, size: int, submissions: Sequence[Submission]) -> None:
        """Make known what was decided about last, which made the log so large."""
        with _failing_as_unavailable():
            if self._followed() == size - len(submissions):
                self._state.add(told_by(submissions), {_DECISIONS: str(size)})
                return
        self.catch_up()

    def catch_up(self) -> None:
        """Make known what the log has that was not followed yet."""
        with _failing_as_unavailable():
            size = self._followed()
            for page in _pages(self._log.records(size), AT_ONCE):
                size += len(page)
                decided = (Decision.model_validate_json(record).submission for record in page)
                self._state.add(told_by(decided), {_DECISIONS: str(size)})

    def add(self, records: Iterable[Record], received_at: str | None = None) -> None:
        """Make records known that came by themselves; when this returns they survive a power cut.

        Any order, any number of times: a record that is known is passed over. `received_at` says up
        to when all were told that are kept elsewhere.
        """
        self._learn(_by_type(records), {_RECORDS: received_at} if received_at else {})

    @property
    def told_until(self) -> str | None:
        """Up to when records were told that are kept elsewhere."""
        with _failing_as_unavailable():
            return self._state.mark(_RECORDS)

    def learn(self, submission: Submission, outcome: Outcome) -> None:
        """Make known what an inspection found, once it is durable elsewhere."""
        self._learn({**told_by([submission]), "outcomes": [outcome]}, {})

    def close(self) -> None:
        """Let go of the state."""
        self._state.store.close()

    def _learn(self, records: dict[str, list[Record]], marks: dict[str, str]) -> None:
        with _failing_as_unavailable():
            self._state.add(records, marks)
            self._state.store.sync()

    def _followed(self) -> int:
        return int(self._state.mark(_DECISIONS) or 0)


def _by_type(records: Iterable[Record]) -> dict[str, list[Record]]:
    names = {RECORD_FILES[name]: name for name in TOLD_BY}
    by_type: dict[str, list[Record]] = {name: [] for name in TOLD_BY}
    for record in records:
        if (name := names.get(type(record))) is not None:
            by_type[name].append(record)
    return by_type


def _pages(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while page := list(islice(items, size)):
        yield page


@contextmanager
def _failing_as_unavailable() -> Iterator[None]:
    try:
        yield
    except StateUnavailable as failure:
        raise PastUnavailable("what was known before cannot be reached") from failure
