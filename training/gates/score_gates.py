"""Gates on scores, whatever produced them: calibration, groups, and comparison."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from training.data.time_split import TimeSplit, TimeWindow
from training.data.training_set import TrainingSet
from training.evaluation.evaluate import evaluate_model
from training.evaluation.evaluation_report import EvaluationReport
from training.evaluation.labelled_window import LabelledWindow
from training.evaluation.population_section import population_section
from training.evaluation.reevaluation import (
    parameters_of,
    require_same_subject,
    require_unseen,
    scored_window,
    unseen_window,
)
from training.gates import comparison_gate, gates
from training.gates.calibration_gate import calibrated
from training.gates.group_gate import fair_to_groups
from training.gates.scores_file import read_scores
from training.gates.verdict import Verdict
from training.model.calibration import calibrated_probability
from training.model.risk_model import RiskModel
from training.parameters import TrainingParameters
from training.ranking import Floats


@dataclass(frozen=True)
class ScoredSubjects:
    """All subjects declared in `window`, with `log_odds` from any source."""

    data: TrainingSet
    window: TimeWindow
    log_odds: Floats

    @classmethod
    def from_scores(
        cls, scores: Path | pd.DataFrame, data: TrainingSet, parameters: TrainingParameters
    ) -> Self:
        """Return the subjects of the evaluation window with scores of a file or table.

        Foreign scores have no manifest, so the window comes from the parameters. Raises
        TrainingError.
        """
        window = TimeSplit.from_training_set(data, parameters.split).evaluation
        rows = data.span(window.begins, window.ends)
        return cls(data, window, read_scores(scores, data.subject_ids, rows))

    @property
    def everyone(self) -> LabelledWindow:
        """The subjects, labelled or not, with their probability."""
        rows = self.data.declared_between(self.window.begins, self.window.ends)
        return LabelledWindow(self.data, rows, calibrated_probability(self.log_odds))

    def scored_by(self, model: RiskModel) -> "ScoredSubjects":
        """Return the same subjects scored by a model that has seen none of their labels.

        Raises TrainingSetError or WindowUnusable.
        """
        require_same_subject(model, self.data)
        require_unseen(model, self.window)
        return replace(self, log_odds=scored_window(model, self.data, self.window).log_odds)

    def report(self, parameters: TrainingParameters) -> EvaluationReport:
        """Return an evaluation with what gates need, as far as it follows from scores alone."""
        everyone, chosen = self.everyone, parameters.evaluation
        labelled = everyone.only(np.isin(everyone.rows, self.window.rows))
        report = evaluate_model("scores", labelled, self.window.figures, chosen, parameters.seed)
        population = population_section(
            everyone, self.log_odds, self.window, chosen.capacity_shares
        )
        return report.model_copy(update={"population": population})


def report_on(model: RiskModel, data: TrainingSet) -> EvaluationReport:
    """Return the model's own report, with figures of the traffic in `data` if that is another set.

    Raises WindowUnusable or TrainingSetError.
    """
    own = EvaluationReport.model_validate_json(model.report_json)
    # Its own report already describes this traffic.
    if data.digest == model.manifest.training_set_digest:
        return own
    window = unseen_window(model, data)
    scored = ScoredSubjects(data, window, scored_window(model, data, window).log_odds)
    return own.model_copy(update={"population": scored.report(parameters_of(model)).population})


def traffic_verdicts(report: EvaluationReport) -> Iterator[Verdict]:
    """Yield the verdicts on figures of all traffic."""
    yield gates.better_than_random(report)
    yield calibrated(report.population)
    yield fair_to_groups(report)


def scores_verdicts(
    scored: ScoredSubjects, rival: RiskModel | None, parameters: TrainingParameters
) -> Iterator[Verdict]:
    """Yield the verdicts on scores alone, compared with a rival if there is one.

    Raises WindowUnusable if the rival has learnt from labels of the window.
    """
    yield from traffic_verdicts(scored.report(parameters))
    yield from champion_verdicts(scored, scored.scored_by(rival) if rival else None)


def champion_verdicts(scored: ScoredSubjects, champion: ScoredSubjects | None) -> Iterator[Verdict]:
    """Yield the verdicts that compare with the champion's scores of the same subjects."""
    if champion is None:
        yield from gates.without_champion(scored.data, scored.window)
        return
    window = scored.window.figures
    yield comparison_gate.no_worse(
        scored.everyone.labels, scored.log_odds, champion.log_odds, window
    )
    yield gates.no_worse_in_the_control_lane(scored.everyone, champion.everyone, window)
