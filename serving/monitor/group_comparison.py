"""Compare how often groups are selected, or wait too long, by the model of the groups gate.

A group counts cases or movements, never people. Where its 95 % interval holds the share of all, but
also one and a half times as much or as little, nothing is said.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from serving.monitor.day_summary import DaySummary
from serving.monitor.decision_facts import COMPARED, RISKY_BY_EXPERIENCE
from serving.monitor.monitoring_report import ComparisonVerdict, Explained, GroupComparison
from training.confidence_intervals import Estimate, proportion
from training.estimation.referral_ratios import (
    NOT_TOO_OFTEN,
    TOO_OFTEN,
    ReferredGroup,
    chance_above,
    is_too_wide,
    referral_ratio,
)


class KnownResults(NamedTuple):
    """Known results of those selected: subjects, those confirmed, and independent inspections."""

    known: int
    confirmed: int
    inspections: int


def compare_selection(
    days: Iterable[DaySummary], visits: pd.DataFrame
) -> tuple[GroupComparison, ...]:
    """Return how often each group of the days was sent to inspection, worst first.

    `visits` are those of the days with outcomes, as returned by `with_outcomes`. Random checks are
    left out, since chance treats all alike.
    """
    counts: dict[str, dict[str, Counter[bool]]] = defaultdict(lambda: defaultdict(Counter))
    for day in days:
        for (by, group, lane), count in day.lanes.items():
            counts[by][group][lane == "inspect"] += count
    inspected = visits[(visits["lane"] == "inspect") & visits["confirmed"].notna()]
    return tuple(
        each
        for by in COMPARED
        for each in worst_first(
            by,
            {group: (own.total(), own[True]) for group, own in counts[by].items()},
            _results(inspected, by) if by in inspected else None,
        )
    )


def worst_first(
    by: str,
    counts: Mapping[str, tuple[int, int]],
    results: Mapping[str, KnownResults] | None = None,
) -> tuple[GroupComparison, ...]:
    """Compare groups by their size and the number of it that counts; undecidable ones come last.

    Results are None where they are not known by these groups.
    """
    size, counted = (sum(each[place] for each in counts.values()) for place in (0, 1))
    known = sum(each.known for each in (results or {}).values())
    confirmed = sum(each.confirmed for each in (results or {}).values())
    usual = confirmed / known if known else 0.0
    found = []
    for group, (of, own) in counts.items():
        if not of:
            continue
        expected = counted / size * of
        mine = (results or {}).get(group, KnownResults(0, 0, 0))
        referred = ReferredGroup(
            own, expected, *_independent(mine, own, usual), by in RISKY_BY_EXPERIENCE
        )
        share, ratio = proportion(own, of), referral_ratio(referred)
        verdict = _verdict(share, ratio, counted / size)
        found.append(
            GroupComparison(
                by=by,
                group=group,
                subjects=of,
                counted=own,
                share=share,
                ratio=ratio,
                verdict=verdict,
                explained=_explained(referred) if results and verdict == "more" else None,
                results=None if results is None else mine.known,
            )
        )
    # The group that is most often counted is the worst, but for those of which nothing is known.
    return tuple(
        sorted(found, key=lambda each: (each.verdict == "too few", -(each.ratio.value or 0.0)))
    )


def _verdict(share: Estimate, ratio: Estimate, of_all: float) -> ComparisonVerdict:
    if not of_all or is_too_wide(share, of_all):
        return "too few"
    low, high = ratio.low or 0.0, ratio.high or 0.0
    if low > 1 or high < 1:
        return "more" if low > 1 else "less"
    # Among many groups some lie outside their interval by chance, which the ratio allows for.
    if (share.low or 0.0) > of_all:
        return "perhaps more"
    return "perhaps less" if (share.high or 0.0) < of_all else "alike"


def _explained(group: ReferredGroup) -> Explained:
    p_above = chance_above(group)
    if p_above > TOO_OFTEN:
        return "no"
    return "yes" if p_above <= NOT_TOO_OFTEN else "unclear"


def _independent(own: KnownResults, selected: int, usual: float) -> tuple[float, float, float]:
    """Return results in independent ones, those confirmed of them, and those that are usual."""
    if not own.known or not selected:
        return 0.0, 0.0, 0.0
    # As the gate does: fewer where results are known of a part only, or share an inspection.
    results = own.inspections * min(own.known / selected, 1.0)
    return results, results * own.confirmed / own.known, results * usual


def _results(inspected: pd.DataFrame, by: str) -> dict[str, KnownResults]:
    figures = inspected.groupby(by).agg(
        known=("confirmed", "size"), confirmed=("confirmed", "sum"), own=("together", "nunique")
    )
    return {str(group): KnownResults(*map(int, row)) for group, *row in figures.itertuples()}
