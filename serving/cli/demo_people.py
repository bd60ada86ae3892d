"""The invented people of the demonstration: an account for each role, and what they do with cases.

They sign in to the console and send its forms, as people do: what they do is judged by the same
rules, stored by the same functions and written into the same audit log.
"""

import re
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPMessage
from http.cookiejar import CookieJar
from pathlib import Path
from typing import IO, TYPE_CHECKING, get_args
from urllib.parse import urlencode

from serving.access.roles import Role
from serving.cli.demo_service import DemoFailed
from serving.cli.demo_teams import GOODS_TEAM, teams_of

if TYPE_CHECKING:
    from features.submission import Submission
    from serving.review.cases.case_records import CaseAccess, CaseRecord
    from serving.storage.repositories.account_repository import AccountRepository
    from serving.storage.repositories.case_repository import CaseRepository
    from serving.storage.repositories.team_repository import TeamRepository

REVIEWER, SECOND, COLLEAGUE = "demo-reviewer", "demo-second-person", "demo-colleague"
SUPERVISOR, RESCUER = "demo-supervisor", "demo-rescue"
AT_WORK = (REVIEWER, SECOND, SUPERVISOR, RESCUER)
PEOPLE: dict[str, Role] = {
    REVIEWER: "reviewer",
    SECOND: "reviewer",
    COLLEAGUE: "reviewer",
    SUPERVISOR: "supervisor",
    RESCUER: "rescue",
    "demo-scientist": "data_scientist",
    "demo-auditor": "auditor",
    "demo-admin": "admin",
}
assert set(PEOPLE.values()) == set(get_args(Role))

# So many of the most urgent cases stay open and without an owner, for whoever looks in.
LEFT_ALONE = 3

# So often is a case that changes while it is read, read again.
READINGS = 3

_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
_SHOWN = re.compile(r'name="shown" value="([^"]*)"')

# Who does which act of a case page, with which fields of its form.
CaseStep = tuple[str, str, dict[str, str]]

_INSPECT = {"kind": "inspect"}
_TO_GOODS_TEAM = {"to": f"inbox:{GOODS_TEAM}"}
_GOODS_FOUND = {"code": "goods_found hidden_space", "confidence": "high"}

# Closed by two persons; it is the case that others share the most with.
FOUND: Sequence[CaseStep] = (
    (REVIEWER, "judgements", {"judged_as": "look"}),
    (REVIEWER, "actions", _INSPECT),
    (
        REVIEWER,
        "results",
        _GOODS_FOUND | {"text": "Behind a false wall lay undeclared cigarettes."},
    ),
    (SECOND, "results", _GOODS_FOUND | {"text": "I counted the cartons behind the false wall."}),
    (SECOND, "agreements", {"text": "We found the same."}),
    (SECOND, "tags", {"add": "false wall"}),
)

# What becomes of one case each, of this kind where there is one; the most telling come first.
SCENES: Sequence[tuple[str, Sequence[CaseStep]]] = (
    (
        "shipment",
        (
            (SUPERVISOR, "assignments", _TO_GOODS_TEAM),
            (SECOND, "judgements", {"judged_as": "look"}),
            (SECOND, "actions", {"kind": "hold", "text": "The weight on the paper cannot be."}),
            (SECOND, "tags", {"add": "wrong weight"}),
        ),
    ),
    (
        "shipment",
        (
            (SECOND, "actions", _INSPECT),
            (SECOND, "results", _GOODS_FOUND | {"text": "The pallets were hollow and were full."}),
        ),
    ),
    (
        "route",
        (
            (REVIEWER, "judgements", {"judged_as": "let_go"}),
            (REVIEWER, "actions", _INSPECT),
            (
                REVIEWER,
                "results",
                {
                    "code": "nothing_found as_declared",
                    "confidence": "high",
                    "text": "We opened everything, and all was as declared.",
                },
            ),
        ),
    ),
    (
        "route",
        (
            (REVIEWER, "judgements", {"judged_as": "unsure"}),
            (
                REVIEWER,
                "waits",
                {
                    "hours": "48",
                    "waiting_for": "documents",
                    "text": "The agent sends the manifest by the day after tomorrow.",
                },
            ),
        ),
    ),
    (
        "route",
        (
            (REVIEWER, "actions", _INSPECT | {"text": "Please look under the floor too."}),
            (SECOND, "notes", {"text": "The scanner is free from ten o'clock on."}),
        ),
    ),
    ("route", ((SUPERVISOR, "assignments", {"to": REVIEWER}),)),
    (
        "shipment",
        (
            (SUPERVISOR, "assignments", _TO_GOODS_TEAM),
            (REVIEWER, "claim", {}),
            (
                REVIEWER,
                "notes",
                {
                    "text": f"I asked for the packing list. @{SECOND}, you had the last case of "
                    "this declarant: was it late too?"
                },
            ),
            (REVIEWER, "tags", {"add": "late papers"}),
        ),
    ),
    (
        "shipment",
        (
            (SECOND, "claim", {}),
            (SECOND, "tags", {"add": "late papers"}),
            (
                SECOND,
                "escalations",
                {"text": "It leaves within hours, and the one scanner is taken until tonight."},
            ),
        ),
    ),
    (
        "shipment",
        (
            (SECOND, "actions", {"kind": "check_documents"}),
            (
                SECOND,
                "results",
                {
                    "code": "documents_in_order documents_complete",
                    "confidence": "medium",
                    "text": "All papers came, and they agree.",
                },
            ),
        ),
    ),
)

RESCUE: Sequence[CaseStep] = (
    (RESCUER, "acknowledgement", {}),
    (RESCUER, "claim", {}),
    (RESCUER, "notes", {"text": "Called the carrier; the driver does not answer yet."}),
)


def make_accounts(accounts: "AccountRepository", now: datetime) -> dict[str, str]:
    """An account for each role, and the passwords of those that were not there before.

    A trial need not change them. An account that is there already is left as it is: nobody knows
    who has its password by now.
    """
    from serving.access.accounts import Account, with_first_password
    from serving.access.actors import Actor
    from serving.access.oidc import NO_PASSWORD

    passwords: dict[str, str] = {}
    for name, role in PEOPLE.items():
        if accounts.find(name) is None:
            bare = Account(name, NO_PASSWORD, role, (), now)
            account, passwords[name] = with_first_password(bare, now, is_for_trial=True)
            accounts.add_account(account, Actor.from_command_line())
    return passwords


def accounts_in_words(passwords: Mapping[str, str], home: Path) -> list[str]:
    """The accounts to sign in with: name, role and password, a line each, and what to know."""
    lines = [
        f"  {name:<18}  {role:<14}  {passwords.get(name, 'password as printed before')}"
        for name, role in PEOPLE.items()
    ]
    if passwords.keys() < PEOPLE.keys():
        lines.append(f"  (a new one: tidegate accounts change NAME --reset-password --home {home})")
    else:
        lines.append("  (passwords of a trial: live use would ask for other ones at once)")
    return lines


def work_on_cases(
    address: str,
    passwords: Mapping[str, str],
    cases: "CaseRepository",
    teams: "TeamRepository",
    submissions: Sequence["Submission"],
    now: datetime,
) -> int:
    """Let the people work, each signed in to the console; how many cases they worked on.

    There are two teams of them before. 0 where their passwords are not known, since they did so
    before, or do not do.
    """
    if not passwords.keys() >= {*AT_WORK}:
        return 0
    try:
        people = {name: SignedIn(address, name, passwords[name]) for name in AT_WORK}
    except DemoFailed:  # the service is set to ask for more, as for a second factor
        return 0
    people[REVIEWER].open_page("/console/queue")  # opens the cases of decisions that have none yet
    _make_teams(people[SUPERVISOR], cases, teams, submissions, now)
    return sum(
        all(people[who].act(address_of_case, act, form) for who, act, form in steps)
        for address_of_case, steps in _played(cases, now)
    )


def _make_teams(
    supervisor: "SignedIn",
    cases: "CaseRepository",
    teams: "TeamRepository",
    submissions: Sequence["Submission"],
    now: datetime,
) -> None:
    """Make two teams, and put the shipments that nobody will work on into their inboxes."""
    from serving.access.actors import Actor
    from serving.review.cases.case_records import CaseAccess

    access = CaseAccess(frozenset(), is_rescue=False)
    left = _unowned(cases, access, now)[:LEFT_ALONE]
    waiting = [case for case in left if case.subject_kind == "shipment"]
    made = teams_of(waiting, submissions, ((REVIEWER, SECOND), (SECOND, COLLEAGUE)))
    for team in made:
        teams.add_team(team, now, Actor.from_command_line())
    for case in waiting:
        inbox = next(team.name for team in made if team.is_of(case.office_id))
        supervisor.act(f"/console/cases/{case.case_id}", "assignments", {"to": f"inbox:{inbox}"})


def _played(cases: "CaseRepository", now: datetime) -> list[tuple[str, Sequence[CaseStep]]]:
    """On the page of which case each scene is played, as far as there are open and free ones."""
    from serving.review.cases.case_records import CaseAccess

    rescues = _unowned(cases, CaseAccess(frozenset(), is_rescue=True), now)
    played = [(f"/console/rescues/{rescue.case_id}", RESCUE) for rescue in rescues[:1]]
    access = CaseAccess(frozenset(), is_rescue=False)
    free = _unowned(cases, access, now)[LEFT_ALONE:]
    linked = {
        case.case_id: {o.case_id for thing in things for o in thing.others if not o.is_closed}
        for case in free
        if (things := cases.shared_things(case.case_id, access))
    }
    if free:
        found = max(free, key=lambda case: len(linked.get(case.case_id, ())))
        played.append((f"/console/cases/{found.case_id}", FOUND))
        kept = {found.case_id, *linked.get(found.case_id, ())}  # neighbours wait for a visitor
        free = [case for case in free if case.case_id not in kept]
    for kind, steps in SCENES:
        if free:
            case = next((case for case in free if case.subject_kind == kind), free[0])
            free.remove(case)
            played.append((f"/console/cases/{case.case_id}", steps))
    return played


def _unowned(cases: "CaseRepository", access: "CaseAccess", now: datetime) -> list["CaseRecord"]:
    """Open cases that nobody works on, in the order of the queue."""
    from serving.review.cases.case_records import QueueFilter

    queued = QueueFilter(now=now.isoformat(), is_unowned=True)
    page = cases.page(access, queued, None, 200)
    return [case for case in page if case.status == "open"]


class SignedIn:
    """A person in a browser of their own, signed in to the console."""

    def __init__(self, address: str, name: str, password: str):
        self._address = address
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        self._browser = urllib.request.build_opener(_StaysHere, cookies)
        self._form_token = ""
        self._send("/console/sign-in", {"name": name, "password": password})
        found = _TOKEN.search(self.open_page("/console/account"))
        if found is None:
            raise DemoFailed(f"{name} could not sign in to the console")
        self._form_token = found[1]

    def open_page(self, path: str) -> str:
        """A page of the console, as HTML; raises DemoFailed."""
        status, page = self._answer(path, None)
        if status != HTTPStatus.OK:
            raise DemoFailed(f"the console answered {path} with {status}")
        return page

    def act(self, address_of_case: str, act: str, form: dict[str, str]) -> bool:
        """Read a case, and send a form of its page; False where the case allows it no more.

        Where the case changed meanwhile, as when the service has scored it again, the page says
        what happened since; it is read, and the form is sent again. Raises DemoFailed where it is
        refused.
        """
        page = self.open_page(address_of_case)
        for _ in range(READINGS):
            shown = _SHOWN.search(page)
            fields = form | ({"shown": shown[1]} if shown else {})
            is_done, page = self._send(f"{address_of_case}/{act}", fields)
            if is_done:
                return True
        return False

    def _send(self, path: str, form: dict[str, str]) -> tuple[bool, str]:
        """Send a form of the console; return whether it is done, and the page that answers."""
        body = urlencode(form | {"form_token": self._form_token}).encode()
        status, page = self._answer(path, body)
        if status not in (HTTPStatus.SEE_OTHER, HTTPStatus.CONFLICT):
            raise DemoFailed(f"the console refused {path} with {status}")
        return status == HTTPStatus.SEE_OTHER, page

    def _answer(self, path: str, body: bytes | None) -> tuple[int, str]:
        request = urllib.request.Request(f"{self._address}{path}", data=body)  # noqa: S310 - the address is our own, on this machine
        try:
            with self._browser.open(request, timeout=30) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as answer:  # where a form leads to, or why it was refused
            with answer:
                return answer.code, answer.read().decode()


class _StaysHere(urllib.request.HTTPRedirectHandler):
    """Does not open the page that a form leads to: nobody is there who would read it."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        """No request, so that the answer itself is returned."""
