"""Earlier decisions about a subject that is scored again."""

from dataclasses import dataclass
from datetime import datetime

from serving.audit.decision import Decision

# The caller of decisions by which the service rescores subjects.
SCORES_AGAIN = "tidegate-rescoring"


@dataclass(frozen=True)
class EarlierDecisions:
    """The newest and the first decision about a subject, and the number of later scores.

    The id of the first decision is that of the subject's case.
    """

    first_id: str
    first_at: datetime
    newest: Decision
    later_scores: int
