"""The rules of letters: pure functions from a case and an act to the next case.

    closed ── write ──> written ── release, by another ──> released
      │                                                     (event `letter`, with its recipient)
      └── defer ── confirm, by another ──> deferred until a day

A letter is written after a case ended. If a watch-list selected the case, two persons must defer
the letter first and the deferral must end, since the information belongs to the authority behind
the list. Where lives are at risk there is no letter.
"""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Literal

from serving.access.actors import Actor
from serving.access.two_persons import require_person, require_second_person
from serving.errors import Conflict, Unprocessable
from serving.language import say
from serving.review.cases.case_change import CaseChange, CaseEvent
from serving.review.cases.case_state import Case
from serving.review.cases.event_kinds import EventAction
from serving.review.letters.case_letters import (
    GROUNDS,
    MAX_DEFERRAL,
    Audience,
    CaseLetter,
    DeferralGround,
    LetterDeferral,
)
from serving.triage.lane_declarations import LaneReason


def require_letter_due(case: Case, lane_reason: LaneReason, at: datetime) -> None:
    """Raise Conflict unless a letter may be written or released now."""
    if lane_reason == "life_at_risk":
        raise Conflict(
            "signs of danger to life brought it here: there is no letter of a check",
            code="letter-not-due",
        )
    if case.status != "closed" or (case.result is None and case.action is None):
        raise Conflict(
            "a letter says how the case ended, and it has not ended yet", code="letter-not-due"
        )
    if case.result is None and case.action and case.action.refer_to == "protection":
        raise Conflict(
            "it was handed to those who protect people: there is no letter", code="letter-not-due"
        )
    if case.result is not None and case.result.found_by == "rescue":
        raise Conflict("it ended as a rescue: there is no letter of a check", code="letter-not-due")
    deferral = case.deferral
    if deferral and at < deferral.ends_at:
        raise Conflict(
            say(
                "it is deferred until {ends_at} UTC: {ground}",
                ends_at=f"{deferral.ends_at:%-d %B %Y, %H:%M}",
                ground=say(GROUNDS[deferral.ground]),
            ),
            code="letter-deferred",
        )
    # A deferral that still runs was refused above.
    is_cleared = deferral is not None and deferral.confirmed_by is not None
    if lane_reason == "watch_list" and not is_cleared:
        raise Conflict(
            "it was selected by what an authority looks for: two persons defer its letter, and it "
            "is written when that time is over",
            code="letter-deferred",
        )


def write_letter(case: Case, letter: CaseLetter) -> CaseChange:
    """Write a letter, replacing an unreleased one to the same audience.

    Raises PersonNeeded.
    """
    # A key is no person, so it cannot answer for a letter.
    require_person(letter.written_by)
    # Released letters stay on record; only a draft is replaced.
    others = tuple(each for each in case.letters if not _is_draft_to(each, letter.audience))
    after = replace(case, letters=(*others, letter))
    return after, _told(case, letter.written_by, letter.written_at, "write_letter", letter)


def release_letter(
    case: Case, actor: Actor, at: datetime, audience: Audience, because: str
) -> CaseChange:
    """Release a letter; raises Conflict if none is ready, and for its writer.

    Raises PersonNeeded for a machine, and Conflict if no known person wrote the letter.
    """
    found = next((each for each in case.letters if _is_draft_to(each, audience)), None)
    if found is None:
        raise Conflict(
            say(
                "no letter to the {audience} waits to be released; write it first",
                audience=audience,
            ),
            code="letter-not-due",
        )
    require_second_person(
        found.written_by, actor, "another person than its writer releases a letter"
    )
    released = replace(found, released_by=actor, released_at=at)
    letters = tuple(released if each is found else each for each in case.letters)
    return replace(case, letters=letters), _told(case, actor, at, "letter", released, because)


def defer_letter(
    case: Case, actor: Actor, at: datetime, ground: DeferralGround, until: datetime, because: str
) -> CaseChange:
    """Hold back every letter of a case; raises Unprocessable for an impossible end.

    Raises PersonNeeded, or Conflict during a confirmed deferral: neither of the two persons may
    shorten it alone.
    """
    require_person(actor)
    before = case.deferral
    if before and before.confirmed_by and at < before.ends_at:
        raise Conflict(
            "two persons hold the letters back; defer them again when that ends",
            code="letter-deferred",
        )
    if not at < until <= at + MAX_DEFERRAL:
        raise Unprocessable(
            say("want an instant to come, within {days} days", days=MAX_DEFERRAL.days),
            code="too-long",
        )
    deferral = LetterDeferral(ground, until, because, actor, at)
    return _deferred(case, actor, at, "defer_letter", deferral)


def confirm_deferral(case: Case, actor: Actor, at: datetime) -> CaseChange:
    """Confirm a deferral as a second person; raises Conflict or PersonNeeded."""
    deferral = case.deferral
    if deferral is None or deferral.confirmed_by or at >= deferral.ends_at:
        raise Conflict("no deferral waits for a second person", code="letter-not-due")
    require_second_person(deferral.deferred_by, actor, "another person confirms that it waits")
    return _deferred(case, actor, at, "confirm_deferral", replace(deferral, confirmed_by=actor))


def _is_draft_to(letter: CaseLetter, audience: Audience) -> bool:
    return letter.audience == audience and letter.released_at is None


def _deferred(
    case: Case,
    actor: Actor,
    at: datetime,
    action: Literal["defer_letter", "confirm_deferral"],
    deferral: LetterDeferral,
) -> CaseChange:
    old = asdict(case.deferral) if case.deferral else None
    changed: dict[str, tuple[object, object]] = {"deferral": (old, asdict(deferral))}
    event = CaseEvent(case.case_id, at, actor, action, changed, deferral.because)
    return replace(case, deferral=deferral), event


def _told(
    case: Case,
    actor: Actor,
    at: datetime,
    action: EventAction,
    letter: CaseLetter,
    because: str = "",
) -> CaseEvent:
    """Return the event of a letter: recipient, purpose and digest, never its text."""
    told = {
        "audience": letter.audience,
        "recipient": letter.recipient,
        "purpose": letter.purpose,
        "digest": letter.digest,
    }
    return CaseEvent(case.case_id, at, actor, action, {"letter": (None, told)}, because)
