"""Two people put a model in service: whoever trained it, and another who approves it."""

from training.gates.verdict import Verdict, passed_if


def approved_by_another(trainer: str, approver: str) -> Verdict:
    """Did somebody other than the trainer look?"""
    return Verdict(
        "approver",
        passed_if(approver.strip().casefold() not in ("", trainer.strip().casefold())),
        f"trained by {trainer!r}, approved by {approver!r}; want two different people",
    )
