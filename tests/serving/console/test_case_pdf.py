"""A case as PDF: what its page says, nothing it hides, and what proves it."""

import hashlib
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pypdf
import pytest

from serving.console.amended_declaration import AmendedDeclaration
from serving.console.case_page import headline_of
from serving.console.case_view import CaseView
from serving.console.charts.case_pictures import CasePictures
from serving.console.papers.case_paper import PrintedCase, case_paper
from serving.console.papers.paper import Paper, readable_symbols
from serving.integrity.audit_log import EventFilter
from serving.integrity.hash_chain import EMPTY, next_link
from serving.review.cases.cases import Cases
from tests.serving.bodies import route
from tests.serving.conftest import Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.review.cases.decisions import decision
from tests.serving.review.cases.test_case_graph import PAYER, Linked
from tests.serving.review.cases.test_cases import ONE
from tests.serving.review.cases.test_cases_served import open_case, reviewed
from tests.serving.review.supervision.test_supervision_served import sign_in_as

__all__ = ["reviewed"]

AT = datetime(2026, 11, 28, tzinfo=UTC)


def read(content: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(content))


def text_of(content: bytes) -> str:
    """The words of all pages, with one space between any two."""
    return " ".join(" ".join(page.extract_text() for page in read(content).pages).split())


def attached(content: bytes) -> bytes:
    (found,) = read(content).attachments["case.json"]
    return bytes(found)


def test_a_case_is_printed_with_its_digest_and_its_place_in_the_log(reviewed: Service) -> None:
    case_id = open_case(reviewed, goods_description="لعب أطفال <b>куклы</b>")
    token = sign_in_as(reviewed, "reviewer")
    address = f"/console/cases/{case_id}"

    def act(name: str, **form: str) -> None:
        form |= {"form_token": token}
        answer = reviewed.client.post(f"{address}/{name}", data=form, headers=ORIGIN)
        assert answer.status_code < 400, answer.text

    before = reviewed.client.get(f"{address}/case.pdf")
    again = reviewed.client.get(f"{address}/case.pdf")
    assert before.content == again.content
    assert before.headers["content-type"] == "application/pdf"
    told = text_of(before.content)
    stated = attached(before.content)
    assert hashlib.sha256(stated).hexdigest() in told.replace(" ", "")
    assert json.loads(stated)["score"] is None
    assert "It is shown after the first judgement" in told
    assert "Log-odds" not in told

    act("notes", text="Слово officer wrote")
    act("judgements", judged_as="look")
    after = reviewed.client.get(f"{address}/case.pdf").content
    told = text_of(after)

    case = json.loads(attached(after))
    assert case["score"]["probability"] > 0
    assert "Log-odds" in told
    assert "Слово officer wrote" in told
    assert "куклы</b>" in told
    assert [each["action"] for each in case["acts"]] == ["note", "judge"]
    assert case["submission"]["shipment"]["shipment_id"] == "S-1"
    chained = reviewed.services.decisions.chained(case_id)
    assert chained is not None
    link = next_link(bytes.fromhex(chained.before), chained.outline).hex()
    assert case["decision"]["log_position"] == chained.seq
    assert case["decision"]["log_link"] == link
    assert link in told.replace(" ", "")
    event = reviewed.services.audit_events.newest(EventFilter(object_ids=(case_id,)), 1)[0]
    assert event.action == "read"


def test_goods_items_are_printed_with_what_differs(reviewed: Service) -> None:
    item = {"number": 1, "commodity_code": "8903100000", "gross_mass_kg": 2000.0}
    case_id = open_case(reviewed, items=[item | {"description": "Cartons of paper"}])
    sign_in_as(reviewed, "reviewer")

    told = text_of(reviewed.client.get(f"/console/cases/{case_id}/case.pdf").content)
    page = reviewed.client.get(f"/console/cases/{case_id}").text

    assert "Goods items" in told
    assert "8903100000" in told
    assert "≠ Cartons of paper" in told
    assert "declared 1,250.5 kg (+60 %)" in told
    assert 'data-about="goods_items:1"' in page
    assert page.count("does not fit the goods code") == 1


def test_what_a_draw_scored_is_on_no_paper(
    reviewed: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = open_case(reviewed)
    decided = reviewed.services.cases.decision(case_id)
    drawn = decided.model_copy(update={"lane_reason": "random", "lane": "control"})
    monkeypatch.setattr(type(reviewed.services.cases), "decision", lambda *_: drawn)
    sign_in_as(reviewed, "auditor")
    token = sign_in_as(reviewed, "reviewer")
    form = {"judged_as": "look", "form_token": token}
    reviewed.client.post(f"/console/cases/{case_id}/judgements", data=form, headers=ORIGIN)

    content = reviewed.client.get(f"/console/cases/{case_id}/case.pdf").content

    assert "Selected at random" in text_of(content)
    stated = json.loads(attached(content))
    assert (stated["score"], stated["reasons"]) == (None, [])


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Linked]:
    made = Linked(tmp_path)
    yield made
    made.engine.dispose()


def printed(cases: Cases, case_id: str) -> PrintedCase:
    """A case as one of its reviewers sees it."""
    row, state = cases.case(ONE, case_id)
    decided = cases.decision(case_id)
    submission = decided.submission
    return PrintedCase(
        row,
        headline_of(row, submission, is_masked=cases.is_masked(row)),
        state,
        CaseView.from_decision(decided, is_explained=True),
        AmendedDeclaration(),
        CasePictures.from_submission(submission, AT),
        tuple(cases.history(ONE, row)),
        tuple(cases.attached(row)),
        EMPTY,
        is_score_shown=True,
        is_live=False,
    )


def test_what_was_found_is_told_until_the_case_is_masked(office: Linked) -> None:
    office.share(101)
    office.reviewing.open_new()
    office.confirm("d-101")
    secrets = (PAYER, "S-101", "k101", "behind a false wall", "so it was")

    told = text_of(case_paper(printed(office.reviewing, "d-101")))
    hidden = case_paper(printed(office.mask(), "d-101"))

    assert "smuggled goods were found" in told
    assert "one and two" in told
    assert [each for each in secrets if each not in told] == []
    assert [each for each in secrets if each in text_of(hidden)] == []
    assert [each for each in secrets if each in attached(hidden).decode()] == []


def test_a_route_over_the_open_sea_is_drawn_with_where_it_was_silent(office: Linked) -> None:
    body = route(journey_id="J-9")
    body["positions"] = [
        {
            "journey_id": "J-9",
            "observed_at": f"2026-11-24T0{hour}:00:00Z",
            "latitude": 36 + hour / 3,
            "longitude": 24 + hour / 2,
        }
        for hour in (0, 1, 9)
    ]
    office.log(decision(body, decision_id="d-9"))

    told = text_of(case_paper(printed(office.reviewing, "d-9")))

    for words in ("Piraeus", "no report for 8 hours", "Natural Earth"):
        assert words in told


def test_nobody_but_readers_of_cases_gets_one(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    for role in ("rescue", "admin", "data_scientist"):
        sign_in_as(reviewed, role)  # type: ignore[arg-type]  # a role
        assert reviewed.client.get(f"/console/cases/{case_id}/case.pdf").status_code == 403, role


def test_what_turns_or_hides_text_is_written_as_its_code() -> None:
    assert readable_symbols("a\u202eb\x07\u200bc\nd") == "a[U+202E]b[U+0007][U+200B]c\nd"
    assert readable_symbols("家 محمد Иван") == "[U+5BB6] محمد Иван"


def test_the_same_content_gives_the_same_bytes_and_pages_are_numbered() -> None:
    def made() -> bytes:
        paper = Paper("A title", ("a note", "another"), AT)
        paper.heading("A table")
        paper.table(("one", "two"), [(str(n), "words") for n in range(50)], (1, 5))
        paper.table(("long",), [("words " * 100,)], (1,))
        return paper.content()

    content = made()

    assert content == made()
    pages = read(content).pages
    assert len(pages) == 2
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page.extract_text()
