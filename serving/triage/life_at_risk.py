"""Signals that lives may be at risk, read from the records alone.

They open the rescue lane and are never inputs of a model. Basis: Protocol against the Smuggling of
Migrants (2000), Art. 8-9 and 16; SOLAS chapter V, regulation 33.
"""

from features.submission import Submission


def life_at_risk(submission: Submission) -> str | None:
    """The signal in words, or None where the records give no sign."""
    journey = submission.journey
    return overcrowding(journey.persons_on_board, journey.certified_capacity) if journey else None


def overcrowding(persons_on_board: float | None, certified_capacity: float | None) -> str | None:
    """Whether more persons are on board than the conveyance is certified for; None if unknown."""
    if persons_on_board is None or certified_capacity is None:
        return None
    if persons_on_board <= certified_capacity:
        return None
    return (
        f"{persons_on_board:.0f} persons on board of a conveyance "
        f"certified for {certified_capacity:.0f}"
    )
