"""The page of a case between the list and what can be done: evidence first, score after it."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from features.offences import OFFENCES
from features.provenance import Provenance
from features.records import Depth, Examination
from features.submission import Submission
from serving.access.actors import Actor
from serving.access.callers import Caller
from serving.access.sessions import Session
from serving.audit.decision_details import UNEXPLAINED, details_of
from serving.console.act_done import act_done, is_seen
from serving.console.amended_declaration import amended_declaration
from serving.console.browser_session import ReaderWith, RequireRecentProof, TheSession
from serving.console.case_assignments import assign_as_written
from serving.console.case_links import colleagues, link_graph
from serving.console.case_list import CaseList, Filters, subject_described, way_named
from serving.console.case_view import FIELDS_OF_FACTS, CaseView
from serving.console.charts.case_pictures import CasePictures
from serving.console.csrf import SignedForm
from serving.console.first_judgement import is_score_shown
from serving.console.forms import NEVER, RefusedForm, read_form, revision_shown
from serving.console.justification import justification_form
from serving.console.pages import PageRoute, is_part_asked, page, templates
from serving.console.queue import list_content
from serving.container import Services
from serving.errors import Conflict, NotFound, PersonNeeded, RequestFault, Unprocessable
from serving.language import reading, say, say_word
from serving.request_parsing import read_submission
from serving.review import owner_rules, remark_rules, statement_rules
from serving.review.actions import ACTION_WORDS, REFERRED_WORDS, CaseAction
from serving.review.case_records import CaseRecord, StoredEvent
from serving.review.case_state import Case, Status, WaitingFor, status_at
from serving.review.case_summary import describe_subject
from serving.review.errors import JustificationNeeded, TooLong
from serving.review.opening import ALIKE
from serving.review.results import (
    RESULT_MEANING,
    RESULTS_OF,
    SHORTEST_TEXT,
    Confidence,
    reasons_of,
)
from serving.review.reviewer import Reviewer
from serving.review.stored_acts import KEEPS_REVISION, CaseAct
from serving.review.tags import LONGEST_TAG, tags_in_use
from serving.review.ways_of_smuggling import TYPOLOGIES
from serving.web.case_bodies import (
    ActionBody,
    FirstJudgement,
    Judgement,
    Justification,
    Note,
    ResultBody,
    Wait,
)
from serving.web.html import instant_in_words
from serving.web.services import TheServices

router = APIRouter(prefix="/console/cases", include_in_schema=False, route_class=PageRoute)

MaySeeCase = Annotated[Caller, Depends(ReaderWith("review", "audit"))]
MayReview = Annotated[Caller, Depends(ReaderWith("review"))]

MOST_LINKED = 12
VERDICTS = ("right", "wrong", "unclear")

_OFFENCE = "offence_"
"""What the names of the boxes begin with that each stand for a class of offence."""

_ADVERSE = frozenset(code for code, meaning in RESULT_MEANING.items() if meaning.is_adverse)
_PROPOSED_ACTIONS = ("hold", "refer agency")
"""Of the choices of the form, those that one person proposes and a second one orders."""

_CODED = ("read", "judge")
"""Events whose text is a code."""

_WHO = ("owner", "proposed_by")
"""Fields of a case that say who; older events have a bare name there."""

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


@dataclass(frozen=True)
class EventView:
    """One event of a case, in words; `moves` are every field that changed, its old and its new."""

    at: datetime
    actor: str
    words: str
    moves: tuple[tuple[str, str, str], ...]
    text: str
    mentioned: tuple[str, ...] = ()

    @classmethod
    def from_event(cls, event: StoredEvent) -> "EventView":
        """An event as the page shows it; reading is shown like any other act."""
        changed = json.loads(event.changed)
        _, named = changed.pop("mentioned", (None, ()))
        mentioned = tuple(each["name"] for each in named)
        moves = tuple(
            (say_word(name), _value_in_words(name, old), _value_in_words(name, new))
            for name, (old, new) in changed.items()
        )
        words = say_word(event.action)
        text = say_word(event.text) if event.action in _CODED else event.text
        at = datetime.fromisoformat(event.at)
        return cls(at, event.by.shown, words, moves, text, mentioned)


@dataclass(frozen=True)
class PageAsked:
    """How the page of a case is asked for: beside which list, whole or a part, and after what.

    `done` is the case on which the reader acted just before.
    """

    filters: Filters
    is_part: bool
    done: str = ""


def page_asked(
    request: Request,
    filters: Annotated[Filters, Query()],
    done: Annotated[str, Query(max_length=64)] = "",
) -> PageAsked:
    """What the address and the headers of a request say."""
    return PageAsked(filters, is_part_asked(request), done)


ThePageAsked = Annotated[PageAsked, Depends(page_asked)]


def warm_up(examples: Iterable[Submission], at: datetime) -> None:
    """Do once what takes long the first time: compile templates, and read the map and all names."""
    for name in templates.list_templates():
        templates.get_template(name)
    for example in examples:
        CasePictures.from_submission(example, at)
        describe_subject(example)


@router.get("/{case_id}")
def show_case(
    services: TheServices,
    caller: MaySeeCase,
    session: TheSession,
    asked: ThePageAsked,
    case_id: str,
) -> HTMLResponse:
    """A case with its evidence; that it was read is written down."""
    return case_page(services, caller, session, case_id, asked)


@router.post("/{case_id}/justify")
def justify_reading(
    services: TheServices,
    caller: MaySeeCase,
    session: TheSession,
    form: SignedForm,
    case_id: str,
) -> Response:
    """State why a case is read that the reader's work did not bring, and read it."""
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    try:
        stated = read_form(Justification, form)
    except Unprocessable as refusal:
        return justification_form(session, caller, f"/console/cases/{case_id}", str(refusal))
    services.cases.justify(reviewer, case_id, now, stated.code, stated.text)
    return RedirectResponse(f"/console/cases/{case_id}", 303)


@router.post("/{case_id}/{act}")
def act_on_case(
    services: TheServices,
    caller: MayReview,
    session: TheSession,
    asked: ThePageAsked,
    require_recent_proof: RequireRecentProof,
    form: SignedForm,
    case_id: str,
    act: str,
) -> Response:
    """Do what a form of the case page asks; a refusal is shown on the page, in words."""
    if _takes_two_persons(act, form):
        require_recent_proof()
    reviewer = Reviewer.from_caller(caller)
    try:
        read = services if act in _WITHOUT_READING else services.as_read(revision_shown(form))
        if act in _OF_OWNERS:
            read = _claim_unowned(read, reviewer, case_id)
        _do(read, reviewer, case_id, act, form)
    except (Conflict, PersonNeeded, TooLong, Unprocessable) as refusal:
        refused = RefusedForm.of_error(refusal, act, form)
        return case_page(services, caller, session, case_id, asked, refused)
    if act == "marks" and asked.is_part:
        return Response(status_code=204)  # the page shows it by itself, and stays where it is
    return RedirectResponse(_address_after(services, caller, asked, case_id, act), 303)


def _do(
    services: Services, reviewer: Reviewer, case_id: str, act: str, form: dict[str, str]
) -> None:
    now = services.clock()
    if act == "actions":
        action = read_form(ActionBody, _action_form(form)).action()
        services.cases.order(reviewer, case_id, now, action)
    elif act == "results":
        body = read_form(ResultBody, _finding_form(form))
        services.cases.state_result(reviewer, case_id, now, body.result)
    elif act == "agreements":
        services.cases.agree(reviewer, case_id, now, read_form(Judgement, form).text)
    elif act in ("disagreements", "notes"):
        write = services.cases.note if act == "notes" else services.cases.disagree
        write(reviewer, case_id, now, read_form(Note, form).text)
    elif act == "judgements":
        judged = read_form(FirstJudgement, form).judged_as
        services.cases.judge(reviewer, case_id, now, judged)
    elif act == "assignments":
        assign_as_written(services, reviewer, case_id, form)
    elif act == "undo":
        services.cases.undo(reviewer, case_id, now)
    else:
        services.cases.act(reviewer, case_id, _act(act, reviewer, now, form))


def _claim_unowned(services: Services, reviewer: Reviewer, case_id: str) -> Services:
    """Let whoever acts on a case that nobody has be who works on it; by what they act then."""
    row, case = services.cases.case(reviewer, case_id)
    if row.owner is not None or case.status == "closed":
        return services
    now, read = services.clock(), services.cases.revision_read
    services.cases.act(reviewer, case_id, lambda c: owner_rules.claim(c, reviewer.actor, now))
    return services.as_read(None if read is None else read + 1)


def _address_after(
    services: Services, caller: Caller, asked: PageAsked, case_id: str, act: str
) -> str:
    """Where an act leads: from a list to its next case where this one needs nothing more now.

    From a case that the reader gave away, and sees no more, to the list where none is next.
    """
    is_left = not is_seen(services, Reviewer.from_caller(caller), case_id)
    if asked.filters.tab is None:
        return f"/console/queue?done={case_id}" if is_left else f"/console/cases/{case_id}"
    following = None
    if act in _LEADS_ON:
        listed = CaseList.read(services, caller, asked.filters, services.clock())
        following = listed.after(case_id, caller)
    if following is None and is_left:
        return asked.filters.address(done=case_id)
    return asked.filters.case_address(following or case_id, done=case_id)


def _takes_two_persons(act: str, form: dict[str, str]) -> bool:
    """Whether an act proposes what two must do, judges a proposal, or undoes what two ended."""
    code, _, _ = form.get("code", "").partition(" ")
    is_adverse_result = act == "results" and code in _ADVERSE
    is_proposed_action = act == "actions" and form.get("kind") in _PROPOSED_ACTIONS
    is_of_second = act in ("agreements", "disagreements", "reopen")
    return is_adverse_result or is_proposed_action or is_of_second


def _act(act: str, reviewer: Reviewer, now: datetime, form: dict[str, str]) -> CaseAct:
    actor = reviewer.actor
    if act == "claim":
        return lambda case: owner_rules.claim(case, actor, now)
    if act == "release":
        return lambda case: owner_rules.give_back(case, actor, now)
    if act == "escalations":
        text = read_form(Note, form).text
        return lambda case: owner_rules.escalate(case, actor, now, text)
    if act == "reopen":
        text = read_form(Note, form).text
        return lambda case: statement_rules.reopen(case, actor, now, text)
    if act == "waits":
        asked = read_form(Wait, form | {"until": _until(form, now)})
        return lambda case: owner_rules.wait(
            case, actor, now, asked.until, asked.waiting_for, asked.text
        )
    if act == "marks":
        indicator, verdict = form.get("indicator", ""), form.get("verdict", "")
        if verdict not in VERDICTS:
            raise Unprocessable("say whether the reason is right, wrong or unclear")
        return lambda case: remark_rules.mark_reason(case, actor, now, indicator[:64], verdict)
    raise NotFound("there is no such act")


def _action_form(form: dict[str, str]) -> dict[str, str]:
    """The form of an action as its body: one choice says what, and to whom it is referred."""
    kind, _, refer_to = form.get("kind", "").partition(" ")
    return form | {"kind": kind, "refer_to": refer_to}


def _finding_form(form: dict[str, str]) -> dict[str, str]:
    """The form of a result as its body: one choice says what and why, offences are boxes.

    An instant is in UTC.
    """
    code, _, reason = form.get("code", "").partition(" ")
    boxes = [name.removeprefix(_OFFENCE) for name in form if name.startswith(_OFFENCE)]
    instant = {"inspected_at": f"{form['inspected_at']}:00Z"} if form.get("inspected_at") else {}
    return form | {"code": code, "reason": reason, "offences": " ".join(boxes)} | instant


_WITHOUT_READING = ("claim", "notes", "judgements", "marks", "undo")
"""Acts that decide nothing, and so stay right whatever became of the case since it was read.

What is undone is looked at by `undo_rules.undo`.
"""
_OF_OWNERS = ("actions", "results", "waits")
"""Acts of whoever works on a case; of a case that nobody has they make it theirs."""
_LEADS_ON = ("actions", "results", "waits", "release", "agreements", "disagreements", "assignments")
"""Acts after which the next case is opened."""


def _until(form: dict[str, str], now: datetime) -> str:
    hours = form.get("hours", "")
    if not hours.isdecimal() or len(hours) > 4:
        says = "say for how many hours"
        raise Unprocessable(says, (RequestFault("/hours", "hours", says),))
    return (now + timedelta(hours=int(hours))).isoformat()


def case_page(
    services: Services,
    caller: Caller,
    session: Session,
    case_id: str,
    asked: PageAsked,
    refused: RefusedForm | None = None,
) -> HTMLResponse:
    """The page of a case, with what was refused; that it was read is written down, with why.

    Where neither the case nor the reader says why, the form that asks. Of a page that has the list
    the case alone, with a new list where the reader has just acted.
    """
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    revision = services.cases.revision(case_id)  # first: what comes meanwhile is not shown
    try:
        row, case = services.cases.read(reviewer, case_id, now)
    except JustificationNeeded:
        address = f"/console/cases/{case_id}"
        why_refused = refused.says if refused else None
        words_left = refused.fields.get("text", "") if refused else ""
        return justification_form(session, caller, address, why_refused, words_left)
    services.notices.read_case(caller.actor, case_id, now)
    status = refused.status if refused else 200
    content = _case_content(services, caller, session, row, case) | {"revision": revision}
    is_list_shown = not asked.is_part or bool(asked.done)
    listed = list_content(services, caller, asked.filters, now) if is_list_shown else {}
    shown = {"filters": asked.filters, **listed, **content}
    done = act_done(services, reviewer, asked.done, now)
    template = "case_part.html" if asked.is_part else "case.html"
    since = _since(services, reviewer, row, refused)
    answer = page(template, status, refused=refused, since=since, done=done, **shown)
    if asked.is_part and refused is None:
        answer.headers["HX-Push-Url"] = asked.filters.case_address(case_id)
    return answer


def _case_content(
    services: Services, caller: Caller, session: Session, row: CaseRecord, case: Case
) -> dict[str, Any]:
    """What the page of a case is rendered from, but for the list."""
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    decision = services.cases.decision(row.case_id)
    events = services.cases.history(reviewer, row)
    submission = read_submission(decision.request.encode())
    is_explained = caller.may("explain")
    view = CaseView.from_decision(decision, is_explained=is_explained)
    details = (
        details_of(services.models, decision, reading().language) if is_explained else UNEXPLAINED
    )
    shows_score = is_score_shown(services, caller, case)
    if not shows_score:
        details = replace(details, missing_input_effects=None)
    return {
        "reader": caller,
        "session": session,
        "row": row,
        "headline": headline_of(row, submission, is_masked=services.cases.is_masked(row)),
        "state": case,
        "status_now": status_at(case, now),
        "hours_waiting": _hours_until(case.waiting_until, now),
        "hours_left": row.hours_left(submission, now),
        "case": view,
        "is_score_shown": shows_score,
        "judged_as": _judged_as(events, caller),
        "judgements": JUDGED_AS_WORDS,
        "details": details,
        "submission": submission,
        "amended": amended_declaration(services, row, submission, now),
        "pictures": CasePictures.from_submission(submission, now),
        "links": link_graph(services, reviewer, row),
        "entities": services.entities.named_by([row]),
        "colleagues": colleagues(services, caller),
        "offices": sorted({*services.cases.known_offices()} - {row.office_id or ""}),
        "inboxes": services.cases.inboxes().for_office(row.office_id),
        "similar": _ended(services, reviewer, row.case_id),
        "files": services.cases.attached(row),
        "messages": (messages := services.message_evidence.of_case(row, submission)),
        "fact_places": {
            say(label): messages.places(Provenance(fields, {}, ()))
            for label, fields in FIELDS_OF_FACTS.items()
        },
        "most_bytes": services.settings.max_attachment_bytes,
        "events": [EventView.from_event(event) for event in events],
        "choices": (choices := _choices(case)),
        "forms": _forms(case, caller, status_at(case, now), has_results=bool(choices["result"])),
        "waiting_for": WAITING_FOR,
        "tags_in_use": tags_in_use(services.cases, reviewer),
        "longest_tag": LONGEST_TAG,
        "marking": _marking(events, session, caller, row.case_id),
        "may_act": caller.may("review"),
    }


def _since(
    services: Services, reviewer: Reviewer, row: CaseRecord, refused: RefusedForm | None
) -> list[EventView]:
    """What became of a case since a page was made whose form met a conflict."""
    if refused is None or refused.seen in (None, NEVER):
        return []
    events = services.cases.history(reviewer, row)
    told = [event for event in events if event.action not in KEEPS_REVISION]
    return [EventView.from_event(event) for event in told[refused.seen :]]


def _forms(case: Case, caller: Caller, status: Status, *, has_results: bool) -> frozenset[str]:
    """The acts whose forms with words the page has: what another has by now cannot be acted on."""
    if status == "closed":
        declines = {"disagreements"} if case.reopening else set()
        return frozenset({"notes", "reopen", *declines})
    forms = {"notes", "assignments"}
    is_mine = caller.actor.is_holder(case.owner)
    if is_mine or case.owner is None:
        states = {"actions", "results"} if has_results else {"actions"}
        forms |= {"waits"} | (set() if case.second_view else states)
        forms |= set() if case.escalation else {"escalations"}
    if is_mine and case.second_view and caller.actor.is_holder(case.second_view.by):
        forms |= {"agreements", "disagreements"}
    return frozenset(forms)


def headline_of(row: CaseRecord, submission: Submission, *, is_masked: bool) -> str:
    """What a case is in one line; of a masked one what is still said of it."""
    if is_masked:
        return row.what
    return f"{subject_described(submission)}, {way_named(submission)}"


def _judged_as(events: list[StoredEvent], caller: Caller) -> str | None:
    """The reader's first judgement in words; None where they gave none."""
    own = (e.text for e in events if e.action == "judge" and caller.actor.is_holder(e.by))
    return next((JUDGED_AS_WORDS[each] for each in own if each in JUDGED_AS_WORDS), None)


def _hours_until(instant: datetime | None, now: datetime) -> float | None:
    """How long a case still waits; None where it waits for nothing."""
    return (instant - now) / timedelta(hours=1) if instant and instant > now else None


def _ended(services: Services, reviewer: Reviewer, case_id: str) -> list[tuple[Any, str]]:
    """Past cases of the same goods or way, with how they ended."""
    alike = services.case_links.linked(reviewer, case_id, ALIKE, MOST_LINKED)
    ended = ((link, services.cases.result_of(link.case)) for link in alike)
    return [(link, end.words) for link, end in ended if end]


@dataclass(frozen=True)
class Marking:
    """What the forms beside the reasons need: has this reader found them right?"""

    case_id: str
    token: str
    given: dict[str, str]
    verdicts: tuple[str, ...] = VERDICTS


def _marking(
    events: list[StoredEvent], session: Session, caller: Caller, case_id: str
) -> Marking | None:
    """The marks that the reader has given so far; None for whoever only reads."""
    if not caller.may("review"):
        return None
    marks = (e for e in events if e.action == "mark_reason")
    given = dict(e.text.split(": ", 1) for e in marks if e.actor == caller.actor.identity)
    return Marking(case_id, session.form_token, given)


def _choices(case: Case) -> dict[str, list[tuple[str, Any]]]:
    """What the forms offer: actions, and with each result that can be the reasons it may have."""
    plain = [(kind, words) for kind, words in ACTION_WORDS.items() if kind != "refer"]
    referred = [(f"refer {to}", words) for to, words in REFERRED_WORDS.items()]
    found_by = case.action.finds if case.action else None
    codes = RESULTS_OF[found_by] if found_by else ()
    return {
        "kind": [
            (value, _with_second(words) if value in _PROPOSED_ACTIONS else say(words))
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
        "shortest": [("text", str(SHORTEST_TEXT))],
        "examination": _as_choices(get_args(Examination)),
        "depth": _as_choices(get_args(Depth)),
        "offences": _as_choices(OFFENCES),
        "typology": [(code, say(typology.words)) for code, typology in TYPOLOGIES.items()],
    }


def _with_second(words: str) -> str:
    return say("{what} (a second person must agree)", what=say(words))


def _as_choices(codes: Sequence[str]) -> list[tuple[str, str]]:
    return [(code, say_word(code)) for code in codes]


def _value_in_words(field: str, value: Any) -> str:
    """One value of a field as the history tells it."""
    if value is None:
        return say("nobody") if field in _WHO else say("none")
    if (words := _IN_WORDS.get(field)) is not None:
        return words(value)
    return str(value)


def _listed(value: dict[str, Any]) -> str:
    said = {name: _said(each) for name, each in value.items() if each}
    return ", ".join(f"{say_word(name)} {words}" for name, words in said.items())


def _said(value: Any) -> str:
    """Who it is, or a text as it is; older events have a bare name."""
    return Actor(**value).shown if isinstance(value, dict) else str(value)


def _action_in_words(action: dict[str, Any]) -> str:
    return CaseAction(**action).in_words


def _result_in_words(result: dict[str, Any]) -> str:
    words = say(
        "{result}, {reason}, confidence {confidence}",
        result=say(RESULT_MEANING[result["code"]].words),
        reason=say_word(result["reason"]),
        confidence=say_word(result["confidence"]),
    )
    return f"{words}{_found(result)}"


def _statement_in_words(statement: dict[str, Any]) -> str:
    """What one of two persons said, and who it was."""
    by, action = _said(statement["by"]), statement.get("action")
    said = _action_in_words(action) if action else _result_in_words(statement["result"])
    return f"{by}: {said}"


def _found(result: dict[str, Any]) -> str:
    """What a result states of the finding, in words."""
    stated = {name: value for name, value in result.get("finding", {}).items() if value}
    words = "".join(f", {say_word(name)} {say_word(str(value))}" for name, value in stated.items())
    protected = say("handed to protection") if result.get("is_protection") else None
    return words + (f", {protected}" if protected else "")


_IN_WORDS: dict[str, Callable[[Any], str]] = {
    **dict.fromkeys(_WHO, _said),
    **dict.fromkeys(("letter", "deferral"), _listed),
    "action": _action_in_words,
    "result": _result_in_words,
    **dict.fromkeys(("proposal", "second_view"), _statement_in_words),
    "ended_by": lambda value: ", ".join(map(_said, value)) or say("nobody"),
    "escalation": lambda value: say("by {who}", who=_said(value["by"])),
    "reopening": lambda value: say("proposed by {who}", who=_said(value["proposed_by"])),
    "amendment": lambda value: say(
        "version {version}, known since {at}",
        version=value["version"],
        at=instant_in_words(datetime.fromisoformat(value["known_at"])),
    ),
    "due_at": lambda value: instant_in_words(datetime.fromisoformat(value)),
    "waiting_until": lambda value: instant_in_words(datetime.fromisoformat(value)),
    "attachment": lambda value: f"SHA-256 {value['sha256']}",
    "status": lambda value: say_word(str(value)),
    "tags": lambda value: ", ".join(value) or say("none"),
    "waiting_for": lambda value: say(WAITING_FOR.get(value, str(value))),
}
"""How values of a field are told; others by themselves."""
