"""Idempotency: one decision for a caller's key, the same answer to the same body, however often.

A key whose first request has no answer yet is claimed. An answer that was given is stored with its
decision, in the same transaction, and given again; another body under the same key is refused.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from serving.audit.decision import Decision
from serving.audit.logged_decision import StoredAnswer
from serving.errors import Conflict, Unprocessable
from serving.scoring.assessment import AssessmentRequest

Claim = tuple[str, str]


@dataclass(frozen=True)
class Answer:
    """The bytes of an answer, and the decision where it was made just now."""

    body: bytes
    decision: Decision | None = None


class AnswerStore(Protocol):
    """The answers that were given, by the idempotency keys of their callers."""

    def answers(self, keys: Sequence[Claim]) -> dict[Claim, StoredAnswer]:
        """The answers given under these keys; new keys are left out. Raises LogUnavailable."""
        ...


class IdempotencyClaims:
    """The claims, pairs of caller and idempotency key, in progress in this process."""

    def __init__(self) -> None:
        self._claimed: set[Claim] = set()
        self._lock = threading.Lock()

    def acquire(self, claim: Claim) -> None:
        """Acquire a claim until it is released; raises Conflict where another has it."""
        with self._lock:
            if claim in self._claimed:
                raise Conflict(
                    "the first request with this idempotency key is not answered",
                    code="still-in-progress",
                )
            self._claimed.add(claim)

    def release(self, claim: Claim) -> None:
        """Release a claim."""
        with self._lock:
            self._claimed.discard(claim)


def repeated_answer(given: StoredAnswer, request: AssessmentRequest) -> Answer | Unprocessable:
    """The stored answer to the same body; an error where the key came with another body."""
    if given.request_digest != request.digest:
        return Unprocessable(
            "this idempotency key was used before with another body", code="idempotency-key-reused"
        )
    return Answer(given.body)


def stored_answer(decision: Decision, claim: Claim, body: bytes) -> StoredAnswer:
    """The answer as it is stored with its decision, under its idempotency key."""
    caller_id, idempotency_key = claim
    return StoredAnswer(
        caller_id=caller_id,
        idempotency_key=idempotency_key,
        request_digest=decision.request_digest,
        decision_id=decision.decision_id,
        answered_at=decision.scored_at.isoformat(),
        body=body,
    )
