"""The lanes of an installation: plan, shares, draw and recent scores, put together."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from features.records import SubjectKind
from serving.db.repositories.alert_repository import Exploration
from serving.settings import Settings
from serving.triage.capacity import Shares, control_probability, explored
from serving.triage.disagreement import Rival
from serving.triage.exploration import Exploring
from serving.triage.other_workers import Others
from serving.triage.placement import Cuts, Placement, place, place_unscored
from serving.triage.plan import OfficeCapacity, Plan
from serving.triage.random_draws import Draw
from serving.triage.recent_load import Placed, Recent
from serving.triage.watch_lists import Hit


@dataclass(frozen=True)
class Case:
    """What decides a lane: who, where, when, how risky, what spoke besides, and is life at risk.

    `probability` is None where no model may be asked; `rival` is what a challenger says, where
    there is one.
    """

    kind: SubjectKind
    subject_id: str
    office_id: str | None
    at: datetime
    probability: float | None
    is_life_at_risk: bool = False
    hits: tuple[Hit, ...] = ()
    rival: Rival | None = None


@dataclass(frozen=True)
class Lanes:
    """Places subjects, and remembers where they were placed, so that lanes fill to their capacity.

    `disputed_control` is the least probability of the control draw for what a challenger would
    select; `others` tells what other workers placed.
    """

    plan: Plan
    shares: Shares
    draw: Draw
    control_floor: float
    disputed_control: float = 0.0
    others: Others | None = None
    recent: Recent = field(default_factory=Recent)
    exploring: Exploring = field(default_factory=lambda: Exploring(lambda _: None))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(
        cls,
        settings: Settings,
        others: Others | None = None,
        newest_exploration: Callable[[SubjectKind], Exploration | None] = lambda _: None,
    ) -> Self:
        """The lanes of a home folder, given what was placed lately; raises PlanRefused."""
        return cls(
            plan=Plan.read(settings.plan),
            shares=Shares.of(settings),
            draw=Draw.kept_in(settings.keys),
            control_floor=settings.control_probability,
            disputed_control=settings.disputed_control_probability,
            others=others,
            recent=Recent.of(others.lately() if others else ()),
            exploring=Exploring(newest_exploration),
        )

    def place(self, case: Case, reference: Sequence[float]) -> Placement:
        """The lane of a subject, and remember it.

        `reference` holds the scores, ascending, that the model gave in training; they set the
        thresholds until an office has scores of its own. Without a score the lot takes what the
        score would have taken.
        """
        factor = self.exploring.factor(case.kind, case.at)
        with self._lock:
            if self.others:
                self.others.read_into(self.recent)
            shares, usual = self._today(case)
            control = explored(usual, factor)
            if case.probability is None:
                placement = self._unscored(case, min(control + shares.inspect, 1.0))
                self._remember(case, placement)
                return placement
            scores = self.recent.scores(case.kind, case.office_id) or reference
            cuts = shares.cuts(scores, control)
            if case.rival and case.rival.would_select(shares.inspect):
                control = max(control, self.disputed_control)
            placement = self._placed(case, case.probability, cuts, control)
            self._remember(case, placement)
        return placement

    def _remember(self, case: Case, placement: Placement) -> None:
        if self.others:
            self.others.note_own(case.kind, case.subject_id, case.at)
        self.recent.add(
            Placed(case.kind, case.office_id, case.at, case.probability, placement.lane)
        )

    def _unscored(self, case: Case, control: float) -> Placement:
        return place_unscored(
            self.draw.lots(case.kind, case.subject_id),
            control_probability=control,
            is_life_at_risk=case.is_life_at_risk,
            hits=case.hits,
        )

    def _placed(self, case: Case, probability: float, cuts: Cuts, control: float) -> Placement:
        return place(
            probability,
            cuts,
            self.draw.lots(case.kind, case.subject_id),
            control_probability=control,
            is_life_at_risk=case.is_life_at_risk,
            hits=case.hits,
        )

    def _today(self, case: Case) -> tuple[Shares, float]:
        """The shares that an office can take now, and its probability of a control draw."""
        office = self.plan.offices.get(case.office_id or "")
        if office is None or self.recent.scores(case.kind, case.office_id) is None:
            return self.shares, self.control_floor
        return self._paced(office, case)

    def _paced(self, office: OfficeCapacity, case: Case) -> tuple[Shares, float]:
        per_day = self.recent.per_day(case.office_id, case.at)
        inspect = self.recent.workday(case.office_id, "inspect", office.inspect_per_day, case.at)
        checks = self.recent.workday(
            case.office_id, "document_check", office.document_check_per_day, case.at
        )
        selected = inspect.share()
        checked = min(checks.share(), 1 - selected)
        shares = Shares(selected, checked, min(self.shares.post_review, 1 - selected - checked))
        unselected = max(per_day - office.inspect_per_day, 1.0)
        return shares, control_probability(self.control_floor, office.control_per_day, unselected)
