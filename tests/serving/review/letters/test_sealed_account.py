"""The fuller version: everything on record, signed, and its handing out on record too."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from features.errors import TidegateError
from features.home_keys import LOG, private_key
from serving.audit.decision import Decision, digest_of
from serving.cli.main import app
from serving.errors import Conflict, LogUnavailable, NotFound
from serving.integrity.checkpoints import public_key_of
from serving.review.letters.sealed_account import Sealing, seal_account, verify_account
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service
from tests.serving.people import person
from tests.serving.review.cases.stated import NOTHING, body_of, end
from tests.serving.review.cases.test_cases_served import reviewed

__all__ = ["reviewed"]


def ended(service: Service, body: dict[str, Any] | None = None) -> str:
    scored = service.score(body or shipment(), service.key("score")).json()
    case_id = str(scored["decision_id"])
    by = service.key("review")
    assert end(service, case_id, by, **body_of(NOTHING)).status_code == 200
    return case_id


def sealed(service: Service, case_id: str, folder: Path) -> str:
    sealing = Sealing(
        case_id,
        "court",
        "Finance Court, 4 K 12/26",
        person("the auditor"),
        "order of 20 November",
        NOW,
    )
    services = service.services
    signer = private_key(service.home / "keys", LOG)
    return seal_account(services.case_store, services.decisions, signer, folder, sealing)


def test_an_account_holds_every_reason_the_selection_the_model_and_the_sources(
    reviewed: Service, tmp_path: Path
) -> None:
    late = "2026-11-24T10:20:00Z"  # declared twenty minutes before it is due
    case_id = ended(reviewed, route(carrier_id="c-0012", due_at=late))

    digest = sealed(reviewed, case_id, tmp_path / "account")

    content = (tmp_path / "account" / "account.json").read_bytes()
    told = json.loads(content)
    record = reviewed.services.decisions.record(case_id)
    assert record is not None
    decision = Decision.model_validate_json(record)
    assert digest_of(content) == digest
    assert told["decision"] == json.loads(record)
    assert told["model"]["digest"] == decision.result.model.digest
    assert [each["words"] for each in told["reasons"]] == [r.words for r in decision.reasons_in()]
    assert len(told["reasons"]) > 1
    parts = {each["feature"]: each["contribution"] for each in told["inputs"]}
    assert [*parts.values()] == [*decision.result.score.contributions]
    assert told["selection"]["hits"] == [*decision.hits]
    assert told["selection"]["selection_probability"] == decision.selection_probability
    assert told["sources"]["submitted_by"] == decision.caller_name
    assert told["case"]["result"]["text"] == NOTHING.text
    assert [event["action"] for event in told["events"]] == [
        "assign",
        "order_action",
        "state_result",
    ]
    words = (tmp_path / "account" / "account.md").read_text()
    for part in (digest, "Finance Court, 4 K 12/26", "drawn by lot", "asked for by another office"):
        assert part in words


def test_handing_an_account_out_is_an_event_with_recipient_reason_and_digest(
    reviewed: Service, tmp_path: Path
) -> None:
    case_id = ended(reviewed)

    digest = sealed(reviewed, case_id, tmp_path / "account")

    event = reviewed.services.cases.events(case_id)[-1]
    assert (event.action, event.by.name, event.text) == (
        "seal",
        "the auditor",
        "order of 20 November",
    )
    _, told = json.loads(event.changed)["account"]
    assert told == {"for": "court", "recipient": "Finance Court, 4 K 12/26", "digest": digest}


@pytest.mark.parametrize("name", ["account.json", "account.md"])
def test_an_account_that_was_changed_or_is_not_whole_is_refused(
    reviewed: Service, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "account"
    digest = sealed(reviewed, ended(reviewed), folder)
    key = public_key_of(reviewed.home / "keys")

    assert verify_account(folder, key) == digest
    file = folder / name
    whole = file.read_text()
    file.write_text(whole.replace(whole[20:30], "0123456789"))
    with pytest.raises(TidegateError):
        verify_account(folder, key)
    file.unlink()
    with pytest.raises((TidegateError, FileNotFoundError)):
        verify_account(folder, key)


def test_an_account_that_cannot_be_recorded_is_not_handed_out(
    reviewed: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = ended(reviewed)

    def fail(event: Any) -> None:
        raise LogUnavailable("the disk is full")

    monkeypatch.setattr(reviewed.services.case_store, "append_event", fail)
    with pytest.raises(LogUnavailable):
        sealed(reviewed, case_id, tmp_path / "account")
    assert [*tmp_path.iterdir()] == [reviewed.home] or not (tmp_path / "account").exists()


def test_a_case_that_is_not_there_and_a_folder_that_is_are_refused(
    reviewed: Service, tmp_path: Path
) -> None:
    with pytest.raises(NotFound):
        sealed(reviewed, "no-such-case", tmp_path / "account")
    case_id = ended(reviewed)
    sealed(reviewed, case_id, tmp_path / "account")
    with pytest.raises(Conflict):
        sealed(reviewed, case_id, tmp_path / "account")


def test_the_command_seals_and_verifies_beside_a_running_service(reviewed: Service) -> None:
    case_id = ended(reviewed)
    run, home = CliRunner(), ["--home", str(reviewed.home)]
    asked = ["--for", "data_protection_authority", "--recipient", "DPA", "--by", "ada"]

    made = run.invoke(app, ["export", "case", case_id, *asked, "--because", "their file 7", *home])

    assert made.exit_code == 0, made.output
    folder = reviewed.home / "accounts" / case_id
    assert run.invoke(app, ["export", "case", str(folder), "--verify", *home]).exit_code == 0
    assert reviewed.services.cases.events(case_id)[-1].action == "seal"
