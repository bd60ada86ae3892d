"""The rules of a case, those of two persons too: pure functions from a case and an act to the next.

    open ── claim ──> claimed ── dispose ──> closed
      ^                 │  │                   │
      └── release ──────┘  └── dispose, adverse ──> second_review ── claim, by another ──> claimed
      └── reopen <─────────────────────────────┘
              (after an adverse end: propose_reopening ── reopen, by another)

Two persons: an adverse disposition is a proposal until a second person, never the same one, says
the same of the case; another adverse word is another proposal, and any other word is the end. What
two persons ended two open again. Whoever is asked to be the second may decline. A snoozed case or
one that waits for documents stays with its owner; its end brings it back.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from serving.access.actors import Actor, StoredActor
from serving.access.two_persons import require_person, require_second_person
from serving.errors import CaseClosed, CaseTaken, NotYours, SameReviewer, TooLong
from serving.review.attachments import AttachedFile
from serving.review.case_letters import CaseLetter, LetterDeferral
from serving.review.dispositions import MEANING, Disposition, DispositionCode, StatedInspection

Status = Literal["open", "claimed", "snoozed", "waiting", "second_review", "closed"]
Action = Literal[
    "claim",
    "release",
    "assign",
    "snooze",
    "note",
    "request_documents",
    "dispose",
    "decline",
    "propose_reopening",
    "reopen",
    "mark_reason",
    "reread",
    "attach",
    "download",
    "write_letter",
    "letter",
    "defer_letter",
    "confirm_deferral",
    "seal",
    "justify",
]

LONGEST_SNOOZE = timedelta(days=14)


@dataclass(frozen=True)
class Reopening:
    """That a case is to be opened again which two persons ended, and why."""

    proposed_by: StoredActor
    proposed_at: datetime
    because: str


@dataclass(frozen=True)
class Case:
    """What is true of a case now.

    `owner` works on it; `proposed` and `proposed_by` are the first person's adverse disposition,
    until a second one has judged; `reopening` waits for a second person too. `snoozed_until` also
    ends a wait for documents. `letters` are those that were written of its end, `deferral` is what
    holds them back. `inspection` is what its newest outcome tells of, if any; it stays when the
    case is opened again, to be corrected.
    """

    case_id: str
    status: Status = "open"
    owner: StoredActor | None = None
    snoozed_until: datetime | None = None
    disposition: Disposition | None = None
    proposed: Disposition | None = None
    proposed_by: StoredActor | None = None
    letters: tuple[CaseLetter, ...] = ()
    deferral: LetterDeferral | None = None
    inspection: StatedInspection | None = None
    reopening: Reopening | None = None

    @property
    def is_ended_adversely(self) -> bool:
        """Whether it ended in what is reported to others as an offence."""
        return self.disposition is not None and MEANING[self.disposition.code].is_adverse


@dataclass(frozen=True)
class CaseEvent:
    """One act: who, when, what; `changed` has the old and the new of every field that changed."""

    case_id: str
    at: datetime
    actor: Actor
    action: Action
    changed: dict[str, tuple[object, object]]
    text: str = ""


CaseChange = tuple[Case, CaseEvent]


def claim(case: Case, actor: Actor, at: datetime) -> CaseChange:
    """Take a case to work on it. Raises CaseTaken, CaseClosed, SameReviewer or PersonNeeded."""
    _refuse_closed(case)
    if case.owner is not None and not actor.is_holder(case.owner):
        raise CaseTaken("another reviewer has this case; it comes back when they release it")
    _refuse_first(case, actor)
    return _acted(case, actor, at, "claim", status="claimed", owner=actor, snoozed_until=None)


def release(case: Case, actor: Actor, at: datetime) -> CaseChange:
    """Put a case back for others. Raises NotYours or CaseClosed."""
    _refuse_other(case, actor)
    status: Status = "second_review" if case.proposed else "open"
    return _acted(case, actor, at, "release", status=status, owner=None, snoozed_until=None)


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
    return _acted(case, actor, at, "assign", status="claimed", owner=to, snoozed_until=None)


def snooze(case: Case, actor: Actor, at: datetime, until: datetime, text: str) -> CaseChange:
    """Lay a case aside until an instant. Raises NotYours, CaseClosed or TooLong."""
    return _laid_aside(case, actor, at, "snooze", until, text)


def request_documents(
    case: Case, actor: Actor, at: datetime, until: datetime, text: str
) -> CaseChange:
    """Ask for documents that are missing, and wait. Raises NotYours, CaseClosed or TooLong."""
    return _laid_aside(case, actor, at, "request_documents", until, text)


def note(case: Case, actor: Actor, at: datetime, text: str) -> CaseChange:
    """Write something down; anyone who sees the case may, also when it is closed."""
    return _acted(case, actor, at, "note", text)


def attach(case: Case, actor: Actor, at: datetime, attachment: AttachedFile) -> CaseChange:
    """Put a file to a case; anyone who sees the case may, also when it is closed."""
    changed: dict[str, tuple[object, object]] = {"attachment": (None, vars(attachment))}
    return case, CaseEvent(case.case_id, at, actor, "attach", changed, attachment.name)


def mark_reason(case: Case, actor: Actor, at: datetime, indicator: str, verdict: str) -> CaseChange:
    """Say whether a reason that the case gives is right, wrong or unclear."""
    return _acted(case, actor, at, "mark_reason", f"{indicator}: {verdict}")


def reread(case: Case, actor: Actor, at: datetime, code: DispositionCode) -> CaseChange:
    """Say how a closed case would have ended, having seen its evidence and not its score.

    Raises NotYours for a case that is not closed, SameReviewer for one that the actor ended.
    """
    if case.status != "closed":
        raise NotYours("only a closed case is read again")
    if any(actor.may_be(ended) for ended in (case.owner, case.proposed_by) if ended):
        raise SameReviewer("somebody else must read again what you ended")
    return _acted(case, actor, at, "reread", code)


def dispose(case: Case, actor: Actor, at: datetime, disposition: Disposition) -> CaseChange:
    """End a case, or propose an adverse end to a second person.

    Who is second ends it by what was proposed or by what is not adverse; any other adverse end is a
    proposal of theirs. Raises NotYours, CaseClosed, SameReviewer or PersonNeeded.
    """
    _refuse_other(case, actor)
    _refuse_first(case, actor)
    if MEANING[disposition.code].is_adverse and not _is_proposed(case, disposition):
        require_person(actor)
        return _acted(
            case,
            actor,
            at,
            "dispose",
            disposition.text,
            status="second_review",
            owner=None,
            proposed=disposition,
            proposed_by=actor,
        )
    return _acted(
        case, actor, at, "dispose", disposition.text, status="closed", disposition=disposition
    )


def decline(case: Case, actor: Actor, at: datetime, text: str) -> CaseChange:
    """Refuse, as a second person, what a first one proposed; the case stays as it was before.

    Raises NotYours where nothing is proposed, CaseTaken, SameReviewer or PersonNeeded.
    """
    words = "another person than who proposed it declines"
    if case.reopening is not None:
        require_second_person(case.reopening.proposed_by, actor, words)
        return _acted(case, actor, at, "decline", text, reopening=None)
    if case.status == "closed" or case.proposed_by is None:
        raise NotYours("nothing waits for a second person")
    if case.owner is not None and not actor.is_holder(case.owner):
        raise CaseTaken("another reviewer has this case; it comes back when they release it")
    require_second_person(case.proposed_by, actor, words)
    return _acted(
        case,
        actor,
        at,
        "decline",
        text,
        status="open",
        owner=None,
        snoozed_until=None,
        proposed=None,
        proposed_by=None,
    )


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
    released = tuple(letter for letter in case.letters if letter.released_at)
    return _acted(
        replace(case, letters=released),
        actor,
        at,
        "reopen",
        text,
        status="open",
        owner=None,
        disposition=None,
        proposed=None,
        proposed_by=None,
        reopening=None,
    )


def status_at(case: Case, at: datetime) -> Status:
    """The status as it counts at an instant: what was laid aside comes back at its end."""
    is_over = case.snoozed_until is not None and case.snoozed_until <= at
    return "claimed" if case.status in ("snoozed", "waiting") and is_over else case.status


def _laid_aside(
    case: Case, actor: Actor, at: datetime, action: Action, until: datetime, text: str
) -> CaseChange:
    _refuse_other(case, actor)
    if not at < until <= at + LONGEST_SNOOZE:
        raise TooLong(f"want an instant to come, within {LONGEST_SNOOZE.days} days")
    status: Status = "snoozed" if action == "snooze" else "waiting"
    return _acted(case, actor, at, action, text, status=status, snoozed_until=until)


def _refuse_closed(case: Case) -> None:
    if case.status == "closed":
        raise CaseClosed("this case is closed; open it again first")


def _refuse_other(case: Case, actor: Actor) -> None:
    _refuse_closed(case)
    if not actor.is_holder(case.owner):
        raise NotYours("claim this case first")


def _refuse_first(case: Case, actor: Actor) -> None:
    """Raise SameReviewer or PersonNeeded for whoever cannot judge what was proposed."""
    if case.proposed_by is not None:
        words = "a second person must judge what the first proposed"
        require_second_person(case.proposed_by, actor, words)


def _is_proposed(case: Case, disposition: Disposition) -> bool:
    """Whether a person proposed this very end: its code, and what was found."""
    proposed, proposer = case.proposed, case.proposed_by
    return (
        proposed is not None
        and proposer is not None
        and proposer.is_human
        and (proposed.code, proposed.finding, proposed.is_protection)
        == (disposition.code, disposition.finding, disposition.is_protection)
    )


def _acted(
    case: Case, actor: Actor, at: datetime, action: Action, text: str = "", **after: object
) -> CaseChange:
    changed = {
        name: (getattr(case, name), new)
        for name, new in after.items()
        if getattr(case, name) != new
    }
    return replace(case, **after), CaseEvent(case.case_id, at, actor, action, changed, text)  # type: ignore[arg-type]  # names of fields
