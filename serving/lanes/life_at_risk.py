"""Signals that lives may be at risk, read from the records alone.

They open the rescue lane and are never inputs of a model. Basis: Protocol against the Smuggling of
Migrants (2000), Art. 8-9 and 16; SOLAS chapter V, regulation 33.
"""

from features.submission import Submission


def life_at_risk(submission: Submission) -> str | None:
    """The signal in words, or None where the records give no sign."""
    journey = submission.journey
    if journey is None or journey.persons_on_board is None or journey.certified_capacity is None:
        return None
    if journey.persons_on_board > journey.certified_capacity:
        return (
            f"{journey.persons_on_board} persons on board of a conveyance "
            f"certified for {journey.certified_capacity}"
        )
    return None
