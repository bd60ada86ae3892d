"""The rules of a case, four eyes included: pure functions from a case and an act to the next case.

    open ── claim ──> claimed ── dispose ──> closed
      ^                 │  │                   │
      └── release ──────┘  └── dispose, adverse ──> second_review ── claim, by another ──> claimed
      └── reopen <─────────────────────────────┘

Four eyes: an adverse disposition is a proposal until a second reviewer, never the same one, judges
the case too (`claim` refuses SameReviewer). A snoozed case or one that waits for documents stays
with its owner; its end brings it back.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

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
class Case:
    """What is true of a case now.

    `owner` works on it; `proposed` and `proposed_by` are the first reviewer's adverse disposition,
    until a second one has judged; `snoozed_until` also ends a wait for documents. `letters` are
    those that were written of its end, `deferral` is what holds them back. `inspection` is what its
    newest outcome tells of, if any; it stays when the case is opened again, to be corrected.
    """

    case_id: str
    status: Status = "open"
    owner: str | None = None
    snoozed_until: datetime | None = None
    disposition: Disposition | None = None
    proposed: Disposition | None = None
    proposed_by: str | None = None
    letters: tuple[CaseLetter, ...] = ()
    deferral: LetterDeferral | None = None
    inspection: StatedInspection | None = None


@dataclass(frozen=True)
class CaseEvent:
    """One act: who, when, what; `changed` has the old and the new of every field that changed."""

    case_id: str
    at: datetime
    actor: str
    action: Action
    changed: dict[str, tuple[object, object]]
    text: str = ""


CaseChange = tuple[Case, CaseEvent]


def claim(case: Case, actor: str, at: datetime) -> CaseChange:
    """Take a case to work on it. Raises CaseTaken, CaseClosed, or SameReviewer."""
    _refuse_closed(case)
    if case.owner not in (None, actor):
        raise CaseTaken("another reviewer has this case; it comes back when they release it")
    if case.proposed_by == actor:
        raise SameReviewer("a second reviewer must judge what you proposed")
    return _acted(case, actor, at, "claim", status="claimed", owner=actor, snoozed_until=None)


def release(case: Case, actor: str, at: datetime) -> CaseChange:
    """Put a case back for others. Raises NotYours or CaseClosed."""
    _refuse_other(case, actor)
    status: Status = "second_review" if case.proposed else "open"
    return _acted(case, actor, at, "release", status=status, owner=None, snoozed_until=None)


def assign(case: Case, actor: str, at: datetime, to: str) -> CaseChange:
    """Give a case to a reviewer, whoever has it. Raises CaseClosed or SameReviewer."""
    _refuse_closed(case)
    if case.proposed_by == to:
        raise SameReviewer("a second reviewer must judge what the first proposed")
    return _acted(case, actor, at, "assign", status="claimed", owner=to, snoozed_until=None)


def snooze(case: Case, actor: str, at: datetime, until: datetime, text: str) -> CaseChange:
    """Lay a case aside until an instant. Raises NotYours, CaseClosed or TooLong."""
    return _laid_aside(case, actor, at, "snooze", until, text)


def request_documents(
    case: Case, actor: str, at: datetime, until: datetime, text: str
) -> CaseChange:
    """Ask for documents that are missing, and wait. Raises NotYours, CaseClosed or TooLong."""
    return _laid_aside(case, actor, at, "request_documents", until, text)


def note(case: Case, actor: str, at: datetime, text: str) -> CaseChange:
    """Write something down; anyone who sees the case may, also when it is closed."""
    return _acted(case, actor, at, "note", text)


def attach(case: Case, actor: str, at: datetime, attachment: AttachedFile) -> CaseChange:
    """Put a file to a case; anyone who sees the case may, also when it is closed."""
    changed: dict[str, tuple[object, object]] = {"attachment": (None, vars(attachment))}
    return case, CaseEvent(case.case_id, at, actor, "attach", changed, attachment.name)


def mark_reason(case: Case, actor: str, at: datetime, indicator: str, verdict: str) -> CaseChange:
    """Say whether a reason that the case gives is right, wrong or unclear."""
    return _acted(case, actor, at, "mark_reason", f"{indicator}: {verdict}")


def reread(case: Case, actor: str, at: datetime, code: DispositionCode) -> CaseChange:
    """Say how a closed case would have ended, having seen its evidence and not its score.

    Raises NotYours for a case that is not closed, SameReviewer for one that the actor ended.
    """
    if case.status != "closed":
        raise NotYours("only a closed case is read again")
    if actor in (case.owner, case.proposed_by):
        raise SameReviewer("somebody else must read again what you ended")
    return _acted(case, actor, at, "reread", code)


def dispose(case: Case, actor: str, at: datetime, disposition: Disposition) -> CaseChange:
    """End a case, or propose an adverse end to a second reviewer, whose word then counts.

    Raises NotYours, CaseClosed or SameReviewer.
    """
    _refuse_other(case, actor)
    if case.proposed_by == actor:
        raise SameReviewer("a second reviewer must judge what you proposed")
    if MEANING[disposition.code].is_adverse and case.proposed is None:
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


def reopen(case: Case, actor: str, at: datetime, text: str) -> CaseChange:
    """Bring back a case that was closed, without the letters that were not released.

    Raises NotYours for an open one.
    """
    if case.status != "closed":
        raise NotYours("only a closed case can be opened again")
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
    )


def status_at(case: Case, at: datetime) -> Status:
    """The status as it counts at an instant: what was laid aside comes back at its end."""
    is_over = case.snoozed_until is not None and case.snoozed_until <= at
    return "claimed" if case.status in ("snoozed", "waiting") and is_over else case.status


def _laid_aside(
    case: Case, actor: str, at: datetime, action: Action, until: datetime, text: str
) -> CaseChange:
    _refuse_other(case, actor)
    if not at < until <= at + LONGEST_SNOOZE:
        raise TooLong(f"want an instant to come, within {LONGEST_SNOOZE.days} days")
    status: Status = "snoozed" if action == "snooze" else "waiting"
    return _acted(case, actor, at, action, text, status=status, snoozed_until=until)


def _refuse_closed(case: Case) -> None:
    if case.status == "closed":
        raise CaseClosed("this case is closed; open it again first")


def _refuse_other(case: Case, actor: str) -> None:
    _refuse_closed(case)
    if case.owner != actor:
        raise NotYours("claim this case first")


def _acted(
    case: Case, actor: str, at: datetime, action: Action, text: str = "", **after: object
) -> CaseChange:
    changed = {
        name: (getattr(case, name), new)
        for name, new in after.items()
        if getattr(case, name) != new
    }
    return replace(case, **after), CaseEvent(case.case_id, at, actor, action, changed, text)  # type: ignore[arg-type]  # names of fields
