"""Is a model no worse than the champion, within a margin? Asked of the same confirmed subjects.

The figure is mean recall: the share of what is known to be confirmed that a ranking of all traffic
finds, averaged over inspecting from 1 % to 20 % of it. Every confirmed subject counts by how deep
one must inspect to meet it, so that two models differ by hundreds of places instead of by the few
subjects that lie about one share. It speaks of what inspections found; what nobody looked for is
taken to be like it.
"""

import numpy as np
from scipy import stats

from training.confidence_intervals import Estimate
from training.estimation.weighted_mean import weighted_mean
from training.gates.non_inferiority import enough_in_words, no_worse_by
from training.gates.verdict import Verdict
from training.ranking import Floats

GATE = "no worse than the champion"

# Between which shares of all traffic recall is averaged.
SHARES = (0.01, 0.20)

# How much of mean recall a model may lose and still be called no worse.
MARGIN = 0.05


def mean_recall_of(log_odds: Floats) -> Floats:
    """For each subject of the traffic, at which part of `SHARES` it would be inspected, in 0..1."""
    first, last = SHARES
    inspected_before = (stats.rankdata(-log_odds) - 0.5) / len(log_odds)
    return np.clip((last - inspected_before) / (last - first), 0.0, 1.0)


def gain_of_recall(labels: Floats, log_odds: Floats, champion: Floats) -> Estimate:
    """Mean recall above that of the `champion`, which are log-odds too; unknown without a label.

    Arrays hold one entry for each subject of the traffic; `labels` are NaN where none is known.
    """
    is_confirmed = labels == 1
    gains = (mean_recall_of(log_odds) - mean_recall_of(champion))[is_confirmed]
    if not len(gains):
        return Estimate(None)
    told = weighted_mean((gains + 1) / 2, np.ones(len(gains)), is_this_traffic=False)
    return told.scaled(2.0, -1.0).estimate


def no_worse(labels: Floats, log_odds: Floats, champion: Floats) -> Verdict:
    """Return what the gate says of scores; arguments are as in `gain_of_recall`."""
    gain, confirmed = gain_of_recall(labels, log_odds, champion), int((labels == 1).sum())
    if gain.value is None or gain.low is None or gain.high is None:
        return Verdict(GATE, "undecided", "nothing is known to be confirmed to compare them on")
    reason = (
        f"mean recall over the highest {SHARES[0]:.0%} to {SHARES[1]:.0%} of all traffic differs "
        f"from the champion's by {gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f}) over "
        f"{confirmed:,} confirmed subjects; want an interval above {-MARGIN:g} that does not lie "
        "below 0"
    )
    verdict = no_worse_by(gain, MARGIN)
    if verdict == "undecided":
        reason = f"{reason}; {enough_in_words(gain, MARGIN, confirmed, 'confirmed subjects')}"
    return Verdict(GATE, verdict, reason)
