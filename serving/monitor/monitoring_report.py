"""The report of monitoring: what it says, as it is stored and shown.

A figure without a value is refused: too little is known, and `too_few_outcomes` or the
text next to it says of what. Shares are of 1, instants and days in UTC.
"""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from features.records import SubjectKind
from serving import stored_names
from serving.stored_names import with_current_names
from serving.triage.lane_rule import Lane
from training.estimators import Estimate


class ReportPart(BaseModel):
    """Base of the report's parts: frozen and closed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SliceFigures(ReportPart):
    """Population figures of one part of the traffic; `drawn` counts its control outcomes.

    `naive_share` is that of all that were looked at, and says nothing about the rest.
    """

    by: str
    value: str
    decisions: int
    inspected: int
    drawn: int
    prevalence: Estimate
    precision: Estimate
    recall: Estimate
    lift: Estimate
    naive_share: Estimate
    too_few_outcomes: tuple[str, ...]

    @model_validator(mode="before")
    @classmethod
    def _current_names(cls, stored: Any) -> Any:
        return with_current_names(stored, stored_names.REPORT_SLICE)


class StratumReport(ReportPart):
    """One stratum: its known size, who was looked at, and of how many the outcome is not known."""

    name: str
    size: int
    looked_at: int
    unknown: int
    confirmed: int
    share: Estimate


class TypologyReport(ReportPart):
    """One typology that outcomes name: what was found of it, and the share that is inspected."""

    typology: str
    found_inspected: int
    found_drawn: int
    recall: Estimate


class WeekReport(ReportPart):
    """One week, by its Monday: decisions, and what was found among inspected and drawn ones."""

    week: date
    decisions: int
    inspected: Estimate
    drawn: Estimate
    unknown: int


class Delay(ReportPart):
    """How late outcomes come: visits, those without an outcome yet, and days until one is known."""

    visits: int
    unknown: int
    median_days: float | None
    slow_days: float | None
    unknown_since: date | None


class CapacityUse(ReportPart):
    """What a lane of an office took in a day, on average, beside what the office can take."""

    office: str
    lane: Lane
    per_day: float
    capacity_per_day: int | None


class CalibrationBand(ReportPart):
    """Control cases of about one probability: the mean that was said, and the share confirmed."""

    cases: int
    predicted: float
    confirmed: Estimate


class MovedMeasure(ReportPart):
    """One measure in the judged week; as `drift.Moved`."""

    measure: str
    size: float
    least: float
    p_value: float
    is_drift: bool


class Drift(ReportPart):
    """The last whole week against those before; `not_judged` says what was not, and why."""

    week: date
    measures: int
    moved: tuple[MovedMeasure, ...]
    not_judged: str | None

    @model_validator(mode="before")
    @classmethod
    def _current_names(cls, stored: Any) -> Any:
        return with_current_names(stored, stored_names.REPORT_DRIFT)


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


class MonitoringReport(ReportPart):
    """Everything that monitoring says of one kind of subject.

    `unscored` counts decisions that no model was asked for; they are in no other figure.
    """

    subject_kind: SubjectKind
    made_at: datetime
    as_of: datetime
    first_day: date
    last_day: date
    model: str | None
    overall: SliceFigures
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

    @model_validator(mode="before")
    @classmethod
    def _current_names(cls, stored: Any) -> Any:
        return with_current_names(stored, stored_names.REPORT)
