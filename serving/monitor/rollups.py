"""Count each decision of the log once; each run continues where the last one ended."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from serving.monitor.day_summary import DaySummary, cells, log_odds_cells
from serving.monitor.decision_facts import COMPARED, DIMENSIONS, DecisionFacts, parts_of
from serving.monitor.stored_rollups import DayKey, Visit

if TYPE_CHECKING:
    from serving.storage.repositories.rollup_repository import RollupRepository

# Decisions counted in one transaction.
BATCH_SIZE = 10_000

# Newer decisions wait for the next run, since workers' clocks may differ by this much.
SETTLED_FOR = timedelta(seconds=5)

Progress = Callable[[int, int], None]


def catch_up(store: "RollupRepository", now: datetime, progress: Progress = lambda *_: None) -> int:
    """Count every decision that is not in the summaries yet; return their number."""
    before, size = store.reached(), store.size()
    settled = (now - SETTLED_FOR).isoformat()
    store.count(
        lambda after: _gathered(store, after, settled),
        lambda reached: progress(reached - before, size - before),
    )
    return store.reached() - before


@dataclass
class CountedDecisions:
    """Decisions after a position in the log up to `end`, counted."""

    facts: dict[DayKey, list[DecisionFacts]] = field(default_factory=lambda: defaultdict(list))
    unscored: Counter[DayKey] = field(default_factory=Counter)
    visits: list[Visit] = field(default_factory=list)
    end: int = 0
    size: int = 0

    def add_decision(self, seq: int, record: str | None) -> None:
        """Count one decision; its record is None if it was erased before."""
        self.end, self.size = seq, self.size + 1
        if record is None:
            return
        parts = parts_of(record)
        # Figures describe decisions at the time of declaration, and their readers may not see
        # rescues.
        if parts.get("rescores") or parts["lane"] == "rescue":
            return
        key = parts["subject_kind"], parts["scored_at"][:10]
        if parts["score"] is None:
            self.unscored[key] += 1
            return
        facts = DecisionFacts.from_record(parts)
        self.facts[key].append(facts)
        if visit := facts.visit(seq):
            self.visits.append(visit)

    def grown(self) -> dict[DayKey, Callable[[str | None], str]]:
        """Return, for each day, the function from its stored summary to the new one."""
        keys = self.facts.keys() | self.unscored.keys()
        return {
            key: partial(_grown, summary(self.facts.get(key, ()), self.unscored[key]))
            for key in keys
        }


def summary(measured: Iterable[DecisionFacts], unscored: int = 0) -> DaySummary:
    """Summarise decisions of one day about one kind of subject.

    Decisions without a score are only counted: they say nothing about a model.
    """
    counted = list(measured)
    day = DaySummary(unscored=unscored)
    if not counted:
        return day
    for each in counted:
        day.sizes.update((name, each.groups[name], each.stratum) for name in DIMENSIONS)
        day.lanes.update((name, each.groups[name], each.lane) for name in COMPARED)
        day.predict(each.stratum, each.probability)
    # A release may have come within the day: a feature counts once every decision has it.
    for name in counted[0].vector:
        if all(name in each.vector for each in counted):
            day.count(f"feature {name}", cells(each.vector[name] for each in counted))
    day.count("score", log_odds_cells(each.log_odds for each in counted))
    day.count("leading reason", cells(each.leading_reason for each in counted))
    day.count("corridor", cells(each.corridor for each in counted))
    return day


def _gathered(store: "RollupRepository", after: int, before: str) -> CountedDecisions | None:
    batch = CountedDecisions(end=after)
    while batch.size < BATCH_SIZE:
        page = store.decisions_after(batch.end, before)
        if not page:
            break
        for seq, record in page:
            batch.add_decision(seq, record)
    return batch if batch.size else None


def _grown(more: DaySummary, body: str | None) -> str:
    day = DaySummary.read(body) if body else DaySummary()
    day.add(more)
    return day.as_json()
