"""The evaluation of one model on one window, as JSON keeps it and the page shows it."""

from pydantic import AliasChoices, Field

from training.confidence_intervals import Estimate
from training.fit.influence import InfluenceFigures
from training.leakage.finding import LeakageFinding
from training.model.manifest import FrozenModel, WindowFigures


class CapacityFigures(FrozenModel):
    """What inspecting the highest `share` of subjects finds.

    `precision` is the share confirmed among them, `recall` the share of all confirmed found, `lift`
    precision over prevalence, `value_captured` the share of confirmed declared value.
    """

    share: float
    precision: Estimate
    recall: Estimate
    lift: Estimate
    value_captured: Estimate


class ReliabilityBin(FrozenModel):
    """Subjects of similar probability: what was promised, what came, and their number."""

    probability: float
    confirmed_share: float
    subjects: float


class Figures(FrozenModel):
    """Figures on one set of labelled subjects.

    `ece_by_chance` is the calibration error that a perfectly calibrated model stays under on this
    many subjects 99 times in 100.
    """

    labelled: int
    confirmed: int
    prevalence: Estimate
    at_capacity: tuple[CapacityFigures, ...]
    roc_auc: Estimate
    pr_auc: Estimate
    brier: Estimate
    log_loss: Estimate
    ece: Estimate
    ece_by_chance: float
    mean_probability: float
    reliability: tuple[ReliabilityBin, ...]


class GroupFigures(FrozenModel):
    """One group of subjects under the cut that takes the highest 5 % of everyone.

    `referred` is the share of the group above the cut, `precision` the share confirmed of those,
    and `false_referral` the share referred of those not confirmed.
    """

    by: str
    group: str
    labelled: int
    confirmed: int
    prevalence: Estimate
    referred: Estimate
    precision: Estimate
    false_referral: Estimate


class SelectionFigures(FrozenModel):
    """Subjects that were selected in one way, ranked by themselves and cut at 5 % of them.

    All but the counts and `prevalence` are None where too few are confirmed or clean.
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


class TypologyRecall(FrozenModel):
    """Cases of one typology; `recall` is the share of them in the highest 5 % of everyone.

    `is_new` where no outcome known before the window named it.
    """

    typology: str
    cases: int
    is_new: bool
    recall: Estimate


class UnseenEntityFigures(FrozenModel):
    """Subjects whose value in `column` is on no earlier labelled subject, ranked by themselves.

    `precision` is at 5 % of them. Both figures are None where too few are labelled.
    """

    column: str
    labelled: int
    confirmed: int
    roc_auc: Estimate = Estimate(None)
    precision: Estimate = Estimate(None)


class Importance(FrozenModel):
    """How far one feature moves a score on average: mean |contribution| in log-odds."""

    feature: str
    mean_absolute_contribution: float


class ProxyFigures(FrozenModel):
    """The mutual information of one feature with the region of origin, as a share of its entropy.

    Reports of before 0.1.0 call it `told`.
    """

    feature: str
    information_share: float = Field(validation_alias=AliasChoices("information_share", "told"))


class OracleFigures(FrozenModel):
    """The model beside the best that is possible, on all subjects of the window at one share.

    Labels are the invented world's true probabilities (among known typologies, what came true), so
    nothing here depends on who was inspected.
    """

    share: float
    precision: Estimate
    oracle_precision: Estimate
    share_of_oracle: Estimate


class Agreement(FrozenModel):
    """The part of the highest `share` of subjects that is in the champion's highest, too."""

    share: float
    common: Estimate


class Stability(FrozenModel):
    """A model beside the champion on all subjects of the window, labelled or not.

    `rank_correlation` is Spearman's; None where one of them gives every subject the same score.
    """

    champion: str
    subjects: int
    rank_correlation: float | None
    agreement: tuple[Agreement, ...]


class EvaluationReport(FrozenModel):
    """One model's evaluation.

    `inspected` counts every labelled subject once; `weighted` counts each by its recorded
    selection probability, back towards the population it was chosen from; `random_lane` holds
    those a lot chose, `strata` each way of selection by itself. `population_precision` says in
    words which figure that is. `at_office_capacity` lets every office take as many as it inspected.

    `typologies` are those of confirmed subjects, `oracle_typologies` those of all subjects as an
    oracle file tells them; `oracle_known` is `oracle` without the cases of a new typology.
    """

    name: str
    window: WindowFigures
    inspected: Figures
    weighted: Figures
    random_lane: Figures | None
    population_precision: str
    at_office_capacity: CapacityFigures | None = None
    strata: tuple[SelectionFigures, ...] = ()
    groups: tuple[GroupFigures, ...]
    typologies: tuple[TypologyRecall, ...] = ()
    cold: tuple[UnseenEntityFigures, ...] = ()
    proxies: tuple[ProxyFigures, ...] = ()
    importance: tuple[Importance, ...]
    never_seen: dict[str, int]
    oracle: tuple[OracleFigures, ...] = ()
    oracle_known: tuple[OracleFigures, ...] = ()
    oracle_typologies: tuple[TypologyRecall, ...] = ()
    stability: Stability | None = None
    leakage: tuple[LeakageFinding, ...] = ()
    influence: tuple[InfluenceFigures, ...] = ()

    @property
    def as_bytes(self) -> bytes:
        """The report as a file keeps it."""
        return self.model_dump_json(indent=1).encode() + b"\n"

    @property
    def metrics(self) -> dict[str, Estimate]:
        """Flat names for a manifest and for tracking: `ece`, `weighted_ece`, `random_lane_ece`."""
        found = flat(self.inspected)
        for prefix, figures in (("weighted", self.weighted), ("random_lane", self.random_lane)):
            if figures is not None:
                found |= {f"{prefix}_{name}": estimate for name, estimate in flat(figures).items()}
        if self.at_office_capacity is not None:
            found |= _flat_capacity(self.at_office_capacity, "office_capacity")
        return found


def flat(figures: Figures) -> dict[str, Estimate]:
    """`precision_at_5pct` and the like, by name."""
    found = {
        "prevalence": figures.prevalence,
        "roc_auc": figures.roc_auc,
        "pr_auc": figures.pr_auc,
        "brier": figures.brier,
        "log_loss": figures.log_loss,
        "ece": figures.ece,
        "ece_by_chance": Estimate(figures.ece_by_chance),
    }
    for at in figures.at_capacity:
        found |= _flat_capacity(at, share_name(at.share))
    return found


def _flat_capacity(at: CapacityFigures, where: str) -> dict[str, Estimate]:
    names = ("precision", "recall", "lift", "value_captured")
    return {f"{name}_at_{where}": getattr(at, name) for name in names}


def share_name(share: float) -> str:
    """How a share is written in a metric's name.

    >>> share_name(0.05)
    '5pct'
    """
    return f"{share * 100:g}pct"
