"""Teams: an inbox beside that of the office changes who is offered a case, and nothing else."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from serving.access.accounts import new_account
from serving.access.actors import Actor
from serving.access.errors import NameTaken
from serving.app import create_app
from serving.cli.main import app as tidegate
from serving.errors import NotFound, Unprocessable
from serving.review.acts.claim import claim
from serving.review.acts.give_back import give_back
from serving.review.acts.order import order
from serving.review.cases.case_records import CaseAccess, QueueFilter
from serving.review.cases.case_state import Case
from serving.review.cases.teams import (
    Arrivals,
    Inboxes,
    StatedTeam,
    Team,
    receiving_team,
    require_members,
)
from serving.settings import Settings
from serving.storage.engine import open_database
from serving.storage.repositories.account_repository import AccountRepository
from serving.storage.repositories.team_repository import TeamRepository
from serving.storage.verification.audit_verification import verify_audit_log
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.people import CHIEF, ONE, person, reviewer
from tests.serving.review.cases.stated import INSPECT, form_of
from tests.serving.review.cases.test_cases_served import PLAN
from tests.serving.review.supervision.test_supervision_served import PASSWORD

OFFICE = "DE1"
ALL = CaseAccess(frozenset(), is_rescue=False)
CONTAINERS = Team("Containers", OFFICE, ("one",), Arrivals(modes=("sea",)))
TOBACCO = Team("Tobacco", OFFICE, ("two",), Arrivals(chapters=("24",)))


@pytest.mark.parametrize(
    ("office", "mode", "chapter", "receiving"),
    [
        (OFFICE, "sea", "85", "Containers"),
        (OFFICE, "sea", "24", "Tobacco"),
        (OFFICE, "road", "85", "Everything"),
        (OFFICE, "sea", None, "Containers"),
        ("DE2", "sea", "24", "Any office"),
        ("DE2", "road", "85", None),
        (None, "sea", "85", "Any office"),
    ],
)
def test_a_case_arrives_where_the_rule_says_most(
    office: str | None, mode: str, chapter: str | None, receiving: str | None
) -> None:
    teams = [
        Team("By hand", OFFICE, ("one",)),
        Team("Everything", OFFICE, (), Arrivals()),
        Team("Any office", None, (), Arrivals(modes=("sea",))),
        CONTAINERS,
        TOBACCO,
    ]

    for listed in (teams, teams[::-1]):
        assert receiving_team(listed, office, mode, chapter) == receiving


@pytest.mark.parametrize(
    "rule", [{"modes": ("ship",)}, {"chapters": ("2",)}, {"chapters": ("2a",)}]
)
def test_a_rule_that_takes_nothing_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(Unprocessable):
        Arrivals(**rule)


def test_whoever_takes_a_case_and_gives_it_back_leaves_it_in_its_inbox() -> None:
    taken, _ = claim(Case("c", team="Containers"), ONE, NOW)
    assert give_back(taken, ONE, NOW)[0].team == "Containers"
    referred = replace(
        INSPECT, kind="refer", refer_to="office", destination="DE2", text="is theirs"
    )
    assert order(taken, ONE, NOW, referred)[0].team is None


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path / "log.db", is_service=False)
    yield engine
    engine.dispose()


def test_teams_are_kept_and_their_names_are_taken_for_ever(engine: Engine) -> None:
    accounts, teams = AccountRepository(engine), TeamRepository(engine)
    accounts.add_account(new_account("one", PASSWORD, "reviewer", (), NOW))
    teams.add_team(CONTAINERS, NOW, CHIEF)
    teams.add_team(TOBACCO, NOW, CHIEF)
    changed = replace(CONTAINERS, office_id=None, members=(), arrivals=None)
    teams.change_team(changed, NOW, CHIEF)
    teams.disband("Tobacco", NOW, CHIEF)

    assert teams.all() == [changed]
    for taken in ("One", "C0ntainers", "Tobacco"):
        with pytest.raises(NameTaken):
            teams.add_team(Team(taken, OFFICE), NOW, CHIEF)
    with pytest.raises(NameTaken):
        accounts.add_account(new_account("containers", PASSWORD, "admin", (), NOW))
    for act in (teams.change_team, lambda team, *by: teams.disband(team.name, *by)):
        with pytest.raises(NotFound):
            act(TOBACCO, NOW, CHIEF)


def test_a_team_that_is_changed_behind_the_services_back_is_found(engine: Engine) -> None:
    TeamRepository(engine).add_team(CONTAINERS, NOW, CHIEF)
    assert verify_audit_log(engine).is_whole
    with engine.begin() as connection:
        connection.execute(text("UPDATE teams SET members = '[\"me\"]'"))
    assert [fault.table for fault in verify_audit_log(engine).findings] == ["teams"]


def test_members_are_those_who_see_cases_of_the_office() -> None:
    accounts = [
        new_account("one", PASSWORD, "reviewer", (OFFICE,), NOW),
        new_account("all", PASSWORD, "supervisor", (), NOW),
        new_account("rescuer", PASSWORD, "rescue", (), NOW),
    ]
    require_members(["one", "all"], accounts, OFFICE)
    require_members(["one"], accounts, None)
    for names, office in ((["nobody"], OFFICE), (["rescuer"], OFFICE), (["one"], "DE2")):
        with pytest.raises(Unprocessable):
            require_members(names, accounts, office)


def test_a_team_is_of_an_office_that_is_known() -> None:
    stated = StatedTeam("Tobacco", OFFICE.lower(), (), takes_cases=True, modes=(), chapters=())

    with pytest.raises(Unprocessable, match=OFFICE):
        stated.team([], {OFFICE})
    assert replace(stated, office_id=OFFICE).team([], {OFFICE}).office_id == OFFICE


def test_every_office_has_an_inbox_without_any_team() -> None:
    bound = CaseAccess(frozenset({OFFICE}), is_rescue=False)
    none, some = Inboxes([]), Inboxes([CONTAINERS, Team("Abroad", "DE2")])

    assert none.of_reader(person("one"), bound).offices == (OFFICE,)
    assert none.for_office(OFFICE) == [OFFICE]
    assert none.for_office(None) == []
    assert some.for_office(OFFICE) == ["Containers", OFFICE]
    assert some.of_reader(person("one"), ALL).teams == ("Containers",)
    assert some.of_reader(Actor("key:one", "one"), ALL).teams == ()


@pytest.fixture
def served(home: Path) -> Iterator[Service]:
    """A service with two teams of an office, and shipments by sea and by road."""
    (home / "lanes.toml").write_text(PLAN)
    with TestClient(create_app(Settings(home=home), clock=lambda: NOW)) as client:
        service = Service(client, client.app.state.services, home)  # type: ignore[attr-defined]  # a FastAPI
        for name, role in (("one", "reviewer"), ("two", "reviewer"), ("chief", "supervisor")):
            account = new_account(name, PASSWORD, role, (), NOW)  # type: ignore[arg-type]  # a role
            service.services.accounts.add_account(account)
        service.services.accounts.add_account(new_account("boss", PASSWORD, "admin", (), NOW))
        service.services.teams.add_team(CONTAINERS, NOW, CHIEF)
        service.services.teams.add_team(replace(TOBACCO, arrivals=None), NOW, CHIEF)
        yield service


def decide(service: Service, number: int, mode: str = "sea") -> str:
    body = shipment(shipment_id=f"S-{number}", office_id=OFFICE)
    body["journey"]["mode"] = mode
    answer = service.score(body, service.key("score"))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["decision_id"])


def sign_in(service: Service, name: str) -> str:
    """Sign in; the token of one's forms."""
    service.client.cookies.clear()
    form = {"name": name, "password": PASSWORD}
    page = service.client.post("/console/sign-in", data=form, headers=ORIGIN).text
    return page.split('name="form_token" value="')[1].split('"')[0]


def listed(service: Service, name: str, tab: str, **filters: str) -> set[str]:
    inbox = filters.get("inbox")
    inboxes = service.services.cases.inboxes()
    queue = QueueFilter(
        NOW,
        tab=tab,
        inbox=inboxes.named(inbox) if inbox else None,  # type: ignore[arg-type]  # a tab
    )
    read = service.services.cases.as_read_by(reviewer(name), queue)
    return {row.case_id for row in service.services.cases.queue(reviewer(name), read, None, 50)}


def test_members_find_what_arrives_and_take_it(served: Service) -> None:
    by_sea, by_road = decide(served, 1), decide(served, 2, "rail")

    assert listed(served, "one", "inbox") == {by_sea}
    assert listed(served, "two", "inbox") == set()
    assert listed(served, "two", "unassigned") == {by_sea, by_road}
    assert listed(served, "chief", "unassigned", inbox="Containers") == {by_sea}
    assert listed(served, "chief", "unassigned", inbox=OFFICE) == {by_road}
    token = sign_in(served, "one")
    page = served.client.get("/console/queue").text
    assert ">Inbox " in page
    assert f'data-case="{by_sea}"' in page
    assert f'data-case="{by_road}"' not in page
    taken = served.client.post(
        "/console/queue/next", data={"form_token": token}, headers=ORIGIN, follow_redirects=False
    )
    assert by_sea in taken.headers["location"]
    assert listed(served, "one", "mine") == {by_sea}
    assert listed(served, "one", "inbox") == set()


def test_a_case_is_put_into_the_inboxes_of_its_office_alone(served: Service) -> None:
    case_id, two = decide(served, 1), served.person("two", "review")
    served.services.teams.add_team(Team("Abroad", "DE2"), NOW, CHIEF)

    def put(**body: str) -> Any:
        return served.client.post(f"/v1/cases/{case_id}/assignments", headers=two, json=body)

    for wrong in ({"inbox": "Abroad"}, {"inbox": "DE2"}, {}, {"inbox": OFFICE, "to": "one"}):
        assert put(**wrong).status_code == 422, wrong
    assert put(inbox="Tobacco").json()["team"] == "Tobacco"
    assert listed(served, "two", "inbox") == {case_id}
    assert put(inbox=OFFICE).json()["team"] is None
    assert listed(served, "two", "inbox") == set()
    put(inbox="Tobacco")
    served.services.teams.disband("Tobacco", NOW, CHIEF)
    assert listed(served, "chief", "unassigned", inbox=OFFICE) == {case_id}
    answer = served.client.get(f"/v1/queue?inbox={OFFICE}", headers=two).json()
    assert [case["case_id"] for case in answer["cases"]] == [case_id]
    told = [event.action for event in served.services.cases.events(case_id)]
    assert told == ["put_into_inbox"] * 3


def test_an_inbox_that_there_is_not_is_refused_and_no_empty_page(served: Service) -> None:
    two = served.person("two", "review")
    decide(served, 1)

    refused = served.client.get("/v1/queue?inbox=Tobaco", headers=two)

    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/inbox-unknown")
    (fault,) = refused.json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("/inbox", "unknown_inbox")
    assert fault["detail"].endswith("the nearest one is Tobacco")
    for inbox in ("Tobacco", OFFICE):
        assert served.client.get(f"/v1/queue?inbox={inbox}", headers=two).status_code == 200


def test_a_list_of_an_inbox_or_office_that_there_is_not_says_so_and_names_the_nearest(
    served: Service,
) -> None:
    decide(served, 1)
    sign_in(served, "one")

    def told(query: str) -> list[str]:
        page = served.client.get(f"/console/queue?tab=unassigned&{query}").text
        return re.findall(r'<p class="alert" role="alert">([^<]*)</p>', page)

    (inbox,) = told("inbox=Tobaco")
    (office,) = told(f"office={OFFICE[:-1]}")
    assert inbox == "No team and no office has this name; the nearest one is Tobacco."
    assert office.endswith(f"the nearest one is {OFFICE}.")
    for known in ("inbox=Tobacco", f"inbox={OFFICE}", f"office={OFFICE}", "inbox="):
        assert told(known) == []


def test_an_officer_puts_a_case_into_an_inbox_on_its_page(served: Service) -> None:
    case_id = decide(served, 1, "rail")
    token = sign_in(served, "one")
    page = served.client.get(f"/console/cases/{case_id}").text
    assert '<option value="inbox:Tobacco">' in page
    form = form_of(served, case_id, token, to="inbox:Tobacco")
    address = f"/console/cases/{case_id}/assignments?tab=unassigned"
    done = served.client.post(address, data=form, headers=ORIGIN)
    assert "put into an inbox" in done.text
    assert listed(served, "two", "inbox") == {case_id}


def test_an_admin_makes_changes_and_disbands_teams_on_the_page(served: Service) -> None:
    token = sign_in(served, "boss")
    assert "Containers" in served.client.get("/console/accounts").text

    def send(act: str, **form: str) -> Any:
        address = f"/console/accounts/teams{act}"
        return served.client.post(address, data={"form_token": token} | form, headers=ORIGIN)

    made = send("", name="Night", team_office=OFFICE, members="one, two", mode_air="true")
    assert made.status_code == 200
    assert served.services.teams.all()[1] == Team(
        "Night", OFFICE, ("one", "two"), Arrivals(modes=("air",))
    )
    for wrong in (
        {"name": "Night", "members": "x"},
        {"name": "0ne"},
        {"name": "N", "chapters": "x"},
    ):
        assert send("", **wrong).status_code == 422, wrong
    shown = served.services.teams.all()[1].revision
    send("/change", name="Night", members="two", takes_cases="true", shown=shown)
    assert served.services.teams.all()[1] == Team("Night", None, ("two",), Arrivals())
    assert send("/disband", name="Night").status_code == 200
    assert [team.name for team in served.services.teams.all()] == ["Containers", "Tobacco"]
    token = sign_in(served, "one")
    assert send("", name="Mine").status_code == 403


def test_commands_make_list_change_and_disband_teams(tmp_path: Path) -> None:
    home = tmp_path / "home"

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(tidegate, ["teams", *arguments, "--home", str(home)])

    CliRunner().invoke(
        tidegate, ["accounts", "create", "one", "--role", "reviewer", "--home", str(home)]
    )
    assert run("set", "Containers", "--office", OFFICE, "--member", "one").exit_code == 0
    assert run("set", "Other", "--member", "nobody").exit_code != 0
    assert run("set", "Containers", "--mode", "sea", "--chapter", "24").exit_code == 0
    (shown,) = json.loads(run("list", "--json").stdout)
    assert shown["arrivals"] == {"modes": ["sea"], "chapters": ["24"]}
    assert "sea 24" in run("list").stdout
    assert run("set", "Containers", "--disband").exit_code == 0
    assert run("list").stdout.strip() == ""
