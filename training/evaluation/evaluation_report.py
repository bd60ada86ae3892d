"""The evaluation of one model on one window, as stored in JSON and shown on the page."""

from datetime import datetime
from typing import Any, Literal

from pydantic import AliasChoices, Field, model_validator

from training.confidence_intervals import Estimate
from training.estimation.calibration_on_traffic import TrafficCalibration
from training.estimation.population_figures import PopulationFigures
from training.estimation.sensitivity import SensitivityBound
from training.fit.label_influence import InfluenceFigures
from training.leakage.finding import LeakageFinding
from training.model.manifest import FrozenModel, WindowFigures
from training.parameters import GATE_SHARE

# Sections in older stored reports, replaced by `population`.
SUPERSEDED = ("weighted", "random_lane", "population_precision")


class CapacityFigures(FrozenModel):
    """Finds of inspecting the highest `share` of subjects.

    `precision` is the share confirmed among them, `recall` the share of all confirmed that they
    hold, `lift` precision over prevalence, and `value_captured` the share of confirmed declared
    value.
    """

    share: float
    precision: Estimate
    recall: Estimate
    lift: Estimate
    value_captured: Estimate


class ReliabilityBin(FrozenModel):
    """Subjects of similar probability: mean probability, share confirmed, and number."""

    probability: float
    confirmed_share: float
    subjects: float


class Figures(FrozenModel):
    """Figures on one set of labelled subjects."""

    labelled: int
    confirmed: int
    prevalence: Estimate
    at_capacity: tuple[CapacityFigures, ...]
    roc_auc: Estimate
    pr_auc: Estimate
    brier: Estimate
    log_loss: Estimate
    ece: Estimate
    mean_probability: float
    reliability: tuple[ReliabilityBin, ...]


class GroupFigures(FrozenModel):
    """One group of subjects under the cut that takes the highest 5 % of all subjects.

    `referred` is the share of the group above the cut, `precision` the share confirmed of those,
    and `false_referral` the share of those not confirmed that is above the cut.
    """

    by: str
    group: str
    labelled: int
    confirmed: int
    prevalence: Estimate
    referred: Estimate
    precision: Estimate
    false_referral: Estimate


class GroupReferrals(FrozenModel):
    """One group of all traffic under the cut that takes the highest 5 % of all subjects.

    `subjects` and `referred` are counts. `ratio` is how many times as often it is referred as all
    subjects, `precision_ratio` how many times as many of those referred would be confirmed as of
    all referred, by so many independent `results` and by what is usual. `p_above` is the
    probability that it is referred more than `largest_ratio` times as often as all, and as often as
    its risk explains. `chances_of_more` is the same if the group had more subjects, and all else
    alike, by their number.
    """

    by: str
    group: str
    subjects: int
    referred: float
    ratio: Estimate
    results: float
    precision_ratio: Estimate
    largest_ratio: float
    p_above: float
    chances_of_more: dict[int, float]


class SelectionFigures(FrozenModel):
    """Subjects selected in one way, ranked by themselves and cut at 5 % of them.

    All except the counts and `prevalence` are None if too few are confirmed or cleared.
    """

    selected_by: str
    labelled: int
    confirmed: int
    prevalence: Estimate
    precision: Estimate = Estimate(None)
    recall: Estimate = Estimate(None)
    lift: Estimate = Estimate(None)
    roc_auc: Estimate = Estimate(None)
    ece: Estimate = Estimate(None)


class StatusQuo(FrozenModel):
    """Finds of actual inspections, next to equally many in the model's order.

    `share` of all traffic was inspected, `confirmed` counts the finds. `precision` is among known
    results; `recall` and the `model_` figures are of all traffic. `lift` is recall over share.
    """

    share: float
    inspected: int
    confirmed: int
    precision: Estimate
    recall: Estimate
    model_precision: Estimate
    model_recall: Estimate
    lift: Estimate = Estimate(None)
    model_lift: Estimate = Estimate(None)


class TrafficBand(FrozenModel):
    """The `subjects` of all traffic with calibrated log-odds from `least` to `most`.

    `share` of them would be confirmed, next to the model's `mean_probability`; it is unknown if too
    few were drawn. `inspected` counts results and `confirmed` the positive ones.
    """

    least: float
    most: float
    subjects: int
    mean_probability: float
    inspected: int
    confirmed: int
    share: Estimate


# The limit of intervals that shrink to nothing if every subject was inspected.
OF_THESE_ALONE = (
    "Intervals are of these subjects alone, of whom most may have been looked at: among those to "
    "come, a share that few finds tell of may lie far outside."
)

Draws = Literal["in place", "elsewhere", "above their lot"]


class PopulationSection(FrozenModel):
    """Figures of all traffic from `begins` until before `ends`, old enough for its results.

    `unknown_share` of the results are inconclusive or still to come; `bounds` are the figures if
    assumptions did not hold. `bands` rise by score. `draws` states how the score ranks random
    draws: like the traffic they represent, elsewhere, or higher than a random draw can be. Scores
    that follow features otherwise among draws count as elsewhere.
    """

    begins: datetime
    ends: datetime
    figures: PopulationFigures
    calibration: TrafficCalibration
    status_quo: StatusQuo | None
    groups: tuple[GroupReferrals, ...] = ()
    unknown_share: float
    bounds: tuple[SensitivityBound, ...]
    bands: tuple[TrafficBand, ...] = ()
    draws: Draws = "in place"

    @property
    def of_whom(self) -> str:
        """A phrase that names the subjects covered."""
        return (
            f"all {self.figures.subjects:,} subjects declared from {self.begins:%Y-%m-%d} until "
            f"before {self.ends:%Y-%m-%d}"
        )

    @property
    def in_words(self) -> str:
        """The main figures as text, or the reason why there are none."""
        if self.figures.refusal is not None:
            return f"Nothing can be said of {self.of_whom}: {self.figures.refusal}."
        at = next(figure for figure in self.figures.at_share if figure.share == GATE_SHARE)
        return (
            f"Of {self.of_whom}, {_in_words(self.figures.prevalence)} would be confirmed if "
            f"everyone were looked at. Inspecting the highest {GATE_SHARE:.0%} would confirm "
            f"{_in_words(at.precision)} of them and find {_in_words(at.recall)} of everything. "
            f"Estimated from {self.figures.drawn:,} results that were drawn with a probability "
            f"(worth {self.figures.effective_size:,.0f} drawn evenly) and "
            f"{self.figures.certain:,} of tips, which stand for themselves. {OF_THESE_ALONE}"
        )


class TypologyRecall(FrozenModel):
    """Cases of one typology; `recall` is the share of them in the highest 5 % of all subjects.

    `is_new` if no outcome known before the window had it.
    """

    typology: str
    cases: int
    is_new: bool
    recall: Estimate


class OffenceCount(FrozenModel):
    """Inspections that found a class of offence: together with smuggling, and without it."""

    offence: str
    confirmed: int
    without_smuggling: int


class ExaminationFigures(FrozenModel):
    """Labelled inspections by one method; `hit_rate` is unknown for fewer than 30."""

    examination: str
    labelled: int
    confirmed: int
    hit_rate: Estimate = Estimate(None)


class InspectionFindings(FrozenModel):
    """Findings of all inspections of the window, including those without a label.

    `other_offences` found another offence but no smuggling: they are neither positive nor negative,
    and in no figure of the model. `unsettled` are the others without a label.
    """

    inspected: int
    labelled: int
    other_offences: int
    unsettled: int
    offences: tuple[OffenceCount, ...] = ()
    examinations: tuple[ExaminationFigures, ...] = ()


class UnseenEntityFigures(FrozenModel):
    """Labelled subjects with a value in `column` that no earlier one has, ranked by themselves.

    `precision` is at 5 % of them. Both figures are None with too few labels.
    """

    column: str
    labelled: int
    confirmed: int
    roc_auc: Estimate = Estimate(None)
    precision: Estimate = Estimate(None)


class Importance(FrozenModel):
    """The mean |contribution| of one feature to scores, in log-odds."""

    feature: str
    mean_absolute_contribution: float


class ProxyFigures(FrozenModel):
    """The mutual information of one feature with the region of origin, as a share of its entropy.

    Reports from before 0.1.0 name it `told`.
    """

    feature: str
    information_share: float = Field(validation_alias=AliasChoices("information_share", "told"))


class JointProxyFigures(FrozenModel):
    """Information about the region of origin in all features together, and in the score alone.

    `accuracy` is the share of later subjects whose region small trees predict from all features,
    `largest_share` that of always predicting the most frequent region. The shares of the score are
    as in ProxyFigures, of all subjects and of the `unconfirmed`, None if those are fewer than 500.
    """

    subjects: int
    regions: int
    accuracy: float
    largest_share: float
    score_share: float
    unconfirmed: int
    score_share_of_unconfirmed: float | None


class OracleFigures(FrozenModel):
    """The model next to the best possible ranking, on all subjects of the window at one share.

    Labels are the synthetic world's true probabilities (among known typologies, actual events), so
    the figures do not depend on inspections.
    """

    share: float
    precision: Estimate
    oracle_precision: Estimate
    share_of_oracle: Estimate


class Agreement(FrozenModel):
    """The share of the highest `share` of subjects that the champion's highest has too."""

    share: float
    common: Estimate


class Stability(FrozenModel):
    """A model compared with the champion on all subjects of the window, labelled or not.

    `rank_correlation` is Spearman's; None if one of them gives every subject the same score.
    """

    champion: str
    subjects: int
    rank_correlation: float | None
    agreement: tuple[Agreement, ...]


class EvaluationReport(FrozenModel):
    """The evaluation of one model.

    `inspected` counts every labelled subject once and describes subjects selected for inspection,
    `strata` each way of selection separately; `population` describes all traffic.
    `at_office_capacity` lets every office take as many as it inspected.

    `typologies` are those of confirmed subjects, `oracle_typologies` those of all subjects by an
    oracle file; `oracle_known` is `oracle` without the cases of new typologies.
    """

    name: str
    window: WindowFigures
    inspected: Figures
    population: PopulationSection | None = None
    at_office_capacity: CapacityFigures | None = None
    strata: tuple[SelectionFigures, ...] = ()
    groups: tuple[GroupFigures, ...]
    typologies: tuple[TypologyRecall, ...] = ()
    findings: InspectionFindings | None = None
    cold: tuple[UnseenEntityFigures, ...] = ()
    proxies: tuple[ProxyFigures, ...] = ()
    joint_proxy: JointProxyFigures | None = None
    importance: tuple[Importance, ...]
    never_seen: dict[str, int]
    oracle: tuple[OracleFigures, ...] = ()
    oracle_known: tuple[OracleFigures, ...] = ()
    oracle_typologies: tuple[TypologyRecall, ...] = ()
    stability: Stability | None = None
    leakage: tuple[LeakageFinding, ...] = ()
    influence: tuple[InfluenceFigures, ...] = ()

    @model_validator(mode="before")
    @classmethod
    # Stored reports are signed or listed with digests, so they are adapted when read.
    def _leave_out_superseded(cls, stored: Any) -> Any:
        if not isinstance(stored, dict):
            return stored
        return {name: part for name, part in stored.items() if name not in SUPERSEDED}

    @property
    def population_in_words(self) -> str:
        """The findings about all traffic as text."""
        if self.population is None:
            return "Figures of all traffic were not measured."
        return self.population.in_words

    @property
    def as_bytes(self) -> bytes:
        """The report as stored in its file."""
        return self.model_dump_json(indent=1).encode() + b"\n"

    @property
    def metrics(self) -> dict[str, Estimate]:
        """Metrics by flat name, such as `population_roc_auc`, for manifests and tracking."""
        found = flat(self.inspected)
        if self.population is not None:
            found |= _flat_population(self.population)
        if self.at_office_capacity is not None:
            found |= _flat_capacity(self.at_office_capacity, "office_capacity")
        return found


def flat(figures: Figures) -> dict[str, Estimate]:
    """Return figures by flat name, such as `precision_at_5pct`."""
    found = {
        "prevalence": figures.prevalence,
        "roc_auc": figures.roc_auc,
        "pr_auc": figures.pr_auc,
        "brier": figures.brier,
        "log_loss": figures.log_loss,
        "ece": figures.ece,
    }
    for at in figures.at_capacity:
        found |= _flat_capacity(at, share_name(at.share))
    return found


# Names are part of manifests and tracked runs: renaming one breaks comparisons with old models.
def _flat_population(population: PopulationSection) -> dict[str, Estimate]:
    figures, calibration = population.figures, population.calibration
    found = {
        "population_prevalence": figures.prevalence,
        "population_roc_auc": figures.roc_auc,
        "population_observed_over_expected": calibration.observed_over_expected,
        "population_top_observed_over_expected": calibration.top_observed_over_expected,
        "population_calibration_slope": calibration.slope,
    }
    for at in figures.at_share:
        found |= {
            f"population_{name}_at_{share_name(at.share)}": getattr(at, name)
            for name in ("precision", "recall", "lift")
        }
    return found


def _in_words(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "an unknown share"
    return f"{estimate.value:.2%} ({estimate.low:.2%} to {estimate.high:.2%})"


def _flat_capacity(at: CapacityFigures, where: str) -> dict[str, Estimate]:
    names = ("precision", "recall", "lift", "value_captured")
    return {f"{name}_at_{where}": getattr(at, name) for name in names}


def share_name(share: float) -> str:
    """Format a share for a metric's name.

    >>> share_name(0.05)
    '5pct'
    """
    return f"{share * 100:g}pct"
