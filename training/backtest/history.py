"""The history that a policy is replayed over: subjects by week, and the truth about them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from features.linked_records import windows_behind
from training.backtest.policy import Policy
from training.data.time_split import FAR_FUTURE, TimeWindow
from training.data.training_set import TrainingSet
from training.errors import TrainingError
from training.evaluation.labelled_window import LabelledWindow
from training.evaluation.oracle import Oracle
from training.evaluation.settled_results import settled_until, still_to_come
from training.outcomes import Bools, Texts
from training.ranking import Floats

WEEK = np.timedelta64(7, "D").astype("timedelta64[us]")


@dataclass(frozen=True)
class History:
    """A training set with the result of an inspection of each subject, in the set's order.

    `truth` is 1 or 0, NaN if unknown, and `typology` None without smuggling or if unknown.
    `probability` is the true one in a synthetic world; it is None in a logged history, where only
    inspected subjects are known. `logged_probability` is the chance with which the subject was
    inspected; 1 in a synthetic world, where every inspection can be made.
    """

    data: TrainingSet
    truth: Floats
    typology: Texts
    probability: Floats | None
    logged_probability: Floats

    @classmethod
    def invented(cls, data: TrainingSet, oracle: Path) -> Self:
        """Return a history with the truth from an oracle file; raises TrainingSetError."""
        # The oracle is read by ids; the probabilities of a model do not matter.
        window = LabelledWindow(data, np.arange(len(data)), np.zeros(len(data)))
        oracle_rows = Oracle.read(oracle, window)
        return cls(
            data,
            oracle_rows.came_true,
            oracle_rows.typology,
            oracle_rows.probability,
            np.ones(len(data)),
        )

    @classmethod
    def logged(cls, data: TrainingSet) -> Self:
        """Return a history that knows only the results of actual inspections."""
        outcomes = data.outcomes
        probability = np.where(outcomes.is_labelled, outcomes.selection_probability, np.nan)
        return cls(data, outcomes.label, outcomes.typology, None, probability)

    @property
    def is_invented(self) -> bool:
        """True if the truth about every subject is known."""
        return self.probability is not None

    def offices(self, policy: Policy) -> Texts:
        """Return the office whose capacity each subject uses; those without one share "(none)"."""
        if policy.capacity_of == "all":
            return np.full(len(self.data), "all", dtype=object)
        offices = self.data.subjects["office_id"].astype(object)
        return offices.where(offices.notna(), "(none)").to_numpy()

    def weeks(self, policy: Policy) -> list[slice]:
        """Return the rows of each week of the policy; raises TrainingError."""
        begins = policy.first_instant
        first, last = self.data.declared_at[[0, -1]]
        edges = begins + np.arange(policy.weeks + 1) * WEEK
        if begins <= first or edges[-1] > last + WEEK:
            raise TrainingError(
                f"{policy.weeks} weeks from {policy.begins:%Y-%m-%d} are not all in the history, "
                f"which goes from {_day(first)} to {_day(last)}; the policy must begin after that "
                "first day, since it learns from what was inspected before"
            )
        weeks = [self.data.span(*edges[at : at + 2]) for at in range(policy.weeks)]
        if empty := [at for at, week in enumerate(weeks) if week.start == week.stop]:
            raise TrainingError(f"nothing was declared in the week from {_day(edges[empty[0]])}")
        return weeks

    def settled_weeks(self, policy: Policy) -> int:
        """Return how many weeks, from the first, are old enough to have their results.

        All weeks in a synthetic world. Otherwise 90 % of results must have arrived, by delays
        measured before the policy began; but half of the weeks always count.
        """
        if self.is_invented:
            return policy.weeks
        until = settled_until(self.data, self._window(policy))
        return max(1, int((until - policy.first_instant) // WEEK))

    def still_to_come(self, policy: Policy, rows: slice) -> float:
        """Return the share of the results of some rows that is still to come, in 0..1."""
        if self.is_invented:
            return 0.0
        return still_to_come(self.data, self._window(policy), self.data.declared_at[rows])

    def _window(self, policy: Policy) -> TimeWindow:
        begins = policy.first_instant
        days = begins, begins + policy.weeks * WEEK
        no_gap = np.timedelta64(0, "us")
        return TimeWindow.between("replayed", self.data, days, known_before=FAR_FUTURE, gap=no_gap)

    def known_before(self, begins: int) -> Bools:
        """Return a mask of the subjects before row `begins` that were actually inspected."""
        return self.data.outcomes.is_labelled & (np.arange(len(self.data)) < begins)

    def frame(self, *, reads_outcomes: bool) -> pd.DataFrame:
        """Return the features; those computed from outcomes are missing unless requested."""
        # They describe inspections that the replayed policy would not have made.
        left_out = () if reads_outcomes else features_of_outcomes(self.data)
        return self.data.frame.assign(**dict.fromkeys(left_out, np.nan))


def features_of_outcomes(data: TrainingSet) -> tuple[str, ...]:
    """Return the names of features that read earlier outcomes."""
    return tuple(
        feature.name
        for feature in data.inputs.features
        if any(
            behind.source.endswith("_outcomes")
            for kind in feature.subjects
            for window in feature.windows.values()
            for behind in windows_behind(kind, window)
        )
    )


def _day(instant: np.datetime64) -> str:
    return str(instant.astype("datetime64[D]"))
