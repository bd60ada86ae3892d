"""Make one decision per idempotency key, and return the same answer to every repeat.

A key is claimed while its first request is being decided. The answer is stored in the same
transaction as the decision and returned to repeats; another body under the same key is refused.
"""

import threading
from dataclasses import dataclass

from serving.audit.decision import Decision
from serving.audit.logged_decision import StoredAnswer
from serving.errors import Conflict, Unprocessable
from serving.scoring.assessment import AssessmentRequest

Claim = tuple[str, str]


@dataclass(frozen=True)
class Answer:
    """The bytes of an answer; `decision` is set only if it was made just now."""

    body: bytes
    decision: Decision | None = None


class IdempotencyClaims:
    """The claims (caller and idempotency key) in progress in this process.

    Two processes may claim the same key; then the transaction of the later one fails.
    """

    def __init__(self) -> None:
        self._claimed: set[Claim] = set()
        self._lock = threading.Lock()

    def acquire(self, claim: Claim) -> None:
        """Claim a key until it is released; raises Conflict if it is claimed."""
        # Refused rather than made to wait: the caller retries and then gets the stored answer.
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
    """Return the stored answer, or an error if the key came with another body."""
    if given.request_digest != request.digest:
        return Unprocessable(
            "this idempotency key was used before with another body", code="idempotency-key-reused"
        )
    return Answer(given.body)


def stored_answer(decision: Decision, claim: Claim, body: bytes) -> StoredAnswer:
    """Build the stored form of an answer, under its idempotency key."""
    caller_id, idempotency_key = claim
    return StoredAnswer(
        caller_id=caller_id,
        idempotency_key=idempotency_key,
        request_digest=decision.request_digest,
        decision_id=decision.decision_id,
        answered_at=decision.scored_at.isoformat(),
        body=body,
    )
