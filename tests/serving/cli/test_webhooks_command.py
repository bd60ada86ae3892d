"""`tidegate webhooks`: endpoints made by command are told by the running service."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from serving.access.errors import AddressRefused
from serving.cli.main import app
from serving.doctor.all_checks import run_checks
from serving.errors import NotFound, Unprocessable
from serving.settings import Settings, settings_of
from serving.storage.engine import open_database
from serving.storage.repositories.approval_repository import ApprovalRepository
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service
from tests.serving.outbox.test_webhooks import Receiving, receiving
from tests.serving.people import person
from tests.serving.review.cases.test_cases_served import reviewed

__all__ = ["receiving", "reviewed"]

WITHIN_S = 30.0


def run(*arguments: str, home: Path) -> Any:
    """What a command prints, parsed; its error is raised as it is."""
    result = CliRunner().invoke(app, ["webhooks", *arguments, "--home", str(home)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    if result.exit_code:
        return result.exit_code
    return json.loads(result.stdout) if "--json" in arguments else result.output


def wait_for(is_so: Callable[[], Any]) -> None:
    ends_at = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < ends_at
        time.sleep(0.02)


def found(home: Path) -> list[tuple[str, str]]:
    return [(f.grade, f.says) for f in run_checks(Settings(home=home)) if f.what == "webhook"]


def test_an_office_that_is_new_and_looks_like_another_is_said_and_an_impossible_id_refused(
    reviewed: Service, receiving: Receiving
) -> None:
    reviewed.key("score", offices=("DE004600",))
    url = receiving().url
    args = ["webhooks", "create", url, "--home", str(reviewed.home), "--office"]

    made = CliRunner().invoke(app, [*args, "DE0O4600"])

    assert made.exit_code == 0
    assert "the nearest one is DE004600" in " ".join(made.stderr.split())
    with pytest.raises(Unprocessable, match="no office id"):
        run("create", url, "--office", "DE 4600", home=reviewed.home)


def test_an_endpoint_lives_from_its_making_to_its_end(
    reviewed: Service, receiving: Receiving
) -> None:
    receiver, home = receiving(), reviewed.home
    opened = "tidegate.case.opened"
    made = run("create", receiver.url, "--events", opened, "--json", home=home)
    assert made["secret"].startswith("whsec_")
    assert (made["events"], made["offices"]) == ([opened], [])
    reviewed.score(shipment(shipment_id="S-1"), reviewed.key("score"))
    wait_for(lambda: len(receiver.taken) == 1)
    told = json.loads(receiver.taken[0][1])
    assert (told["type"], told["data"]["subject_id"]) == (opened, "S-1")

    endpoint_id = made["endpoint_id"]
    fresh = run("change", endpoint_id, "--rotate", "--overlap-hours", "1", "--json", home=home)
    assert fresh["secret"] != made["secret"]
    receiver.answers = [410]
    reviewed.score(shipment(shipment_id="S-2"), reviewed.key("score"))
    wait_for(lambda: found(home))
    ((grade, says),) = found(home)
    assert (grade, f"change {endpoint_id} --resume" in says) == ("wrong", True)
    measured = reviewed.client.get("/metrics").text
    assert 'tidegate_webhook_endpoints{condition="off"} 1.0' in measured
    assert 'tidegate_webhook_calls_total{answer="not_taken"} 1.0' in measured
    (listed,) = run("list", "--json", home=home)
    assert (listed["condition"], listed["failure"]) == ("off", "answered 410")
    assert endpoint_id in run("list", home=home)
    assert "whsec_" not in json.dumps(listed) + run("list", home=home)

    run("change", endpoint_id, "--resume", home=home)
    wait_for(lambda: len(receiver.taken) == 2)
    run("change", endpoint_id, "--revoke", home=home)
    assert run("list", "--json", home=home)[0]["condition"] == "revoked"
    with pytest.raises(NotFound):
        run("change", endpoint_id, "--rotate", home=home)
    told = CliRunner().invoke(app, ["audit", "--json", "--home", str(home)]).stdout
    about = [e["action"] for e in json.loads(told) if e["object_id"] == endpoint_id]
    assert about[::-1] == [
        *("make_webhook", "rotate_webhook", "switch_off_webhook", "resume_webhook"),
        "revoke_webhook",
    ]


def test_what_must_not_be_called_makes_no_endpoint(tmp_path: Path) -> None:
    for url in ("https://10.0.0.1/", "http://hook.example/", "https://me:word@hook.example/"):
        with pytest.raises(AddressRefused):
            run("create", url, home=tmp_path)
    assert run("create", "https://hook.example/", "--events", "opened", home=tmp_path) == 2
    assert run("create", "http://127.0.0.1:9/", "--json", home=tmp_path)["endpoint_id"]
    settings = settings_of(tmp_path, None)
    engine = open_database(settings.database, is_service=False, keys=settings.keys)
    ApprovalRepository(engine).begin_live_use(person("ada"), NOW)
    for url in ("http://127.0.0.1:9/", "https://127.0.0.1:9/"):
        with pytest.raises(AddressRefused):
            run("create", url, home=tmp_path)
    assert len(run("list", "--json", home=tmp_path)) == 1
