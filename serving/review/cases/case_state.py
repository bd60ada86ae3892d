"""What is true of a case: its states, and what people said of it.

    open ── claim ──> assigned ── order ──> action_ordered ── state_result ──> closed
      ^                  │                        │
      │                  ├── order, release ──> closed, without a label
      │                  └── order, hold ──> action_proposed ── agree, by another ──> action_ordered
      ├── give_back                               │
      └── reopen <── closed <── agree, by another ── result_in <── state_result, adverse

Acts (`serving/review/acts`) and letters are pure functions from a case to the next. A case that
waits stays with its owner, and comes back at its end.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from serving.access.actors import Actor, StoredActor
from serving.review.cases.actions import CaseAction
from serving.review.cases.results import CaseResult, FoundBy, StatedInspection
from serving.review.letters.case_letters import CaseLetter, LetterDeferral

Status = Literal[
    "open",
    "assigned",
    "waiting",
    "action_proposed",
    "action_ordered",
    "result_in",
    "closed",
]
WaitingFor = Literal["documents", "reply", "arrival", "other"]


@dataclass(frozen=True)
class Statement:
    """One person's statement: an action to take or a result, one of the two.

    `is_life_at_risk` says that grave signs of danger to life were on record when it was said.
    """

    by: StoredActor
    at: datetime
    action: CaseAction | None = None
    result: CaseResult | None = None
    is_life_at_risk: bool = False

    @property
    def takes_two_persons(self) -> bool:
        """Return whether it is a proposal until a second person agrees."""
        if self.action is not None:
            return self.action.takes_two_persons
        if self.result is None:
            return False
        return self.result.is_adverse or (self.is_life_at_risk and self.result.is_hearsay)

    @property
    def calls_rescue(self) -> bool:
        """Return whether it says that lives may be at risk, which waits for nobody."""
        return self.action is not None and self.action.refer_to == "rescue"


@dataclass(frozen=True)
class Reopening:
    """That a case is to be opened again which two persons ended, and why."""

    proposed_by: StoredActor
    proposed_at: datetime
    because: str


@dataclass(frozen=True)
class Escalation:
    """That a case needs its office's supervisor: who says so, and why; the service says no why."""

    by: StoredActor
    at: datetime
    because: str = ""


@dataclass(frozen=True)
class Amendment:
    """The later version of its declaration that a case was told of, and since when it is known."""

    version: int
    known_at: datetime
    is_withdrawn: bool = False

    def follows(self, told: "Amendment | None") -> bool:
        """Return whether it is news to a case that was told of another, or of none."""
        before = (told.version, told.is_withdrawn) if told else (0, False)
        return (self.version, self.is_withdrawn) > before


@dataclass(frozen=True)
class Case:
    """The state of a case now.

    `owner` works on it. `action` is what was ordered last, `result` what it found and how the case
    ended, by whom it was (`ended_by`). `proposal` is the first person's statement until a second
    one has judged it, `second_view` what that person thought before they saw it. `letters` are
    those that were written of its end, `deferral` is what holds them back. `inspection` is what the
    newest outcome tells of by which people ended it, `reported_inspection` that of an outcome which
    another system has reported since; they stay when the case is opened again, to be corrected.
    `team` is the one in whose inbox it is while nobody has it. `escalation` counts until somebody
    else has the case, or something is ordered or found. `tags` are words by which officers find it
    again. `amendment` is the newest version of its declaration since it was declared first.
    """

    case_id: str
    status: Status = "open"
    owner: StoredActor | None = None
    waiting_until: datetime | None = None
    waiting_for: WaitingFor | None = None
    action: CaseAction | None = None
    result: CaseResult | None = None
    ended_by: tuple[StoredActor, ...] = ()
    proposal: Statement | None = None
    second_view: Statement | None = None
    letters: tuple[CaseLetter, ...] = ()
    deferral: LetterDeferral | None = None
    inspection: StatedInspection | None = None
    reopening: Reopening | None = None
    team: str | None = None
    escalation: Escalation | None = None
    tags: tuple[str, ...] = ()
    amendment: Amendment | None = None
    reported_inspection: StatedInspection | None = None

    @property
    def newest_inspection(self) -> StatedInspection | None:
        """Return what its newest outcome tells of; None where it has none that counts."""
        return self.reported_inspection or self.inspection

    @property
    def is_released(self) -> bool:
        """Return whether people let it go, and nobody has looked."""
        is_without_result = self.status == "closed" and self.result is None
        return is_without_result and self.action is not None and self.action.kind == "release"

    @property
    def is_ended_adversely(self) -> bool:
        """Return whether it ended in what is reported to others as an offence."""
        return self.result is not None and self.result.is_adverse

    def has_ordered(self, found_by: FoundBy) -> bool:
        """Return whether what was ordered is what a result comes from."""
        return self.action is not None and self.action.finds == found_by

    def hides_proposal_from(self, reader: Actor) -> bool:
        """Return whether a reader may be the second person, so must not see the proposal.

        Who proposed it sees it, and whoever has stated a view of their own.
        """
        if self.proposal is None:
            return False
        knows = (self.proposal.by, *([self.second_view.by] if self.second_view else []))
        return not any(reader.is_holder(who) for who in knows)


def status_at(case: Case, at: datetime) -> Status:
    """The status as it counts at an instant: what waits comes back at its end."""
    is_over = case.waiting_until is not None and case.waiting_until <= at
    return status_awake(case) if case.status == "waiting" and is_over else case.status


def status_awake(case: Case) -> Status:
    """The status of a case that is not closed and waits for nothing."""
    if case.proposal is not None:
        return "result_in" if case.proposal.result else "action_proposed"
    if case.action is not None and not case.action.moves:
        return "action_ordered"
    return "open" if case.owner is None else "assigned"
