"""Gate: a model must be no worse than the champion, within a margin, on the same subjects.

The figure is mean recall: the share of known confirmed subjects that a ranking of all traffic
finds, averaged over inspecting 1 % to 20 % of it. Every confirmed subject counts by the depth at
which it is reached, so models differ by hundreds of ranks instead of the few subjects around one
cut. It describes what inspections found, and assumes that undetected cases are like these.
"""

import numpy as np
from scipy import stats

from training.confidence_intervals import Estimate
from training.estimation.weighted_mean import weighted_mean
from training.gates.non_inferiority import enough_in_words, no_worse_by
from training.gates.verdict import Verdict
from training.ranking import Floats

GATE = "no worse than the champion"

# Mean recall is averaged between these shares of all traffic.
SHARES = (0.01, 0.20)

# The loss of mean recall within which a model still counts as no worse.
MARGIN = 0.05


def mean_recall_of(log_odds: Floats) -> Floats:
    """Return for each subject the part of `SHARES` at which it would be inspected, in 0..1."""
    first, last = SHARES
    inspected_before = (stats.rankdata(-log_odds) - 0.5) / len(log_odds)
    return np.clip((last - inspected_before) / (last - first), 0.0, 1.0)


def gain_of_recall(labels: Floats, log_odds: Floats, champion: Floats) -> Estimate:
    """Return the mean recall above the champion's; unknown without a confirmed subject.

    Arrays have one entry for each subject of the traffic; `champion` are log-odds too, and `labels`
    are NaN if unknown.
    """
    is_confirmed = labels == 1
    gains = (mean_recall_of(log_odds) - mean_recall_of(champion))[is_confirmed]
    if not len(gains):
        return Estimate(None)
    # Gains lie in -1..1, and weighted_mean takes values in 0..1.
    told = weighted_mean((gains + 1) / 2, np.ones(len(gains)), is_this_traffic=False)
    return told.scaled(2.0, -1.0).estimate


def no_worse(labels: Floats, log_odds: Floats, champion: Floats) -> Verdict:
    """Return the verdict on scores; arguments are as in `gain_of_recall`."""
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
