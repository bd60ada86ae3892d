"""Gate: no group of traffic may be referred far more often than all for no reason."""

import math
from collections.abc import Sequence
from dataclasses import replace

from training.confidence_intervals import Estimate
from training.estimation.referral_ratios import NOT_TOO_OFTEN, TOO_OFTEN
from training.evaluation.evaluation_report import EvaluationReport, GroupReferrals
from training.evaluation.group_referrals import MIN_SUBJECTS
from training.gates.verdict import Verdict
from training.model.counted_cases import CountedCases

GATE = "groups"

# A group with fewer than `MIN_SUBJECTS` and a smaller share of traffic than this never leaves the
# gate undecided.
SMALLEST_SHARE = 0.01


def fair_to_groups(report: EvaluationReport) -> Verdict:
    """Return the verdict on the referrals of each group.

    Refused if some group is probably above the limit, passed if probably none is, and undecided if
    that is unclear of a group that is not too small to matter. That most groups are referred like
    all is part of the probability, so many groups do not make a refusal likely.
    """
    if report.population is None or not report.population.groups:
        return Verdict(GATE, "undecided", _why_nothing_is_known(report))
    population = report.population
    subjects = population.figures.subjects
    verdict = on_groups(population.groups, subjects)
    needed = _subjects_needed(_unclear(population.groups, subjects), subjects)
    days = (population.begins, population.ends)
    return replace(verdict, cases=CountedCases("subjects of all traffic", subjects, needed, *days))


def on_groups(groups: Sequence[GroupReferrals], subjects: int) -> Verdict:
    """Return the verdict on all groups of a traffic of so many subjects."""
    if above := [group for group in groups if group.p_above > TOO_OFTEN]:
        return Verdict(GATE, "refused", "; ".join(map(_in_words, above)))
    if unclear := _unclear(groups, subjects):
        return Verdict(
            GATE, "undecided", "; ".join(f"{_in_words(g)}; {_enough(g)}" for g in unclear)
        )
    judged = _judged(groups, subjects)
    return Verdict(
        GATE,
        "passed",
        f"{len(judged)} groups of all traffic are probably referred at most "
        f"{groups[0].largest_ratio:g} times as often as all or as their risk explains; "
        f"{len(groups) - len(judged)} are too small to say",
    )


def _judged(groups: Sequence[GroupReferrals], subjects: int) -> list[GroupReferrals]:
    smallest = min(MIN_SUBJECTS, SMALLEST_SHARE * subjects)
    return [group for group in groups if group.subjects >= smallest]


def _unclear(groups: Sequence[GroupReferrals], subjects: int) -> list[GroupReferrals]:
    return [group for group in _judged(groups, subjects) if group.p_above > NOT_TOO_OFTEN]


def _subjects_needed(unclear: list[GroupReferrals], subjects: int) -> int | None:
    """Return the traffic in which all groups would be clear; None if no number tells of one."""
    times = [_enough_subjects(group) for group in unclear]
    if not times or None in times:
        return None
    pairs = zip(times, unclear, strict=True)
    return math.ceil(subjects * max((own or 0) / group.subjects for own, group in pairs))


def _in_words(group: GroupReferrals) -> str:
    known = "no result is known" if group.results < 1 else f"{group.results:,.0f} results are known"
    return (
        f"{group.by} {group.group}: of {group.subjects:,} subjects {group.referred:,.0f} are "
        f"referred, {_spelt(group.ratio)} times as often as all; {known} of these, by which and by "
        f"what is usual {_spelt(group.precision_ratio)} times as many of them would be confirmed "
        f"as of all referred; that it is referred more than {group.largest_ratio:g} times as often "
        f"as all and as its risk explains has a probability of {group.p_above:.0%}"
    )


def _spelt(ratio: Estimate) -> str:
    if ratio.value is None or ratio.low is None or ratio.high is None:
        return "unknown"
    return f"{ratio.value:.1f} ({ratio.low:.1f} to {ratio.high:.1f})"


def _enough_subjects(group: GroupReferrals) -> int | None:
    """Return the number of its subjects that would make a group clear."""
    clear = (
        subjects
        for subjects, chance in sorted(group.chances_of_more.items())
        if chance > TOO_OFTEN or chance <= NOT_TOO_OFTEN
    )
    return next(clear, None)


def _enough(group: GroupReferrals) -> str:
    if (subjects := _enough_subjects(group)) is None:
        return "so near the limit, no number of subjects would tell"
    return f"about {subjects:,} subjects of it would tell, referred and confirmed alike"


def _why_nothing_is_known(report: EvaluationReport) -> str:
    if report.population is None:
        return "figures of all traffic were not measured"
    return report.population.figures.refusal or "no subject names its mode, office or origin"
