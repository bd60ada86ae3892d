"""Judge the last whole week: what moved, what still comes, and what could not be judged."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta

import pandas as pd

from serving.monitor import arrivals, traffic_figures
from serving.monitor.day_summary import DaySummary
from serving.monitor.drift import DailySummaries, drift, week_of
from serving.monitor.findings_shift import findings_shift
from serving.monitor.maturity import Maturity
from serving.monitor.monitoring_report import Drift, MovedMeasure

DRIFT_SEED = 20261124
MAX_MOVED = 15
OF_THE_MODEL = {"score", "leading reason"}
TOO_SHORT_A_PAST = (
    "inputs, score and reasons: the weeks before are too few, or hold too few decisions"
)
NO_FINDINGS = "findings: too few results are known of the last weeks, or of those before"
NO_DECISIONS = "decisions: the weeks before are too few"
NO_RESULTS = "results: too few subjects were looked at in the last week whose results are due"


def judged(
    days: Mapping[str, DaySummary], visits: pd.DataFrame, monday: date, as_of: datetime
) -> Drift:
    """Judge the week that begins at `monday`, from its days, earlier days and the visits."""
    # Scores and reasons of another model are not comparable, so these measures begin with the
    # current one.
    since = _since_model(days)
    measures = _measures(days)
    measures |= {
        name: {day: counts for day, counts in measures[name].items() if day >= since}
        for name in OF_THE_MODEL & measures.keys()
    }
    of_model = visits[visits["scored_at"].dt.strftime("%Y-%m-%d") >= since]
    drawn = of_model[of_model["lane"] == "control"]
    findings = map(traffic_figures.findings, (of_model, drawn))
    moved = drift(measures, monday)
    not_judged = _not_judged(days, {each.measure for each in moved})
    ripe = Maturity.from_visits(visits, as_of, monday - timedelta(days=1))
    last = week_of(ripe.until + timedelta(days=1)) - timedelta(weeks=1)
    alone = {
        NO_FINDINGS: findings_shift(findings, last, DRIFT_SEED),
        NO_DECISIONS: arrivals.decisions(days, monday),
        NO_RESULTS: arrivals.results(visits, last),
    }
    not_judged += [why for why, each in alone.items() if each is None]
    by_itself = [each for each in alone.values() if each is not None]
    moved = [*moved, *by_itself]
    return Drift(
        week=monday,
        measures=len(moved),
        moved=tuple(
            MovedMeasure(**asdict(each), is_drift=each.is_drift)
            for each in moved
            if each.is_drift or each in moved[:MAX_MOVED] or each in by_itself
        ),
        not_judged="; ".join(not_judged) or None,
    )


def _not_judged(days: Mapping[str, DaySummary], judged: set[str]) -> list[str]:
    if not judged:
        return [TOO_SHORT_A_PAST]
    # Histograms of different models' scores cannot be compared.
    if "score" not in judged and len(models := models_of(days)) > 1:
        return [f"score and reasons: models {', '.join(models)} answered in turn"]
    return []


def _since_model(days: Mapping[str, DaySummary]) -> str:
    """Return the first day since which only the current model has answered."""
    newest = models_of(dict(list(days.items())[-1:]))
    others = [day for day, told in days.items() if {*models_of({day: told})} - {*newest[-1:]}]
    return _next(max(others)) if others else min(days, default="")


def _next(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


def _measures(days: Mapping[str, DaySummary]) -> dict[str, DailySummaries]:
    names = sorted({name for day in days.values() for name in day.histograms})
    return {
        name: {at: day.histograms[name] for at, day in days.items() if name in day.histograms}
        for name in names
    }


def models_of(days: Mapping[str, DaySummary]) -> list[str]:
    """Return the model versions that answered."""
    return sorted({value for day in days.values() for by, value, _ in day.sizes if by == "model"})
