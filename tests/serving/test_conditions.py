"""Every way in which the service can be less than whole: what it still does, and how it says so."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, get_args

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from serving.conditions import MEANINGS, Mode, degradations
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service
from tests.serving.world import promote, train_and_promote


@contextmanager
def failing_commits(service: Service, statement: str = "") -> Iterator[None]:
    """Fail every commit, or every statement that begins like this."""
    engine = service.house.log._engine

    def fail(*arguments: Any) -> None:
        if not statement or arguments[2].startswith(statement):
            raise OperationalError("a call", None, sqlite3.OperationalError("disk is full"))

    moment = "before_cursor_execute" if statement else "commit"
    event.listen(engine, moment, fail)
    yield
    event.remove(engine, moment, fail)


def modes(service: Service) -> list[str]:
    """The modes that hold, as readiness and the metrics say them alike."""
    held: list[str] = list(degradations(service.house))
    counted = service.client.get("/metrics").text
    for mode in get_args(Mode):
        assert f'tidegate_degraded{{mode="{mode}"}} {float(mode in held)}' in counted
    ready = service.client.get("/health/ready")
    if ready.status_code == 200:
        assert ready.json()["degraded"] == held
        assert ready.json()["status"] == ("degraded" if held else "ready")
    return held


def test_every_mode_is_explained() -> None:
    assert set(MEANINGS) == set(get_args(Mode))


def test_a_whole_service_says_so(service: Service) -> None:
    assert modes(service) == []


def test_while_the_log_fails_nothing_is_decided_and_it_recovers_by_itself(
    service: Service,
) -> None:
    caller = service.key("score")
    with failing_commits(service):
        refused = service.score(shipment(), caller)
        held, ready = modes(service), service.client.get("/health/ready")

    assert (refused.status_code, ready.status_code) == (503, 503)
    assert refused.headers["Retry-After"]
    assert held == ["log_not_written"]
    service.house.desk.writer._try_again()
    assert modes(service) == []
    assert service.score(shipment(), caller).status_code == 200
    assert service.house.log.size() == 1


def test_a_log_that_cannot_be_sealed_goes_on(service: Service) -> None:
    caller = service.key("score")
    service.score(shipment(), caller)
    sealing = service.house.desk.writer.sealing
    with failing_commits(service, "INSERT INTO checkpoints"):
        sealing.seal_if_due(is_last=True)
        answer = service.score(shipment(shipment_id="S-2"), caller)

    assert answer.status_code == 200
    assert modes(service) == ["log_not_sealed"]
    sealing.seal_if_due(is_last=True)
    assert modes(service) == []


def test_without_a_model_of_one_kind_the_other_is_scored(service: Service) -> None:
    (service.home / "models" / "tidegate-route" / "champion.json").write_text("{}")
    champions = service.house.desk.assessor.champions
    champions._loaded.pop(("champion", "route"))
    champions.refresh()
    caller = service.key("score")

    refused = service.score(route(), caller)

    assert modes(service) == ["model_missing"]
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/no-model")
    assert service.score(shipment(), caller).status_code == 200


def test_a_refused_model_leaves_the_one_before_it_in_its_seat(service: Service) -> None:
    caller = service.key("score")
    first = service.house.desk.assessor.champions.of("shipment").model
    (service.home / "models" / "tidegate-shipment" / "champion.json").write_text("{}")
    service.house.desk.assessor.champions.refresh()

    answer = service.score(shipment(), caller)

    assert modes(service) == ["model_refused"]
    assert (answer.status_code, answer.json()["model"]["digest"]) == (200, first.digest)
    promote(service.home, "shipment", "1", first)
    service.house.desk.assessor.champions.refresh()
    assert modes(service) == []


def test_models_that_nobody_names_any_more_go_on(service: Service) -> None:
    (service.home / "models" / "tidegate-route" / "champion.json").unlink()
    service.house.desk.assessor.champions.refresh()

    assert service.score(route(), service.key("score")).status_code == 200
    assert modes(service) == ["model_refused"]


def test_a_full_house_says_so(service: Service) -> None:
    service.house.metrics.inside = service.house.settings.most_in_flight

    assert modes(service) == ["requests_turned_away"]
    assert service.score(shipment(), service.key("score")).status_code == 503


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)])
def test_a_clock_that_jumped_is_noticed(service: Service, jump: timedelta) -> None:
    caller = service.key("score")
    service.score(shipment(), caller)
    object.__setattr__(service.house, "clock", lambda: NOW + jump)

    answer = service.score(shipment(shipment_id="S-2"), caller)

    assert answer.status_code == 200
    assert modes(service) == ["clock_suspect"]
    assert service.house.log.size() == 2


def test_challenger_and_shadow_are_asked_beside_the_champion(service: Service) -> None:
    for role, version, seed in (("challenger", "2", 8), ("shadow", "3", 9)):
        model = train_and_promote(service.home, "shipment", version, seed)
        promote(service.home, "shipment", version, model, role)
    first = service.house.desk.assessor.champions.of("shipment").model
    promote(service.home, "shipment", "1", first)
    service.house.desk.assessor.champions.refresh()
    caller = service.key("score")
    answers = [service.score(shipment(shipment_id=f"S-{i}"), caller).json() for i in range(5)]
    listed = service.client.get("/v1/models", headers=caller).json()["models"]

    service.house.desk.opinions.stop()
    register = service.house.desk.opinions._register
    compared = {role: register.compared(role) for role in ("challenger", "shadow")}

    assert {a["model"]["version"] for a in answers} == {"1"}
    assert [m["role"] for m in listed] == ["champion", "champion", "challenger", "shadow"]
    for role, version in (("challenger", "2"), ("shadow", "3")):
        assert {c.opinion.version for c in compared[role]} == {version}
        newest_first = [(a["decision_id"], a["probability"]) for a in reversed(answers)]
        said = [(c.opinion.decision_id, c.champion_probability) for c in compared[role]]
        assert said == newest_first
        assert any(c.opinion.probability != c.champion_probability for c in compared[role])
