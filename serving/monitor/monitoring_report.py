"""The monitoring report, as stored and shown.

A figure without a value was refused because too little is known; `too_few_outcomes` or the text
next to it says of what. Shares are fractions of 1; instants and days are in UTC.
"""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from features.records import SubjectKind
from serving.triage.lane_declarations import Lane
from training.confidence_intervals import Estimate
from training.estimation.sensitivity import SensitivityBound

# Measures of drift that are not features; each is judged on its own.
FINDINGS, DECISIONS, RESULTS = "findings", "decisions", "results"
# Measures of incoming records; they say nothing about the model.
MEASURES_OF_INCOMING_RECORDS = (DECISIONS, RESULTS)


class ReportPart(BaseModel):
    """Base of the report's parts: frozen and closed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WayOfSelection(ReportPart):
    """The results of one way of selecting subjects: `decisions`, known outcomes, confirmed ones.

    For the random draw, `precision` is the share confirmed among all that nothing selected, and
    recall and lift are those of drawing as many again. `lift` is relative to drawing from everyone.
    """

    way: str
    decisions: int
    known_outcomes: int
    confirmed: int
    precision: Estimate
    recall: Estimate
    lift: Estimate


class SliceFigures(ReportPart):
    """Population figures of one part of the traffic; `control_outcomes` counts known ones.

    `effective_size` is the number of evenly drawn control outcomes with the same information;
    `unknown_share` is the part of the visits without a conclusive outcome. If the draws are
    insufficient, a figure has no value (recall and lift may still have an interval), and `needs`
    says what would suffice. `unweighted_share` is the share confirmed of all known outcomes; it
    does not generalise to the rest.
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
    """One stratum: its known size, and its counts of known and unknown outcomes."""

    name: str
    size: int
    known_outcomes: int
    unknown: int
    confirmed: int
    share: Estimate


class TypologyReport(ReportPart):
    """One typology named by outcomes: its findings, and the share of it that is inspected."""

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
    """The delay of outcomes: visits, those without a conclusive outcome, and days until known.

    `inconclusive` counts those of the `unknown` that ended without an answer. Nine in ten results
    come within `slow_days`.
    """

    visits: int
    unknown: int
    inconclusive: int = 0
    median_days: float | None
    slow_days: float | None
    unknown_since: date | None


class CapacityUse(ReportPart):
    """The average daily intake of a lane of an office, and its capacity.

    Scored routes and shipments count alike. `unused_per_day` is None without a planned capacity,
    and for the control lane, whose capacity is a minimum.
    """

    office: str
    lane: Lane
    per_day: float
    capacity_per_day: int | None
    unused_per_day: float | None = None


class CalibrationBand(ReportPart):
    """Control cases of similar probability: the mean prediction and the share confirmed."""

    cases: int
    predicted: float
    confirmed: Estimate


class MovedMeasure(ReportPart):
    """One measure of the judged week, with the fields of `drift.DriftMeasure`."""

    measure: str
    size: float
    least: float
    p_value: float
    is_drift: bool
    times_usual: float | None = None


class Drift(ReportPart):
    """The last whole week compared with earlier ones; `not_judged` lists what was not, and why."""

    week: date
    measures: int
    moved: tuple[MovedMeasure, ...]
    not_judged: str | None


class ChallengerFigures(ReportPart):
    """The estimated effect of a challenger or shadow, had it chosen equally many subjects.

    `gain` is the difference of the share confirmed among those chosen; `differing` names decisions
    that only this model would have chosen.
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
    """The factor by which random draws are raised, its end, and the reason."""

    factor: float
    until: datetime
    because: str


class AlertFigures(ReportPart):
    """An alert that was raised."""

    week: date
    measure: str
    words: str


class PeriodPart(ReportPart):
    """All decisions of a period, or those of an office.

    `found` is the share confirmed of those inspected, whose `known` results are a sample of their
    kind; it equals the precision of `figures`, which needs more of them.
    """

    figures: SliceFigures
    known: int
    confirmed: int
    found: Estimate


ComparisonVerdict = Literal["more", "perhaps more", "alike", "perhaps less", "less", "too few"]
Explained = Literal["yes", "no", "unclear"]


class GroupComparison(ReportPart):
    """The share of one group that is counted, as selected or as late, compared with all.

    `ratio` is drawn a little towards 1, as in the groups gate, because many groups are compared. If
    there is `more`, `explained` is whether confirmed results explain it. `results` is the number of
    known ones; None where none are counted by such groups.
    """

    by: str
    group: str
    subjects: int
    counted: int
    share: Estimate
    ratio: Estimate
    verdict: ComparisonVerdict
    explained: Explained | None = None
    results: int | None = None


class LaneFigures(ReportPart):
    """How often a lane was right; a control case counts for the lane it was drawn from.

    An inspection was right if it confirmed something, any other lane if there was nothing to find:
    `known` results of random checks represent everything in it. If these are too few, `right` has
    an interval but no value, or neither. `effective_size` is the number of even draws with the same
    information.
    """

    lane: str
    decisions: int
    known: int
    right: Estimate
    effective_size: float | None = None


class PeriodFigures(ReportPart):
    """Figures of a period, in total, by office and by lane; `name` is a month or a number of days.

    Decisions until `figures_until` count, as in the report; None if none is old enough.
    """

    name: str
    first: date
    last: date
    figures_until: date | None
    overall: PeriodPart
    offices: tuple[PeriodPart, ...]
    lanes: tuple[LaneFigures, ...] = ()
    weeks: tuple[WeekReport, ...] = ()
    selection: tuple[GroupComparison, ...] = ()


class MonitoringReport(ReportPart):
    """All monitoring figures of one kind of subject.

    Figures of all traffic, strata, groups, ways and typologies cover the decisions until
    `figures_until`; the `newer` ones await their results. `bounds` show the figures if their
    assumptions did not hold. `unscored` counts decisions made without a model, which are in no
    other figure.
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
