"""How a value compares with the cases the model learnt from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from serving.explanation.wording import Value

TRAINED = "of the cases it was trained on"


@dataclass(frozen=True)
class Usual:
    """What is usual, in words, and the value's percentile among present numbers (or None)."""

    words: str
    percentile: float | None = None


def percentile_of(value: float, quantiles: Sequence[float]) -> float:
    """The per cent of cases below `value`, given quantiles at even steps from 0 to 100 %.

    Between two steps it is interpolated; a value that fills several steps is in their middle.

    >>> percentile_of(25.0, [0.0, 10.0, 20.0, 30.0, 40.0]), percentile_of(99.0, [0.0, 10.0])
    (62.5, 100.0)
    >>> percentile_of(0.0, [0.0, 0.0, 0.0, 1.0, 2.0])
    25.0
    """
    below, upto = _steps(value, quantiles)
    if below < upto:
        place = (below + upto - 1) / 2
    elif below in (0, len(quantiles)):
        place = min(below, len(quantiles) - 1)
    else:
        low, high = quantiles[below - 1], quantiles[below]
        place = below - 1 + (value - low) / (high - low)
    return 100.0 * place / (len(quantiles) - 1)


def usual_number(value: float, quantiles: Sequence[float]) -> Usual:
    """How a number compares with present numbers; `quantiles` are those of the training window."""
    if len(quantiles) < 2:
        return Usual("never seen with a value in training")
    percentile = percentile_of(value, quantiles)
    below, upto = _steps(value, quantiles)
    same = 100.0 * (upto - below - 1) / (len(quantiles) - 1)
    if same > 0:
        return Usual(f"the same as in about {same:.0f} % {TRAINED}", percentile)
    if percentile >= 50:
        return Usual(f"higher than {_whole(percentile)} {TRAINED}", percentile)
    return Usual(f"lower than {_whole(100 - percentile)} {TRAINED}", percentile)


def usual_category(value: str, shares: Mapping[str, float]) -> Usual:
    """How common a category was in training."""
    if value not in shares:
        return Usual("never seen in training")
    return Usual(f"as in {_share(shares[value])} {TRAINED}")


def usual_gap(missing_share: float) -> Usual:
    """How common it was in training that this value is missing."""
    return Usual(f"missing in {_share(missing_share)} {TRAINED}")


def usual(
    value: Value, quantiles: Sequence[float], shares: Mapping[str, float], missing_share: float
) -> Usual:
    """How any value compares with what a model's reference says was usual."""
    if value is None:
        return usual_gap(missing_share)
    if isinstance(value, str):
        return usual_category(value, shares)
    return usual_number(value, quantiles)


def _steps(value: float, quantiles: Sequence[float]) -> tuple[int, int]:
    return (
        int(np.searchsorted(quantiles, value, side="left")),
        int(np.searchsorted(quantiles, value, side="right")),
    )


def _whole(percent: float) -> str:
    return "nearly all" if percent >= 99.5 else f"{percent:.0f} %"


def _share(share: float) -> str:
    return "fewer than 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"
