"""The state of a case, and the statements that people make about it.

    open ── claim ──> assigned ── order ──> action_ordered ── state_result ──> closed
      ^                  │                        │
      │                  ├── order, release ──> closed, without a label
      │                  └── order, hold ──> action_proposed ── agree, by another ──> action_ordered
      ├── give_back                               │
      └── reopen <── closed <── agree, by another ── result_in <── state_result, adverse

Acts (`serving/review/acts`) and letters are pure functions from a case to the next. A waiting case
keeps its owner and becomes active again when its time is up.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from serving.access.actors import Actor
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

    `is_life_at_risk` means that grave signs of danger to life were on record when it was made.
    """

    by: Actor
    at: datetime
    action: CaseAction | None = None
    result: CaseResult | None = None
    is_life_at_risk: bool = False

    @property
    def takes_two_persons(self) -> bool:
        """Return whether it stays a proposal until a second person agrees."""
        if self.action is not None:
            return self.action.takes_two_persons
        if self.result is None:
            return False
        # If lives may be at risk, hearsay of a good end must not close the case on one word.
        return self.result.is_adverse or (self.is_life_at_risk and self.result.is_hearsay)

    @property
    def calls_rescue(self) -> bool:
        """Return whether it reports that lives may be at risk, which needs no second person."""
        return self.action is not None and self.action.refer_to == "rescue"


@dataclass(frozen=True)
class Reopening:
    """A proposal to reopen a case that two persons closed, with the reason."""

    proposed_by: Actor
    proposed_at: datetime
    because: str


@dataclass(frozen=True)
class Escalation:
    """A request for the office's supervisor; `because` is empty if the service escalated."""

    by: Actor
    at: datetime
    because: str = ""


@dataclass(frozen=True)
class Amendment:
    """The latest version of the declaration that the case was notified of.

    `known_at` is when that version became known.
    """

    version: int
    known_at: datetime
    is_withdrawn: bool = False

    def follows(self, told: "Amendment | None") -> bool:
        """Return whether it is news to a case that was last notified of `told`.

        None stands for the first version.
        """
        before = (told.version, told.is_withdrawn) if told else (0, False)
        # Without a notice the case knows version 1; a withdrawal follows the same version.
        return (self.version, self.is_withdrawn) > before


@dataclass(frozen=True)
class Case:
    """The current state of a case.

    `owner` works on it. `action` is the last ordered action, `result` its finding, and `ended_by`
    the people who closed the case. `proposal` is the first person's statement until a second person
    has judged it; `second_view` is that person's own view, stated before they see the proposal.
    `letters` were written about the end of the case; `deferral` holds them back. `inspection` comes
    from the newest outcome with which people closed the case, `reported_inspection` from an outcome
    that another system reported later. Both survive a reopening, so that they can be corrected.
    `team` is the inbox while the case has no owner. `escalation` counts until the owner changes, or
    an action or a result is stated. Officers search by `tags`. `amendment` is the newest version of
    the declaration after the first.
    """

    case_id: str
    status: Status = "open"
    owner: Actor | None = None
    waiting_until: datetime | None = None
    waiting_for: WaitingFor | None = None
    action: CaseAction | None = None
    result: CaseResult | None = None
    ended_by: tuple[Actor, ...] = ()
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
        """Return the inspection of its newest valid outcome; None if there is none."""
        return self.reported_inspection or self.inspection

    @property
    def is_released(self) -> bool:
        """Return whether people released it without any examination."""
        is_without_result = self.status == "closed" and self.result is None
        return is_without_result and self.action is not None and self.action.kind == "release"

    @property
    def is_ended_adversely(self) -> bool:
        """Return whether its result is one that is reported to others as an offence."""
        return self.result is not None and self.result.is_adverse

    def has_ordered(self, found_by: FoundBy) -> bool:
        """Return whether the ordered action is one that yields results of this kind."""
        return self.action is not None and self.action.finds == found_by

    def hides_proposal_from(self, reader: Actor) -> bool:
        """Return whether the proposal is hidden from a reader, who may be its second person.

        The proposer sees it, and so does anyone who has stated a view of their own.
        """
        if self.proposal is None:
            return False
        knows = (self.proposal.by, *([self.second_view.by] if self.second_view else []))
        return not any(reader.is_holder(who) for who in knows)


def status_at(case: Case, at: datetime) -> Status:
    """Return the status at an instant; a wait that has ended no longer counts."""
    is_over = case.waiting_until is not None and case.waiting_until <= at
    return status_awake(case) if case.status == "waiting" and is_over else case.status


def status_awake(case: Case) -> Status:
    """Return the status that a case has apart from a wait; the case must not be closed."""
    if case.proposal is not None:
        return "result_in" if case.proposal.result else "action_proposed"
    if case.action is not None and not case.action.moves:
        return "action_ordered"
    return "open" if case.owner is None else "assigned"
