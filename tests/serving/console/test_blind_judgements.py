"""A random share of cases is judged by the evidence alone: nothing tells how it was selected."""

import io
import re

import pytest
from pypdf import PdfReader

from serving.access.accounts import new_account
from serving.access.roles import Scope
from serving.audit.decision import Decision
from serving.console.case_links import finds_shown
from serving.explanation.reason_ranking import RankedReason
from serving.review.cases.case_records import CaseAccess, StoredEvent
from serving.review.cases.cases import Cases
from serving.review.cases.queue_risk import UNKNOWN_RISK
from serving.review.cases.reviewer import Reviewer
from tests.serving.api.test_records import OUTCOME, send
from tests.serving.bodies import SHIPMENT
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.people import person
from tests.serving.review.cases.test_cases_served import open_case, post
from tests.serving.review.supervision.test_supervision_served import PASSWORD, sign_in_as

PART = {"HX-Request": "true"}
EVERYONE = Reviewer(person("reviewer"), CaseAccess(frozenset(), is_rescue=False))
SELECTIONS = (("control", "random"), ("inspect", "score"), ("document_check", "score"))


@pytest.fixture
def blind(reviewed: Service) -> Service:
    """A service in which every case is judged blind."""
    object.__setattr__(reviewed.services.cases, "blind_share", 1.0)
    return reviewed


def judge(service: Service, case_id: str) -> str:
    token = sign_in_as(service, "reviewer")
    form = {"form_token": token, "judged_as": "look"}
    address = f"/console/cases/{case_id}/judgements"
    return service.client.post(address, data=form, headers=ORIGIN | PART).text


def test_before_a_blind_judgement_all_pages_are_alike_however_a_case_was_selected(
    blind: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = open_case(blind)
    decision = Decision.model_validate_json(blind.services.decisions.record(case_id) or "")
    sign_in_as(blind, "reviewer")

    def shown(lane: str, lane_reason: str) -> tuple[str, str]:
        selected = decision.model_copy(update={"lane": lane, "lane_reason": lane_reason})
        monkeypatch.setattr(Cases, "decision", lambda *_: selected)
        page = blind.client.get(f"/console/cases/{case_id}", headers=PART).text
        printed = blind.client.get(f"/console/cases/{case_id}/case.pdf").content
        paper = PdfReader(io.BytesIO(printed))
        return page.partition('id="events"')[0], "".join(p.extract_text() for p in paper.pages)

    pages, papers = zip(*(shown(*selection) for selection in SELECTIONS), strict=True)

    assert len(set(pages)) == 1
    assert "What speaks against" in pages[0]
    assert not re.search('at random|lane-inspect|class="why"|What stands out', pages[0])
    assert all("Judge it first" in each for each in papers)
    assert not any(re.search("at random|What stands out|Inspect", each) for each in papers)


def test_lists_search_and_decision_tell_a_blind_case_only_after_it_was_judged(
    blind: Service,
) -> None:
    case_id = open_case(blind)
    pages = (
        *("queue", "queue?lane=inspect", "search?q=c-0012", f"decisions/{case_id}"),
        *("decisions", "decisions?lane=inspect"),
    )
    row, _ = blind.services.cases.case(EVERYONE, case_id)
    assert row.risk == UNKNOWN_RISK  # its place among the others says nothing either

    def told() -> list[bool]:
        sign_in_as(blind, "reviewer")
        texts = [blind.client.get(f"/console/{page}").text for page in pages]
        return [bool(re.search('class="level|lane-inspect', text)) for text in texts]

    assert told() == [False] * len(pages)
    assert f'data-case="{case_id}"' not in blind.client.get("/console/queue?lane=inspect").text

    part = judge(blind, case_id)

    for name in ("lead", "lane", "evidence"):
        assert re.search(rf'id="{name}-{case_id}"[^>]* hx-swap-oob="true"', part)
    assert "<textarea" not in part
    assert told() == [True] * len(pages)


def test_scoring_again_which_tells_lanes_is_told_after_a_blind_judgement(blind: Service) -> None:
    case_id = open_case(blind)
    blind.services.cases.open_new()
    changed = '{"lane": ["post_review", "inspect"]}'
    again = StoredEvent(case_id, NOW, "service:tidegate", "score_again", changed, "", "Tidegate")
    blind.services.case_store.append_event(again)

    def is_told() -> list[bool]:
        sign_in_as(blind, "reviewer")
        page = blind.client.get(f"/console/cases/{case_id}").text
        printed = blind.client.get(f"/console/cases/{case_id}/case.pdf").content
        stated = next(iter(PdfReader(io.BytesIO(printed)).attachments.values()))[0]
        return ["score again" in page, b"post_review" in stated]

    assert is_told() == [False, False]
    judge(blind, case_id)
    assert is_told() == [True, True]


def test_only_judgements_on_the_blind_page_count_as_blind(blind: Service) -> None:
    on_page, by_call = open_case(blind, "S-1"), open_case(blind, "S-2")
    judge(blind, on_page)
    post(blind, by_call, "judgements", blind.key("review"), judged_as="look")
    object.__setattr__(blind.services.cases, "blind_share", 0.0)
    open_page = open_case(blind, "S-3")
    judge(blind, open_page)

    kinds = [
        {event.action for event in blind.services.cases.events(each)} & {"judge", "judge_blind"}
        for each in (on_page, by_call, open_page)
    ]
    assert kinds == [{"judge_blind"}, {"judge"}, {"judge"}]


CONSIGNEE = "consignee_confirmed_count_90d"


def with_finds_as_reason(decision: Decision) -> Decision:
    """The decision, with what was found at its consignee as its only reason."""
    known = decision.known_reasons
    reason = RankedReason("N08", "confirmed_links", 0.5, (CONSIGNEE,))
    compared = {CONSIGNEE: next(iter(known.comparisons.values()))}
    parts = tuple(0.5 if name == CONSIGNEE else 0.0 for name in decision.vector)
    assert decision.score is not None
    return decision.model_copy(
        update={
            "reasons": known.model_copy(update={"reasons": (reason,), "comparisons": compared}),
            "score": decision.score.model_copy(update={"contributions": parts}),
        }
    )


def test_earlier_finds_are_named_to_who_may_open_them_and_never_tell_of_blind_cases(
    reviewed: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {"declared_at": "2026-11-20T11:00:00Z"}
    own, other = (
        open_case(reviewed, "S-8", **before),
        open_case(reviewed, "S-9", office_id="DE002000", **before),
    )
    by_record = SHIPMENT["shipment"] | before | {"shipment_id": "S-7"}
    found = [
        OUTCOME | {"subject_id": id_, "inspected_at": at, "known_at": at}
        for id_ in ("S-7", "S-8", "S-9")
        for at in ["2026-11-22T10:00:00Z"]
    ]
    assert send(reviewed, {"shipments": [by_record], "outcomes": found}).status_code == 200
    case_id = open_case(reviewed)
    decision = Decision.model_validate_json(reviewed.services.decisions.record(case_id) or "")
    assert decision.vector[CONSIGNEE] == 3.0
    monkeypatch.setattr(Cases, "decision", lambda *_: with_finds_as_reason(decision))
    monkeypatch.setattr("serving.api.decisions.with_reasons", lambda *_: Cases.decision())

    def called(*scopes: Scope, offices: tuple[str, ...] = ()) -> tuple[list[str], int]:
        caller = reviewed.key(*scopes, offices=offices)
        address = f"/v1/decisions/{case_id}/explanation"
        provenance = reviewed.client.get(address, headers=caller).json()["provenance"]
        (told,) = (each for each in provenance if each["feature"] == CONSIGNEE)
        return [find["subject_id"] for find in told["finds"]], told["finds_not_shown"]

    def shown() -> tuple[set[str], set[str], bool]:
        sign_in_as(reviewed, "reviewer")
        page = reviewed.client.get(f"/console/cases/{case_id}", headers=PART).text
        page = page.partition('id="events"')[0]
        linked = re.findall(r'href="/console/cases/([^"]+)">[^<]*</a>: confirmed', page)
        named = re.findall(r"(S-[789])(?:</a>)?: confirmed", page)
        return set(linked), set(named), "2 finds that cannot be opened here" in page

    assert called("review", "explain") == (["S-7", "S-8", "S-9"], 0)
    assert called("review", "explain", offices=("DE004600",)) == (["S-8"], 2)
    assert shown() == ({own, other}, {"S-7", "S-8", "S-9"}, False)
    scientist = new_account("sophie", PASSWORD, "data_scientist", (), NOW).caller()
    assert finds_shown(reviewed.services, scientist, Cases.decision()) == {}

    object.__setattr__(reviewed.services.cases, "blind_share", 1.0)
    assert shown() == (set(), set(), False)
    judge(reviewed, case_id)
    assert shown() == (set(), {"S-7"}, True)
