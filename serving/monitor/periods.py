"""Figures by month and by office, to compare months and offices.

The estimates are those of the report: each outcome stands for the cases that were not inspected.
"""

from collections import Counter
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from features.records import SubjectKind
from serving.monitor import traffic_figures
from serving.monitor.group_comparison import compare_selection
from serving.monitor.maturity import Maturity
from serving.monitor.monitoring import days_of, visits_of
from serving.monitor.monitoring_report import PeriodFigures, PeriodPart
from serving.monitor.period_spans import spans
from serving.monitor.selection_strata import Slice

if TYPE_CHECKING:
    from serving.storage.repositories.rollup_repository import RollupRepository


def periods(
    store: "RollupRepository", kind: SubjectKind, now: datetime
) -> tuple[PeriodFigures, ...]:
    """Return the last days, and each of the last months with decisions, newest first."""
    found = [period_figures(store, kind, *each, now) for each in spans(now.date())]
    return tuple(each for each in found if each is not None)


def period_figures(
    store: "RollupRepository", kind: SubjectKind, name: str, first: date, last: date, now: datetime
) -> PeriodFigures | None:
    """Return the figures of the days `first` to `last`; None if they have no decision."""
    days = days_of(store, kind, first, last + timedelta(days=1))
    if not days:
        return None
    visits = visits_of(store, kind, (first, last + timedelta(days=1)), now)
    ripe = Maturity.from_visits(visits, now, last)
    old = [each for day, each in days.items() if day <= ripe.until.isoformat()]
    sizes = traffic_figures.sizes_of(old)
    # The results of newer decisions are still to come.
    told = visits[visits["scored_at"].dt.date <= ripe.until]
    by_office = dict(iter(told.groupby("office")))
    offices = sorted(value for by, value in sizes if by == "office")
    return PeriodFigures(
        name=name,
        first=first,
        last=last,
        figures_until=ripe.until if old else None,
        overall=_part(("all", "all"), sizes["all", "all"], told),
        offices=tuple(
            _part(("office", each), sizes["office", each], by_office.get(each, told.iloc[:0]))
            for each in offices
        ),
        lanes=tuple(traffic_figures.lanes(sizes, told)),
        weeks=tuple(traffic_figures.weeks(days, visits)),
        selection=compare_selection(old, told),
    )


def _part(which: tuple[str, str], sizes: Counter[str], visits: pd.DataFrame) -> PeriodPart:
    part = Slice.from_visits(sizes, visits)
    return PeriodPart(
        figures=traffic_figures.slice_figures(*which, sizes, visits),
        known=part.inspected.known_outcomes,
        confirmed=sum(each.confirmed for each in part.strata if each.is_certain),
        found=part.inspected.found,
    )
