"""How long results take to come, of what is confirmed and of what is not.

A laboratory or a court takes longer over a find than an officer over an empty van. Where both are
thrown together, the many that come at once hide the few that take long, and traffic seems settled
in which most of what will be confirmed is still unknown.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from training.data.time_split import TimeWindow
from training.data.training_set import TrainingSet
from training.inverse_probability import FEWEST_DRAWN
from training.outcomes import Instants
from training.ranking import Floats

SETTLED = 0.9
"""The share of results that must have come, by the delays of earlier ones."""


@dataclass(frozen=True)
class ResultDelays:
    """Delays of earlier results, in one unit of time: all of them, and each kind that was seen
    often enough.
    """

    kinds: tuple[Floats, ...]

    @classmethod
    def of(cls, delays: Floats, confirmed: Floats) -> Self:
        """`confirmed` is 1 or 0, parallel to the delays."""
        each = [delays[confirmed == kind] for kind in (0.0, 1.0)]
        return cls((delays, *(kind for kind in each if len(kind) >= FEWEST_DRAWN)))

    @classmethod
    def before(cls, data: TrainingSet, window: TimeWindow) -> Self | None:
        """In microseconds from declaration to result, of subjects declared before a window."""
        is_earlier = data.outcomes.is_labelled & (data.declared_at < window.begins)
        if not is_earlier.any():
            return None
        waited = data.outcomes.known_at[is_earlier] - data.declared_at[is_earlier]
        return cls.of(_microseconds(waited), data.outcomes.label[is_earlier])

    @property
    def slow(self) -> float:
        """After which nine in ten results have come, of whichever kind takes longest."""
        return max(float(np.quantile(kind, SETTLED)) for kind in self.kinds)

    def still_to_come(self, waited: Floats) -> float:
        """Which part of the results is still to come of subjects that waited so long, in 0..1.

        Of whichever kind takes longest.
        """
        if not len(waited):
            return 0.0
        came = [np.searchsorted(np.sort(kind), waited, side="right") for kind in self.kinds]
        return max(
            1 - float(count.mean()) / len(kind)
            for count, kind in zip(came, self.kinds, strict=True)
        )


def settled_until(data: TrainingSet, window: TimeWindow) -> np.datetime64:
    """Until when nine in ten results must have come, but never before half of the window.

    By the delays of labelled subjects from before the window, seen from the newest result that is
    known.
    """
    delays = ResultDelays.before(data, window)
    if delays is None:
        return window.ends
    half = window.begins + (window.ends - window.begins) / 2
    return max(half, min(window.ends, _newest(data) - np.timedelta64(int(delays.slow), "us")))


def still_to_come(data: TrainingSet, window: TimeWindow, declared_at: Instants) -> float:
    """Which part of the results of subjects of a window is still to come, in 0..1."""
    delays = ResultDelays.before(data, window)
    if delays is None:
        return 0.0
    return delays.still_to_come(_microseconds(_newest(data) - declared_at))


def _newest(data: TrainingSet) -> np.datetime64:
    return np.datetime64(data.outcomes.known_at[data.outcomes.is_labelled].max())


def _microseconds(spans: "np.ndarray[tuple[int], np.dtype[np.timedelta64]]") -> Floats:
    return spans.astype("timedelta64[us]").astype(np.float64)
