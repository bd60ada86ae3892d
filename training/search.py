"""Search for better tree parameters, compared by out-of-fold ranking loss before the evaluation.

The folds are those that a training fits trees for. A training without them (`refit` is off, or
labels are many) has its trials fitted on the fit window and compared on the calibration window.

The parameters of a trial depend only on the seed and on the finished trials. So an interrupted
search can be continued, with the same result as in one go. It never uses the evaluation window.
"""

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from training.data.time_split import TimeSplit
from training.data.training_set import TrainingSet
from training.errors import TrainingError
from training.fit.fit_calibrated import (
    MAX_CROSS_FITTED,
    CalibratedFit,
    folds_of,
    places_of,
)
from training.fit.fit_trees import LabelledRows, cross_fit_trees, fit_trees
from training.leakage.leakage_checks import refuse_leaking_features
from training.lightgbm_alone import lightgbm
from training.model.encoding import Encoding
from training.parameters import SearchParameters, SearchSpans, TrainingParameters
from training.ranking import Ints
from training.search_trial import Trial

# Called after every trial with the number finished, and the limit if there is one.
TrialProgress = Callable[[int, int | None], None]

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
TREES_PER_REPORT = 10
# With fewer trees, a low learning rate looks worse than it is.
MIN_TREES = 100


@dataclass(frozen=True)
class Search:
    """The state of a search: `parameters` are those given, with the best trees."""

    name: str
    parameters: TrainingParameters
    trials: tuple[Trial, ...]


def search(
    data: TrainingSet,
    parameters: TrainingParameters,
    file: Path,
    on_trial: TrialProgress = lambda done, limit: None,
) -> Search:
    """Run trials up to the limits of `parameters.search`; `file` stores all searches.

    The first trial uses the parameters as given. Only one process may run a search at a time.
    Raises TrainingError or WindowUnusable.
    """
    split = TimeSplit.from_training_set(data, parameters.split)
    refuse_leaking_features(data, split, parameters)
    context = _TrialContext.from_split(data, split, parameters)
    name = search_name(data, parameters)
    study = _study(file, name)
    _leave_interrupted(study)
    while not _is_over(done := _finished(study), parameters.search):
        _try_once(study, context, len(done))
        on_trial(len(done) + 1, parameters.search.trials)
    best = parameters.trees.model_copy(update=study.best_params)
    best_parameters = parameters.model_copy(update={"trees": best, "search": SearchParameters()})
    return Search(name, best_parameters, tuple(_trial_of(trial) for trial in _finished(study)))


def search_name(data: TrainingSet, parameters: TrainingParameters) -> str:
    """Return the study name, equal for equal data, parameters, spans and LightGBM version.

    It ignores the limits, so a search can be extended.
    """
    identity = {
        "data": data.digest,
        "catalogue": data.inputs.fingerprint,
        "parameters": parameters.model_dump(mode="json"),
        "spans": parameters.search.spans.model_dump(mode="json"),
        "lightgbm": lightgbm.__version__,
        "compared_by": "ranking loss of folds",
    }
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    return f"{data.inputs.subject}-{digest[:16]}"


@dataclass(frozen=True)
class _TrialContext:
    """Inputs shared by all trials: the encoded rows, and the initial parameters.

    Trees are fitted on `rows` without each of the `folds` in turn, or, without folds, on all of
    them and compared on those `held_back`.
    """

    data: TrainingSet
    encoding: Encoding
    parameters: TrainingParameters
    rows: LabelledRows
    folds: list[Ints]
    held_back: LabelledRows | None

    @classmethod
    def from_split(
        cls, data: TrainingSet, split: TimeSplit, parameters: TrainingParameters
    ) -> "_TrialContext":
        encoding = data.encoding(split.fit.rows, fewest=parameters.trees.fewest_per_category)
        fitting = CalibratedFit(data, split, encoding, parameters, lambda step, done, total: None)
        window = split.before_evaluation(data, parameters.split)
        if parameters.split.refit and len(window.rows) <= MAX_CROSS_FITTED:
            rows = fitting.rows_of(window)
            return cls(data, encoding, parameters, rows, places_of(folds_of(window), rows), None)
        windows = fitting.rows_of(split.fit), fitting.rows_of(split.calibration)
        return cls(data, encoding, parameters, windows[0], [], windows[1])

    def loss(self, trial: optuna.Trial) -> float:
        """Return the minimal ranking loss by number of trees; raises optuna.TrialPruned."""
        least = math.inf

        def report(trees: int, loss: float) -> None:
            nonlocal least
            least = min(least, loss)
            if trees % TREES_PER_REPORT == 0:
                trial.report(least, trees)
                if trial.should_prune():
                    raise optuna.TrialPruned

        trees = self.parameters.trees.model_copy(update=trial.params)
        parameters = self.parameters.model_copy(update={"trees": trees})
        given = self.encoding, self.data.inputs, parameters
        if self.folds:
            cross_fit_trees(self.rows, self.folds, *given, on_loss=report)
        else:
            fit_trees(self.rows, self.held_back, *given, on_loss=report)
        return least


def _study(file: Path, name: str) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    file.parent.mkdir(parents=True, exist_ok=True)
    # Optuna passes on whatever the database raises.
    try:
        return optuna.create_study(
            storage=f"sqlite:///{file.resolve()}",
            study_name=name,
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(
                n_startup_trials=5, n_warmup_steps=MIN_TREES, interval_steps=TREES_PER_REPORT
            ),
        )
    except Exception as error:
        first_line = str(error).strip().partition("\n")[0]
        raise TrainingError(f"{file} cannot keep a search: {first_line}") from error


def _leave_interrupted(study: optuna.Study) -> None:
    """Mark trials that a killed process left running as failed; the sampler would count them."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)


def _try_once(study: optuna.Study, context: _TrialContext, finished: int) -> None:
    seed = context.parameters.seed + finished
    # A new sampler per trial, because a sampler's state would not survive an interruption.
    study.sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True)
    waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    if not finished and not waiting:
        # The given parameters, clipped to the spans.
        trees = context.parameters.trees.model_dump()
        spans = context.parameters.search.spans.model_dump()
        as_given = {name: min(max(trees[name], low), high) for name, (low, high) in spans.items()}
        study.enqueue_trial(as_given)
    trial = study.ask(_distributions(context.parameters.search.spans))
    try:
        study.tell(trial, context.loss(trial))
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    except BaseException:
        study.tell(trial, state=TrialState.FAIL)
        raise


def _distributions(spans: SearchSpans) -> dict[str, BaseDistribution]:
    """Return distributions: logarithmic for scale parameters, uniform for shares."""
    return {
        "leaves": IntDistribution(*spans.leaves, log=True),
        "learning_rate": FloatDistribution(*spans.learning_rate, log=True),
        "min_data_in_leaf": IntDistribution(*spans.min_data_in_leaf, log=True),
        "l2": FloatDistribution(*spans.l2, log=True),
        "feature_share": FloatDistribution(*spans.feature_share),
        "row_share": FloatDistribution(*spans.row_share),
    }


def _finished(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=FINISHED)


def _is_over(done: list[FrozenTrial], limits: SearchParameters) -> bool:
    """Return whether a limit is reached; never before the first trial, so there is a best one."""
    minutes = sum(trial.duration.total_seconds() for trial in done if trial.duration) / 60
    is_full = limits.trials is not None and len(done) >= limits.trials
    is_late = limits.minutes is not None and minutes >= limits.minutes
    return bool(done) and (is_full or is_late or not limits.is_asked_for)


def _trial_of(trial: FrozenTrial) -> Trial:
    assert trial.datetime_start is not None
    assert trial.datetime_complete is not None
    losses = trial.intermediate_values
    return Trial(
        number=trial.number,
        parameters=trial.params,
        loss=trial.value if trial.value is not None else min(losses.values()),
        losses=losses,
        is_given_up=trial.state == TrialState.PRUNED,
        begun_at=trial.datetime_start,
        ended_at=trial.datetime_complete,
    )
