"""The days of a window whose results have arrived, and the share still to come."""

import numpy as np
import numpy.typing as npt

from training.data.time_split import TimeWindow
from training.data.training_set import TrainingSet
from training.estimation.result_delays import ResultDelays
from training.outcomes import Instants
from training.ranking import Floats


def settled_until(data: TrainingSet, window: TimeWindow) -> np.datetime64:
    """Return when 90 % of results must have arrived, never before half of the window.

    Uses delays of labelled subjects from before the window, and counts from the newest known
    result.
    """
    delays = _earlier_delays(data, window)
    if delays is None:
        return window.ends
    # Without this bound, slow results could leave no days to evaluate.
    half = window.begins + (window.ends - window.begins) / 2
    return max(half, min(window.ends, _newest(data) - np.timedelta64(int(delays.slow), "us")))


def still_to_come(data: TrainingSet, window: TimeWindow, declared_at: Instants) -> float:
    """Return the share of results of a window's subjects still to come, in 0..1."""
    delays = _earlier_delays(data, window)
    if delays is None:
        return 0.0
    return delays.still_to_come(_microseconds(_newest(data) - declared_at))


def _earlier_delays(data: TrainingSet, window: TimeWindow) -> ResultDelays | None:
    """Return delays from declaration to result, of subjects declared before the window.

    Delays within the window would be biased: its slow results are still missing.
    """
    is_earlier = data.outcomes.is_labelled & (data.declared_at < window.begins)
    if not is_earlier.any():
        return None
    waited = data.outcomes.known_at[is_earlier] - data.declared_at[is_earlier]
    return ResultDelays.from_delays(_microseconds(waited), data.outcomes.label[is_earlier])


def _newest(data: TrainingSet) -> np.datetime64:
    return np.datetime64(data.outcomes.known_at[data.outcomes.is_labelled].max())


def _microseconds(spans: npt.NDArray[np.timedelta64]) -> Floats:
    return spans.astype("timedelta64[us]").astype(np.float64)
