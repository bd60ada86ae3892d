"""The report of monitoring: what it says, as it is stored and shown.

A figure without a value is refused: too little is known, and `too_few_outcomes` or the
text next to it says of what. Shares are of 1, instants and days in UTC.
"""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from features.records import SubjectKind
from serving.triage.lane_declarations import Lane
from training.confidence_intervals import Estimate
from training.estimation.sensitivity import SensitivityBound

# Measures of drift that are no feature: each is judged by itself.
FINDINGS, DECISIONS, RESULTS = "findings", "decisions", "results"
# Whether records still come; these say nothing of the model.
OF_THE_SUPPLY = (DECISIONS, RESULTS)


class ReportPart(BaseModel):
    """Base of the report's parts: frozen and closed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WayOfSelection(ReportPart):
    """What one way of selecting subjects finds: of `decisions`, those known and those confirmed.

    `precision` of the random draw is the share confirmed among all that nobody selected, and its
    recall and lift are those of drawing as many again; `lift` is beside drawing from everyone.
    """

    way: str
    decisions: int
    known_outcomes: int
    confirmed: int
    precision: Estimate
    recall: Estimate
    lift: Estimate


class SliceFigures(ReportPart):
    """Population figures of one part of the traffic; `control_outcomes` counts those known.

    `effective_size` is how many evenly drawn control outcomes would say as much; `unknown_share`
    the part of the visits without a conclusive outcome. Where the draws cannot tell, a figure has
    no value (recall and lift may have an interval still), and `needs` says what would be enough.
    `unweighted_share` is the share confirmed of all known outcomes; it says nothing of the rest.
    """

    by: str
    value: str
    decisions: int
    inspected: int
    control_outcomes: int
    prevalence: Estimate
    precision: Estimate
    recall: Estimate
    lift: Estimate
    unweighted_share: Estimate
    too_few_outcomes: tuple[str, ...]
    effective_size: float | None = None
    unknown_share: float = 0.0
    needs: tuple[str, ...] = ()


class StratumReport(ReportPart):
    """One stratum: its known size, and of how many the outcome is known or not known yet."""

    name: str
    size: int
    known_outcomes: int
    unknown: int
    confirmed: int
    share: Estimate


class TypologyReport(ReportPart):
    """One typology that outcomes name: what was found of it, and the share that is inspected."""

    typology: str
    found_inspected: int
    found_control: int
    recall: Estimate


class WeekReport(ReportPart):
    """One week, by its Monday: the shares confirmed in the lanes `inspect` and `control`."""

    week: date
    decisions: int
    inspected: Estimate
    control: Estimate
    unknown: int


class Delay(ReportPart):
    """How late outcomes come: visits, those without a conclusive outcome, days until one is known.

    `inconclusive` counts those of the `unknown` that ended without an answer; within `slow_days`
    nine in ten results come.
    """

    visits: int
    unknown: int
    inconclusive: int = 0
    median_days: float | None
    slow_days: float | None
    unknown_since: date | None


class CapacityUse(ReportPart):
    """What a lane of an office took in a day, on average, beside what the office can take.

    Scored routes and shipments count alike. `unused_per_day` is None where the plan says nothing,
    and for the control lane, whose capacity is a least.
    """

    office: str
    lane: Lane
    per_day: float
    capacity_per_day: int | None
    unused_per_day: float | None = None


class CalibrationBand(ReportPart):
    """Control cases of about one probability: the mean that was said, and the share confirmed."""

    cases: int
    predicted: float
    confirmed: Estimate


class MovedMeasure(ReportPart):
    """One measure in the judged week; as `drift.DriftMeasure`."""

    measure: str
    size: float
    least: float
    p_value: float
    is_drift: bool
    times_usual: float | None = None


class Drift(ReportPart):
    """The last whole week against those before; `not_judged` says what was not, and why."""

    week: date
    measures: int
    moved: tuple[MovedMeasure, ...]
    not_judged: str | None


class ChallengerFigures(ReportPart):
    """What a model beside the champion would have changed, had it chosen as many.

    `gain` is the difference of the share confirmed among those chosen; `differing` name decisions
    that only the challenger would have chosen.
    """

    role: str
    version: str
    compared: int
    chosen: int
    agreement: float
    only_challenger: int
    gain: Estimate
    gain_needs: str | None
    differing: tuple[str, ...]


class ExplorationFigures(ReportPart):
    """How many times the usual probability is drawn at random, until when, and why."""

    factor: float
    until: datetime
    because: str


class AlertFigures(ReportPart):
    """One alert that was raised."""

    week: date
    measure: str
    words: str


class PeriodPart(ReportPart):
    """All decisions of a period, or those of an office.

    `found` is the share confirmed of the `known` results of those inspected, as of as many draws:
    it compares offices, where the precision of `figures` speaks of these very decisions alone.
    """

    figures: SliceFigures
    known: int
    confirmed: int
    found: Estimate


class LaneFigures(ReportPart):
    """How often a lane was right, of the decisions for it; control draws are none of its own.

    An inspection was right where it confirmed something, another lane where there was nothing to
    find: `known` results of random checks speak for all in it. Where these are too few, `right` has
    an interval and no value, or neither; `effective_size` is how many even draws would say as much.
    """

    lane: str
    decisions: int
    known: int
    right: Estimate
    effective_size: float | None = None


class PeriodFigures(ReportPart):
    """Figures of one stretch of time, of all, by office and lane; `name` is a month or some days.

    Decisions until `figures_until` count, as in the report; None where none is old enough.
    """

    name: str
    first: date
    last: date
    figures_until: date | None
    overall: PeriodPart
    offices: tuple[PeriodPart, ...]
    lanes: tuple[LaneFigures, ...] = ()
    weeks: tuple[WeekReport, ...] = ()


class MonitoringReport(ReportPart):
    """Everything that monitoring says of one kind of subject.

    Figures of all traffic, of strata, groups, ways and typologies speak of the decisions until
    `figures_until`; the `newer` ones wait for their results. `bounds` say what the figures would be
    if what they assume did not hold. `unscored` counts decisions made without a model; they are in
    no other figure.
    """

    subject_kind: SubjectKind
    made_at: datetime
    as_of: datetime
    first_day: date
    last_day: date
    model: str | None
    overall: SliceFigures
    figures_until: date | None = None
    newer: int = 0
    bounds: tuple[SensitivityBound, ...] = ()
    ways: tuple[WayOfSelection, ...] = ()
    unscored: int = 0
    strata: tuple[StratumReport, ...]
    groups: tuple[SliceFigures, ...]
    typologies: tuple[TypologyReport, ...]
    weeks: tuple[WeekReport, ...]
    delay: Delay
    capacity: tuple[CapacityUse, ...]
    calibration: tuple[CalibrationBand, ...]
    drift: Drift
    challengers: tuple[ChallengerFigures, ...] = ()
    exploration: ExplorationFigures | None = None
    alerts: tuple[AlertFigures, ...] = ()
    hasty_reviewers: int = 0
    periods: tuple[PeriodFigures, ...] = ()
