"""What other models would have said: asked beside the requests, stored to be compared.

A challenger and a shadow score the very vector that a decision rests on, after it is durable, on a
thread of their own that nobody waits for. Where it can't keep up, opinions are left out and
counted: a decision is never late for them, and the log can give every one of them later.
"""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import structlog

from features.records import SubjectKind
from serving.audit.decision import Decision
from serving.db.repositories.shadow_score_repository import Opinion, OpinionRegister
from serving.errors import LogUnavailable
from serving.explanation.explained_score import score_of
from serving.explanation.formatting import Value
from serving.models.model_pool import LoadedModel, ModelPool, Role

log = structlog.get_logger(__name__)

MOST_WAITING = 1_000
TOGETHER = 100
GATHERED_FOR_S = 0.5


@dataclass(frozen=True)
class Question:
    """A vector that was decided about."""

    decision_id: str
    kind: SubjectKind
    vector: dict[str, Value]

    @classmethod
    def about(cls, decision: Decision) -> Self:
        """What is asked about a decision."""
        return cls(decision.decision_id, decision.subject_kind, decision.vector)


class SecondOpinions:
    """Asks the models beside the champion; `left_out` hears of each question dropped."""

    def __init__(
        self, champions: ModelPool, register: OpinionRegister, left_out: Callable[[], None]
    ):
        self._champions = champions
        self._register = register
        self._left_out = left_out
        self._questions: queue.Queue[Question | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="second-opinions", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask what waits, then end."""
        if self._thread.is_alive():
            self._questions.put(None)
            self._thread.join()

    def ask(self, question: Question) -> None:
        """Ask about a decision when there is time; returns at once."""
        if not self._champions.challengers(question.kind):
            return
        try:
            self._questions.put_nowait(question)
        except queue.Full:
            self._left_out()

    def _run(self) -> None:
        is_open = True
        while is_open:
            questions, is_open = self._gather()
            opinions = [opinion for each in questions for opinion in self._asked(each)]
            try:
                if opinions:
                    self._register.add(opinions)
            except LogUnavailable as failure:
                log.warning("opinions_lost", opinions=len(opinions), reason=str(failure))

    def _gather(self) -> tuple[list[Question], bool]:
        """What came within a while, so that its transaction is one; and whether more may come."""
        questions: list[Question] = []
        try:
            while len(questions) < TOGETHER:
                question = self._questions.get(timeout=GATHERED_FOR_S)
                if question is None:
                    return questions, False
                questions.append(question)
        except queue.Empty:
            pass
        return questions, True

    def _asked(self, question: Question) -> list[Opinion]:
        return [
            _opinion(question, role, model)
            for role, model in self._champions.challengers(question.kind).items()
        ]


def _opinion(question: Question, role: Role, model: LoadedModel) -> Opinion:
    score, _ = score_of(model, question.vector)
    return Opinion(
        decision_id=question.decision_id,
        role=role,
        model=model.model.manifest.name,
        version=model.version,
        digest=model.model.digest,
        log_odds=score.log_odds,
        probability=score.probability,
        percentile=score.percentile,
    )
