"""Bounds of population figures if their assumptions did not hold."""

from collections.abc import Iterator
from dataclasses import dataclass

from training.confidence_intervals import Estimate

UNKNOWN_CONFIRMED_TIMES = 3.0
MIN_SENSITIVITY = 0.6
MIN_RELATIVE_SENSITIVITY = 0.5

UNKNOWN = Estimate(None)


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
    *,
    precision: Estimate = UNKNOWN,
) -> Iterator[SensitivityBound]:
    """Yield bounds for each assumption that draws cannot test.

    `recall` is at `share` of all traffic, `precision` among inspected subjects, and
    `unknown_share`, in 0..1, the share of inspections whose result is inconclusive or still to
    come.
    """
    for figure, estimate in (("prevalence", prevalence), ("precision", precision)):
        if estimate.value is not None and unknown_share > 0:
            yield _unknown_results(figure, estimate.value, unknown_share)
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


def _unknown_results(figure: str, value: float, unknown_share: float) -> SensitivityBound:
    known = 1 - unknown_share
    part = f"{unknown_share:.0%}" if unknown_share > 0.005 else "less than 1 %"
    return SensitivityBound(
        "results that are not known would be like those that are",
        f"{part} of the results are not known: they are confirmed never, or "
        f"{UNKNOWN_CONFIRMED_TIMES:g} times as often",
        figure,
        value * known,
        min(1.0, value * (known + UNKNOWN_CONFIRMED_TIMES * unknown_share)),
    )
