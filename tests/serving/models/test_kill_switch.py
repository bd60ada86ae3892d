"""Models switched off are asked nothing, anywhere, at once; what is declared is decided still."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from typer.testing import CliRunner

from serving.access.actors import SERVICE
from serving.access.roles import ROLE_SCOPES
from serving.app import create_app
from serving.cli.main import app
from serving.container import Services
from serving.errors import Unprocessable
from serving.models.errors import NoModel
from serving.models.kill_switch import KillSwitch, record_switch
from serving.settings import Settings
from serving.storage.engine import open_database
from serving.storage.errors import DatabaseMissing
from serving.storage.repositories.kill_switch_repository import KillSwitchRepository
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.people import person
from tests.serving.refusals import refused_with
from tests.serving.review.supervision.test_supervision_served import sign_in_as
from tests.serving.world import promote, train_and_promote

WHY = "it scores every ferry as a risk since this morning"
PLAN = """
edition = "test"
[[watched]]
kind = "company"
value = "c-0007"
list = "seized before"
reason = "seized in August"
"""


def run(*arguments: Any) -> Any:
    """Run the command line; an error that it would print is raised."""
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def off(service: Service, kind: str = "all", *, is_on: bool = False) -> Any:
    body = {"subject_kind": kind, "is_on": is_on, "because": WHY}
    return service.client.post("/v1/switches", json=body, headers=service.key("switch"))


@contextmanager
def serving(home: Path, **settings: Any) -> Iterator[Service]:
    service = create_app(Settings(home=home, **settings), clock=lambda: NOW)
    with TestClient(service, raise_server_exceptions=False) as client:
        yield Service(client, service.state.services, home)


@pytest.fixture(params=["sqlite", "postgresql"])
def switched(request: pytest.FixtureRequest, home: Path) -> Iterator[Service]:
    """A service over either engine, in which the lot hardly ever falls."""
    settings: dict[str, Any] = {"inspect_share": 0.0, "control_probability": 1e-9}
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").new_database()
        settings["database_url"] = SecretStr(url)
    with serving(home, **settings) as service:
        yield service


def test_what_is_declared_while_models_are_off_is_decided_without_a_score(
    switched: Service,
) -> None:
    caller = switched.key("score", "explain")
    assert off(switched).json()["switches"][0]["is_on"] is False

    answer = switched.score(shipment(), caller)

    told = answer.json()
    assert answer.status_code == 200
    assert (told["probability"], told["percentile"], told["model"]) == (None, None, None)
    assert (told["unscored"], told["lane"]) == ("switched_off", "manual")
    assert told["lane_reason"] == "no_score"
    assert 0 < told["selection_probability"] < 1
    assert "contributions" not in told
    stored = switched.client.get(f"/v1/decisions/{told['decision_id']}", headers=caller).json()
    assert (stored["probability"], stored["unscored"]) == (None, "switched_off")


def test_the_log_holds_decisions_with_and_without_a_score_whole(switched: Service) -> None:
    from serving.storage.verification.log_verification import verify_decision_log

    caller = switched.key("score")
    before = switched.score(shipment(), caller).json()
    off(switched)
    switched.score(shipment(shipment_id="S-2"), caller)
    off(switched, is_on=True)
    after = switched.score(shipment(shipment_id="S-3"), caller).json()

    assert before["probability"] is not None
    assert after["probability"] is not None
    assert verify_decision_log(switched.services.decisions._engine).is_whole
    with switched.services.decisions._engine.connect() as connection:
        stored = connection.scalars(text("SELECT probability FROM decisions ORDER BY seq")).all()
    assert [each is None for each in stored] == [False, True, False]


def test_one_kind_is_switched_off_alone(switched: Service) -> None:
    caller = switched.key("score")
    off(switched, "route")

    assert switched.score(route(), caller).json()["unscored"] == "switched_off"
    assert switched.score(shipment(), caller).json()["unscored"] is None
    ready = switched.client.get("/health/ready").json()
    assert ready["degraded"] == ["models_off"]
    assert ready["models"] == {"route": None, "shipment": "1"}


def test_a_life_at_risk_is_found_without_a_model(switched: Service) -> None:
    off(switched)
    told = switched.score(route(persons_on_board=40), switched.key("score")).json()
    assert (told["lane"], told["lane_reason"]) == ("rescue", "life_at_risk")
    queue = switched.client.get("/v1/queue", headers=switched.key("rescue")).json()
    assert [case["lane"] for case in queue["cases"]] == ["rescue"]


def test_watch_lists_are_followed_without_a_model(home: Path) -> None:
    (home / "lanes.toml").write_text(PLAN)
    with serving(home) as service:
        off(service)
        caller = service.key("score")
        told = service.score(shipment(), caller).json()
        other = service.score(shipment(shipment_id="S-2", consignor_id="c-9"), caller).json()
    assert (told["lane"], told["lane_reason"]) == ("inspect", "watch_list")
    assert other["lane"] in {"manual", "control"}


def test_the_lot_draws_what_the_score_would_have_taken(home: Path) -> None:
    usual = {"inspect_share": 0.3, "control_probability": 0.2}
    with serving(home, **usual) as service:
        off(service)
        caller = service.key("score")
        told = [service.score(shipment(shipment_id=f"S-{n}"), caller).json() for n in range(200)]
    assert {each["selection_probability"] for each in told} == {0.5}
    drawn = sum(each["lane"] == "control" for each in told)
    assert 70 < drawn < 130


def test_no_other_way_leads_to_a_model_that_is_off(switched: Service) -> None:
    caller = switched.key("score", "explain")
    scored = switched.score(shipment(), caller).json()["decision_id"]
    off(switched)

    explained = switched.client.get(f"/v1/decisions/{scored}/explanation", headers=caller)

    assert explained.json()["missing_input_effects"] is None
    with pytest.raises(NoModel, match="were switched off at"):
        switched.services.models.champion("shipment")
    assert switched.services.models.challengers("shipment") == {}


def test_models_beside_the_champion_are_asked_nothing_while_they_are_off(
    service: Service,
) -> None:
    model = train_and_promote(service.home, "shipment", "2", seed=8)
    promote(service.home, "shipment", "2", model, "challenger")
    champions = service.services.models
    promote(service.home, "shipment", "1", champions.champion("shipment").model)
    champions.refresh()
    assert list(champions.challengers("shipment")) == ["challenger"]

    off(service, "shipment")

    assert champions.challengers("shipment") == {}


def test_a_decision_without_a_score_has_no_explanation(switched: Service) -> None:
    caller = switched.key("score", "explain")
    off(switched)
    told = switched.score(shipment(), caller).json()

    response = switched.client.get(
        f"/v1/decisions/{told['decision_id']}/explanation", headers=caller
    )

    assert (response.status_code, response.json()["type"]) == (404, "/problems/not-scored")
    page = _as_reader(switched, f"/console/decisions/{told['decision_id']}")
    assert "That says nothing about the risk" in page.text
    assert "Manual procedure" in page.text
    assert "Nothing that weighs enough" not in page.text


def _as_reader(service: Service, path: str) -> Any:
    sign_in_as(service, "supervisor")
    return service.client.get(path)


def test_another_worker_follows_within_two_seconds(home: Path, postgres: Any) -> None:
    url = SecretStr(postgres.new_database())
    with serving(home, database_url=url) as one, serving(home, database_url=url) as other:
        caller = one.key("score")
        off(one)
        took_s = _until(
            lambda: (
                other.score(shipment(shipment_id=f"S-{time.monotonic_ns()}"), caller).json()[
                    "unscored"
                ]
                == "switched_off"
            )
        )
    assert took_s < 2


def _until(holds: Callable[[], bool]) -> float:
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < 10
        time.sleep(0.05)
    return time.monotonic() - began


def test_a_command_reaches_a_service_that_runs(home: Path) -> None:
    with serving(home) as service:
        caller = service.key("score")
        told = run("switch", "off", "--by", "ada", "--because", WHY, "--home", home, "--json")
        took_s = _until(
            lambda: (
                service.score(shipment(shipment_id=f"S-{time.monotonic_ns()}"), caller).json()[
                    "unscored"
                ]
                == "switched_off"
            )
        )
        run(
            "switch",
            "on",
            "--by",
            "bo",
            "--because",
            "repaired and tried out",
            "--home",
            home,
        )
        newest = service.services.switch_events.latest_by_kind()
    assert told.exit_code == 0
    assert took_s < 2
    assert {kind: (s.is_on, s.by.name) for kind, s in newest.items()} == {
        "route": (True, "bo"),
        "shipment": (True, "bo"),
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--by", "ada", "--because", "short"), "say why"),
        (("--by", "ada", "--because", "\u3164" * 20), "say why"),
        (("--by", " ", "--because", WHY), "say who"),
    ],
)
def test_nothing_is_switched_without_who_and_why(
    home: Path, arguments: tuple[str, ...], says: str
) -> None:
    register = KillSwitchRepository(open_database(home / "tidegate.db", is_service=False))
    with pytest.raises(Unprocessable, match=says):
        run("switch", "off", *arguments, "--home", home)
    assert register.latest_by_kind() == {}


def test_a_home_without_a_service_is_no_place_to_switch(tmp_path: Path) -> None:
    with pytest.raises(DatabaseMissing, match="tidegate init"):
        run("switch", "off", "--by", "ada", "--because", WHY, "--home", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_was_switched_can_be_neither_changed_nor_deleted(where: Path | str) -> None:
    engine = open_database(where, is_service=False)
    record_switch(
        KillSwitchRepository(engine), "all", is_on=False, by=person("ada"), because=WHY, at=NOW
    )
    for statement in ("UPDATE switches SET is_on = 1", "DELETE FROM switches"):
        with pytest.raises(IntegrityError, match="stays on record"), engine.begin() as connection:
            connection.exec_driver_sql(statement)


def test_the_newest_act_holds_and_all_are_kept(where: Path | str) -> None:
    register = KillSwitchRepository(open_database(where, is_service=False))
    for hour, (kind, is_on) in enumerate([("all", False), ("route", True), ("route", False)]):
        record_switch(
            register,
            kind,  # type: ignore[arg-type]  # what is refused
            is_on=is_on,
            by=f"person {hour}",
            because=WHY,
            at=NOW + timedelta(hours=hour),
        )
    assert {k: (s.is_on, s.by.name) for k, s in register.latest_by_kind().items()} == {
        "shipment": (False, "person 0"),
        "route": (False, "person 2"),
    }
    assert [s.by.name for s in register.newest(9)] == [
        *("person 2", "person 1", "person 0", "person 0")
    ]


def test_what_was_known_holds_while_the_register_cannot_be_read(where: Path | str) -> None:
    from serving.errors import LogUnavailable

    register = KillSwitchRepository(open_database(where, is_service=False))
    record_switch(register, "all", is_on=False, by=person("ada"), because=WHY, at=NOW)
    fails = False

    def newest() -> Any:
        if fails:
            raise LogUnavailable("gone")
        return register.latest_by_kind()

    followed = KillSwitch(newest)
    fails = True
    with pytest.raises(LogUnavailable):
        followed.refresh()
    assert followed.kinds_off == ("route", "shipment")


def test_those_who_oversee_or_administer_may_switch_and_no_one_else(service: Service) -> None:
    for role in ROLE_SCOPES:
        token = sign_in_as(service, role)
        shown = service.client.get("/console/switches").status_code
        acted = service.client.post(
            "/console/switches",
            data={"form_token": token, "models": "route", "to": "off", "because": WHY},
            headers=ORIGIN,
            follow_redirects=False,
        ).status_code
        assert (shown == 200) == (role in {"supervisor", "auditor", "admin"}), role
        assert (acted == 303) == (role in {"supervisor", "admin"}), role
    refused = service.client.post(
        "/v1/switches",
        json={"subject_kind": "all", "is_on": False, "because": WHY},
        headers=service.key("score", "explain", "review", "supervise", "administer"),
    )
    assert refused.status_code == 403


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("is_live", [True, False], ids=["live", "live before, and a trial now"])
def test_in_live_use_two_persons_switch_models_on_by_call_and_on_the_page(
    home: Path, is_live: bool
) -> None:
    served = create_app(Settings(home=home), clock=lambda: NOW)
    with TestClient(served) as client:
        services: Services = served.state.services
        services.approvals.begin_live_use(SERVICE, NOW)
        changes = {"is_live": is_live, "second_factor_roles": "none"}
        live = services.settings.model_copy(update=changes)
        served.state.services = replace(services, settings=live)
        service = Service(client, served.state.services, home)

        def switch(by: dict[str, str], *, is_on: bool) -> Any:
            body = {"subject_kind": "route", "is_on": is_on, "because": WHY}
            answer = client.post("/v1/switches", json=body, headers=by)
            routes = answer.json().get("switches", [{}])[0]
            return answer.status_code, routes.get("is_on"), routes.get("proposed_by")

        desk, ada = service.key("switch"), service.person("ada", "switch")
        assert switch(ada, is_on=True)[0] == 409
        assert switch(desk, is_on=False) == (200, False, None)
        assert switch(desk, is_on=True)[0] == 403
        assert switch(ada, is_on=True) == (200, False, "ada")
        assert switch(service.person("Ada", "switch"), is_on=True)[0] == 409

        token = sign_in_as(service, "supervisor")
        data = {"form_token": token, "models": "route", "because": WHY}
        shown = client.get("/console/switches").text
        assert "ada (token)" in shown
        assert "Leave them off" in shown
        client.post("/console/switches", data=data | {"to": "declined"}, headers=ORIGIN)
        assert "Leave them off" not in client.get("/console/switches").text
        assert switch(ada, is_on=True) == (200, False, "ada")
        client.post("/console/switches", data=data | {"to": "on"}, headers=ORIGIN)
        assert "Models of routes: on" in client.get("/console/switches").text


def test_every_page_says_that_models_are_off(service: Service) -> None:
    token = sign_in_as(service, "supervisor")
    data = {"form_token": token, "models": "all", "to": "off", "because": f"<b>{WHY}</b>"}
    shown = service.client.post("/console/switches", data=data, headers=ORIGIN)
    queue = service.client.get("/console/queue").text
    assert "Models of routes: off" in shown.text
    assert f"&lt;b&gt;{WHY}&lt;/b&gt;" in shown.text
    assert "the supervisor" in shown.text
    assert "The models of routes and shipments are switched off" in queue

    service.client.post("/console/switches", data=data | {"to": "on"}, headers=ORIGIN)
    assert "are switched off" not in service.client.get("/console/queue").text


def test_monitoring_counts_what_had_no_score_apart(service: Service) -> None:
    from serving.monitor.day_summary import DaySummary
    from serving.monitor.rollups import catch_up

    caller = service.key("score")
    service.score(shipment(), caller)
    off(service)
    for n in range(3):
        service.score(shipment(shipment_id=f"S-{n}"), caller)
    summaries = service.services.rollups

    assert catch_up(summaries, NOW + timedelta(days=1)) == 4

    (body,) = [each for _, each in summaries.days("shipment", "2026-11-01", "2026-12-01")]
    day = DaySummary.read(body)
    assert day.unscored == 3
    assert sum(n for (by, _, _), n in day.sizes.items() if by == "all") == 1


def test_no_score_can_be_computed_again_where_there_was_none(service: Service) -> None:
    off(service)
    told = service.score(shipment(), service.key("score")).json()
    service.services.log_writer.stop()
    with refused_with("not-scored"):
        run("replay", told["decision_id"], "--home", service.home)
