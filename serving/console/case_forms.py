"""Forms on the page of a case: which ones appear, and their choices."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from features.offences import OFFENCES
from features.records import Depth, Examination
from serving.access.callers import Caller
from serving.access.sessions import Session
from serving.language import say, say_word
from serving.review.acts.mark_reason import VERDICTS
from serving.review.acts.order import PROPOSED_CHOICES
from serving.review.cases.actions import ACTION_WORDS, REFERRED_WORDS
from serving.review.cases.case_records import StoredEvent
from serving.review.cases.case_state import Case, Status, WaitingFor
from serving.review.cases.event_kinds import JUDGEMENTS
from serving.review.cases.results import (
    MIN_TEXT,
    RESULT_MEANING,
    RESULTS_OF,
    Confidence,
    reasons_of,
)
from serving.review.cases.typology_texts import TYPOLOGIES
from serving.web.html import words_of

JUDGED_AS_WORDS: dict[str, str] = {
    "look": "Look closer",
    "let_go": "Let it go",
    "unsure": "Cannot tell",
}

WAITING_FOR: dict[WaitingFor, str] = {
    "documents": "documents",
    "reply": "a reply",
    "arrival": "its arrival",
    "other": "something else",
}

# Labels of form fields.
FIELD_WORDS = {
    "kind": "Action",
    "text": "Comment",
    "code": "Result and reason",
    "confidence": "How sure are you?",
    "judged_as": "First judgement",
    "waiting_for": "Wait for",
    "hours": "For how many hours",
    "to": "Hand over to",
    "destination": "Which office or agency",
    "add": "Tag",
}


def field_in_words(name: str, text: str) -> tuple[str, str]:
    """Return the label of a form field and its chosen value as text."""
    label = say(FIELD_WORDS[name]) if name in FIELD_WORDS else words_of(name)
    first, _, second = text.partition(" ")
    if name == "kind" and first in ACTION_WORDS:
        words = REFERRED_WORDS.get(second, ACTION_WORDS[first])  # type: ignore[call-overload]  # looked up
        return label, _with_second(words) if text in PROPOSED_CHOICES else say(words)
    if name == "code" and first in RESULT_MEANING:
        return label, f"{say(RESULT_MEANING[first].words)}, {say_word(second)}"
    codes: dict[str, str] = dict([*JUDGED_AS_WORDS.items(), *WAITING_FOR.items()])
    return label, say(codes[text]) if text in codes else say_word(text)


def forms_of(case: Case, caller: Caller, status: Status, *, has_results: bool) -> frozenset[str]:
    """Return the forms to show on a case; acts on someone else's case are not offered."""
    if status == "closed":
        declines = {"disagreements"} if case.reopening else set()
        return frozenset({"notes", "reopen", *declines})
    forms = {"notes", "assignments"}
    is_mine = caller.actor.is_holder(case.owner)
    if is_mine or case.owner is None:
        states = {"actions", "results"} if has_results else {"actions"}
        # While a second person has to agree, no other action or result can be stated.
        forms |= {"waits"} | (set() if case.second_view else states)
        forms |= set() if case.escalation else {"escalations"}
    if is_mine and case.second_view and caller.actor.is_holder(case.second_view.by):
        forms |= {"agreements", "disagreements"}
    return frozenset(forms)


def choices_of(case: Case) -> dict[str, list[tuple[str, Any]]]:
    """Return the choices of the forms: actions, and possible results with their reasons."""
    plain = [(kind, words) for kind, words in ACTION_WORDS.items() if kind != "refer"]
    referred = [(f"refer {to}", words) for to, words in REFERRED_WORDS.items()]
    found_by = case.action.finds if case.action else None
    codes = RESULTS_OF[found_by] if found_by else ()
    return {
        "kind": [
            (value, _with_second(words) if value in PROPOSED_CHOICES else say(words))
            for value, words in (*plain, *referred)
        ],
        "result": [
            (
                (_with_second if RESULT_MEANING[code].is_adverse else say)(
                    RESULT_MEANING[code].words
                ),
                [(f"{code} {why}", say_word(why)) for why in reasons_of(code)],
            )
            for code in codes
        ],
        "confidence": _as_choices(get_args(Confidence)),
        "shortest": [("text", str(MIN_TEXT))],
        "examination": _as_choices(get_args(Examination)),
        "depth": _as_choices(get_args(Depth)),
        "offences": _as_choices(OFFENCES),
        "typology": [(code, say(typology.words)) for code, typology in TYPOLOGIES.items()],
    }


def _with_second(words: str) -> str:
    return say("{what} (a second person must agree)", what=say(words))


def _as_choices(codes: Sequence[str]) -> list[tuple[str, str]]:
    return [(code, say_word(code)) for code in codes]


@dataclass(frozen=True)
class Marking:
    """Verdicts of this reader on the reasons of a case, for the forms next to them."""

    case_id: str
    token: str
    given: dict[str, str]
    verdicts: tuple[str, ...] = VERDICTS


def marking_of(
    events: list[StoredEvent], session: Session, caller: Caller, case_id: str
) -> Marking | None:
    """Return the reader's verdicts so far; None if they may not review."""
    if not caller.may("review"):
        return None
    marks = (e for e in events if e.action == "mark_reason")
    # A later verdict on the same reason replaces the earlier one.
    given = dict(e.text.split(": ", 1) for e in marks if e.actor == caller.actor.identity)
    return Marking(case_id, session.form_token, given)


def judged_as(events: list[StoredEvent], caller: Caller) -> str | None:
    """Return the reader's first judgement as text; None without one."""
    own = (e.text for e in events if e.action in JUDGEMENTS and caller.actor.is_holder(e.by))
    return next((JUDGED_AS_WORDS[each] for each in own if each in JUDGED_AS_WORDS), None)
