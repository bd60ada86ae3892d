"""Letters and accounts by call: the rules of the console, behind the same wall."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from serving.integrity.checkpoints import public_key_of
from serving.review.letters.sealed_account import verify_account
from tests.serving.bodies import route
from tests.serving.conftest import NOW, Service
from tests.serving.review.cases.stated import order, post
from tests.serving.review.cases.test_cases import let_come_first
from tests.serving.review.letters.remedies import lay_down_remedies
from tests.serving.review.letters.test_letters_served import ended, opened, serving

LETTER = {"audience": "consignee", "text": "they asked for it"}
GO = {"text": "nobody is harmed by it"}
WAIT = {
    "ground": "criminal_investigation",
    "until": (NOW + timedelta(days=90)).isoformat(),
    "text": "the prosecutor asks for it",
}
SEAL = {"sealed_for": "court", "recipient": "Court of Example, 7/26", "text": "order of today"}


@pytest.fixture
def service(home: Path) -> Iterator[Service]:
    lay_down_remedies(home)
    with serving(home) as served:
        yield served


def call(service: Service, case_id: str, path: str, by: dict[str, str], body: Any = None) -> Any:
    method = "GET" if body is None else "POST"
    sent = body or None
    return service.client.request(method, f"/v1/cases/{case_id}/{path}", headers=by, json=sent)


def acting(service: Service) -> tuple[dict[str, str], ...]:
    """Two persons, and the key of a machine."""
    ada, ben = (service.person(name, "review", "explain") for name in ("ada", "ben"))
    return ada, ben, service.key("review", "explain")


def test_a_letter_is_written_by_one_person_and_released_by_another(service: Service) -> None:
    case_id, ada, ben, desk = ended(service), *acting(service)

    written = call(service, case_id, "letters", ada, LETTER)
    alone = call(service, case_id, "letters/consignee/release", ada, GO)
    for path, body in (("letters", LETTER), ("letters/consignee/release", GO)):
        assert call(service, case_id, path, desk, body).status_code == 403
    released = call(service, case_id, "letters/consignee/release", ben, GO)

    assert (written.status_code, alone.status_code, released.status_code) == (200, 409, 200)
    (letter,) = released.json()["letters"]
    assert (letter["written_by"], letter["released_by"]) == ("ada", "ben")
    assert letter["written_by_id"] == "token:https://login.example|ada"
    assert letter["digest"] == written.json()["letters"][0]["digest"]
    read = call(service, case_id, "letters/consignee", ben).json()
    assert read["letter"] == letter
    assert "If you do not agree" in [section["heading"] for section in read["sections"]]
    assert call(service, case_id, "letters", ben).json() == released.json()
    done = [(event.action, event.text) for event in service.services.cases.events(case_id)]
    assert done[-4:] == [
        ("write_letter", ""),
        ("letter", GO["text"]),
        ("read", "letter"),
        ("read", "letter"),
    ]


def test_no_letter_tells_an_end_that_was_taken_back_while_it_was_written(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id, (ada, ben, _) = ended(service), acting(service)

    def end_otherwise() -> None:
        post(service, case_id, "reopen", ben, text="a look was not taken")
        order(service, case_id, ben, "release")

    let_come_first(monkeypatch, end_otherwise)
    refused = call(service, case_id, "letters", ada, LETTER)

    assert (refused.status_code, "has changed" in refused.text) == (409, True)
    assert call(service, case_id, "letters", ada).json()["letters"] == []


def test_two_persons_hold_letters_back_and_none_is_written_meanwhile(service: Service) -> None:
    case_id, ada, ben, desk = ended(service), *acting(service)

    assert call(service, case_id, "letter-deferrals", desk, WAIT).status_code == 403
    too_long = WAIT | {"until": (NOW + timedelta(days=900)).isoformat()}
    assert call(service, case_id, "letter-deferrals", ada, too_long).status_code == 422
    deferred = call(service, case_id, "letter-deferrals", ada, WAIT)
    assert call(service, case_id, "letter-deferrals/confirm", desk, {}).status_code == 403
    assert deferred.json()["deferral"]["confirmed_by"] is None
    assert call(service, case_id, "letter-deferrals/confirm", ada, {}).status_code == 409
    confirmed = call(service, case_id, "letter-deferrals/confirm", ben, {}).json()["deferral"]
    assert confirmed["confirmed_by"]
    assert confirmed["ends_at"] == confirmed["until"]
    refused = call(service, case_id, "letters", ada, LETTER)
    assert (refused.status_code, "it is deferred until" in refused.text) == (409, True)
    soon = WAIT | {"until": (NOW + timedelta(minutes=1)).isoformat()}
    alone = call(service, case_id, "letter-deferrals", ada, soon)
    assert (alone.status_code, "two persons hold" in alone.text) == (409, True)


def test_what_is_not_due_names_nobody_or_is_not_there_is_refused(service: Service) -> None:
    by, case_id = service.person("ada", "review", "explain"), opened(service)

    assert call(service, case_id, "letters", by, LETTER).status_code == 409
    assert call(service, case_id, "letters/consignee", by).status_code == 404
    assert call(service, case_id, "letters/nobody", by).status_code == 422
    for wrong in ({"audience": "court"}, {"text": "short"}, {"because": "x"}):
        assert call(service, case_id, "letters", by, LETTER | wrong).status_code == 422
    assert call(service, "none", "letters", by).status_code == 404


def test_an_account_is_sealed_by_who_supervises_and_stays_on_the_machine(service: Service) -> None:
    case_id, chief = ended(service), service.key("supervise")

    sealed = call(service, case_id, "accounts", chief, SEAL)
    again = call(service, case_id, "accounts", chief, SEAL)

    assert (sealed.status_code, again.status_code) == (200, 409)
    folder = service.home / "accounts" / sealed.json()["folder"]
    key = public_key_of(service.services.settings.keys)
    assert verify_account(folder, key) == sealed.json()["digest"]
    assert json.loads((folder / "account.json").read_text())["sealed"]["recipient"] in SEAL.values()
    assert "c-0012" not in sealed.text
    assert service.services.cases.events(case_id)[-1].action == "seal"
    assert call(service, case_id, "accounts", service.key("review"), SEAL).status_code == 403


def test_no_account_and_no_letter_of_a_rescue_passes_the_wall(service: Service) -> None:
    crowded = route(certified_capacity=12, persons_on_board=41)
    rescue_id, case_id = opened(service, crowded), ended(service)
    enforcing = service.person("ada", "review", "supervise", "explain")
    rescuer = service.key("rescue")

    for path, body in (("letters", LETTER), ("letter-deferrals", WAIT), ("accounts", SEAL)):
        assert call(service, rescue_id, path, enforcing, body).status_code == 404
        assert call(service, case_id, path, rescuer, body).status_code == 403
        assert call(service, rescue_id, path, rescuer, body).status_code == 403
    assert not (service.home / "accounts").exists()
