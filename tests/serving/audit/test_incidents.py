"""What a harm must be explained from is frozen, and shows when it was changed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from features.errors import TidegateError
from features.home_keys import LOG, private_key
from serving.app import create_app
from serving.audit.incidents import EVIDENCE, Incident, Opening, freeze, incidents, verify_incident
from serving.cli.main import app as commands
from serving.integrity.checkpoints import public_key_of
from serving.settings import Settings
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service

AT = datetime(2026, 11, 24, tzinfo=UTC)


def opening(begins: datetime, ends: datetime) -> Opening:
    told = {"what": "A cutter was searched for days.", "harm": "serious", "opened_by": "supervisor"}
    return Opening(**told, opened_at=AT, begins=begins, ends=ends)  # type: ignore[arg-type]  # texts


@pytest.fixture
def service(home: Path) -> Iterator[Service]:
    """A service whose clock goes on by a minute whenever it is looked at."""
    minutes = count()
    app = create_app(Settings(home=home), clock=lambda: NOW + timedelta(minutes=next(minutes)))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Service(client, app.state.services, home)


@pytest.fixture
def scored(service: Service) -> list[dict[str, str]]:
    """Five decisions, of both kinds."""
    caller = service.key("score")
    bodies = [shipment(), route(), shipment(), route(), shipment()]
    for at, body in enumerate(bodies):
        kind = body["subject_kind"]
        subject = body["shipment"] if kind == "shipment" else body["journey"]
        subject[f"{'shipment' if kind == 'shipment' else 'journey'}_id"] = f"X-{at}"
        if kind == "route":
            for leg in body["legs"]:
                leg["journey_id"] = f"X-{at}"
    answers = [service.score(body, caller) for body in bodies]
    assert [answer.status_code for answer in answers] == [200] * 5
    return [answer.json() for answer in answers]


def frozen(service: Service, first: str, last: str, folder: Path) -> Incident:
    """The decisions scored from the first instant to the last, both included."""
    services = service.services
    stretch = (
        datetime.fromisoformat(first),
        datetime.fromisoformat(last) + timedelta(microseconds=1),
    )
    return freeze(
        services.decisions, private_key(services.settings.keys, LOG), folder, opening(*stretch)
    )


def key(service: Service) -> str:
    return public_key_of(service.services.settings.keys)


def test_a_stretch_is_frozen_with_all_that_is_to_report(
    service: Service, scored: list[dict[str, str]], tmp_path: Path
) -> None:
    incident = frozen(service, scored[1]["scored_at"], scored[3]["scored_at"], tmp_path / "cutter")

    kept = [json.loads(line) for line in (tmp_path / "cutter" / EVIDENCE).read_bytes().splitlines()]
    ids = [
        json.loads(record)["decision_id"]
        for record in service.services.decisions.records()
        if record
    ]
    assert [json.loads(row["record"])["decision_id"] for row in kept] == ids[1:4]
    assert all("encrypted" in row for row in kept)
    assert incident.last - incident.first == 2
    assert sum(incident.models.values()) == sum(incident.lanes.values()) == 3
    told = (tmp_path / "cutter" / "report.md").read_text()
    assert "A cutter was searched for days." in told
    assert f"records {incident.first} to {incident.last} of the log" in told
    for counted in (incident.models, incident.lanes, incident.offices):
        assert all(f"- {name}: {decided}" in told for name, decided in counted.items())
    for question in (
        "Who was harmed",
        "What caused it",
        "causal link",
        "When was the provider told, first",
        "When did the provider report",
    ):
        assert question in told
    assert incident.evidence in told
    assert verify_incident(tmp_path / "cutter", key(service)) == incident
    assert list(incidents(tmp_path)) == [incident]


@pytest.mark.parametrize("part", ["evidence.ndjson", "incident.json"])
def test_any_change_of_what_was_frozen_is_found(
    service: Service, scored: list[dict[str, str]], tmp_path: Path, part: str
) -> None:
    folder = tmp_path / "cutter"
    frozen(service, scored[0]["scored_at"], scored[4]["scored_at"], folder)
    content = (folder / part).read_bytes()
    for at in range(0, len(content), max(1, len(content) // 40)):
        (folder / part).write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(TidegateError):
            verify_incident(folder, key(service))
    (folder / part).unlink()
    with pytest.raises(TidegateError, match="is missing"):
        verify_incident(folder, key(service))


def test_nothing_is_left_behind_where_nothing_was_decided(
    service: Service, scored: list[dict[str, str]], tmp_path: Path
) -> None:
    with pytest.raises(TidegateError, match="nothing was decided"):
        frozen(service, "2020-01-01T00:00:00+00:00", "2020-01-02T00:00:00+00:00", tmp_path / "none")
    assert not list(tmp_path.glob("*none*"))


def test_an_incident_is_frozen_once_and_ends_after_it_begins(
    service: Service, scored: list[dict[str, str]], tmp_path: Path
) -> None:
    first, last = scored[0]["scored_at"], scored[4]["scored_at"]
    frozen(service, first, last, tmp_path / "cutter")
    with pytest.raises(TidegateError, match="frozen once"):
        frozen(service, first, last, tmp_path / "cutter")
    with pytest.raises(TidegateError, match="want an end after"):
        frozen(service, last, "2020-01-01T00:00:00+00:00", tmp_path / "other")


def test_the_commands_freeze_list_and_verify(
    service: Service, scored: list[dict[str, str]]
) -> None:
    home = ["--home", str(service.home), "--json"]
    told = ["--what", "x", "--by", "supervisor", "--from", "2000-01-01", "--until", "2100-01-01"]
    run = CliRunner().invoke
    opened = run(commands, ["incident", "open", "cutter", *told, *home])
    assert opened.exit_code == 0
    assert json.loads(opened.stdout)["last"] == 5
    assert json.loads(run(commands, ["incident", "show", *home]).stdout)[0]["name"] == "cutter"
    assert run(commands, ["incident", "show", "cutter", *home]).exit_code == 0
    assert run(commands, ["incident", "show", "../keys", *home]).exit_code == 2
