"""Score decided subjects with challenger and shadow models, and store the scores to compare.

They score the vector of the decision once it is durable, on a thread that nothing waits for. If the
thread cannot keep up, scores are dropped and counted: they never delay a decision and can be
recomputed from the log.
"""

import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import structlog

from features.records import SubjectKind
from serving.audit.decision import Decision
from serving.errors import LogUnavailable
from serving.explanation.explained_score import score_of
from serving.explanation.formatting import Value
from serving.models.model_pool import LoadedModel, ModelPool, Role
from serving.process.background_threads import BackgroundThread

if TYPE_CHECKING:
    from serving.storage.repositories.shadow_score_repository import ShadowScoreRepository

log = structlog.get_logger(__name__)

# Bounds the memory; further requests are dropped and counted.
MAX_WAITING = 1_000
BATCH_SIZE = 100
# Seconds to wait for more requests, so that one transaction stores many scores.
GATHERED_FOR_S = 0.5


@dataclass(frozen=True)
class ShadowScore:
    """The score of a challenger or shadow for one decision's vector."""

    decision_id: str
    role: str
    model: str
    version: str
    digest: str
    log_odds: float
    probability: float
    percentile: float


@dataclass(frozen=True)
class ShadowRequest:
    """The vector of a decision, for other models to score."""

    decision_id: str
    kind: SubjectKind
    vector: dict[str, Value]

    @classmethod
    def about(cls, decision: Decision) -> Self:
        """Return the request for a decision."""
        # All values: a challenger may read features that the champion does not.
        vector = {**decision.vector, **decision.unread}
        return cls(decision.decision_id, decision.subject_kind, vector)


class ShadowScoring:
    """Scores with challenger and shadow models; calls `on_dropped` for each dropped request."""

    def __init__(
        self, models: ModelPool, store: "ShadowScoreRepository", on_dropped: Callable[[], None]
    ):
        self._models = models
        self._store = store
        self._on_dropped = on_dropped
        self._queue: queue.Queue[ShadowRequest | None] = queue.Queue(MAX_WAITING)
        self.thread = BackgroundThread("shadow-scoring", self._run)

    def start(self) -> None:
        """Start to score."""
        self.thread.start()

    def stop(self) -> None:
        """Score the queued requests, then end the thread."""
        if self.thread.is_alive():
            self._queue.put(None)
            self.thread.join()

    def submit(self, request: ShadowRequest) -> None:
        """Queue a decision's vector; returns at once, and drops it if the queue is full."""
        if not self._models.challengers(request.kind):
            return
        try:
            self._queue.put_nowait(request)
        except queue.Full:
            self._on_dropped()

    def _run(self) -> None:
        is_open = True
        while is_open:
            requests, is_open = self._gather()
            try:
                with self.thread.turn():
                    self._score(requests)
            except LogUnavailable as failure:
                log.warning("shadow_scores_lost", requests=len(requests), reason=str(failure))
            except Exception as failure:  # the thread must survive, or comparison would end
                log.error("shadow_scoring_failed", exception=type(failure).__name__)

    def _score(self, requests: Sequence[ShadowRequest]) -> None:
        scores = [score for request in requests for score in self._scored(request)]
        if scores:
            self._store.append(scores)

    def _gather(self) -> tuple[list[ShadowRequest], bool]:
        """Return a batch of requests for one transaction, and False if scoring should end."""
        requests: list[ShadowRequest] = []
        try:
            while len(requests) < BATCH_SIZE:
                request = self._queue.get(timeout=GATHERED_FOR_S)
                if request is None:
                    return requests, False
                requests.append(request)
        except queue.Empty:
            pass
        return requests, True

    def _scored(self, request: ShadowRequest) -> list[ShadowScore]:
        return [
            _shadow_score(request, role, model)
            for role, model in self._models.challengers(request.kind).items()
        ]


def _shadow_score(request: ShadowRequest, role: Role, model: LoadedModel) -> ShadowScore:
    score, _ = score_of(model, request.vector)
    return ShadowScore(
        decision_id=request.decision_id,
        role=role,
        model=model.model.manifest.name,
        version=model.version,
        digest=model.model.digest,
        log_odds=score.log_odds,
        probability=score.probability,
        percentile=score.percentile,
    )
