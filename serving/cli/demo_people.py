"""Invented people of the demonstration: an account for each role, and their work on cases.

They sign in to the console and submit its forms as people do, so that the same rules, storage and
audit log apply.
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

from features.errors import TidegateError
from serving.access.roles import Role
from serving.cli.demo_teams import GOODS_TEAM, teams_of

if TYPE_CHECKING:
    from features.submission import Submission
    from serving.review.cases.case_records import CaseAccess, CaseRow
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
# A new role must appear in the demonstration too.
assert set(PEOPLE.values()) == set(get_args(Role))

# Number of the most urgent cases left open and unowned for visitors.
LEFT_ALONE = 3

# Attempts to act on a case that changes while it is read.
READINGS = 3

_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
_SHOWN = re.compile(r'name="shown" value="([^"]*)"')

# Person, act of a case page, and form fields.
CaseStep = tuple[str, str, dict[str, str]]

_INSPECT = {"kind": "inspect"}
_TO_GOODS_TEAM = {"to": f"inbox:{GOODS_TEAM}"}
_GOODS_FOUND = {"code": "goods_found hidden_space", "confidence": "high"}

# Closed by two people; it is the case with the most links to others.
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

# Scenes for one case each, preferably of the given kind; the most instructive come first.
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
    """Create an account for each role; return the passwords of new ones.

    Their passwords need not change in a trial. Existing accounts stay unchanged, because someone
    else may know their password by now.
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
    """Return a line for each account with name, role and password, and a hint."""
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
    """Let the people work through the console; return the number of cases worked on.

    Two teams are created first. Returns 0 if their passwords are unknown because they worked
    before, or if they cannot sign in.
    """
    if not passwords.keys() >= {*AT_WORK}:
        return 0
    try:
        people = {name: SignedIn(address, name, passwords[name]) for name in AT_WORK}
    # The service may require more than a password, such as a second factor.
    except TidegateError:
        return 0
    # This creates the cases of decisions that have none yet.
    people[REVIEWER].open_page("/console/queue")
    # Teams come first, because some scenes hand cases to their inboxes.
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
    """Create two teams, and put unattended shipments into their inboxes."""
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
    """Return the scenes with the page of the case for each, as far as there are free cases."""
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
        # Linked cases stay open for visitors to explore.
        kept = {found.case_id, *linked.get(found.case_id, ())}
        free = [case for case in free if case.case_id not in kept]
    for kind, steps in SCENES:
        if free:
            case = next((case for case in free if case.subject_kind == kind), free[0])
            free.remove(case)
            played.append((f"/console/cases/{case.case_id}", steps))
    return played


def _unowned(cases: "CaseRepository", access: "CaseAccess", now: datetime) -> list["CaseRow"]:
    """Return open cases without an owner, in the order of the queue."""
    from serving.review.cases.case_records import QueueFilter

    queued = QueueFilter(now=now, is_unowned=True)
    page = cases.page(access, queued, None, 200)
    return [case for case in page if case.status == "open"]


class SignedIn:
    """A person signed in to the console with a browser of their own."""

    def __init__(self, address: str, name: str, password: str):
        self._address = address
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        self._browser = urllib.request.build_opener(_StaysHere, cookies)
        self._form_token = ""
        self._send("/console/sign-in", {"name": name, "password": password})
        found = _TOKEN.search(self.open_page("/console/account"))
        if found is None:
            raise TidegateError(f"{name} could not sign in to the console")
        self._form_token = found[1]

    def open_page(self, path: str) -> str:
        """Return a page of the console as HTML; raises TidegateError."""
        status, page = self._answer(path, None)
        if status != HTTPStatus.OK:
            raise TidegateError(f"the console answered {path} with {status}")
        return page

    def act(self, address_of_case: str, act: str, form: dict[str, str]) -> bool:
        """Read a case and submit a form of its page; return False if it keeps changing.

        If the case changed in between, such as by a new score, the answering page has the new
        revision, and the form is sent again. Raises TidegateError if the form is refused.
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
        """Submit a form; return whether it was accepted, and the answering page."""
        body = urlencode(form | {"form_token": self._form_token}).encode()
        status, page = self._answer(path, body)
        if status not in (HTTPStatus.SEE_OTHER, HTTPStatus.CONFLICT):
            raise TidegateError(f"the console refused {path} with {status}")
        return status == HTTPStatus.SEE_OTHER, page

    def _answer(self, path: str, body: bytes | None) -> tuple[int, str]:
        request = urllib.request.Request(f"{self._address}{path}", data=body)  # noqa: S310 - the address is our own, on this machine
        try:
            with self._browser.open(request, timeout=30) as response:
                return response.status, response.read().decode()
        # Redirects are not followed, so they arrive here too.
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, answer.read().decode()


class _StaysHere(urllib.request.HTTPRedirectHandler):
    """Handler that does not follow the redirect of a form, whose page nobody would read."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        """Return no request, so that the redirect itself is the answer."""
