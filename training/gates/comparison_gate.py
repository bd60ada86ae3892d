"""Gate: a model must be no worse than the champion, within a margin, on the same subjects.

The figure is mean recall: the share of known confirmed subjects that a ranking of all traffic
finds, averaged over inspecting 1 % to 20 % of it. Every confirmed subject counts by the depth at
which it is reached, so models differ by hundreds of ranks instead of the few subjects around one
cut. Officers see the highest 1 %, so a model that clearly finds fewer there is refused as well.
Both describe what inspections found, and assume that undetected cases are like these.

Of many challengers, one that is worse passes by chance. So those judged against one champion share
a budget of error: the more came before, the surer a challenger must be.
"""

import math

import numpy as np
from scipy import stats

from training.confidence_intervals import Estimate
from training.gates.non_inferiority import enough_in_words, no_worse_by, units_needed
from training.gates.verdict import Verdict
from training.model.counted_cases import CountedCases
from training.model.manifest import WindowFigures
from training.outcomes import Bools
from training.ranking import Floats

GATE = "no worse than the champion"
RANKS_ALIKE = "it ranks every subject as the champion does"

# Mean recall is averaged between these shares of all traffic; officers see the first.
SHARES = (0.01, 0.20)

# The loss of mean recall within which a model still counts as no worse.
MARGIN = 0.05

# Either answer is wrong once in twenty at most.
ONE_SIDED = 0.95
# The chance that of all challengers of one champion any passes that loses more than the margin.
ERROR_BUDGET = 0.10
# Gains are taken to vary as if two more confirmed subjects had differed by this much, so that a few
# that happen not to differ prove nothing.
FEWEST, USUAL_SPREAD = 2, 0.25
# So many confirmed subjects decide it if two equally good models differ by the usual spread.
USUALLY_NEEDED = math.ceil((stats.norm.ppf(ONE_SIDED) * USUAL_SPREAD / MARGIN) ** 2)


def mean_recall_of(log_odds: Floats) -> Floats:
    """Return for each subject the part of `SHARES` at which it would be inspected, in 0..1."""
    first, last = SHARES
    inspected_before = (stats.rankdata(-log_odds) - 0.5) / len(log_odds)
    return np.clip((last - inspected_before) / (last - first), 0.0, 1.0)


def error_allowed(attempt: int) -> float:
    """Return the chance to pass wrongly of the first (1), second or later model judged.

    The chances of any number of models add up to less than the budget; the first has half of it.
    """
    return ERROR_BUDGET / (attempt * (attempt + 1))


def gain_of_recall(
    labels: Floats, log_odds: Floats, champion: Floats, attempt: int = 1
) -> Estimate:
    """Return the mean recall above the champion's, with its interval of 90 %.

    Arrays have one entry for each subject of the traffic; `champion` are log-odds too, and `labels`
    are NaN if unknown. Unknown without a confirmed subject. Gains are paired, subject by subject,
    so what both models find alike adds no uncertainty. The lower end is farther away if the model
    is not the first to be judged against this champion (`attempt`, from 1).
    """
    gains = (mean_recall_of(log_odds) - mean_recall_of(champion))[labels == 1]
    if not len(gains):
        return Estimate(None)
    value, degrees = float(gains.mean()), len(gains) + FEWEST - 1
    squares = float(((gains - value) ** 2).sum()) + FEWEST * USUAL_SPREAD**2
    error = math.sqrt(squares / degrees / len(gains))
    below, above = (
        float(stats.t.ppf(chance, degrees)) * error
        for chance in (1 - error_allowed(attempt), ONE_SIDED)
    )
    return Estimate(value, value - below, value + above)


def no_worse(
    labels: Floats,
    log_odds: Floats,
    champion: Floats,
    window: WindowFigures | None = None,
    attempt: int = 1,
) -> Verdict:
    """Return the verdict on scores; arguments are as in `gain_of_recall`.

    `window` is the period of the traffic, by which the number of cases has a rate.
    """
    if rank_alike(log_odds, champion):
        return Verdict(GATE, "passed", RANKS_ALIKE)
    gain, confirmed = gain_of_recall(labels, log_odds, champion, attempt), int((labels == 1).sum())
    needed = units_needed(gain, MARGIN, confirmed)
    cases = confirmed_cases(confirmed, window, USUALLY_NEEDED if needed is None else needed)
    if gain.value is None or gain.low is None or gain.high is None:
        reason = "nothing is known to be confirmed to compare them on"
        return Verdict(GATE, "undecided", reason, cases=cases)
    lost, gained = _differently_found(labels, log_odds, champion)
    reason = (
        f"mean recall over the highest {SHARES[0]:.0%} to {SHARES[1]:.0%} of all traffic differs "
        f"from the champion's by {gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f}) over "
        f"{confirmed:,} confirmed subjects; want an interval above {-MARGIN:g} that does not lie "
        f"below 0; of the confirmed in the champion's highest {SHARES[0]:.0%} it has {lost:,} no "
        f"longer there, and {gained:,} others"
    )
    if attempt > 1:
        reason = (
            f"{reason}; {attempt - 1:,} versions were judged against this champion before it, so "
            f"the lower end holds with {1 - error_allowed(attempt):.2%} instead of {ONE_SIDED:.0%}"
        )
    if _are_clearly_fewer(lost, gained):
        return Verdict(GATE, "refused", f"{reason}: clearly fewer", cases=cases)
    verdict = no_worse_by(gain, MARGIN)
    if verdict == "undecided":
        reason = f"{reason}; {enough_in_words(gain, MARGIN, confirmed, 'confirmed subjects')}"
    return Verdict(GATE, verdict, reason, cases=cases)


def rank_alike(scores: Floats, others: Floats) -> bool:
    """Return whether both rank every subject alike."""
    return np.array_equal(stats.rankdata(scores), stats.rankdata(others))


def confirmed_cases(
    confirmed: int, window: WindowFigures | None, needed: int = USUALLY_NEEDED
) -> CountedCases:
    """Return the confirmed subjects of a window as cases of this gate."""
    days = (window.begins, window.ends) if window else ()
    return CountedCases("confirmed subjects", confirmed, needed, *days)


def _differently_found(labels: Floats, log_odds: Floats, champion: Floats) -> tuple[int, int]:
    """Return how many confirmed are in the champion's highest 1 % alone, and in the model's."""
    own, its = (_is_highest(scores) & (labels == 1) for scores in (log_odds, champion))
    return int((its & ~own).sum()), int((own & ~its).sum())


def _is_highest(log_odds: Floats) -> Bools:
    return np.asarray(stats.rankdata(-log_odds) <= SHARES[0] * len(log_odds))


def _are_clearly_fewer(lost: int, gained: int) -> bool:
    """Return whether more are lost than gained by more than chance (exact McNemar test)."""
    differing = lost + gained
    return differing > 0 and stats.binomtest(lost, differing, alternative="greater").pvalue < 0.025
