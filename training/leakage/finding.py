"""Findings of leakage checks."""

from typing import Literal

from training.model.manifest import FrozenModel

Check = Literal["single feature", "pair lookup", "shuffled labels", "drift", "drawn by lot"]


class LeakageFinding(FrozenModel):
    """One finding; `is_refusal` stops a promotion, a warning is for people to assess."""

    check: Check
    is_refusal: bool
    features: tuple[str, ...]
    evidence: str
