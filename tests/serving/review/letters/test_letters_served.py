"""Letters as people use them: due after the end, released by another, held back, and on record."""

import html
import json
import math
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.access.accounts import new_account
from serving.app import create_app
from serving.audit.decision import Decision
from serving.errors import Conflict
from serving.language import languages_in
from serving.review.cases.reviewer import Reviewer
from serving.review.letters.letter_text import CONSEQUENCES, FULLER, NO_DECISION
from serving.settings import Settings
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.people import reviewer
from tests.serving.review.cases.stated import FOUND, NOTHING, body_of, end, form_of
from tests.serving.review.cases.test_cases_served import PLAN
from tests.serving.review.letters.remedies import lay_down_remedies

PASSWORD = "a password for tests"
WORDS = "nobody is harmed by it"


@contextmanager
def serving(home: Path) -> Iterator[Service]:
    """A service that sends everything to inspection by its score, but for what a list names."""
    shares = {"inspect_share": 1.0, "document_check_share": 0.0, "post_review_share": 0.0}
    app = create_app(Settings(home=home, **shares), clock=lambda: NOW)  # type: ignore[arg-type]  # names of fields
    with TestClient(app) as client:
        yield Service(client, app.state.services, home)


@pytest.fixture
def by_score(home: Path) -> Iterator[Service]:
    lay_down_remedies(home)
    with serving(home) as service:
        yield service


@pytest.fixture
def by_list(home: Path) -> Iterator[Service]:
    lay_down_remedies(home)
    (home / "lanes.toml").write_text(PLAN)
    with serving(home) as service:
        yield service


def opened(service: Service, body: dict[str, Any] | None = None) -> str:
    answer = service.score(body or shipment(), service.key("score"))
    return str(answer.json()["decision_id"])


def ended(service: Service, body: dict[str, Any] | None = None, result: Any = NOTHING) -> str:
    case_id = opened(service, body)
    by = service.person("nine", "review")
    assert end(service, case_id, by, **body_of(result)).status_code == 200
    return case_id


def as_person(service: Service, name: str) -> str:
    """Sign somebody in who reviews; the token of their forms."""
    if service.services.accounts.find(name) is None:
        service.services.accounts.add_account(new_account(name, PASSWORD, "reviewer", (), NOW))
    service.client.cookies.clear()
    form = {"name": name, "password": PASSWORD}
    page = service.client.post("/console/sign-in", data=form, headers=ORIGIN)
    found = re.search(r'name="form_token" value="([^"]+)"', page.text)
    assert found
    return found[1]


def step(service: Service, name: str, case_id: str, what: str, **fields: str) -> Any:
    form = form_of(service, case_id, as_person(service, name), **fields)
    return service.client.post(
        f"/console/cases/{case_id}/letter/{what}",
        data=form,
        headers=ORIGIN,
        follow_redirects=False,
    )


def written(service: Service, name: str, case_id: str, audience: str = "consignee") -> Any:
    return step(service, name, case_id, "write", audience=audience, text="they asked for it")


def released(service: Service, name: str, case_id: str, audience: str = "consignee") -> Any:
    return step(service, name, case_id, "release", audience=audience, text=WORDS)


def told(service: Service, case_id: str) -> list[tuple[str, str]]:
    return [(event.action, event.by.name) for event in service.services.cases.events(case_id)]


def test_whoever_read_an_earlier_letter_does_not_release_the_one_that_was_written_since(
    by_score: Service,
) -> None:
    case_id = ended(by_score)
    written(by_score, "ada", case_id)
    form = form_of(by_score, case_id, as_person(by_score, "ben"), audience="consignee", text=WORDS)
    by_score.services.letters.write(
        reviewer("ada"), case_id, NOW, "consignee", "for something else"
    )

    address = f"/console/cases/{case_id}/letter/release"
    refused = by_score.client.post(address, data=form, headers=ORIGIN)

    assert refused.status_code == 409
    assert "has changed since you read it" in refused.text
    assert f'<blockquote id="words-left">{WORDS}<' in refused.text
    assert "release" not in [action for action, _ in told(by_score, case_id)]


def test_a_letter_of_an_open_case_is_refused_and_the_page_says_why(by_score: Service) -> None:
    case_id = opened(by_score)

    refused = written(by_score, "ada", case_id)

    assert refused.status_code == 409
    assert "has not ended yet" in refused.text
    page = by_score.client.get(f"/console/cases/{case_id}/letter")
    assert (page.status_code, "has not ended yet" in page.text) == (200, True)
    assert "write_letter" not in dict(told(by_score, case_id))
    assert by_score.client.get(f"/console/cases/{case_id}/letter/consignee").status_code == 404


def test_a_letter_waits_for_a_second_person_and_its_recipient_is_on_record(
    by_score: Service,
) -> None:
    case_id = ended(by_score)

    assert written(by_score, "ada", case_id).status_code == 303
    draft = by_score.client.get(f"/console/cases/{case_id}/letter/consignee")
    assert "nobody has released it" in draft.text
    own = released(by_score, "ada", case_id)
    assert (own.status_code, "person than its writer" in own.text) == (409, True)
    assert released(by_score, "bert", case_id).status_code == 303

    letter = by_score.client.get(f"/console/cases/{case_id}/letter/consignee")
    assert (letter.status_code, "Draft" in letter.text) == (200, False)
    events = {event.action: event for event in by_score.services.cases.events(case_id)}
    assert (events["write_letter"].by.name, events["letter"].by.name) == ("ada", "bert")
    _, kept = json.loads(events["letter"].changed)["letter"]
    assert (kept["recipient"], kept["audience"]) == ("c-0012", "consignee")
    assert kept["purpose"] == "they asked for it"
    assert kept["digest"] in letter.text
    assert (events["letter"].text, events["letter"].at) == (WORDS, NOW)
    reads = [e.text for e in by_score.services.cases.events(case_id) if e.action == "read"]
    assert reads == ["letter"] * 3  # the draft, the refusal's page, and the letter


def test_a_letter_says_how_to_contest_and_no_score(by_score: Service) -> None:
    case_id = ended(by_score)
    record = by_score.services.decisions.record(case_id)
    assert record is not None
    score = Decision.model_validate_json(record).result.score

    written(by_score, "ada", case_id)
    letter = by_score.client.get(f"/console/cases/{case_id}/letter/consignee").text

    for part in ("If you do not agree", "Customs Directorate North", "not a decision", case_id):
        assert part in letter
    assert "Finance Court Hamburg" not in letter  # nothing was found
    for figure in (score.probability, score.log_odds, score.percentile):
        assert f"{figure:.2f}" not in letter
    for secret in ("c-0007", "k-3", "log-odds", "percentile"):
        assert secret not in letter


@pytest.mark.parametrize("code", ["fr", "ar"])
def test_a_letter_in_another_language_says_the_sentences_of_the_decision_in_it(
    by_score: Service, code: str
) -> None:
    case_id = ended(by_score, shipment(declared_value=200.0))
    record = by_score.services.decisions.record(case_id)
    assert record is not None
    decision = Decision.model_validate_json(record)
    language = languages_in(Path("no home"))[code]
    written(by_score, "ada", case_id)
    _, english = by_score.services.letters.read(_reviewer(), case_id, "consignee", NOW)

    address = f"/console/cases/{case_id}/letter/consignee?language={code}"
    page = html.unescape(by_score.client.get(address).text)

    pairs = zip(decision.reasons_in(), decision.reasons_in(language), strict=True)
    there = {
        seen.sentence: (again.sentence, again.usual)
        for reason, other in pairs
        for seen, again in zip(reason.evidence, other.evidence, strict=True)
    }
    signs = (*english.speaks_for.own, *english.speaks_against.own)
    assert signs
    for sign in signs:
        sentence, usual = there[sign.sentence]
        assert sentence[1:].rstrip(")") in page
        assert usual in page
        assert sign.sentence not in page
    for text in (NO_DECISION, CONSEQUENCES["none"], FULLER):
        assert language.say(text) in page
        assert text not in page


def test_every_reason_in_a_letter_is_one_that_selected_and_is_the_partys_own(
    by_score: Service,
) -> None:
    case_id = ended(by_score, shipment(declared_value=200.0))
    record = by_score.services.decisions.record(case_id)
    assert record is not None
    reasons = Decision.model_validate_json(record).reasons_in()

    written(by_score, "ada", case_id)
    reviewer = by_score.services.cases
    _, case = reviewer.case(_reviewer(), case_id)
    content = json.loads(case.letters[0].content)

    said = {way: [s["sentence"] for s in content[f"speaks_{way}"]["own"]] for way in EFFECTS}
    for way, sentences in said.items():
        given = [e.sentence for r in reasons if r.effect == way for e in r.evidence]
        assert set(sentences) <= set(given)
    assert said["for"] or said["against"]
    assert content["selection"] == "score"


EFFECTS = ("for", "against")


def _reviewer() -> Reviewer:
    return reviewer("one")


def test_what_a_list_selected_is_told_to_nobody_until_two_deferred_it_and_that_is_over(
    by_list: Service,
) -> None:
    case_id = ended(by_list)

    early = written(by_list, "ada", case_id)
    assert (early.status_code, "two persons defer" in early.text) == (409, True)
    held = {"ground": "conditions_of_the_source", "days": "1", "text": "the source must agree"}
    assert step(by_list, "ada", case_id, "defer", **held).status_code == 303
    assert step(by_list, "ada", case_id, "confirm").status_code == 409
    assert step(by_list, "bert", case_id, "confirm").status_code == 303
    assert written(by_list, "ada", case_id).status_code == 409

    shown = by_list.client.get(f"/console/cases/{case_id}/letter").text
    assert "25 November 2026" in shown
    acts = told(by_list, case_id)
    assert ("defer_letter", "ada") in acts
    assert ("confirm_deferral", "bert") in acts
    later = NOW + timedelta(days=2)
    letters = by_list.services.letters
    letters.write(_reviewer(), case_id, later, "consignee", "they asked for it")
    _, letter = letters.read(_reviewer(), case_id, "consignee", later)
    assert letter.selection == "information"
    assert letter.speaks_for.own == letter.speaks_against.own == ()


def test_a_deferral_after_the_writing_holds_the_release_back(by_score: Service) -> None:
    case_id = ended(by_score)
    written(by_score, "ada", case_id)
    held = {"ground": "criminal_investigation", "days": "30", "text": "an inquiry has begun"}
    step(by_score, "ada", case_id, "defer", **held)

    refused = released(by_score, "bert", case_id)

    assert (refused.status_code, "inquiry or prosecution" in refused.text) == (409, True)
    assert "letter" not in dict(told(by_score, case_id))


@pytest.mark.parametrize(
    "wrong",
    [
        {"ground": "it is a nuisance"},
        {"days": "367"},
        {"days": "0"},
        {"days": "soon"},
        {"text": "short"},
    ],
)
def test_a_deferral_on_no_ground_or_without_end_is_refused(
    by_score: Service, wrong: dict[str, str]
) -> None:
    case_id = ended(by_score)
    held = {"ground": "security", "days": "30", "text": "an inquiry has begun"} | wrong

    assert step(by_score, "ada", case_id, "defer", **held).status_code == 422
    assert "defer_letter" not in dict(told(by_score, case_id))


def test_of_a_rescue_there_is_no_letter(by_score: Service) -> None:
    crowded = route(journey_id="J-rescue", certified_capacity=12, persons_on_board=41)
    case_id = opened(by_score, crowded)
    helper = reviewer("the helper", is_rescue=True)

    assert written(by_score, "ada", case_id, "carrier").status_code == 404
    with pytest.raises(Conflict, match="danger to life"):
        by_score.services.letters.write(helper, case_id, NOW, "carrier", "they asked for it")
    assert "write_letter" not in dict(told(by_score, case_id))


def test_without_the_deployers_remedies_no_letter_is_written(by_score: Service) -> None:
    case_id = ended(by_score)
    (by_score.home / "letters.toml").unlink()

    refused = written(by_score, "ada", case_id)

    assert (refused.status_code, "tidegate init letters" in refused.text) == (409, True)
    assert "write_letter" not in dict(told(by_score, case_id))


def test_a_proposed_offence_is_no_end_yet(by_score: Service) -> None:
    case_id = ended(by_score, result=FOUND)

    assert written(by_score, "ada", case_id).status_code == 409


def test_whoever_is_not_named_gets_no_letter(by_score: Service) -> None:
    case_id = ended(by_score)

    refused = written(by_score, "ada", case_id, "declarant")

    assert (refused.status_code, "names no declarant" in refused.text) == (422, True)
    assert written(by_score, "ada", case_id, "the press").status_code == 422


WRONG = {"gross_mass_kg": 2501.0, "packages": 40, "value": 98_000.0}
RIGHT = {"gross_mass_kg": 1250.5, "packages": 12, "value": 9_800.0}


def papered(**stated: float) -> dict[str, Any]:
    body = shipment()
    body["documents"][0] |= {"issuer_id": "c-0012", **stated}
    return body


def log_odds(service: Service, case_id: str) -> float:
    record = service.services.decisions.record(case_id)
    assert record is not None
    return Decision.model_validate_json(record).result.score.log_odds


def test_what_a_correction_changes_is_what_the_corrected_case_would_have_scored(
    by_score: Service, trained_home: Path, tmp_path: Path
) -> None:
    case_id = ended(by_score, papered(**WRONG))
    before = log_odds(by_score, case_id)

    written(by_score, "ada", case_id)
    _, letter = by_score.services.letters.read(_reviewer(), case_id, "consignee", NOW)

    assert [(each.stated, each.declared) for each in letter.corrections] == [
        ("gross mass 2,501 kg", "gross mass 1,250.5 kg"),
        ("packages 40", "packages 12"),
        ("value 98,000 EUR", "declared value 9,800 EUR"),
    ]
    factors = [each.odds_factor for each in letter.corrections]
    for (field, value), factor in zip(RIGHT.items(), factors, strict=True):
        with serving(Path(shutil.copytree(trained_home, tmp_path / field))) as other:
            after = log_odds(other, opened(other, papered(**WRONG | {field: value})))
        assert factor == pytest.approx(math.exp(after - before), rel=1e-12)


def test_where_another_model_answers_by_now_no_factor_is_invented(by_score: Service) -> None:
    case_id = ended(by_score, papered(gross_mass_kg=2501.0))
    letters = by_score.services.letters
    by_score.services.models.active_champions = dict  # type: ignore[method-assign]  # none answers

    letters.write(_reviewer(), case_id, NOW, "consignee", "they asked for it")
    _, letter = letters.read(_reviewer(), case_id, "consignee", NOW)

    assert [each.odds_factor for each in letter.corrections] == [None]
