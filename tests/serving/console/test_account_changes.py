"""What an admin does with accounts of others: chosen from lists, confirmed first, and told."""

import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from serving.access.accounts import Account, new_account
from serving.access.sessions import Session
from serving.cli.main import app
from serving.errors import Conflict, Forbidden, NotFound, Unprocessable
from serving.review.cases.teams import Team
from serving.storage.repositories.account_repository import AccountRepository
from serving.storage.repositories.session_repository import SessionRepository
from tests.serving.access.trusted import NOW
from tests.serving.bodies import shipment
from tests.serving.conftest import Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.databases import database
from tests.serving.refusals import refused_with
from tests.serving.review.cases.test_cases_served import reviewed
from tests.serving.review.supervision.test_supervision_served import sign_in_as

__all__ = ["reviewed"]

SPANISH = "office-ES-2"
ODDEST = "DE.46_00:a/b-" + "9" * 51


def events_of(accounts: AccountRepository, name: str) -> list[tuple[str, str, dict[str, Any]]]:
    told = reversed(accounts.events_of(name, 50))
    return [
        (each.by, each.action, {k: v for k, v in each.details.items() if k != "written"})
        for each in told
        if each.action in ("change_account", "disable_account", "enable_account")
    ]


def post(service: Service, path: str, token: str, **form: str) -> Any:
    return service.client.post(
        f"/console/accounts{path}",
        data={"form_token": token, **form},
        headers=ORIGIN,
        follow_redirects=False,
    )


def confirmed(service: Service, page: str) -> Any:
    """Send the form of a page that said what will happen, as a browser does."""
    (form,) = re.findall(
        r'<form method="post" action="(/console/accounts/[^"]*)">(.*?)</form>', page, re.S
    )
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form[1])
    fields = {name: unescape(value) for name, value in hidden}
    return service.client.post(form[0], data=fields, headers=ORIGIN, follow_redirects=False)


def test_a_role_is_changed_by_another_person_ends_sessions_and_is_told(tmp_path: Path) -> None:
    engine = database(tmp_path / "log.db")
    accounts, sessions = AccountRepository(engine), SessionRepository(engine)
    chief = Account("chief", "hash", "admin", (), NOW)
    maria = Account("maria", "hash", "reviewer", (), NOW)
    elsewhere = Account("paula", "", "reviewer", (), NOW, subject="https://login.example u-1")
    for each in (chief, maria, elsewhere):
        accounts.add_account(each)
    cookies = {}
    for name in ("chief", "maria"):
        session, cookies[name] = Session.begin(f"account:{name}", NOW, timedelta(hours=1))
        sessions.add_session(session, NOW)

    accounts.change("maria", "supervisor", (SPANISH,), NOW, chief.actor)

    found = accounts.find("maria")
    assert found is not None
    assert (found.role, found.offices) == ("supervisor", (SPANISH,))
    assert sessions.find(cookies["maria"], NOW) is None
    assert sessions.find(cookies["chief"], NOW) is not None
    before = {"role_before": "reviewer", "offices_before": []}
    told = {"role": "supervisor", "offices": [SPANISH], **before}
    assert events_of(accounts, "maria") == [("chief", "change_account", told)]
    for name, refusal in (("chief", Forbidden), ("paula", Forbidden), ("nobody", NotFound)):
        with pytest.raises(refusal):
            accounts.change(name, "auditor", (), NOW, chief.actor)
    with pytest.raises(Unprocessable, match="already"):
        accounts.change("maria", "supervisor", (SPANISH,), NOW, chief.actor)
    accounts.set_password(found, NOW, chief.actor)
    # Whoever knows the password of another admin would else lift their own role by it.
    for name, by in (("maria", chief), ("chief", found)):
        with refused_with("same-reviewer"):
            accounts.change(name, "admin", (), NOW, by.actor)
    accounts.disable("maria", NOW, chief.actor)
    with pytest.raises(NotFound):
        accounts.change("maria", "auditor", (), NOW, maria.actor)
    accounts.enable("maria", NOW, chief.actor)
    assert accounts.find("maria") == found
    with pytest.raises(Conflict):
        accounts.enable("maria", NOW, chief.actor)


def test_an_office_is_picked_from_those_that_are_known_and_changed_once_confirmed(
    reviewed: Service,
) -> None:
    reviewed.score(shipment(office_id=SPANISH), reviewed.key("score"))
    accounts = reviewed.services.accounts
    accounts.add_account(new_account("maria", "a long pass phrase", "reviewer", (), NOW))
    token = sign_in_as(reviewed, "admin")
    client = reviewed.client

    listed = client.get("/console/accounts").text
    assert listed.count(f'<option value="{SPANISH}">') == 2
    assert 'href="/console/accounts/maria"' in listed
    assert f'value="{SPANISH}"> {SPANISH}' in client.get("/console/accounts/maria").text
    wanted = {
        "role": "supervisor",
        "which": "some",
        "office": [SPANISH],
        "others": f"A-1, {ODDEST}",
    }
    page = client.get("/console/accounts/maria/change", params=wanted)
    assert "Every session of the account ends" in page.text
    assert accounts.find("maria").role == "reviewer"  # type: ignore[union-attr]  # it is there
    assert confirmed(reviewed, page.text).status_code == 303
    found = accounts.find("maria")
    assert found is not None
    assert (found.role, found.offices) == ("supervisor", (SPANISH, "A-1", ODDEST))
    for wrong, why in (
        ({"which": "some"}, "choose one office"),
        ({"others": "a b!"}, "`b!` is no office id"),
    ):
        page = client.get("/console/accounts/maria/change", params=wrong)
        assert page.status_code == 422
        assert why in unescape(page.text).lower()
    assert client.get("/console/accounts/the admin/change").status_code == 404
    form = {"name": "the admin", "role": "reviewer", "offices": ""}
    assert post(reviewed, "/change", token, **form).status_code == 403
    for act, says in (("disable", "Nobody signs in"), ("enable", "as before it was disabled")):
        page = client.get(f"/console/accounts/maria/{act}")
        assert says in page.text
        assert confirmed(reviewed, page.text).status_code == 303
        assert client.get(f"/console/accounts/maria/{act}").status_code == 404
    actions = [action for _, action, _ in events_of(accounts, "maria")]
    assert actions == ["change_account", "disable_account", "enable_account"]


def test_of_two_admins_at_one_account_the_later_one_reads_what_the_first_did(
    reviewed: Service,
) -> None:
    """Else a stale page gives back the office that the first one took away."""
    reviewed.score(shipment(office_id=SPANISH), reviewed.key("score"))
    accounts, client = reviewed.services.accounts, reviewed.client
    accounts.add_account(new_account("maria", "a long pass phrase", "reviewer", (SPANISH,), NOW))
    sign_in_as(reviewed, "admin")
    chief = Account("chief", "hash", "admin", (), NOW)
    wanted = {"role": "supervisor", "which": "some", "office": [SPANISH], "others": "A-1"}
    opened = client.get("/console/accounts/maria").text
    wanted |= dict(re.findall(r'name="(shown)" value="([^"]*)"', opened))
    read = client.get("/console/accounts/maria/change", params=wanted).text

    accounts.change("maria", "reviewer", ("A-1",), NOW, chief.actor)
    stale = client.get("/console/accounts/maria/change", params=wanted)
    refused = confirmed(reviewed, read)

    for page in (stale, refused):
        assert page.status_code == 409
        assert "Somebody changed it since you opened the page" in page.text
        assert f'value="{SPANISH}" checked' in page.text
        assert 'value="supervisor" selected' in page.text
        assert "of A-1, in use since" in page.text
    assert accounts.find("maria").role == "reviewer"  # type: ignore[union-attr]  # it is there
    again = wanted | dict(re.findall(r'name="(shown)" value="([^"]*)"', refused.text))
    read = client.get("/console/accounts/maria/change", params=again).text
    assert confirmed(reviewed, read).status_code == 303


def test_of_two_admins_at_one_team_the_later_one_reads_what_the_first_did(
    reviewed: Service,
) -> None:
    services, client = reviewed.services, reviewed.client
    chief = Account("chief", "hash", "admin", (), NOW).actor
    token = sign_in_as(reviewed, "admin")
    for name in ("one", "two"):
        services.accounts.add_account(new_account(name, "a long pass phrase", "reviewer", (), NOW))
    services.teams.add_team(Team("Boxes", None, ("one", "two")), NOW, chief)
    opened = client.get("/console/accounts").text
    form = {"name": "Boxes", "members": "one, two", "takes_cases": "true", "mode_sea": "true"}
    form |= dict(re.findall(r'name="(shown)" value="([^"]*)"', opened))

    services.teams.change_team(Team("Boxes", None, ("one",)), NOW, chief)
    refused = post(reviewed, "/teams/change", token, **form)

    assert refused.status_code == 409
    assert (
        'name="members" maxlength="20000" autocomplete="off" spellcheck="false" value="one, two"'
        in refused.text
    )
    assert 'name="mode_sea" value="true" checked' in refused.text
    assert services.teams.all() == [Team("Boxes", None, ("one",))]
    assert post(reviewed, "/teams/change", token, **(form | {"shown": ""})).status_code == 409
    form |= dict(re.findall(r'name="(shown)" value="([^"]*)"', refused.text))
    assert post(reviewed, "/teams/change", token, **form).status_code == 303
    assert services.teams.all()[0].members == ("one", "two")


def test_a_refused_form_comes_back_as_it_was_filled_in(reviewed: Service) -> None:
    token = sign_in_as(reviewed, "admin")

    for office, offices, why in (
        ("*", SPANISH, "not both"),
        ("+", "", "write the id"),
        ("+", "no office!", "`office!` is no office id"),
    ):
        form = {"name": "maria", "role": "auditor", "office": office, "offices": offices}
        page = post(reviewed, "", token, **form)
        assert page.status_code == 422
        assert why in unescape(page.text).lower()
        assert 'value="maria"' in page.text
        assert '<option value="auditor" selected>' in page.text
        assert f'value="{offices}"' in page.text
    page = post(reviewed, "", token, **form | {"office": SPANISH, "offices": "A-1"})
    assert page.status_code == 200
    assert reviewed.services.accounts.find("maria").offices == (SPANISH, "A-1")  # type: ignore[union-attr]  # it is there
    post(reviewed, "/keys", token, name="post", may_score="yes", office=SPANISH)
    assert [key.offices for key in reviewed.services.api_keys.all() if key.name == "post"] == [
        (SPANISH,)
    ]


def test_an_admin_changes_disables_and_enables_an_account_by_commands(tmp_path: Path) -> None:
    def run(*arguments: str) -> Any:
        return CliRunner().invoke(app, ["accounts", *arguments, "--home", str(tmp_path)])

    assert run("create", "maria", "--role", "reviewer", "--office", SPANISH).exit_code == 0
    assert run("change", "maria", "--role", "supervisor").exit_code == 0
    assert f"supervisor      {SPANISH}" in run("list").stdout
    assert run("change", "maria", "--office", "A-1", "--all-offices").exit_code != 0
    assert run("change", "maria", "--office", "no office").exit_code != 0
    assert run("change", "maria").exit_code != 0
    assert run("change", "maria", "--all-offices").exit_code == 0
    assert "supervisor      all offices" in run("list").stdout
    assert run("change", "maria", "--disable").exit_code == 0
    assert "ended" in run("list").stdout
    assert run("change", "maria", "--enable").exit_code == 0
    assert "live" in run("list").stdout


def test_a_key_is_revoked_only_once_an_admin_has_read_what_that_does(reviewed: Service) -> None:
    reviewed.key("score")
    (key,) = reviewed.services.api_keys.all()
    asked = {"name": key.name}
    for role, status in (("reviewer", 403), ("auditor", 403), ("admin", 200)):
        sign_in_as(reviewed, role)
        shown = reviewed.client.get("/console/accounts/keys/revoke", params=asked)
        assert shown.status_code == status, role
    assert f"Revoke the key {key.name}?" in shown.text
    assert "is refused from the next call on" in shown.text
    assert reviewed.services.api_keys.all()[0].revoked_at is None

    assert confirmed(reviewed, shown.text).status_code == 303

    assert reviewed.services.api_keys.all()[0].revoked_at is not None
    gone = reviewed.client.get("/console/accounts/keys/revoke", params=asked)
    assert gone.status_code == 404
