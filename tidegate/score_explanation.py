"""Explanations of scores: exact contributions, sentences and plots."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shap

from features.definition import Peers
from features.errors import TidegateError, nearest_of
from serving.explanation.comparison import compare_with_peers
from serving.explanation.formatting import Value
from serving.explanation.interactions import Interaction, strongest_interactions
from serving.explanation.reason_ranking import judge, ranking_of
from serving.explanation.reasons_in_words import Reason, ReasonRenderer
from serving.language import Language, language_named
from serving.models.scores import Floats, Scorer, logistic
from tidegate.frames import as_pandas
from tidegate.home import DEFAULT, AnyModel, model_in
from tidegate.risk_classifier import RiskClassifier
from training.data.training_set import TrainingSet
from training.model.risk_model import RiskModel


@dataclass(frozen=True)
class ScoreExplanation:
    """Exact contributions to scores: `base_log_odds` + a row's contributions = its `log_odds`.

    `contributions` and `values` have a row for each subject and a column for each feature;
    contributions are SHAP values in calibrated log-odds, missing values NaN or None. `model` and
    `peers` are None without words. `interact` computes interaction values when they are asked for.
    """

    contributions: pd.DataFrame
    values: pd.DataFrame
    base_log_odds: float
    log_odds: "pd.Series[float]"
    model: RiskModel | None = None
    peers: pd.DataFrame | None = None
    interact: Callable[[pd.DataFrame], Floats] | None = None

    @property
    def probability(self) -> "pd.Series[float]":
        """The probability of each row, 0 to 1."""
        probability = logistic(np.asarray(self.log_odds, dtype=np.float64))
        return pd.Series(probability, index=self.log_odds.index)

    def reasons(self, language: str = "en") -> list[tuple[Reason, ...]]:
        """Return the reasons for and against a closer look of each row, the most urgent first.

        Only what is true of the case is a reason (`serving/explanation/true_reasons.py`), so that a
        row may have none. Raises TidegateError for a language that is not shipped, and for a
        classifier of any table, whose columns have no sentences.
        """
        model, spoken = self._worded(), language_named(language)
        return [self._reasons_of(at, model, spoken) for at in range(len(self.values))]

    def in_words(self, language: str = "en") -> list[list[str]]:
        """Return the sentences of each row's reasons, in English, French or Arabic (en, fr, ar)."""
        return [[reason.words for reason in of_row] for of_row in self.reasons(language)]

    def interaction_values(self) -> Floats:
        """Return SHAP interaction values [rows, features, features] in calibrated log-odds.

        Symmetric, and the rows of each matrix add up to the contributions. It costs about six times
        the contributions; 135 features take 146 KB for each row.
        """
        if self.interact is None:
            raise TidegateError("this explanation has no trees; want one made by `tg.explain`")
        return self.interact(self.values)

    def interactions(self, count: int = 5, language: str = "en") -> list[list[Interaction]]:
        """Return the strongest interactions of each row, such as a low price with a new importer.

        `words` of each say it as a sentence. Raises TidegateError as `reasons` does.
        """
        model, spoken = self._worded(), language_named(language)
        scorer = Scorer.for_model(model)
        return [
            list(strongest_interactions(scorer, self._values_of(at), count, spoken))
            for at in range(len(self.values))
        ]

    def to_shap(self) -> shap.Explanation:
        """Return the same for the plots of `shap`, such as `shap.plots.beeswarm`.

        Categories have no order, so that their dots are grey; waterfalls show their texts.
        """
        numbers = self.values.apply(pd.to_numeric, errors="coerce")
        return shap.Explanation(
            values=self.contributions.to_numpy(),
            base_values=np.full(len(self.values), self.base_log_odds),
            data=numbers.to_numpy(dtype=np.float64, na_value=np.nan),
            display_data=self.values.to_numpy(dtype=object),
            feature_names=list(self.values.columns),
        )

    def _worded(self) -> RiskModel:
        if self.model is None:
            raise TidegateError("columns of any table have no sentences; want a model of Tidegate")
        return self.model

    def _values_of(self, at: int) -> dict[str, Value]:
        return {str(name): _plain(value) for name, value in self.values.iloc[at].items()}

    def _reasons_of(self, at: int, model: RiskModel, language: Language) -> tuple[Reason, ...]:
        values = self._values_of(at)
        parts = dict(zip(values, self.contributions.iloc[at].tolist(), strict=True))
        groups: Mapping[Peers, str] = {}
        if self.peers is not None:
            own = self.peers.iloc[at].dropna()
            groups = {Peers(str(name)): str(group) for name, group in own.items()}
        ranked = ranking_of(tuple(values)).reasons(
            [*values.values()],
            [*parts.values()],
            partial(judge, partial(compare_with_peers, model, groups)),
        )
        kind = model.manifest.subject
        return ReasonRenderer(kind, values, parts, language).reasons(ranked)


def explain_scores(
    model: AnyModel | RiskClassifier,
    rows: Any,
    subjects: Sequence[str] | None = None,
    *,
    home: str | Path = DEFAULT,
) -> ScoreExplanation:
    """Return the exact contribution of every feature to the score of each row.

    `rows` is a TrainingSet, of which `subjects` selects some by id, or a table of the model's
    features, which may have other columns too; `subject_id` then names the rows. Raises
    CatalogueMismatch if the model needs a feature that is missing, TidegateError for an unknown
    subject.
    """
    table, peers = _features(rows, subjects)
    if isinstance(model, RiskClassifier):
        values = table[list(getattr(model, "feature_names_in_", table.columns))]
        parts, base = model.contributions(values)
        log_odds, found = model.decision_function(values), None
        interact: Callable[[pd.DataFrame], Floats] = model.interactions
    else:
        found = model_in(home, model)
        values = table[[name for name in found.encoding.names if name in table.columns]]
        scorer = Scorer.for_model(found)
        scores = scorer.score(found.encode_frame(values))
        interact = partial(_interactions, scorer, found)
        parts, base, log_odds = scores.contributions, scores.base_log_odds, scores.log_odds
    contributions = pd.DataFrame(parts, index=values.index, columns=values.columns)
    by_row = pd.Series(log_odds, index=values.index)
    return ScoreExplanation(contributions, values, base, by_row, found, peers, interact)


def _interactions(scorer: Scorer, model: RiskModel, values: pd.DataFrame) -> Floats:
    return scorer.interactions(model.encode_frame(values))


def _features(
    rows: Any, subjects: Sequence[str] | None
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return features by subject, and the peer groups of the subjects of a training set."""
    if isinstance(rows, TrainingSet):
        table, columns = rows.frame.set_axis(rows.subject_ids), rows.subjects
        groups = [peers.value for peers in Peers if peers.value in columns]
        peers = columns[groups].set_axis(rows.subject_ids)
    else:
        table, peers = as_pandas(rows), None
        table = table.set_index("subject_id") if "subject_id" in table else table
    if subjects is None:
        return table, peers
    if unknown := [each for each in subjects if each not in table.index]:
        hint = nearest_of(unknown[0], map(str, table.index[:1000]))
        raise TidegateError(f"there is no subject {unknown[0]!r} in these rows; {hint}")
    return table.loc[list(subjects)], None if peers is None else peers.loc[list(subjects)]


def _plain(value: Any) -> Value:
    """Return a value of a frame as reasons have it: a number, a text, or None if it is missing."""
    if isinstance(value, str):
        return value
    return None if pd.isna(value) else float(value)
