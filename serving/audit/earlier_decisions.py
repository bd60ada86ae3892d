"""What was decided about a subject before it is scored again."""

from dataclasses import dataclass
from datetime import datetime

from serving.audit.decision import Decision

# The caller of decisions by which the service scores subjects again.
SCORES_AGAIN = "tidegate-rescoring"


@dataclass(frozen=True)
class EarlierDecisions:
    """The newest decision about a subject, its first, and how often it was scored again.

    The id of the first decision is that of the subject's case.
    """

    first_id: str
    first_at: datetime
    newest: Decision
    later_scores: int
