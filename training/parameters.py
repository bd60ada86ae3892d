"""The parameters of a training, read from an experiment's `parameters.toml`.

    seed = 7
    [split]
    label_gap_days = 21
    [trees]
    leaves = 31

Omitted keys keep their defaults; unknown keys and values out of range are refused by name.
"""

import difflib
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from features.errors import in_own_words
from features.home_files import read_home_file
from training.errors import TrainingError

Share = Annotated[float, Field(gt=0, lt=1)]


def _midnight(value: Any) -> Any:
    # A day in TOML has no time zone; all instants of the project are in UTC.
    is_day = isinstance(value, date) and not isinstance(value, datetime)
    return datetime(value.year, value.month, value.day, tzinfo=UTC) if is_day else value


Day = Annotated[AwareDatetime, BeforeValidator(_midnight)]


class Parameters(BaseModel):
    """Base of all parameter tables: immutable, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SplitParameters(Parameters):
    """Boundaries of the windows: by shares of the labelled subjects, or at given instants.

    The last `label_gap_days` of a window are left out of fitting and calibration, because only
    quickly decided declarations have labels by then. `refit` fits the trees again on fit and
    calibration window together, once their number and the calibration are known. With `operators`
    apart, no operator is in two windows with labels.
    """

    fit_share: Share = 0.6
    calibration_share: Share = 0.2
    fit_from: Day | None = None
    calibration_from: Day | None = None
    evaluation_from: Day | None = None
    evaluation_until: Day | None = None
    label_gap_days: Annotated[float, Field(ge=0, le=3650)] = 14
    minimum_labels: Annotated[int, Field(ge=2)] = 10
    refit: bool = True
    operators: Literal["mixed", "apart"] = "mixed"

    @model_validator(mode="after")
    def _leave_room(self) -> Self:
        if self.fit_share + self.calibration_share >= 1:
            raise ValueError("fit_share and calibration_share leave nothing to evaluate on")
        if (self.calibration_from is None) != (self.evaluation_from is None):
            raise ValueError("give calibration_from and evaluation_from together, or neither")
        days = (self.fit_from, self.calibration_from, self.evaluation_from, self.evaluation_until)
        set_days = [day for day in days if day is not None]
        if set_days != sorted(set(set_days)):
            raise ValueError(
                "want fit_from < calibration_from < evaluation_from < evaluation_until"
            )
        return self


class TreeParameters(Parameters):
    """Parameters of LightGBM's trees; `early_stopping_rounds` of 0 grows all `trees`.

    Otherwise growth ends this many rounds after the one with the least ranking loss on held-back
    rows, averaged over four folds if `refit` cross-fits them; later trees are dropped. `monotone`
    is LightGBM's method for the directions in the catalogue. `fewest_per_category` is the number of
    subjects in the fit window from which a category gets a code. With `random` thresholds, a split
    is the best of one random threshold per feature (extremely random trees): with some hundred
    confirmed subjects, a search over all thresholds fits noise (`experiments/2026-11-24-boosters`),
    with a thousand it does not. The `data_parallel` learner is that of several workers, each with a
    part of the rows: it grows the same trees for any number of workers, but slightly different ones
    than the `serial` learner (`docs/adr/0022-spark-moves-columns.md`).

    Another `library` grows trees that are scored and explained like LightGBM's. It knows only the
    `best` thresholds, `basic` directions and, in scikit-learn, neither `l1` nor `row_share`; both
    ignore `category_smoothing`. XGBoost's leaves hold at least `min_data_in_leaf` rows of average
    odds.
    """

    trees: Annotated[int, Field(ge=1, le=100_000)] = 800
    leaves: Annotated[int, Field(ge=2, le=4096)] = 8
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.03
    min_data_in_leaf: Annotated[int, Field(ge=1)] = 20
    l1: Annotated[float, Field(ge=0)] = 0.0
    l2: Annotated[float, Field(ge=0)] = 3.0
    feature_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    row_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    early_stopping_rounds: Annotated[int, Field(ge=0)] = 100
    monotone: Literal["off", "basic", "intermediate", "advanced"] = "intermediate"
    fewest_per_category: Annotated[int, Field(ge=1)] = 60
    category_smoothing: Annotated[float, Field(ge=0)] = 10.0
    thresholds: Literal["best", "random"] = "random"
    # Omitted from dumps at its default, so that digests of older searches and models stay valid.
    learner: Annotated[
        Literal["serial", "data_parallel"], Field(exclude_if=lambda learner: learner == "serial")
    ] = "serial"
    library: Annotated[
        Literal["lightgbm", "scikit-learn", "xgboost"],
        Field(exclude_if=lambda library: library == "lightgbm"),
    ] = "lightgbm"

    @model_validator(mode="after")
    def _ask_of_a_library_what_it_can(self) -> Self:
        if self.library == "lightgbm":
            return self
        wants: dict[str, tuple[Any, ...]] = {
            "learner": ("serial",),
            "thresholds": ("best",),
            "monotone": ("off", "basic"),
        }
        if self.library == "scikit-learn":
            wants |= {"l1": (0,), "row_share": (1,)}
        for name, able in wants.items():
            if (value := getattr(self, name)) not in able:
                allowed = " or ".join(f"{name} = {_literal(each)}" for each in able)
                raise ValueError(f"{self.library} cannot do {name} = {value!r}; want {allowed}")
        return self

    @model_validator(mode="after")
    def _ask_of_workers_what_they_can(self) -> Self:
        if self.learner == "serial":
            return self
        if self.monotone not in ("off", "basic"):
            raise ValueError(
                f"several workers cannot keep monotone = {self.monotone!r}, which compares leaves "
                "of all features; want monotone = 'basic' or 'off'"
            )
        if self.row_share < 1:
            raise ValueError(
                "several workers would each draw rows of their own; want row_share = 1"
            )
        return self


class SelectionParameters(Parameters):
    """Weights that correct for selective inspection, none above its clip.

    `inverse_probability` gives an inspected subject the weight 1 / selection_probability, and 1 if
    the probability was not recorded. `traffic` fits trees to separate confirmed subjects from all
    others: cleared ones, and unlabelled ones, of which up to `traffic_per_confirmed` per confirmed
    subject are sampled. The unlabelled are not assumed clean: if a tenth of traffic smuggles, so
    does a tenth of them. That lowers the odds without changing their order, and calibration, on
    labelled subjects only, raises them again.

    The labels of one author or office have at most their largest share of the total weight.
    """

    fit: Literal["equal", "inverse_probability", "traffic"] = "traffic"
    traffic_per_confirmed: Annotated[float, Field(gt=0)] = 25.0
    calibration: Literal["equal", "inverse_probability"] = "inverse_probability"
    fit_clip: Annotated[float, Field(ge=1)] = 100.0
    calibration_clip: Annotated[float, Field(ge=1)] = 30.0
    largest_author_share: Share = 0.2
    largest_office_share: Share = 0.3


# The share inspected that gates and groups use; every evaluation includes it.
GATE_SHARE = 0.05

# How many times as often as all subjects, and as its risk explains, a group may be referred. Two
# persons may waive it for a time, with a reason (Charter of Fundamental Rights, Art. 21).
MAX_REFERRAL_RATIO = 1.5


class EvaluationParameters(Parameters):
    """Shares of inspected subjects to evaluate at, and the number of bootstrap samples.

    Groups of fewer than `smallest_group` labelled subjects are pooled.
    """

    capacity_shares: Annotated[tuple[Share, ...], Field(min_length=1)] = (0.01, 0.02, 0.05, 0.10)
    redraws: Annotated[int, Field(ge=10, le=10_000)] = 200
    smallest_group: Annotated[int, Field(ge=1)] = 30

    @model_validator(mode="after")
    def _look_where_gates_look(self) -> Self:
        if GATE_SHARE not in self.capacity_shares:
            raise ValueError(f"capacity_shares must hold {GATE_SHARE}, where promotion looks")
        return self


class LeakageParameters(Parameters):
    """Limits of the leakage checks, and features known to be innocent.

    `accept` names features that may rank better than `largest_auc` on their own. Without
    `is_checked` only that is tested, and the model cannot be promoted.
    """

    largest_auc: Annotated[float, Field(gt=0.5, le=1)] = 0.95
    accept: tuple[str, ...] = ()
    is_checked: bool = True


def _rising(span: tuple[float, float]) -> tuple[float, float]:
    if span[0] > span[1]:
        raise ValueError(f"want [lowest, highest], got [{span[0]:g}, {span[1]:g}]")
    return span


Whole = Annotated[int, Field(ge=1)]
WholeSpan = Annotated[tuple[Whole, Whole], AfterValidator(_rising)]
Part = Annotated[float, Field(gt=0, le=1)]
PartSpan = Annotated[tuple[Part, Part], AfterValidator(_rising)]
Positive = Annotated[float, Field(gt=0)]
TwoOrMore = Annotated[int, Field(ge=2, le=4096)]
PositiveSpan = Annotated[tuple[Positive, Positive], AfterValidator(_rising)]


class SearchSpans(Parameters):
    """Ranges, both ends included, in which a search varies each parameter of the trees."""

    leaves: Annotated[tuple[TwoOrMore, TwoOrMore], AfterValidator(_rising)] = (4, 64)
    learning_rate: PartSpan = (0.01, 0.15)
    min_data_in_leaf: WholeSpan = (5, 200)
    l2: PositiveSpan = (0.1, 30.0)
    feature_share: PartSpan = (0.2, 1.0)
    row_share: PartSpan = (0.5, 1.0)


class SearchParameters(Parameters):
    """Limits of the search for better trees: no trial begins after one is reached.

    `minutes` is the total time of finished trials, over all runs of the search. Without a limit
    there is no search.
    """

    trials: Annotated[int, Field(ge=1, le=100_000)] | None = None
    minutes: Annotated[float, Field(gt=0)] | None = None
    spans: SearchSpans = SearchSpans()

    @property
    def is_asked_for(self) -> bool:
        """True if there is a limit, without which no search runs."""
        return self.trials is not None or self.minutes is not None


class TrainingParameters(Parameters):
    """Everything that determines a training, apart from the data."""

    # More threads than free cores make LightGBM many times slower, so one is the safe default.
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 7
    threads: Annotated[int, Field(ge=1, le=1024)] = 1
    split: SplitParameters = SplitParameters()
    trees: TreeParameters = TreeParameters()
    selection: SelectionParameters = SelectionParameters()
    evaluation: EvaluationParameters = EvaluationParameters()
    leakage: LeakageParameters = LeakageParameters()
    # Not in dumps and manifests: it leads to parameters, but does not affect a training.
    search: Annotated[SearchParameters, Field(exclude=True)] = SearchParameters()

    @property
    def as_toml(self) -> str:
        """All parameters with defaults as TOML that `read` accepts; without the search."""
        table = self.model_dump(exclude_none=True)
        tables = {name: value for name, value in table.items() if isinstance(value, dict)}
        lines = [f"{name} = {_literal(table[name])}" for name in table if name not in tables]
        for name, inner in tables.items():
            lines += [
                "",
                f"[{name}]",
                *(f"{key} = {_literal(value)}" for key, value in inner.items()),
            ]
        return "\n".join(lines) + "\n"

    def with_trees(self, trees: int) -> Self:
        """Return the parameters with a fixed number of trees."""
        exactly = {"trees": trees, "early_stopping_rounds": 0}
        return self.model_copy(update={"trees": self.trees.model_copy(update=exactly)})

    def for_workers(self) -> Self:
        """Return the parameters for several workers, which support only basic monotonicity.

        Raises TrainingError if they request what only one machine can do.
        """
        # Only what was set explicitly may conflict; defaults give way to what workers can do.
        asked = self.trees.model_dump(exclude_unset=True)
        try:
            trees = TreeParameters(**{"monotone": "basic"} | asked | {"learner": "data_parallel"})
        except ValidationError as error:
            faults = error.errors(include_url=False)
            raise TrainingError(
                "; ".join(f"trees: {in_own_words(fault['msg'])}" for fault in faults)
            ) from None
        return self.model_copy(update={"trees": trees})

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read parameters from a TOML file; raises TrainingError with the allowed values."""
        return read_home_file(cls, file, TrainingError, in_words=_in_words)


def _literal(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else json.dumps(value)


def _in_words(fault: ErrorDetails) -> str:
    key = ".".join(str(part) for part in fault["loc"]) or "the file"
    if fault["type"] != "extra_forbidden":
        return f"{key}: {in_own_words(fault['msg'])}"
    allowed = sorted(_table_of(fault["loc"]).model_fields)
    near = difflib.get_close_matches(str(fault["loc"][-1]), allowed, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{key} is no parameter; {hint}allowed are {', '.join(allowed)}"


def _table_of(location: tuple[int | str, ...]) -> type[Parameters]:
    table: type[Parameters] = TrainingParameters
    for part in location[:-1]:
        annotation = table.model_fields[str(part)].annotation
        assert isinstance(annotation, type)
        table = annotation
    return table
