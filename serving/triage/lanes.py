"""The lanes of an installation, built from plan, shares, random draws and recent load."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from features.records import SubjectKind
from serving.settings import Settings
from serving.triage.capacity import Shares
from serving.triage.control_draws import DrawGenerator, FirstDrawn, never_drawn
from serving.triage.control_probability import control_probability, explored
from serving.triage.disagreement import ChallengerScore
from serving.triage.lane_choice import (
    EarlierSelection,
    LaneCutoffs,
    Placement,
    place,
    place_unscored,
)
from serving.triage.lane_declarations import PACED, Lane
from serving.triage.other_workers import OtherWorkers
from serving.triage.raised_control_draws import CurrentExploration, Exploration
from serving.triage.recent_load import RecentLoad, RecentPlacement
from serving.triage.triage_plan import OfficeCapacity, TriagePlan
from serving.triage.watch_list_hits import Hit


@dataclass(frozen=True)
class PlacementRequest:
    """The input of a placement: subject, score, hits, and whether life is at risk.

    `probability` is None where no model may be used; `challenger` is None without one. `earlier` is
    the previous placement of a subject that is scored again. `harm_ratio` is the harm of a find
    relative to an average one.
    """

    kind: SubjectKind
    subject_id: str
    office_id: str | None
    at: datetime
    probability: float | None
    is_life_at_risk: bool = False
    hits: tuple[Hit, ...] = ()
    challenger: ChallengerScore | None = None
    earlier: EarlierSelection | None = None
    harm_ratio: float = 1.0

    @property
    def ranked_by(self) -> float | None:
        """The value that lanes rank by: probability × harm ratio; None without a score."""
        return None if self.probability is None else self.probability * self.harm_ratio


@dataclass(frozen=True)
class Lanes:
    """Places subjects and counts the placements, so that lanes fill to their capacity.

    `disputed_control` is the minimum probability of the control draw for a subject that a
    challenger would select.
    """

    plan: TriagePlan
    shares: Shares
    draws: DrawGenerator
    control_floor: float
    disputed_control: float = 0.0
    other_workers: OtherWorkers | None = None
    recent_load: RecentLoad = field(default_factory=RecentLoad)
    exploration: CurrentExploration = field(
        default_factory=lambda: CurrentExploration(lambda _: None)
    )
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        other_workers: OtherWorkers | None = None,
        newest_exploration: Callable[[SubjectKind], Exploration | None] = lambda _: None,
        first_drawn: FirstDrawn = never_drawn,
    ) -> Self:
        """Build the lanes of a home folder with their recent load; raises TidegateError."""
        plan = TriagePlan.read(settings.plan)
        return cls(
            plan=plan,
            shares=Shares.from_settings(settings),
            draws=DrawGenerator.from_folder(settings.keys, first_drawn),
            control_floor=settings.control_probability,
            disputed_control=settings.disputed_control_probability,
            other_workers=other_workers,
            recent_load=RecentLoad.of_placements(
                other_workers.recent_placements() if other_workers else (), plan.time_zones
            ),
            exploration=CurrentExploration(newest_exploration),
        )

    def place(self, request: PlacementRequest, reference: Sequence[float]) -> Placement:
        """Choose the lane of a subject and count it.

        `reference` holds the model's training scores in ascending order; they set the thresholds
        until an office has enough scores of its own. Without a score, the control draw also takes
        the share that the score would have selected.
        """
        factor = self.exploration.factor(request.kind, request.at)
        # Reading the load and counting the placement must be one step, or two requests could both
        # take the last free place.
        with self._lock:
            if self.other_workers:
                self.other_workers.count_into(self.recent_load)
            shares, usual = self._today(request)
            control = explored(usual, factor)
            drawn = request.earlier.control if request.earlier else None
            # A subject that is scored again keeps the probability of its one draw.
            control = control if drawn is None else drawn
            ranked_by = request.ranked_by
            if ranked_by is None:
                unselected = min(control + shares.inspect, 1.0) if drawn is None else drawn
                placement = self._unscored(request, unselected)
                self._count(request, placement)
                return placement
            scores = self.recent_load.scores(request.kind, request.office_id) or reference
            cutoffs = shares.cutoffs(scores, control)
            challenger = request.challenger if drawn is None else None  # one draw only
            if challenger and challenger.would_select(shares.inspect):
                control = max(control, self.disputed_control)
            placement = self._placed(request, ranked_by, cutoffs, control)
            self._count(request, placement)
        return placement

    def capacity_used(self, at: datetime) -> dict[Lane, float]:
        """Return, by lane, the used part of all offices' capacity on their last whole days.

        At most 14 days count. Above 1 if the offices took more. Lanes without a planned or known
        capacity are left out.
        """
        with self._lock:
            used = {
                lane: self.recent_load.used_ratio(lane, self.plan.capacities(lane), at)
                for lane in PACED
            }
        return {lane: ratio for lane, ratio in used.items() if ratio is not None}

    def uncapped_cutoffs(self, reference: Sequence[float]) -> LaneCutoffs:
        """Return the cutoffs of an office without a capacity; `reference` as in `place`."""
        return self.shares.cutoffs(reference, self.control_floor)

    def place_uncapped(
        self,
        kind: SubjectKind,
        subject_id: str,
        ranked_by: float,
        cutoffs: LaneCutoffs,
        *,
        is_life_at_risk: bool,
    ) -> Placement:
        """Choose the lane from draws, danger and rank only, without counting the subject."""
        return place(
            ranked_by,
            cutoffs,
            self.draws.of_subject(kind, subject_id),
            control_probability=self.control_floor,
            is_life_at_risk=is_life_at_risk,
        )

    def _count(self, request: PlacementRequest, placement: Placement) -> None:
        if self.other_workers:
            self.other_workers.record_own(request.kind, request.subject_id, request.at)
        self.recent_load.count(
            RecentPlacement(
                request.kind,
                request.office_id,
                request.at,
                request.ranked_by,
                placement.lane,
                request.earlier.lane if request.earlier else None,
            )
        )

    def _unscored(self, request: PlacementRequest, control: float) -> Placement:
        draws = self.draws.of_subject(request.kind, request.subject_id)
        placement = place_unscored(
            draws,
            control_probability=control,
            is_life_at_risk=request.is_life_at_risk,
            hits=request.hits,
            earlier=request.earlier,
        )
        return replace(placement, drawn_with=draws.drawn_with)

    def _placed(
        self, request: PlacementRequest, ranked_by: float, cutoffs: LaneCutoffs, control: float
    ) -> Placement:
        draws = self.draws.of_subject(request.kind, request.subject_id)
        placement = place(
            ranked_by,
            cutoffs,
            draws,
            control_probability=control,
            is_life_at_risk=request.is_life_at_risk,
            hits=request.hits,
            earlier=request.earlier,
        )
        return replace(placement, drawn_with=draws.drawn_with)

    def _today(self, request: PlacementRequest) -> tuple[Shares, float]:
        """Return the shares that an office can take now, and its control probability."""
        office = self.plan.offices.get(request.office_id or "")
        if office is None or self.recent_load.scores(request.kind, request.office_id) is None:
            return self.shares, self.control_floor
        return self._paced(office, request)

    def _paced(self, office: OfficeCapacity, request: PlacementRequest) -> tuple[Shares, float]:
        inspect = self.recent_load.workday(
            request.office_id, "inspect", office.inspect_per_day, request.at
        )
        checks = self.recent_load.workday(
            request.office_id,
            "document_check",
            office.document_check_per_day,
            request.at,
            above=inspect.widest_share,
        )
        selected = inspect.share()
        checked = min(checks.share(), 1 - selected)
        shares = Shares(selected, checked, min(self.shares.post_review, 1 - selected - checked))
        # Use the weekday's usual arrivals rather than the day's so far, so that the probability of
        # a draw is the same from morning to evening.
        usual_per_day = self.recent_load.usual_per_day(request.office_id, request.at)
        unselected = max(usual_per_day - office.inspect_per_day, 1.0)
        return shares, control_probability(self.control_floor, office.control_per_day, unselected)
