"""Gate: a new calibration of the champion's trees must predict newer results at least as well.

Both versions rank every subject alike, so their log losses differ by calibration alone. The log
loss of one subject is softplus(log-odds) − label · log-odds. Its first part needs no result, so
inspections only have to tell how many are confirmed where log-odds were raised, and where lowered.
"""

import numpy as np

from training.confidence_intervals import Estimate
from training.estimation.inspected_sample import InspectedSample
from training.estimation.population_figures import UNKNOWN
from training.estimation.weighted_mean import ConfidenceDistribution, difference_of, weighted_mean
from training.gates.non_inferiority import enough_in_words, no_worse_by, units_needed
from training.gates.verdict import Verdict
from training.model.counted_cases import CountedCases
from training.model.manifest import WindowFigures
from training.ranking import Floats

GATE = "recalibration"


def gain_of_log_loss(sample: InspectedSample, log_odds: Floats, champion: Floats) -> Estimate:
    """Return the fall of the log loss per 1,000 subjects below the champion's, in nats.

    Log-odds have one entry for each subject of the traffic. The interval of 95 % is about all
    traffic of its kind. Unknown if the sample allows no figure of all traffic.
    """
    if sample.refusal is not None or not sample.is_drawn.any():
        return UNKNOWN
    moved = (log_odds - champion)[sample.rows]
    # Raised and lowered subjects are different ones, so their counts are nearly independent.
    rises = difference_of(_confirmed_times(sample, moved), _confirmed_times(sample, -moved))
    saved = float((np.logaddexp(0, champion) - np.logaddexp(0, log_odds)).sum())
    return rises.scaled(1.0, saved).scaled(1_000 / sample.traffic).estimate


def _confirmed_times(sample: InspectedSample, moved: Floats) -> ConfidenceDistribution:
    """Return the sum of rises of log-odds over all subjects that would be confirmed.

    `moved` is parallel to the sample's rows. Who was inspected for certain is counted.
    """
    rises = np.maximum(moved, 0.0) * sample.labels
    highest = max(float(moved.max()), 0.0)
    if not highest:
        return ConfidenceDistribution(0.0, np.zeros(1))
    is_drawn = sample.is_drawn
    weights = sample.weights[is_drawn]
    drawn = weighted_mean(
        rises[is_drawn] / highest, weights, sample.together[is_drawn], is_this_traffic=False
    )
    certain = float(sample.weights[~is_drawn] @ rises[~is_drawn])
    return drawn.scaled(highest * float(weights.sum()), certain)


def better_calibrated(
    sample: InspectedSample, log_odds: Floats, champion: Floats, window: WindowFigures
) -> Verdict:
    """Return the verdict on a new calibration; arguments are as in `gain_of_log_loss`.

    Passed if the log loss is proven to be no higher, refused if it is proven to be higher or if
    nothing changed.
    """
    if np.array_equal(log_odds, champion):
        return Verdict(GATE, "refused", "every probability is the champion's: nothing changed")
    gain = gain_of_log_loss(sample, log_odds, champion)
    drawn = int(sample.is_drawn.sum())
    needed = units_needed(gain, 0.0, drawn)
    kind, days = "results drawn with a probability", (window.begins, window.ends)
    cases = CountedCases("results drawn with a probability", drawn, needed, *days)
    if gain.value is None or gain.low is None or gain.high is None:
        reason = sample.refusal or "nobody was drawn with a probability"
        return Verdict(GATE, "undecided", reason, cases=cases)
    reason = (
        f"on results that neither calibration has learnt from, the log loss of 1,000 subjects is "
        f"lower than the champion's by {gain.value:.2f} ({gain.low:.2f} to {gain.high:.2f}); want "
        "an interval above 0"
    )
    verdict = no_worse_by(gain, 0.0)
    if verdict == "undecided":
        reason = f"{reason}; {enough_in_words(gain, 0.0, drawn, kind)}"
    return Verdict(GATE, verdict, reason, cases=cases)
