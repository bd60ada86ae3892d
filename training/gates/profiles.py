"""Profiles: which gates must be decided before a model is used, and the law that asks for each.

In a `trial` nobody is inspected because of a score, so only a refusal stops a model. A `pilot`
scores real traffic beside today's practice. In `live` use every gate must be decided or waived.
"""

from dataclasses import replace
from typing import Literal, get_args

from training.gates.verdict import Verdict

Profile = Literal["trial", "pilot", "live"]
PROFILES: tuple[Profile, ...] = get_args(Profile)

REQUIRED: dict[str, tuple[Profile, str]] = {
    "better than random": ("pilot", "AI Act 15(1)"),
    "leakage": ("pilot", "AI Act 10(3)"),
    "groups": ("pilot", "Charter 21; AI Act 10(2)(f), (g)"),
    "proxies": ("pilot", "Charter 21; AI Act 10(2)(f), (g)"),
    "influence": ("pilot", "AI Act 15(5)"),
    "calibration": ("live", "AI Act 13(3)(b), 15(3)"),
    "no worse than the champion": ("live", "AI Act 15(1)"),
    "recalibration": ("live", "AI Act 13(3)(b), 15(3)"),
    "canaries": ("live", "AI Act 15(1)"),
    "control lane": ("live", "AI Act 15(4)"),
    "live traffic": ("live", "AI Act 72"),
}
"""By gate the first profile in which it must be decided, and the law; others always must."""


def must_be_decided(gate: str, profile: Profile) -> bool:
    """Return whether a gate that is undecided stops a model in a profile."""
    first, _ = REQUIRED.get(gate, ("trial", ""))
    return PROFILES.index(profile) >= PROFILES.index(first)


def for_use(verdict: Verdict, profile: Profile) -> Verdict:
    """Return a verdict, marked if it is undecided and its gate need not be decided."""
    is_undecided = verdict.verdict == "undecided" and not verdict.is_waived
    if not is_undecided or must_be_decided(verdict.gate, profile):
        return verdict
    return replace(verdict, not_required_in=profile)
