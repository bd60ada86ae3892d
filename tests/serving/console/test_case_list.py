"""The list of cases, the case beside it, and what is done there without a page of its own."""

import re
from contextvars import copy_context
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from httpx import Response

from serving.access.accounts import new_account
from serving.access.api_keys import new_key
from serving.access.callers import Caller
from serving.access.roles import Scope
from serving.audit.decision import Decision
from serving.console import bulk_acts, case_list
from serving.console.case_list import CaseLine
from serving.errors import Unprocessable
from serving.language import begin_locale, languages_in
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.claim import claim as claim_rule
from serving.review.acts.order import order_action
from serving.review.cases.case_records import CaseAccess
from serving.review.cases.reviewer import Reviewer
from serving.triage.lane_declarations import ALWAYS_IN_TIME
from tests.serving.bodies import shipment, submission
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.people import person
from tests.serving.review.cases.stated import RELEASE, form_of
from tests.serving.review.cases.test_cases_served import open_case
from tests.serving.review.supervision.test_supervision_served import PASSWORD, sign_in_as
from training.model.model_home import ModelHome
from training.model.model_pointer import GateVerdict

PART = {"HX-Request": "true"}
EXPLAIN: frozenset[Scope] = frozenset({"explain"})
ALL = CaseAccess(frozenset(), is_rescue=False)
OWN_OFFICE, OTHER_OFFICE = "DE004600", "DE002300"
IN_OFFICE = CaseAccess(frozenset({OWN_OFFICE}), is_rescue=False)


def tabs_of(page: str) -> dict[str, int]:
    """The counts of the tabs, by name."""
    found = re.findall(r'aria-current="true">([^<]+) <span class="count">(\d+)<', page)
    found += re.findall(r'outerHTML">([^<]+) <span class="count">(\d+)<', page)
    return {name: int(count) for name, count in found}


def listed(page: str) -> list[str]:
    """The cases of the rows, in order."""
    return re.findall(r'<tr[^>]* data-case="([^"]+)"', page)


def test_every_case_is_in_the_tab_where_a_reader_looks_for_it(reviewed: Service) -> None:
    ids = [open_case(reviewed, f"S-{number}") for number in range(6)]
    token = sign_in_as(reviewed, "reviewer")

    def post(case_id: str, act: str, **form: str) -> str:
        address = f"/console/cases/{case_id}/{act}"
        sent = form_of(reviewed, case_id, token, **form)
        return reviewed.client.post(address, data=sent, headers=ORIGIN).text

    post(ids[0], "claim")
    post(ids[1], "actions", kind="inspect")
    post(ids[2], "actions", kind="hold", text="the seal is broken")
    post(ids[3], "actions", kind="release", text="nothing calls for a look")
    other = sign_in_as(reviewed, "supervisor")
    reviewed.client.post(
        f"/console/cases/{ids[4]}/claim", data={"form_token": other}, headers=ORIGIN
    )
    sign_in_as(reviewed, "reviewer")

    page = reviewed.client.get("/console/queue").text
    assert tabs_of(page) == {
        "Mine": 2,
        "Unassigned": 1,
        "Waiting": 1,
        "Second person": 1,
        "With others": 1,
        "Closed": 1,
    }
    shown = {
        tab: set(listed(reviewed.client.get(f"/console/queue?tab={tab}").text))
        for tab in ("mine", "unassigned", "waiting", "second_person", "others", "closed", "expired")
    }
    assert shown == {
        "mine": {ids[0], ids[1]},
        "unassigned": {ids[5]},
        "waiting": {ids[1]},
        "second_person": {ids[2]},
        "others": {ids[4]},
        "closed": {ids[3]},
        "expired": set(),
    }
    heads = reviewed.client.get("/console/queue?tab=mine&mode=&sort=due").text
    assert heads.count('aria-sort="ascending"') == 1
    assert 'href="/console/queue?tab=mine&amp;sort=-due"' in heads
    part = reviewed.client.get("/console/queue?tab=closed", headers=PART).text
    assert part.startswith('<section id="case-list"')
    assert re.search(r'<td class="fact">[^<]*c-0012', page)  # of a hit of a list, what hit


def test_what_came_since_is_counted_and_not_put_into_what_is_read(reviewed: Service) -> None:
    open_case(reviewed, "S-1")
    sign_in_as(reviewed, "reviewer")
    page = reviewed.client.get("/console/queue?tab=unassigned").text
    asks = re.search(r'id="new-cases" hx-get="([^"]+)"', page)
    assert asks is not None
    address = asks[1].replace("&amp;", "&")

    assert "new" not in reviewed.client.get(address, headers=PART).text
    open_case(reviewed, "S-2")
    reviewed.client.get("/console/queue?tab=mine")  # somebody opens what came in
    assert ">1 new<" in reviewed.client.get(address, headers=PART).text
    reviewed.client.cookies.clear()
    assert reviewed.client.get(address, headers=PART).status_code == 286  # asks no more


def test_an_act_leads_on_from_a_list_and_is_undone_within_ten_seconds(reviewed: Service) -> None:
    first, second = open_case(reviewed, "S-1"), open_case(reviewed, "S-2")
    token = sign_in_as(reviewed, "reviewer")
    form = form_of(reviewed, first, token, kind="inspect")
    address = f"/console/cases/{first}/actions?tab=unassigned"

    answer = reviewed.client.post(address, data=form, headers=ORIGIN | PART)
    assert answer.url.path == f"/console/cases/{second}"
    assert answer.headers["HX-Push-Url"] == f"/console/cases/{second}?tab=unassigned"
    assert "ordered to inspect the goods or the conveyance" in answer.text
    assert "<!doctype" not in answer.text
    assert 'id="case-list"' in answer.text

    plain = reviewed.client.post(
        f"/console/cases/{first}/undo?tab=unassigned", data={"form_token": token}, headers=ORIGIN
    )
    assert plain.url.path == f"/console/cases/{first}"
    assert plain.text.startswith("<!doctype")
    cases = reviewed.services.cases
    told = [event.action for event in cases.events(first)]
    assert [action for action in told if action != "read"] == ["order_action", "undo"]
    case = cases.case(Reviewer(person("chief"), ALL), first)[1]
    assert (case.owner, case.action, case.status) == (None, None, "open")


@pytest.mark.parametrize(
    ("act", "fields"),
    [
        ("actions", {"kind": "release"}),
        ("actions", {"kind": "refer office", "text": "theirs", "destination": "nowhere"}),
        ("results", {"code": "nothing_found as_declared"}),
        ("results", {"code": "nothing_found as_declared", "confidence": "high", "text": "seen"}),
        ("waits", {"hours": "9999", "waiting_for": "other"}),
    ],
)
def test_a_form_that_is_refused_leaves_the_case_to_whoever_takes_it(
    reviewed: Service, act: str, fields: dict[str, str]
) -> None:
    case_id, cases = open_case(reviewed), reviewed.services.cases
    form = form_of(reviewed, case_id, sign_in_as(reviewed, "reviewer"), **fields)

    refused = reviewed.client.post(f"/console/cases/{case_id}/{act}", data=form, headers=ORIGIN)

    assert refused.status_code in (409, 422)
    assert cases.case(Reviewer(person("chief"), ALL), case_id)[1].owner is None
    assert [event.action for event in cases.events(case_id)] == ["read"]


def refer(service: Service, case_id: str, to: str, tab: str, **headers: str) -> Response:
    """Refer a case to others as its form does, from a tab of the list or from its page alone."""
    form = {"kind": f"refer {to}", "text": "it is theirs to look after"}
    form |= {"destination": OTHER_OFFICE} if to == "office" else {}
    address = f"/console/cases/{case_id}/actions?tab={tab}"
    if service.services.accounts.find("the reviewer") is None:
        officer = new_account("the reviewer", PASSWORD, "reviewer", (OWN_OFFICE,), NOW)
        service.services.accounts.add_account(officer)
        service.key("score", offices=(OTHER_OFFICE,))  # by which the office is known
    token = sign_in_as(service, "reviewer")
    sent = form_of(service, case_id, token, **form)
    return service.client.post(address, data=sent, headers=ORIGIN | headers)


@pytest.mark.parametrize(("to", "told"), [("office", "another office"), ("rescue", "rescue")])
@pytest.mark.parametrize("tab", ["", "unassigned"])
def test_a_case_that_was_referred_to_others_leads_on_and_is_confirmed(
    reviewed: Service, to: str, told: str, tab: str
) -> None:
    case_id = open_case(reviewed, "S-1")

    answer = refer(reviewed, case_id, to, tab)

    assert (answer.status_code, answer.url.path) == (200, "/console/queue")
    (said,) = re.findall(r'<div class="act-done".*?</div>', answer.text, re.S)
    assert "Shipment S-1" in said
    assert f"ordered to refer it to {told}" in said
    assert "Undo" not in said  # others have it by now: nobody takes a referral back


def test_after_a_referral_the_next_case_opens_with_the_confirmation(reviewed: Service) -> None:
    first = open_case(reviewed, "S-1")
    second = open_case(reviewed, "S-2")

    answer = refer(reviewed, first, "office", "unassigned", **PART)

    assert answer.url.path == f"/console/cases/{second}"
    assert "ordered to refer it to another office" in answer.text


def test_of_a_case_that_one_sees_no_more_only_ones_own_referral_is_told_and_not_for_long(
    reviewed: Service,
) -> None:
    case_id = open_case(reviewed, "S-1")
    elsewhere = open_case(reviewed, "S-2", office_id=OTHER_OFFICE)
    refer(reviewed, case_id, "office", "")

    def told(done: str) -> str:
        page = reviewed.client.get(f"/console/queue?done={done}").text
        return "".join(re.findall(r'<div class="act-done".*?</div>', page, re.S))

    assert "Shipment S-1" in told(case_id)
    assert told(elsewhere) == told("unknown") == ""
    cases, reviewer = reviewed.services.cases, Reviewer(person("the reviewer"), IN_OFFICE)
    assert cases.given_away(reviewer, case_id, NOW + timedelta(seconds=9)) is not None
    assert cases.given_away(reviewer, case_id, NOW + timedelta(seconds=11)) is None


def judge(service: Service, address: str, token: str) -> Response:
    """Judge first that a case needs a closer look."""
    form = {"form_token": token, "judged_as": "look"}
    return service.client.post(f"{address}/judgements", data=form, headers=ORIGIN)


def test_the_score_is_shown_after_a_first_judgement_and_once_that_is_a_first(
    reviewed: Service,
) -> None:
    case_id = open_case(reviewed)
    token = sign_in_as(reviewed, "reviewer")
    address = f"/console/cases/{case_id}"

    def shows_score() -> bool:
        return "How the score adds up" in reviewed.client.get(address).text

    before = reviewed.client.get(address).text
    assert "First judgement" in before
    of_score = re.compile(r"find something|scored lower|log-odds")
    decision = f"/console/decisions/{case_id}"
    assert not of_score.search(before)
    assert not of_score.search(reviewed.client.get(decision).text)
    after = judge(reviewed, address, token).text
    assert "You said first: <strong>look closer</strong>" in after
    assert "scored lower" in after
    assert of_score.search(reviewed.client.get(decision).text)
    assert judge(reviewed, address, token).status_code == 409
    sign_in_as(reviewed, "supervisor")
    assert not shows_score()
    sign_in_as(reviewed, "auditor")
    stated = {"form_token": sign_in_as(reviewed, "auditor"), "code": "audit"}
    stated["text"] = "the sample of this month"
    reviewed.client.post(f"{address}/justify", data=stated, headers=ORIGIN)
    assert shows_score()


def test_an_officer_reads_which_gates_of_the_model_of_a_judged_case_were_waived(
    reviewed: Service,
) -> None:
    case_id = open_case(reviewed)
    token = sign_in_as(reviewed, "reviewer")
    address = f"/console/cases/{case_id}"
    judged = judge(reviewed, address, token).text
    home = ModelHome(reviewed.home)
    promoted = home.champion_pointer("tidegate-shipment")
    assert promoted is not None
    reason = "too few are known; waived by grace"
    waived = GateVerdict(gate="groups", verdict="undecided", reason=reason, is_waived=True)
    by_waiver = promoted.model_copy(update={"verdicts": (*promoted.verdicts, waived)})

    home.point("champion", by_waiver.signed_for("champion", home.signing_key))
    reviewed.services.models.refresh()
    now = reviewed.client.get(address).text
    earlier = by_waiver.model_copy(update={"digest": "sha256:of an earlier one"})
    after_it = promoted.model_copy(update={"previous": (earlier,)})
    home.point("champion", after_it.signed_for("champion", home.signing_key))
    reviewed.services.models.refresh()
    of_shipments = partial(reviewed.services.models.waived_gates, "shipment")

    assert "by a waiver" not in judged
    assert "Its model serves by a waiver: 1 gate was not passed" in now
    assert reason in now
    assert of_shipments(earlier.digest) == (waived,)
    assert of_shipments(promoted.digest) == of_shipments("sha256:of another") == ()


def test_an_empty_tab_says_where_cases_wait(reviewed: Service) -> None:
    open_case(reviewed, "S-1")
    sign_in_as(reviewed, "reviewer")

    empty = reviewed.client.get("/console/queue?tab=mine").text
    full = reviewed.client.get("/console/queue?tab=unassigned").text

    assert re.search(
        r'Cases wait elsewhere: <a href="[^"]*tab=unassigned[^"]*">Unassigned 1</a>\.', empty
    )
    assert "Cases wait elsewhere" not in full


def test_of_a_case_that_was_selected_at_random_a_row_says_no_risk(reviewed: Service) -> None:
    case_id = open_case(reviewed, "S-1")
    sign_in_as(reviewed, "reviewer")
    assert listed(reviewed.client.get("/console/queue").text) == [case_id]
    row = reviewed.services.case_store.case(case_id, ALL)
    assert row is not None
    reader = Caller.from_api_key(new_key("reader", ("review", "explain"), (), NOW)[0])

    said = [
        CaseLine.from_case(replace(row, lane=lane), None, reader, NOW).risk
        for lane in ("inspect", "control")
    ]

    assert said == ["high", "not said"]


def test_linked_cases_are_handed_over_together_and_what_is_not_is_told(reviewed: Service) -> None:
    ids = [open_case(reviewed, f"S-{number}") for number in range(4)]
    colleague = new_account("colleague", PASSWORD, "reviewer", (), NOW)
    reviewed.services.accounts.add_account(colleague)
    chief = {"form_token": sign_in_as(reviewed, "supervisor")}
    reviewed.client.post(f"/console/cases/{ids[3]}/claim", data=chief, headers=ORIGIN)
    form = {"form_token": sign_in_as(reviewed, "reviewer"), "to": "colleague"}
    address = f"/console/cases/{ids[0]}/links"
    assert 'value="party c-0012"' in reviewed.client.get(address).text

    why = "one payer pays for all of them"
    by_payer = form | {"which": "party c-0012", "text": why}
    done = reviewed.client.post(address, data=by_payer, headers=ORIGIN | PART).text

    assert "2 cases handed to colleague. 1 not:" in done
    assert "another reviewer has this case" in done
    owners = {each: reviewed.services.case_store.case(each, ALL) for each in ids}
    names = {each: row.owner_name for each, row in owners.items() if row}
    assert names == {ids[0]: None, ids[1]: "colleague", ids[2]: "colleague"} | {
        ids[3]: "the supervisor"
    }
    chosen = form | {"which": "chosen", f"case_{ids[1]}": "true", "to": "nobody"}
    refused = reviewed.client.post(address, data=chosen, headers=ORIGIN).text
    assert "0 cases handed to nobody. 1 not:" in refused
    assert [(e.action, e.text) for e in reviewed.services.cases.events(ids[1])] == [("assign", why)]
    shown = reviewed.client.get(f"/console/cases/{ids[1]}").text
    assert f"the reviewer handed it over: “{why}”" in shown

    to_inbox = form | {"which": "chosen", f"case_{ids[2]}": "true", "to": f"inbox:{OWN_OFFICE}"}
    # A supervisor may take it from its owner.
    as_chief = {"form_token": sign_in_as(reviewed, "supervisor"), "text": "they know the forwarder"}
    done = reviewed.client.post(address, data=to_inbox | as_chief, headers=ORIGIN).text
    assert f"1 case handed to {OWN_OFFICE}." in done
    assert "the supervisor handed it over" in reviewed.client.get(f"/console/cases/{ids[2]}").text


def test_the_riskiest_that_can_still_be_stopped_is_among_the_first_three(
    reviewed: Service,
) -> None:
    for number in range(5):
        body = shipment(shipment_id=f"S-{number}", gross_mass_kg=100.0 * 4**number)
        reviewed.score(body, reviewed.key("score"))
    sign_in_as(reviewed, "reviewer")

    shown = listed(reviewed.client.get("/console/queue?tab=unassigned").text)

    store, now = reviewed.services.case_store, NOW
    rows = [row for each in shown if (row := store.case(each, ALL)) is not None]
    in_time = [r for r in rows if r.due_at > now or r.lane in ALWAYS_IN_TIME]
    assert max(in_time, key=lambda row: row.risk or 0) in rows[:3]
    assert len({replace(row, state="").risk for row in rows}) > 1


def test_in_arabic_every_arrow_of_the_desk_points_the_way_that_lines_are_read(
    reviewed: Service,
) -> None:
    case_id = open_case(reviewed, "S-1")
    token = sign_in_as(reviewed, "reviewer")
    claim = f"/console/cases/{case_id}/claim?tab=mine"
    reviewed.client.post(claim, data={"form_token": token}, headers=ORIGIN)

    def read(language: str) -> str:
        address = f"/console/cases/{case_id}?tab=mine"
        page = reviewed.client.get(address, headers={"Accept-Language": language}).text
        return page.replace("</a>", "\n")

    def lines(page: str, arrow: str) -> list[str]:
        back = ('class="to-list"', 'class="path"')  # it leads back, against the way of reading
        return [
            line for line in page.splitlines() if arrow in line and not any(b in line for b in back)
        ]

    english, arabic = read("en"), read("ar")

    assert "Istanbul → Hamburg</h1>" in english
    assert "\u2067\u2068Istanbul\u2069 ← \u2068Hamburg\u2069\u2069</h1>" in arabic
    assert lines(english, "←") == lines(arabic, "→") == []
    assert len(lines(arabic, "←")) == len(lines(english, "→")) > 2


def test_no_page_has_an_arrow_of_its_own() -> None:
    console = Path(case_list.__file__).parent
    files = [*console.rglob("*.html"), *console.glob("*.py")]
    back = "{{ '→' if reading().language.direction == 'rtl' else '←' }}"

    left = [file.name for file in files if "→" in file.read_text("utf-8").replace(back, "")]

    assert left == []  # `Language.from_to` chooses it; papers are in English


def test_a_way_that_is_too_long_for_a_row_is_cut_within_its_ends() -> None:
    body = shipment()
    body["shipment"] |= {"dispatch_country": "BA", "destination_country": "VC"}
    sent = submission(body).model_copy(update={"journey": None})

    def short_way() -> str:
        begin_locale(languages_in(Path("no home"))["ar"])
        return case_list._short_way(sent)

    way = copy_context().run(short_way)

    assert (way.count("\u2068"), way.count("\u2069")) == (2, 3)
    assert way.endswith("…\u2069\u2069")


@pytest.mark.parametrize("hours", ["00001" + "9" * 15, "9" * 5_000, "0", "-1", ""])
def test_cases_are_laid_aside_for_some_hours_and_no_more(hours: str) -> None:
    with pytest.raises(Unprocessable, match="say in how many hours"):
        bulk_acts._hours({"hours": hours})


@pytest.mark.parametrize(
    ("act", "form"),
    [
        ("actions", {"kind": "release", "text": "nothing calls for a look"}),
        ("waits", {"waiting_for": "reply", "hours": "4", "text": "the carrier was asked"}),
        ("escalations", {"text": "the seal was changed"}),
    ],
)
@pytest.mark.parametrize("is_closed", [False, True])
def test_words_on_a_case_that_another_was_faster_with_are_kept_as_a_note(
    reviewed: Service, act: str, form: dict[str, str], is_closed: bool
) -> None:
    case_id = open_case(reviewed, "S-1")
    ana, cases = person("ana"), reviewed.services.cases
    cases.act(Reviewer(ana, ALL), case_id, lambda case: claim_rule(case, ana, NOW))
    if is_closed:
        order_action(ActRequest(cases, Reviewer(ana, ALL), case_id, NOW), RELEASE)
    token = sign_in_as(reviewed, "reviewer")

    answer = reviewed.client.post(
        f"/console/cases/{case_id}/{act}", data=form | {"form_token": token}, headers=ORIGIN
    )

    assert answer.status_code == 409
    if is_closed:  # it asks first why a case is read that has ended
        assert f'<blockquote id="words-left">{form["text"]}<' in answer.text
        return
    (note,) = re.findall(r'<textarea id="note"[^>]*>([^<]*)<', answer.text)
    assert note == form["text"]
    (alert,) = re.findall(r'id="refused"[^>]*>([^<]*)<', answer.text)
    assert "Another reviewer has this case" in alert
    assert "It is with ana." in alert


STALE = {"code": "nothing_found", "reason": "as_declared", "confidence": "high", "text": "x" * 10}


@pytest.mark.parametrize(
    ("language", "act", "form", "says"),
    [
        (
            "fr",
            "actions",
            {"kind": "release"},
            "Dites avec vos propres mots pourquoi\u00a0: donner mainlevée des marchandises.",
        ),
        (
            "fr",
            "actions",
            {"kind": "refer office", "text": "it is theirs"},
            "Indiquez quel bureau ou service",
        ),
        (
            "fr",
            "results",
            STALE | {"code": "nothing_found as_declared"},
            "Un contrôle documentaire ne peut pas aboutir à "
            "«\u00a0un contrôle n’a rien trouvé\u00a0»",
        ),
        (
            "en",
            "results",
            STALE | {"code": "nothing_found as_declared"},
            "A check of its documents cannot end in “an inspection found nothing”: "
            "choose one of: the documents were in order; documents were irregular, nothing else; ",
        ),
        (
            "en",
            "results",
            STALE | {"code": "documents_in_order documents_false"},
            "“the documents were in order” cannot be because of “documents false”: ",
        ),
    ],
)
def test_a_refusal_has_the_words_of_its_reader_for_actions_and_results(
    reviewed: Service, language: str, act: str, form: dict[str, str], says: str
) -> None:
    case_id = open_case(reviewed, "S-1")
    token = sign_in_as(reviewed, "reviewer")

    def post(act: str, form: dict[str, str]) -> str:
        address = f"/console/cases/{case_id}/{act}"
        headers = ORIGIN | {"Accept-Language": language}
        sent = form_of(reviewed, case_id, token, **form)
        return reviewed.client.post(address, data=sent, headers=headers).text

    post("actions", {"kind": "check_documents"})
    (alert,) = re.findall(r'id="refused"[^>]*>([^<]*)<', post(act, form))

    assert says in alert
    assert not re.search(r"[a-z]_[a-z]|`", alert)


def test_a_row_without_a_fact_says_in_the_readers_language_why_the_case_is_here(
    reviewed: Service,
) -> None:
    case_id = open_case(reviewed)
    reviewed.services.cases.open_new()
    row = reviewed.services.case_store.case(case_id, ALL)
    stored = Decision.model_validate_json(reviewed.services.decisions.record(case_id) or "")
    none = stored.known_reasons.model_copy(update={"reasons": ()})
    plain = {"lane": "post_review", "lane_reason": "score", "hits": (), "reasons": none}
    made, reader = stored.model_copy(update=plain), Caller("key:1", "one", EXPLAIN, frozenset())
    assert row is not None

    def fact(language: str) -> str:
        begin_locale(languages_in(Path("no home"))[language])
        return case_list._fact(row, made, reader)

    told = {each: copy_context().run(fact, each) for each in ("en", "fr", "ar")}

    assert told["en"].startswith("May go on")
    assert len({*told.values()}) == 3
