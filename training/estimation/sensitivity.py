"""Bounds of population figures if their assumptions did not hold."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from training.confidence_intervals import Estimate

MIN_SENSITIVITY = 0.6
MIN_RELATIVE_SENSITIVITY = 0.5

Extremes = Mapping[str, tuple[Estimate, Estimate]]
"""Figures with the results that are not known at their worst, and at their best."""


@dataclass(frozen=True)
class SensitivityBound:
    """One assumption, its alternative, and the range of a figure between the two."""

    assumption: str
    instead: str
    figure: str
    low: float
    high: float


def sensitivity(
    prevalence: Estimate,
    recall: Estimate,
    share: float,
    unknown_share: float,
    extremes: Extremes,
    still_to_come: float = 0.0,
) -> Iterator[SensitivityBound]:
    """Yield bounds for each assumption that draws cannot test.

    `recall` is at `share` of all traffic, and `unknown_share`, in 0..1, the share of inspections
    whose result is inconclusive or still to come. `still_to_come` is the part of them of which it
    is not known whose they are, so that `extremes` do not hold them.
    """
    if unknown_share > 0:
        yield from _whatever_is_missing(share, unknown_share, extremes, still_to_come)
    if prevalence.value is not None:
        yield SensitivityBound(
            "an inspection finds what is there",
            f"it finds {MIN_SENSITIVITY:.0%} of it, or all",
            "share that smuggles",
            prevalence.value,
            min(1.0, prevalence.value / MIN_SENSITIVITY),
        )
    # Finds among draws represent missed cases: if fewer were found than exist, more is missed.
    if recall.value is not None:
        missed = 1 - recall.value
        yield SensitivityBound(
            "inspectors look as hard at what was drawn as at what the score chose",
            f"at what was drawn they find {MIN_RELATIVE_SENSITIVITY:.0%} of what they would, or "
            "all",
            f"recall at {share:.0%}",
            recall.value / (recall.value + missed / MIN_RELATIVE_SENSITIVITY),
            recall.value,
        )


def _whatever_is_missing(
    share: float, unknown_share: float, extremes: Extremes, still_to_come: float
) -> Iterator[SensitivityBound]:
    """Yield the interval of each figure whatever the results are that are not known."""
    part = f"{unknown_share:.0%}" if unknown_share > 0.005 else "less than 1 %"
    for name, (worst, best) in extremes.items():
        # Recall compares two parts, so a share of all results does not bound it.
        is_unbounded = name == "recall" and still_to_come > 0
        if worst.low is None or best.high is None or is_unbounded:
            continue
        yield SensitivityBound(
            "results that are not known would be like those that are",
            f"{part} of the results are not known: whatever they are, its interval included",
            name if name == "prevalence" else f"{name} at {share:.0%}",
            worst.low * (1 - still_to_come),
            best.high * (1 - still_to_come) + still_to_come,
        )
