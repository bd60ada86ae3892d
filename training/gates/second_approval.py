"""The four-eyes rule: one person trains a model, another approves it."""

from features.person_names import may_be_one_person
from training.gates.verdict import Verdict, passed_if


def approved_by_another(trainer: str, approver: str) -> Verdict:
    """Check that the approver is not the trainer."""
    return Verdict(
        "approver",
        passed_if(not may_be_one_person(approver, trainer)),
        f"trained by {trainer!r}, approved by {approver!r}; want two different people",
    )
