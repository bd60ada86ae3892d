"""A model's description of itself: the content of `manifest.json`.

The same data, parameters and seed give the same bytes. So the manifest holds no time, no run id and
no version number from a registry.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from features.offences import Offence
from features.records import SubjectKind
from training.confidence_intervals import Estimate
from training.model.encoding import ModelInput

FileName = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}\.[a-z]{1,8}$")]
Sha256 = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class FrozenModel(BaseModel):
    """Base of the manifest's parts: immutable, no unknown fields, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Calibration(FrozenModel):
    """log-odds = slope × margin + intercept."""

    slope: Annotated[float, Field(gt=0)]
    intercept: float


class WindowFigures(FrozenModel):
    """A period of declarations, from `begins` until before `ends`, and its labelled subjects."""

    begins: datetime
    ends: datetime
    labelled: int
    confirmed: int


class TrainingWindow(FrozenModel):
    """The three periods that the model was made from, in order."""

    fit: WindowFigures
    calibration: WindowFigures
    evaluation: WindowFigures


class GoldenVector(FrozenModel):
    """One real row: its values in the model's order, and the model's correct answer."""

    values: tuple[float | str | None, ...]
    log_odds: float
    contributions: tuple[float, ...]


class Reference(FrozenModel):
    """Usual values of one feature in the fit window, over all subjects, labelled or not.

    Numbers have `quantiles` at 0, 5 … 100 % of the present values; categories, and yes or no, have
    `shares` of all subjects. Both are empty if every value was missing.
    """

    missing_share: float
    quantiles: tuple[float, ...] = ()
    shares: dict[str, float] = {}


class ScoreBand(FrozenModel):
    """Traffic of the evaluation window with log-odds from `least` to `most`.

    `inspected` counts its results and `confirmed` the positive ones; `low` and `high` are the 95 %
    interval of the share confirmed if all of that traffic were inspected, and `expected` is its
    mean probability (None in models from before December 2026).
    """

    least: float
    most: float
    inspected: Annotated[int, Field(ge=0)]
    confirmed: Annotated[int, Field(ge=0)]
    low: Annotated[float, Field(ge=0, le=1)]
    high: Annotated[float, Field(ge=0, le=1)]
    expected: Annotated[float, Field(gt=0, lt=1)] | None = None


class OffenceShares(FrozenModel):
    """Shares of the classes of offence among finds known before the evaluation window.

    `of_all` are shares of all finds with a class of smuggling, `of_group` of those of a chapter of
    goods or a mode (`features.offences.offence_group`), shrunk towards `of_all` if few. A find of
    several classes counts in parts, so that shares add up to 1.
    """

    finds: Annotated[int, Field(ge=0)] = 0
    of_all: dict[Offence, float] = {}
    of_group: dict[str, dict[Offence, float]] = {}

    def harm_ratio(self, weights: Mapping[Offence, float], group: str) -> float:
        """Return the expected weight of a find in a group relative to all finds; 1 is average.

        A class without a weight has 1. The ratio is 1 if no find names its class.
        """
        usual = _mean_weight(self.of_all, weights)
        return (
            _mean_weight(self.of_group.get(group, self.of_all), weights) / usual if usual else 1.0
        )


def _mean_weight(shares: Mapping[Offence, float], weights: Mapping[Offence, float]) -> float:
    return sum(share * weights.get(offence, 1.0) for offence, share in shares.items())


class Manifest(FrozenModel):
    """The whole manifest; all log-odds in it are calibrated.

    `record_counts` are the numbers of source records of the training set, by type: the history that
    a service must know to compute the same features. Empty if the training set has no counts.
    `recalibrates` is the digest of the model whose trees it shares, if it is a recalibration; the
    trees have then learnt from no label after the fit window.
    """

    format: Literal["tidegate-model"] = "tidegate-model"
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    subject: SubjectKind
    features: tuple[ModelInput, ...]
    catalogue: str
    calibration: Calibration
    base_log_odds: float
    monotone: tuple[Literal[-1, 0, 1], ...]
    training_window: TrainingWindow
    training_set_digest: Sha256
    record_counts: dict[str, Annotated[int, Field(ge=0)]] = {}
    recalibrates: Sha256 | None = None
    parameters: dict[str, Any]
    metrics: dict[str, Estimate]
    golden: Annotated[tuple[GoldenVector, ...], Field(min_length=1)]
    score_quantiles: Annotated[tuple[float, ...], Field(min_length=201, max_length=201)]
    score_bands: Annotated[tuple[ScoreBand, ...], Field(min_length=1)]
    offence_shares: OffenceShares = OffenceShares()
    reference: dict[str, Reference]
    most_outside: Annotated[int, Field(ge=0)]
    libraries: dict[str, str]
    files: dict[FileName, Sha256]

    @model_validator(mode="after")
    def _agree_on_features(self) -> Self:
        # Each part is valid alone; only together can they contradict each other.
        width = len(self.features)
        names = [column.name for column in self.features]
        lengths = {len(self.monotone), *(len(g.contributions) for g in self.golden)}
        lengths |= {len(g.values) for g in self.golden}
        if lengths != {width} or len(set(names)) != width or list(self.reference) != names:
            raise ValueError("the parts of the manifest disagree on the model's features")
        return self
