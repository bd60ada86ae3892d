"""All subjects of the replayed weeks, with the known results of inspecting them."""

from dataclasses import dataclass

import numpy as np

from training.backtest.ledger import PolicyReplay
from training.confidence_intervals import Estimate, proportion
from training.estimation.inspected_sample import InspectedSample, inspected_sample
from training.estimation.population_figures import (
    UNKNOWN,
    FoundAmong,
    found_among,
    share_found,
)
from training.outcomes import Bools
from training.ranking import Floats


@dataclass(frozen=True, eq=False)
class ReplayedTraffic:
    """The subjects of replayed weeks old enough to have their results; arrays are parallel.

    `selected` is 1 if the policy inspects, `is_inspected` marks actual inspections. `truth` is 1 or
    0, NaN if unknown. In a logged history, `sample` holds the results that can be counted; it is
    None in a synthetic world, where every truth is known.
    """

    rows: slice
    weeks: int
    selected: Floats
    is_inspected: Bools
    truth: Floats
    sample: InspectedSample | None
    still_to_come: float = 0.0

    @classmethod
    def from_replay(cls, ledger: PolicyReplay) -> "ReplayedTraffic":
        """Return the traffic that a policy's figures cover."""
        history = ledger.history
        weeks = history.settled_weeks(ledger.policy)
        rows = slice(ledger.weeks[0].rows.start, ledger.weeks[weeks - 1].rows.stop)
        selected = np.zeros(rows.stop - rows.start)
        for week in ledger.weeks[:weeks]:
            selected[ledger.rows_of(week) - rows.start] = 1.0
        outcomes, truth = history.data.outcomes, history.truth[rows]
        ways, probability = outcomes.selected_by[rows], outcomes.selection_probability[rows]
        together = history.data.together[rows]
        return cls(
            rows=rows,
            weeks=weeks,
            selected=selected,
            is_inspected=outcomes.is_inspected[rows],
            truth=truth,
            sample=None
            if history.is_invented
            else inspected_sample(truth, ways, probability, together),
            still_to_come=history.still_to_come(ledger.policy, rows),
        )

    @property
    def size(self) -> int:
        """The number of subjects."""
        return len(self.truth)

    def found(self, membership: Floats) -> FoundAmong:
        """Return the finds of inspecting where `membership` is 1: exact, or with intervals."""
        # Without inspections there are no hits, and there is no precision.
        if not membership.any():
            return FoundAmong(Estimate(0.0), UNKNOWN, UNKNOWN, UNKNOWN)
        if self.sample is not None:
            return found_among(self.sample, membership)
        hits, size = float(membership @ self.truth), float(membership.sum())
        everything = float(self.truth.sum())
        recall = hits / everything if everything else None
        return FoundAmong(
            confirmed=Estimate(hits),
            precision=Estimate(hits / size),
            recall=Estimate(recall),
            lift=Estimate(None if recall is None else recall * self.size / size),
        )

    def found_by_inspections_made(self) -> FoundAmong:
        """Return the finds of actual inspections; in a logged history, of known results."""
        if self.sample is None:
            return self.found(self.is_inspected.astype(np.float64))
        hits, settled = float(np.nansum(self.truth)), int((~np.isnan(self.truth)).sum())
        recall = share_found(self.sample, hits)
        return FoundAmong(
            confirmed=Estimate(hits),
            precision=proportion(hits, settled),
            recall=recall,
            lift=_times(recall, self.size / max(int(self.is_inspected.sum()), 1)),
        )

    @property
    def selected_hits_of_tips(self) -> int | None:
        """Confirmed selected subjects that a tip had led to; None in a synthetic world."""
        if self.sample is None:
            return None
        of_tips = self.sample.rows[~self.sample.is_drawn & (self.sample.labels == 1)]
        return int(self.selected[of_tips].sum())

    @property
    def unknown_share(self) -> float:
        """The share of results, in 0..1, that are inconclusive or still to come."""
        made = self.truth[self.is_inspected]
        inconclusive = float(np.isnan(made).mean()) if len(made) else 0.0
        # Two independent reasons why a result is unknown.
        return 1 - (1 - inconclusive) * (1 - self.still_to_come)


def _times(estimate: Estimate, factor: float) -> Estimate:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return estimate
    return Estimate(*(factor * end for end in (estimate.value, estimate.low, estimate.high)))
