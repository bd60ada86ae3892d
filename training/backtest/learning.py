"""Models of a replayed policy: a fixed one, or one refitted on what the policy found."""

from dataclasses import dataclass, field

import numpy as np

from training.backtest.history import WEEK, History
from training.backtest.policy import Policy
from training.errors import TrainingError, WindowUnusable
from training.estimation.inspected_sample import selection_weights
from training.evaluation.reevaluation import unseen_from
from training.fit.booster_predict import Margins
from training.fit.encoded_rows import EncodedRows
from training.fit.fit_trees import LabelledRows, fit_trees
from training.fit.sample_weights import WeightedRows, with_traffic
from training.model.calibration import calibrated_probability, log_odds_of
from training.model.encoding import Encoding
from training.model.risk_model import RiskModel
from training.outcomes import Bools, Instants, Texts
from training.parameters import SelectionParameters, TrainingParameters
from training.ranking import Floats, Ints

# A clip trades a little bias for much less variance of the fit.
MAX_WEIGHT = 20.0


@dataclass
class KnownLabels:
    """The labels of a policy so far, in the history's order, with time and way of selection.

    `selected_by` is None and `probability` NaN for subjects that were not inspected.
    """

    labels: Floats
    known_at: Instants
    selected_by: Texts
    probability: Floats

    @classmethod
    def before(cls, history: History, begins: int) -> "KnownLabels":
        """Return the labels of actual inspections before row `begins`."""
        known, outcomes = history.known_before(begins), history.data.outcomes
        ways = outcomes.selected_by.copy()
        ways[~known] = None
        return cls(
            labels=np.where(known, outcomes.label, np.nan),
            known_at=np.where(known, outcomes.known_at, np.datetime64("NaT")),
            selected_by=ways,
            probability=np.where(known, outcomes.selection_probability, np.nan),
        )

    def add(
        self,
        rows: Ints,
        labels: Floats,
        known_at: Instants,
        selected_by: Texts,
        probability: Floats,
    ) -> None:
        """Add inspections; NaN labels are unknown."""
        self.labels[rows], self.known_at[rows] = labels, known_at
        self.selected_by[rows], self.probability[rows] = selected_by, probability

    def known(self, since: np.datetime64, now: np.datetime64, declared_at: Instants) -> Ints:
        """Return the rows declared from `since` on whose label is known before `now`."""
        is_known = ~np.isnan(self.labels) & (self.known_at < now) & (declared_at >= since)
        return np.flatnonzero(is_known)

    def weights(self, rows: Ints, policy: Policy) -> Floats:
        """Return the number of subjects each row represents, clipped; 0 if it represents none."""
        weights = selection_weights(self.selected_by[rows], self.probability[rows], clip=MAX_WEIGHT)
        return (weights > 0).astype(np.float64) if policy.weights == "traffic" else weights


@dataclass
class FixedModel:
    """A finished model that is the same in every week."""

    model: RiskModel
    history: History

    def __post_init__(self) -> None:
        self.unseen_from = unseen_from(self.model)
        self.margins = Margins.from_text(self.model.booster_text, threads=1)

    def scores(self, week: slice, begins: np.datetime64, labels_known: KnownLabels) -> Floats:
        """Return probabilities; raises TrainingError in weeks that the model was trained on."""
        if begins < self.unseen_from:
            raise TrainingError(
                f"the model has seen labels until {self.unseen_from.astype('datetime64[D]')}; the "
                "policy must not begin earlier"
            )
        frame = self.history.data.frame.iloc[week]
        columns = self.model.encoding.encode_columns(frame)
        margins = self.margins.predict_all(EncodedRows(columns, np.arange(len(frame))))
        return calibrated_probability(log_odds_of(margins, self.model.manifest.calibration))


@dataclass
class RetrainedModel:
    """A model refitted on the labels known so far, at the policy's interval."""

    history: History
    policy: Policy
    fits: int = 0
    _margins: Margins | None = field(default=None, repr=False)
    _next_fit: np.datetime64 | None = None

    def __post_init__(self) -> None:
        frame = self.history.frame(reads_outcomes=self.policy.reads_outcomes)
        first = self.history.weeks(self.policy)[0].start
        text = [f.name for f in self.history.data.inputs.features if f.is_categorical]
        fewest = self.policy.trees.fewest_per_category
        # Categories are learnt from rows before the policy, so that no week sees later values.
        before = frame[text].iloc[:first]
        self.encoding = Encoding.learnt(before, self.history.data.inputs, fewest=fewest)
        self.columns = self.encoding.encode_columns(frame)

    def scores(self, week: slice, begins: np.datetime64, labels_known: KnownLabels) -> Floats:
        """Return the newest trees' probabilities; raises WindowUnusable before the first fit."""
        if self._is_due(begins):
            self._fit(begins, labels_known)
        assert self._margins is not None
        rows = EncodedRows(self.columns, np.arange(week.start, week.stop))
        return calibrated_probability(self._margins.predict_all(rows))

    def _is_due(self, begins: np.datetime64) -> bool:
        if self._margins is None:
            return True
        return self._next_fit is not None and bool(begins >= self._next_fit)

    def _fit(self, now: np.datetime64, labels_known: KnownLabels) -> None:
        """Fit trees; keep the previous ones if there are too few labels."""
        every = self.policy.retrain_every_weeks
        self._next_fit = now + every * WEEK if every else None
        rows = labels_known.known(
            now - self.policy.memory_weeks * WEEK, now, self.history.data.declared_at
        )
        weights = labels_known.weights(rows, self.policy)
        rows, weights = rows[weights > 0], weights[weights > 0]
        fitted = WeightedRows(rows, labels_known.labels[rows], weights)
        if not self._is_enough(labels := fitted.targets):
            if self._margins is None:
                raise WindowUnusable(
                    f"{int(labels.sum())} confirmed of {len(labels)} inspected are known at the "
                    f"policy's begin; want {self.policy.fewest_confirmed} confirmed and as many not"
                )
            return
        if self.policy.weights == "traffic":
            fitted = self._with_traffic(fitted, now)
        parameters = TrainingParameters(seed=self.policy.seed, trees=self.policy.trees)
        # No rows are held back, so all `trees` of the policy are grown.
        text = fit_trees(
            LabelledRows(EncodedRows(self.columns, fitted.rows), fitted.targets, fitted.weights),
            None,
            self.encoding,
            self.history.data.inputs,
            parameters,
        )
        self._margins = Margins.from_text(text, threads=1)
        self.fits += 1

    def _with_traffic(self, labelled: WeightedRows, now: np.datetime64) -> WeightedRows:
        """Return rows with traffic old enough that its results, if any, would be known."""
        declared_at = self.history.data.declared_at
        until = now - np.timedelta64(round(self.policy.label_delay_days * 86_400e6), "us")
        span = np.arange(
            *np.searchsorted(declared_at, [now - self.policy.memory_weeks * WEEK, until])
        )
        most = SelectionParameters().traffic_per_confirmed * labelled.targets.sum()
        return with_traffic(labelled, np.setdiff1d(span, labelled.rows), round(most))

    def _is_enough(self, labels: Floats) -> bool:
        confirmed = int(labels.sum())
        return min(confirmed, len(labels) - confirmed) >= self.policy.fewest_confirmed


def tipped(history: History, policy: Policy) -> Bools:
    """Return a mask of the subjects whose tips the policy follows."""
    is_tipped = history.data.outcomes.selected_by == "intelligence"
    return np.asarray(is_tipped & policy.follows_tips, dtype=np.bool_)


def selected_by_rule(history: History, policy: Policy) -> Bools:
    """Return a mask of the subjects that a rule of the policy selects."""
    subjects = history.data.subjects
    chosen = np.zeros(len(history.data), dtype=np.bool_)
    for rule in policy.rules:
        chosen |= (subjects[rule.column].astype(object) == rule.equals).to_numpy(dtype=np.bool_)
    return chosen
