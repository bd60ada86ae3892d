"""Gate: no group of traffic may be falsely referred far more often than all subjects."""

from collections.abc import Iterable, Iterator

from training.confidence_intervals import Estimate
from training.evaluation.evaluation_report import EvaluationReport, GroupReferrals
from training.gates.verdict import Verdict

GATE = "groups"
SIGNIFICANCE = 0.05

MIN_SUBJECTS = 100
# A group with fewer subjects and a smaller share of traffic than this never leaves the gate
# undecided.
SMALLEST_SHARE = 0.01


def fair_to_groups(report: EvaluationReport) -> Verdict:
    """Return the verdict on the false-referral ratio of each group.

    Refused if a group is above the limit by Holm's procedure over all groups, so that at most 5 %
    of fair models are refused for any group, however many there are. Passed if every group is
    within the limit, each at 5 %. Undecided if some group is unclear, unless it is too small to
    matter.
    """
    if report.population is None or not report.population.groups:
        return Verdict(GATE, "undecided", _why_nothing_is_known(report))
    groups = report.population.groups
    if above := [*_above(groups)]:
        return Verdict(GATE, "refused", _listed(above))
    smallest = SMALLEST_SHARE * report.population.figures.subjects
    judged = [g for g in groups if g.subjects >= min(MIN_SUBJECTS, smallest)]
    if unclear := [group for group in judged if group.p_within >= SIGNIFICANCE]:
        enough = "more subjects of these groups, and more results of those referred, would tell"
        return Verdict(GATE, "undecided", f"{_listed(unclear)}; {enough}")
    return Verdict(
        GATE,
        "passed",
        f"{len(judged)} groups of all traffic are referred falsely at most "
        f"{groups[0].largest_ratio:g} times as often as all; {len(groups) - len(judged)} are too "
        "small to say",
    )


def _above(groups: Iterable[GroupReferrals]) -> Iterator[GroupReferrals]:
    """Yield groups above the limit by Holm's step-down procedure."""
    ordered = sorted(groups, key=lambda group: group.p_above)
    for place, group in enumerate(ordered):
        if group.p_above * (len(ordered) - place) > SIGNIFICANCE:
            return
        yield group


def _listed(groups: Iterable[GroupReferrals]) -> str:
    return "; ".join(map(_in_words, groups))


def _in_words(group: GroupReferrals) -> str:
    return (
        f"{group.by} {group.group}: of {group.subjects:,} subjects {group.referred:,.0f} are "
        f"referred, {_how_often(group.ratio)}; want at most {group.largest_ratio:g}"
    )


def _how_often(ratio: Estimate) -> str:
    value, low, high = ratio.value, ratio.low, ratio.high
    if low is None or high is None:
        return "and how often falsely cannot be said"
    times = f"{low:.1f} to {high:.1f}"
    times = times if value is None else f"{value:.1f} ({times})"
    return f"falsely {times} times as often as all"


def _why_nothing_is_known(report: EvaluationReport) -> str:
    if report.population is None:
        return "figures of all traffic were not measured"
    return report.population.figures.refusal or "no subject names its mode, office or origin"
