"""The rules of a case, those of two persons too: pure functions from a case and an act to the next.

    open ── claim ──> assigned ── order ──> action_ordered ── state_result ──> closed
      ^                  │                        │
      │                  ├── order, release ──> closed, without a label
      │                  └── order, hold ──> action_proposed ── agree, by another ──> action_ordered
      ├── give_back                               │
      └── reopen <── closed <── agree, by another ── result_in <── state_result, adverse

Two persons: a hold, a referral to an agency and an adverse result are proposals of the first. The
second, never the same one, states a view of their own before they see the first's, and then agrees
or not; where they do not, their own view takes its place: what one person may do is done, what
takes two is their proposal. Of what a machine reported the first person who judges is none of the
two yet: whatever they say is a proposal. What two persons ended two open again. A case that waits
stays with its owner, and comes back at its end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from serving.access.actors import SERVICE, Actor, StoredActor
from serving.access.two_persons import require_person, require_second_person
from serving.errors import SameReviewer
from serving.language import say
from serving.review.actions import CaseAction
from serving.review.attachments import AttachedFile
from serving.review.case_letters import CaseLetter, LetterDeferral
from serving.review.errors import (
    AlreadyEscalated,
    CaseClosed,
    CaseTaken,
    NoActionOrdered,
    NothingToTell,
    NotYours,
    TooLong,
    UndoRefused,
    ViewNeeded,
)
from serving.review.results import FOUND_BY_WORDS, CaseResult, StatedInspection

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
EventAction = Literal[
    "assign",
    "hand_over",
    "give_back",
    "put_into_inbox",
    "wait",
    "note",
    "propose_action",
    "order_action",
    "state_result",
    "state_view",
    "agree",
    "disagree",
    "close",
    "propose_reopening",
    "reopen",
    "mark_reason",
    "judge",
    "reread",
    "attach",
    "download",
    "read_message",
    "write_letter",
    "letter",
    "defer_letter",
    "confirm_deferral",
    "seal",
    "justify",
    "undo",
    "escalate",
    "tag",
    "amend_declaration",
    "withdraw_declaration",
    "amend_journey",
    "score_again",
    "come_back",
]

JudgedAs = Literal["look", "let_go", "unsure"]
"""What an officer thinks of a case before they see its score: look closer, let go, or neither."""

LONGEST_WAIT = timedelta(days=14)
UNDO_WITHIN = timedelta(seconds=10)
UNDOABLE: frozenset[str] = frozenset(
    {
        "assign",
        "hand_over",
        "give_back",
        "put_into_inbox",
        "escalate",
        "tag",
        "wait",
        "propose_action",
        "order_action",
        "state_result",
        "state_view",
    }
)
"""What one person did alone, and may take back at once."""
_IS_SECOND = "a second person must judge what the first proposed"


@dataclass(frozen=True)
class Statement:
    """What one person says is to be done, or was found: one of the two."""

    by: StoredActor
    at: datetime
    action: CaseAction | None = None
    result: CaseResult | None = None

    @property
    def takes_two_persons(self) -> bool:
        """Whether it is a proposal until a second person agrees."""
        if self.action is not None:
            return self.action.takes_two_persons
        return self.result is not None and self.result.is_adverse

    @property
    def calls_rescue(self) -> bool:
        """Whether it says that lives may be at risk, which waits for nobody."""
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
        """Whether it is news to a case that was told of another, or of none."""
        before = (told.version, told.is_withdrawn) if told else (0, False)
        return (self.version, self.is_withdrawn) > before


@dataclass(frozen=True)
class Case:
    """What is true of a case now.

    `owner` works on it. `action` is what was ordered last, `result` what it found and how the case
    ended, by whom it was (`ended_by`). `proposal` is the first person's statement until a second
    one has judged it, `second_view` what that person thought before they saw it. `letters` are
    those that were written of its end, `deferral` is what holds them back. `inspection` is what its
    newest outcome tells of, if any; it stays when the case is opened again, to be corrected. `team`
    is the one in whose inbox it is while nobody has it. `escalation` counts until somebody else has
    the case, or something is ordered or found. `tags` are words by which officers find it again.
    `amendment` is the newest version of its declaration since it was declared first.
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

    @property
    def is_released(self) -> bool:
        """Whether people let it go, and nobody has looked."""
        is_without_result = self.status == "closed" and self.result is None
        return is_without_result and self.action is not None and self.action.kind == "release"

    @property
    def is_ended_adversely(self) -> bool:
        """Whether it ended in what is reported to others as an offence."""
        return self.result is not None and self.result.is_adverse

    def hides_proposal_from(self, reader: Actor) -> bool:
        """Whether a reader must not see what the first person said, since they may be the second.

        Who proposed it sees it, and whoever has stated a view of their own.
        """
        if self.proposal is None:
            return False
        knows = (self.proposal.by, *([self.second_view.by] if self.second_view else []))
        return not any(reader.is_holder(who) for who in knows)


@dataclass(frozen=True)
class CaseEvent:
    """One act: who, when, what; `changed` has the old and the new of every field that changed."""

    case_id: str
    at: datetime
    actor: Actor
    action: EventAction
    changed: dict[str, tuple[object, object]]
    text: str = ""


CaseChange = tuple[Case, CaseEvent]


def claim(case: Case, actor: Actor, at: datetime) -> CaseChange:
    """Take a case to work on it. Raises CaseTaken, CaseClosed, SameReviewer or PersonNeeded."""
    _refuse_closed(case)
    if case.owner is not None and not actor.is_holder(case.owner):
        raise CaseTaken("another reviewer has this case; it comes back when they give it back")
    _refuse_first(case, actor)
    return _assigned(case, actor, at, actor, "assign")


def give_back(case: Case, actor: Actor, at: datetime) -> CaseChange:
    """Put a case back for others. Raises NotYours or CaseClosed."""
    _refuse_other(case, actor)
    return _acted(case, actor, at, "give_back", **_awake(replace(case, owner=None)), owner=None)


def assign(
    case: Case, actor: Actor, at: datetime, to: Actor, *, may_take: bool = False
) -> CaseChange:
    """Give a case to a reviewer; whoever `may_take` it does so from another owner too.

    Raises CaseClosed, CaseTaken, SameReviewer or PersonNeeded.
    """
    _refuse_closed(case)
    if not (may_take or case.owner is None or actor.is_holder(case.owner)):
        raise CaseTaken("another reviewer has this case; a supervisor may give it to somebody else")
    _refuse_first(case, to)
    return _assigned(case, actor, at, to, "assign" if case.owner is None else "hand_over")


def put_into_inbox(
    case: Case, actor: Actor, at: datetime, team: str | None, *, may_take: bool = False
) -> CaseChange:
    """Put a case into the inbox of a team, None for that of its office, where nobody has it.

    Whoever `may_take` it does so from another owner too. Raises CaseClosed or CaseTaken.
    """
    _refuse_closed(case)
    if not (may_take or case.owner is None or actor.is_holder(case.owner)):
        raise CaseTaken("another reviewer has this case; a supervisor may put it into an inbox")
    free = _awake(replace(case, owner=None))
    return _acted(case, actor, at, "put_into_inbox", **free, owner=None, team=team)


def escalate(case: Case, actor: Actor, at: datetime, because: str) -> CaseChange:
    """Call for the supervisor of the office. Raises CaseClosed, NotYours or AlreadyEscalated."""
    _refuse_closed(case)
    if case.owner is not None and actor != SERVICE and not actor.is_holder(case.owner):
        raise NotYours("another reviewer has this case, and escalates it where it is needed")
    if case.escalation is not None:
        raise AlreadyEscalated("this case is escalated already: its supervisor was told")
    return _acted(case, actor, at, "escalate", because, escalation=Escalation(actor, at, because))


def wait(
    case: Case, actor: Actor, at: datetime, until: datetime, waiting_for: WaitingFor, text: str
) -> CaseChange:
    """Let a case wait until an instant, for something. Raises NotYours, CaseClosed or TooLong."""
    _refuse_other(case, actor)
    if not at < until <= at + LONGEST_WAIT:
        raise TooLong(say("want an instant to come, within {days} days", days=LONGEST_WAIT.days))
    return _acted(
        case,
        actor,
        at,
        "wait",
        text,
        status="waiting",
        waiting_until=until,
        waiting_for=waiting_for,
    )


def take_and_wait(
    case: Case, actor: Actor, at: datetime, until: datetime, waiting_for: WaitingFor, text: str
) -> CaseChange:
    """Let a case wait; one that nobody has is the actor's by the same act.

    Raises CaseTaken too, SameReviewer or PersonNeeded.
    """
    if actor.is_holder(case.owner):
        return wait(case, actor, at, until, waiting_for, text)
    taken, claimed = claim(case, actor, at)
    after, event = wait(taken, actor, at, until, waiting_for, text)
    was = {name: old for name, (old, _) in claimed.changed.items()}
    changed = {name: (was.get(name, old), new) for name, (old, new) in event.changed.items()}
    return after, replace(event, changed=claimed.changed | changed)


def note(
    case: Case, actor: Actor, at: datetime, text: str, mentioned: Sequence[Actor] = ()
) -> CaseChange:
    """Write something down; anyone who sees the case may, also when it is closed.

    `mentioned` are those whom the text names.
    """
    _, event = _acted(case, actor, at, "note", text)
    changed: dict[str, tuple[object, object]] = {"mentioned": (None, list(mentioned))}
    return case, replace(event, changed=changed if mentioned else {})


def attach(case: Case, actor: Actor, at: datetime, attachment: AttachedFile) -> CaseChange:
    """Put a file to a case; anyone who sees the case may, also when it is closed."""
    changed: dict[str, tuple[object, object]] = {"attachment": (None, vars(attachment))}
    return case, CaseEvent(case.case_id, at, actor, "attach", changed, attachment.name)


def mark_reason(case: Case, actor: Actor, at: datetime, indicator: str, verdict: str) -> CaseChange:
    """Say whether a reason that the case gives is right, wrong or unclear."""
    return _acted(case, actor, at, "mark_reason", f"{indicator}: {verdict}")


def judge(case: Case, actor: Actor, at: datetime, judged_as: JudgedAs) -> CaseChange:
    """Say what one thinks of a case by its evidence, before its score. Raises CaseClosed."""
    _refuse_closed(case)
    return _acted(case, actor, at, "judge", judged_as)


def reread(case: Case, actor: Actor, at: datetime, code: str) -> CaseChange:
    """Say how a closed case would have ended, having seen its evidence and not its score.

    `code` is that of a result, or `release`. Raises NotYours for a case that is not closed,
    SameReviewer for one that the actor ended.
    """
    if case.status != "closed":
        raise NotYours("only a closed case is read again")
    if any(actor.may_be(ended) for ended in (case.owner, *case.ended_by) if ended):
        raise SameReviewer("somebody else must read again what you ended")
    return _acted(case, actor, at, "reread", code)


def order(case: Case, actor: Actor, at: datetime, action: CaseAction) -> CaseChange:
    """Order an action, or propose one that takes two; of whoever is second it is their view.

    Raises NotYours, CaseClosed, SameReviewer or PersonNeeded.
    """
    _refuse_other(case, actor)
    _refuse_first(case, actor)
    return _stated(case, Statement(actor, at, action=action), action.text)


def state_result(case: Case, actor: Actor, at: datetime, result: CaseResult) -> CaseChange:
    """State what the ordered action found: the end of a case, or the proposal of an adverse end.

    Of whoever is second it is their view. Raises NotYours, CaseClosed, SameReviewer, PersonNeeded,
    or NoActionOrdered where nothing was ordered that finds this.
    """
    _refuse_other(case, actor)
    _refuse_first(case, actor)
    if result.found_by != "rescue" and not _has_found(case, result):
        raise NoActionOrdered(
            say("order first {found_by}", found_by=say(FOUND_BY_WORDS[result.found_by]))
        )
    return _stated(case, Statement(actor, at, result=result), result.text)


def take_outcome(
    case: Case, actor: Actor, at: datetime, result: CaseResult, inspection: StatedInspection | None
) -> CaseChange:
    """What another system found of the subject: it ends the case, or is proposed where adverse.

    Whoever sent it is no person, so that two of those who review agree with an adverse result. What
    it corrects of its own, ended or proposed, counts no more. Where people ordered something else
    or ended the case, it ends nothing and is written down for them. Raises CaseTaken where two
    persons are judging it.
    """
    case = _without_report(case)
    if case.status == "closed":
        return note(case, actor, at, f"reported by record: {result.words}")
    if case.proposal is not None:
        raise CaseTaken("two persons are judging this case; the outcome stays on record")
    known = replace(case, inspection=inspection or case.inspection)
    if not result.is_adverse and case.action is not None and not _has_found(case, result):
        return note(known, actor, at, f"reported by record: {result.words}")
    after: dict[str, object] = {}
    if result.found_by in ("inspect", "check_documents") and not _has_found(case, result):
        after["action"] = CaseAction(result.found_by)
    if result.is_adverse:
        after |= _proposed(known, Statement(actor, at, result=result))
        return _acted(known, actor, at, "state_result", result.text, **after)
    return _acted(known, actor, at, "close", result.text, **after, **_ended(result, actor))


def withdraw_outcome(case: Case, actor: Actor, at: datetime) -> CaseChange:
    """Take back what another system reported: the case is open again, and waits for people.

    Where people judged or ended it, it is written down for them. Raises CaseTaken where no report
    was in it.
    """
    before = _without_report(case)
    words = "the outcome that was reported by record was withdrawn"
    if before is case and (case.status == "closed" or case.proposal is not None):
        return note(case, actor, at, words)
    if before is case:
        raise CaseTaken("no report of a machine counts in this case, which stays as it is")
    named = ("status", "owner", "action", "result", "ended_by", "proposal", "second_view")
    return _acted(
        case, actor, at, "reopen", words, **{each: getattr(before, each) for each in named}
    )


def _without_report(case: Case) -> Case:
    """A case as it would be had no machine reported an outcome; the same where people judged."""
    ended = case.result if case.status == "closed" else None
    proposed = case.proposal.result if case.proposal and not case.proposal.by.is_human else None
    is_untouched = case.second_view is None and not any(by.is_human for by in case.ended_by)
    if not is_untouched or not any(
        each and each.reason == "reported" for each in (ended, proposed)
    ):
        return case
    ordered = case.action if case.action and case.action.text else None
    return replace(
        case,
        status="action_ordered" if ordered else "open",
        owner=None,
        action=ordered,
        result=None,
        ended_by=(),
        proposal=None,
        second_view=None,
    )


def agree(case: Case, actor: Actor, at: datetime, text: str = "") -> CaseChange:
    """Agree, as a second person, with what a first one proposed.

    Raises NotYours, CaseClosed, SameReviewer, PersonNeeded, or ViewNeeded before an own view.
    """
    proposal, view = _judged(case, actor)
    if not proposal.by.is_human:  # a machine's word, or of nobody known: theirs counts as the first
        own = replace(proposal, by=actor, at=at)
        return _acted(case, actor, at, "agree", text, **_proposed(case, own))
    if proposal.action is not None:
        ordered = _ordered(proposal.action, proposal.by, actor) | {"owner": proposal.by}
        return _acted(case, actor, at, "agree", text, **ordered)
    assert proposal.result is not None, "a statement is of an action or a result"
    result = proposal.result.with_protection_of(view.result)
    return _acted(case, actor, at, "agree", text, **_ended(result, proposal.by, actor))


def disagree(case: Case, actor: Actor, at: datetime, text: str) -> CaseChange:
    """Disagree, as a second person; their own view takes the place of what the first proposed.

    Of what a machine reported theirs is the first look of a person, and a proposal, but that lives
    may be at risk. What was proposed to be opened again stays closed. Raises NotYours where nothing
    is proposed, CaseClosed, SameReviewer, PersonNeeded, or ViewNeeded before an own view.
    """
    if case.reopening is not None:
        words = "another person than who proposed it declines"
        require_second_person(case.reopening.proposed_by, actor, words)
        return _acted(case, actor, at, "disagree", text, reopening=None)
    proposal, view = _judged(case, actor)
    if view.result is not None:
        view = replace(view, result=view.result.with_protection_of(proposal.result))
    is_first = not proposal.by.is_human and not view.calls_rescue
    after = _proposed(case, view) if is_first else _after(case, view)
    return _acted(case, actor, at, "disagree", text, **after)


def reopen(case: Case, actor: Actor, at: datetime, text: str) -> CaseChange:
    """Bring back a case that was closed, without the letters that were not released.

    Of an adverse end the first person proposes it and a second one does it. Raises NotYours for an
    open case, SameReviewer or PersonNeeded.
    """
    if case.status != "closed":
        raise NotYours("only a closed case can be opened again")
    if case.is_ended_adversely:
        if case.reopening is None or not case.reopening.proposed_by.is_human:
            require_person(actor)
            proposal = Reopening(actor, at, text)
            return _acted(case, actor, at, "propose_reopening", text, reopening=proposal)
        words = "a second person must agree that what two ended is opened again"
        require_second_person(case.reopening.proposed_by, actor, words)
    return _reopened(case, actor, at, text)


def amend(
    case: Case, actor: Actor, at: datetime, amendment: Amendment, *, is_in_time: bool
) -> CaseChange:
    """The declaration behind a case was amended or withdrawn: what waits comes back.

    What people let go on another declaration than that which stands is open again while it is in
    time. Raises NothingToTell where the case was told.
    """
    if not amendment.follows(case.amendment):
        raise NothingToTell
    if case.is_released and is_in_time and not amendment.is_withdrawn:
        words = "its declaration was amended after it was released"
        return _reopened(case, actor, at, words, amendment=amendment)
    event: EventAction = "withdraw_declaration" if amendment.is_withdrawn else "amend_declaration"
    awake = _awake(case) if case.status == "waiting" else {}
    return _acted(case, actor, at, event, **awake, amendment=amendment)


def amend_journey(case: Case, actor: Actor, at: datetime) -> CaseChange:
    """The journey that brings the goods was amended. Raises CaseClosed."""
    _refuse_closed(case)
    return _acted(case, actor, at, "amend_journey")


def come_back(case: Case, actor: Actor, at: datetime) -> CaseChange:
    """What a case waited for became known. Raises NothingToTell where it waits for nothing."""
    if case.status != "waiting":
        raise NothingToTell
    return _acted(case, actor, at, "come_back", **_awake(case))


def score_again(case: Case, actor: Actor, at: datetime) -> CaseChange:
    """Its subject was scored once more, and the score does not change the case."""
    return _acted(case, actor, at, "score_again")


def undo(case: Case, actor: Actor, at: datetime, last: CaseEvent, before: Case) -> CaseChange:
    """Take back the last act on a case, which left it as it was `before`.

    Raises UndoRefused for what somebody else did, what is ten seconds old, what two persons ended,
    a result that is a label by now, and a referral.
    """
    if not actor.is_holder(last.actor):
        raise UndoRefused("somebody else has acted on this case since")
    if last.action not in UNDOABLE or len(case.ended_by) > 1:
        raise UndoRefused("this cannot be undone; a closed case can be opened again")
    if case.result is not None and case.result.label is not None:
        raise UndoRefused("its outcome is on record: open the case again")
    if at - last.at > UNDO_WITHIN:
        raise UndoRefused(
            say("only the last {seconds} seconds can be undone", seconds=UNDO_WITHIN.seconds)
        )
    if case.action != before.action and case.action is not None and case.action.moves:
        raise UndoRefused("it was referred, and others have it by now: ask them for it")
    after = {name: getattr(before, name) for name in last.changed if hasattr(before, name)}
    return _acted(case, actor, at, "undo", last.action.replace("_", " "), **after)


def _reopened(case: Case, actor: Actor, at: datetime, text: str, **also: object) -> CaseChange:
    """A closed case open again, without the letters that were not released."""
    released = tuple(letter for letter in case.letters if letter.released_at)
    after: dict[str, object] = {
        "status": "open",
        "owner": None,
        "action": None,
        "result": None,
        "ended_by": (),
        "reopening": None,
    }
    return _acted(replace(case, letters=released), actor, at, "reopen", text, **after, **also)


def status_at(case: Case, at: datetime) -> Status:
    """The status as it counts at an instant: what waits comes back at its end."""
    is_over = case.waiting_until is not None and case.waiting_until <= at
    return _status_of(case) if case.status == "waiting" and is_over else case.status


def _status_of(case: Case) -> Status:
    """The status of a case that is not closed and waits for nothing."""
    if case.proposal is not None:
        return "result_in" if case.proposal.result else "action_proposed"
    if case.action is not None and not case.action.moves:
        return "action_ordered"
    return "open" if case.owner is None else "assigned"


def _assigned(
    case: Case, actor: Actor, at: datetime, to: Actor, event: Literal["assign", "hand_over"]
) -> CaseChange:
    awake, escalation = _awake(replace(case, owner=to)), case.escalation
    is_answered = escalation is not None and not to.is_holder(escalation.by)
    left = None if is_answered else escalation
    return _acted(case, actor, at, event, **awake, owner=to, escalation=left)


def _awake(case: Case) -> dict[str, object]:
    """What changes in a case that waits no more."""
    return {"status": _status_of(case), "waiting_until": None, "waiting_for": None}


def _stated(case: Case, statement: Statement, text: str) -> CaseChange:
    actor, at = statement.by, statement.at
    if case.proposal is not None:
        if case.proposal.action is not None and statement.result is not None:
            raise NoActionOrdered("an action was proposed: say what you would do")
        return _acted(case, actor, at, "state_view", text, second_view=statement)
    event: EventAction = "state_result"
    if statement.action is not None:
        event = "propose_action" if statement.takes_two_persons else "order_action"
    return _acted(case, actor, at, event, text, **_after(case, statement))


def _after(case: Case, statement: Statement) -> dict[str, object]:
    """What changes by one person's statement alone."""
    if statement.takes_two_persons:
        require_person(statement.by)
        return _proposed(case, statement)
    if statement.action is not None:
        return _ordered(statement.action, statement.by)
    assert statement.result is not None, "a statement is of an action or a result"
    return _ended(statement.result, statement.by)


def _proposed(case: Case, statement: Statement) -> dict[str, object]:
    proposed = replace(case, proposal=statement, owner=None)
    return _awake(proposed) | {"proposal": statement, "second_view": None, "owner": None}


def _ordered(action: CaseAction, *by: Actor) -> dict[str, object]:
    judged: dict[str, object] = {
        "action": action,
        "proposal": None,
        "second_view": None,
        "escalation": None,
    }
    awake: dict[str, object] = {"waiting_until": None, "waiting_for": None}
    if action.closes:
        return judged | awake | {"status": "closed", "ended_by": by}
    if action.moves:
        return judged | awake | {"status": "open", "owner": None, "team": None}
    return judged | awake | {"status": "action_ordered"}


def _ended(result: CaseResult, *by: Actor) -> dict[str, object]:
    return {
        "status": "closed",
        "result": result,
        "ended_by": by,
        "proposal": None,
        "second_view": None,
        "escalation": None,
        "waiting_until": None,
        "waiting_for": None,
    }


def _judged(case: Case, actor: Actor) -> tuple[Statement, Statement]:
    """What was proposed, and the own view of whoever judges it."""
    _refuse_closed(case)
    if case.proposal is None:
        raise NotYours("nothing waits for a second person")
    _refuse_first(case, actor)
    _refuse_other(case, actor)
    if case.second_view is None or not actor.is_holder(case.second_view.by):
        raise ViewNeeded("say first what you would do or what was found, and then judge")
    return case.proposal, case.second_view


def _has_found(case: Case, result: CaseResult) -> bool:
    """Whether what was ordered is what such a result comes from."""
    return case.action is not None and case.action.finds == result.found_by


def _refuse_closed(case: Case) -> None:
    if case.status == "closed":
        raise CaseClosed("this case is closed; open it again first")


def _refuse_other(case: Case, actor: Actor) -> None:
    _refuse_closed(case)
    if case.owner is None:
        raise NotYours("claim this case first")
    if not actor.is_holder(case.owner):
        raise NotYours("another reviewer has this case; it comes back when they give it back")


def _refuse_first(case: Case, actor: Actor) -> None:
    """Raise SameReviewer or PersonNeeded for whoever cannot judge what was proposed."""
    if case.proposal is not None:
        require_second_person(case.proposal.by, actor, _IS_SECOND)


def _acted(
    case: Case, actor: Actor, at: datetime, event: EventAction, text: str = "", /, **after: object
) -> CaseChange:
    changed = {
        name: (getattr(case, name), new)
        for name, new in after.items()
        if getattr(case, name) != new
    }
    return replace(case, **after), CaseEvent(case.case_id, at, actor, event, changed, text)  # type: ignore[arg-type]  # names of fields
