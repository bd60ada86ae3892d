"""The rules of remarks: what people say of a case, which changes nothing in it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from serving.access.actors import Actor
from serving.errors import Conflict
from serving.review.acts.attachments import AttachedFile
from serving.review.cases.case_change import CaseChange, CaseEvent, acted, refuse_closed
from serving.review.cases.case_state import Case
from serving.review.errors import CaseNotClosed

JudgedAs = Literal["look", "let_go", "unsure"]
"""What an officer thinks of a case before they see its score: look closer, let go, or neither."""


def note(
    case: Case, actor: Actor, at: datetime, text: str, mentioned: Sequence[Actor] = ()
) -> CaseChange:
    """Write something down; anyone who sees the case may, also when it is closed.

    `mentioned` are those whom the text names.
    """
    _, event = acted(case, actor, at, "note", text)
    changed: dict[str, tuple[object, object]] = {"mentioned": (None, list(mentioned))}
    return case, replace(event, changed=changed if mentioned else {})


def attach(case: Case, actor: Actor, at: datetime, attachment: AttachedFile) -> CaseChange:
    """Put a file to a case; anyone who sees the case may, also when it is closed."""
    changed: dict[str, tuple[object, object]] = {"attachment": (None, vars(attachment))}
    return case, CaseEvent(case.case_id, at, actor, "attach", changed, attachment.name)


def mark_reason(case: Case, actor: Actor, at: datetime, indicator: str, verdict: str) -> CaseChange:
    """Say whether a reason that the case gives is right, wrong or unclear."""
    return acted(case, actor, at, "mark_reason", f"{indicator}: {verdict}")


def judge(case: Case, actor: Actor, at: datetime, judged_as: JudgedAs) -> CaseChange:
    """Say what one thinks of a case by its evidence, before its score. Raises CaseClosed."""
    refuse_closed(case)
    return acted(case, actor, at, "judge", judged_as)


def reread(case: Case, actor: Actor, at: datetime, code: str) -> CaseChange:
    """Say how a closed case would have ended, having seen its evidence and not its score.

    `code` is that of a result, or `release`. Raises CaseNotClosed, and Conflict for a case that
    the actor ended.
    """
    if case.status != "closed":
        raise CaseNotClosed("only a closed case is read again")
    if any(actor.may_be(ended) for ended in (case.owner, *case.ended_by) if ended):
        raise Conflict("somebody else must read again what you ended", code="same-reviewer")
    return acted(case, actor, at, "reread", code)
