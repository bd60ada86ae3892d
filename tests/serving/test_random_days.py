"""Days at random: whatever systems send and people do, no call fails, and the log holds."""

import itertools
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from structlog.testing import capture_logs

from features.rescoring_rules import RescoringRules
from serving.access.roles import ROLE_SCOPES, Scope
from serving.app import create_app
from serving.audit.decision import Decision
from serving.models.kill_switch import record_switch
from serving.monitor.rollups import catch_up
from serving.review.acts.judge import JudgedAs
from serving.review.cases.actions import ActionKind
from serving.review.cases.case_state import WaitingFor
from serving.review.cases.results import ResultCode, reasons_of
from serving.review.letters.case_letters import AUDIENCES, DeferralGround
from serving.scoring.rescoring import Rescoring
from serving.settings import Settings
from serving.storage.repositories.rollup_repository import RollupRepository
from serving.storage.verification.audit_verification import verify_audit_log
from serving.storage.verification.log_verification import verify_decision_log
from tests.counts import count
from tests.serving.access.trusted import signed
from tests.serving.audit.installation import PERIODS, Installation, certificate
from tests.serving.bodies import route, shipment
from tests.serving.conftest import ISSUER, NOW, Service
from tests.serving.postgres import Server
from tests.serving.review.supervision.test_supervision_served import SEEN_BY, sign_in_as

STEPS = 60
PLANS = (
    "",
    """
[[watched]]
kind = "company"
value = "c-0012"
list = "wanted"
reason = "file 7"
""",
    """
[[rules]]
name = "heavy"
feature = "mass_kg"
above = 1000.0
lane = "document_check"
reason = "whatever is heavy"
""",
    """
[offices.DE004600]
inspect_per_day = 1
document_check_per_day = 1
control_per_day = 1
""",
)
READ_BY: tuple[tuple[Scope, ...], ...] = (
    ("review", "explain"),
    ("rescue",),
    ("audit", "explain"),
    ("score", "explain"),
)
LISTS = (
    *("queue", "cases", "events", "decisions", "notices", "tags", "switches", "models"),
    *("cases?q=msku907", "decisions?subject_kind=shipment&subject_id=S-1"),
)
ABOUT_ONE = (
    *("decisions/{}", "decisions/{}/explanation", "cases/{}", "cases/{}/letters"),
    "rescue-calls/{}",
)


class Days:
    """A service, who sends to it and acts in it, and a clock; what fails inside is raised."""

    def __init__(self, home: Path, seed: int, database_url: str | None = None):
        self.home, self.lots, self.now = home, random.Random(seed), NOW
        url = None if database_url is None else SecretStr(database_url)
        self.settings = Settings(home=home, control_probability=1e-9, database_url=url)
        self.keys_taken = itertools.count(0, 100_000)
        self.numbers = itertools.count(1)
        self.subjects: list[tuple[str, str]] = []
        (home / "retention.toml").write_text(PERIODS)
        self.plan()
        self.start()

    def plan(self) -> None:
        (self.home / "lanes.toml").write_text(f'edition = "1"\n{self.lots.choice(PLANS)}')

    def start(self) -> None:
        app = create_app(self.settings, clock=lambda: self.now)
        self.client = TestClient(app).__enter__()
        self.services = app.state.services
        self.services.rescoring.stop()
        self.service = Service(self.client, self.services, self.home, next(self.keys_taken))
        self.keys: dict[tuple[Scope, ...], dict[str, str]] = {}

    def stop(self) -> None:
        self.client.__exit__(None, None, None)

    def by(self, *scopes: Scope) -> dict[str, str]:
        if scopes not in self.keys:
            self.keys[scopes] = self.service.key(*scopes)
        return self.keys[scopes]

    def at(self, hours: float = 0) -> str:
        return (self.now + timedelta(hours=hours)).isoformat()

    def submit_some(self) -> None:
        for _ in range(3):
            self.submit()

    def submit(self) -> None:
        kind = self.lots.choice(["shipment", "shipment", "route"])
        known = [own for of_kind, own in self.subjects if of_kind == kind]
        name = self.lots.choice(known) if known and self.lots.random() < 0.3 else self.name("S")
        body = self.shipment(name) if kind == "shipment" else self.route(name)
        if self.lots.random() < 0.4:
            body["as_of"] = self.at(self.lots.choice([-1, 0]))
        scopes: tuple[Scope, ...] = self.lots.choice([("score",), ("score", "explain")])
        if self.service.score(body, self.by(*scopes)).status_code == 200:
            self.subjects.append((kind, name))

    def shipment(self, name: str) -> dict[str, Any]:
        body = shipment(
            shipment_id=name,
            consignee_id=self.lots.choice(["c-0012", "c-0013"]),
            gross_mass_kg=self.lots.choice([1250.5, 10.0]),
            container_number=self.lots.choice([None, "MSKU9070323"]),
            office_id=self.lots.choice([None, "DE004600", "DE002100"]),
            declared_at=self.at(-2),
        )
        body["journey"] |= {"declared_at": self.at(-90), "due_at": self.at(90)}
        if self.lots.random() < 0.2:
            body["shipment"] |= {"version": self.lots.choice([2, 3]), "known_at": self.at(-1)}
        return body

    def route(self, name: str) -> dict[str, Any]:
        aboard, due_at = self.lots.choice([8, 41]), self.at(self.lots.choice([-1, 20]))
        body = route(
            journey_id=name, declared_at=self.at(-2), due_at=due_at, persons_on_board=aboard
        )
        for leg in body["legs"]:
            leg["known_at"] = self.at(-3)
        return body

    def send_some(self) -> None:
        for _ in range(4):
            self.send()

    def send(self) -> None:
        if not self.subjects:
            return
        kind, name = self.lots.choice(self.subjects[-9:])
        about = {"subject_kind": kind, "subject_id": name}
        paid = {"payer_id": "c-0099", "payee_id": "c-0007", "amount": 9_500.0, "method": "cash"}
        found: dict[str, Any] = {
            "selected_by": self.lots.choice(["intelligence", "rule", "discretion", "model"]),
            "result": self.lots.choice(["confirmed", "not_confirmed", "documents_in_order"]),
            "inspected_at": self.at(-0.5),
        }
        kept = {
            "transactions": paid
            | about
            | {"transaction_id": self.name("T"), "currency": "EUR", "purpose": "release"}
            | {"paid_at": self.at(-1), "known_at": self.at(-0.5)},
            "outcomes": about | found | {"known_at": self.at(-0.2)},
            "positions": {"journey_id": name, "latitude": 38.0, "longitude": 26.0}
            | {"is_distress": True, "observed_at": self.at(-0.5)},
            "documents": about
            | {"document_id": self.name("D"), "kind": "invoice", "received_at": self.at(-0.5)},
            f"{'shipment' if kind == 'shipment' else 'journey'}s": self.amended(kind, name),
        }
        sent = self.lots.choice(sorted(kept))
        self.client.post("/v1/records", json={sent: [kept[sent]]}, headers=self.by("ingest"))

    def amended(self, kind: str, name: str) -> dict[str, Any]:
        first = self.shipment(name)["shipment"] if kind == "shipment" else None
        declared: dict[str, Any] = first or self.route(name)["journey"]
        version = {"version": self.lots.choice([2, 3, 4]), "known_at": self.at(-0.5)}
        return declared | version | {"withdrawn": self.lots.random() < 0.4}

    def name(self, letter: str) -> str:
        return f"{letter}-{next(self.numbers)}"

    def score_again(self) -> None:
        self.now += timedelta(hours=2)
        services = self.services
        queue, records, batcher = services.rescoring.queue, services.records, services.batcher
        worker = Rescoring(queue, records, batcher, RescoringRules(), lambda: self.now)
        with capture_logs() as said:
            worker.score_due()
        assert {each["event"] for each in said} <= {"scored_again", "rescoring_ended"}, said

    def open_cases(self) -> None:
        while self.services.case_store.count_unopened():
            self.services.cases.open_new()

    def cases(self, by: dict[str, str]) -> list[str]:
        """Those that may be seen, the newest first."""
        page = self.client.get("/v1/cases", headers=by, params={"limit": 200}).json()
        return [case["case_id"] for case in page["cases"]]

    def a_case(self, by: dict[str, str]) -> str:
        return self.lots.choice(self.cases(by)[:5] or ["none"])

    def post(self, case_id: str, act: str, by: dict[str, str], body: Any = None) -> None:
        self.client.post(f"/v1/cases/{case_id}/{act}", json=body, headers=by)

    def person(self, name: str, *scopes: Scope) -> dict[str, str]:
        claims = {"iss": ISSUER, "sub": name, "client_id": "an application", "aud": "tidegate"}
        ends_at = int((self.now + timedelta(minutes=30)).timestamp())
        token = signed(claims | {"scope": " ".join(scopes), "exp": ends_at})
        return {"Authorization": f"Bearer {token}"}

    def any_of(self, literal: Any) -> str:
        return str(self.lots.choice(get_args(literal)))

    def act(self) -> None:
        scopes: tuple[Scope, ...] = self.lots.choice(
            [("review", "explain"), ("review", "explain", "supervise"), ("rescue",)]
        )
        by = self.person(self.lots.choice(["ana", "bo"]), *scopes)
        words = {"text": "as it is written down"}
        bodies: dict[str, Any] = {
            **dict.fromkeys(("claim", "release", "undo")),
            **dict.fromkeys(
                ("notes", "escalations", "reopen", "disagreements", "agreements"), words
            ),
            "waits": words | {"until": self.at(50), "waiting_for": self.any_of(WaitingFor)},
            "assignments": self.lots.choice([{"to": "the reviewer"}, {"inbox": "DE004600"}]),
            "judgements": {"judged_as": self.any_of(JudgedAs)},
            "actions": words | {"kind": self.any_of(ActionKind)},
            "results": self.result(),
            "tags": {"add": ["late papers"]},
            "letters": words | {"audience": self.lots.choice(AUDIENCES)},
            "letter-deferrals": words
            | {"ground": self.any_of(DeferralGround), "until": self.at(99)},
            "accounts": words | {"sealed_for": "court", "recipient": "the court of the port"},
        }
        act = self.lots.choice(sorted(bodies))
        self.post(self.a_case(by), act, by, bodies[act])

    def result(self) -> dict[str, Any]:
        code = self.lots.choice(get_args(ResultCode))
        reason = self.lots.choice(reasons_of(code))
        return {"code": code, "reason": reason, "confidence": "high", "text": "as it was found"}

    def end_a_case(self) -> None:
        scopes: tuple[Scope, ...] = self.lots.choice([("review", "explain"), ("rescue",)])
        one, two = self.person("ana", *scopes), self.person("bo", *scopes)
        case_id, result = self.a_case(one), self.result()
        ordered = {"kind": self.lots.choice(["inspect", "check_documents"]), "text": "look at it"}
        self.post(case_id, "claim", one)
        self.post(case_id, "actions", one, ordered)
        self.post(case_id, "results", one, result)
        self.post(case_id, "claim", two)
        self.post(case_id, "results", two, result)
        self.post(case_id, "agreements", two)

    def switch(self) -> None:
        is_on = self.lots.random() < 0.8
        record_switch(
            self.services.switch_events,
            self.lots.choice(["shipment", "route"]),
            is_on=is_on,
            by="ada",
            because="nothing fits today",
            at=self.now,
        )
        self.services.kill_switch.refresh()

    def restart(self) -> None:
        self.stop()
        self.plan()
        share = self.lots.choice([1e-9, 1e-9, 0.2])
        self.settings = self.settings.model_copy(update={"control_probability": share})
        self.start()

    def wait(self) -> None:
        minutes = self.lots.choice([5, 120, 120, 30 * 24 * 60])
        self.now += timedelta(minutes=minutes)

    def end_data(self) -> None:
        self.stop()
        retention = Installation(self.settings).retention()
        if self.lots.random() < 0.6:
            self.now += timedelta(days=181)
            retention.mask("ada", "half a year is over", self.now)
        else:
            self.now += timedelta(days=1826)
            number = retention.propose("ada", "the time is over", self.now)
            certificate(retention.erase(number, "grace", "as proposed", self.now))
        self.start()

    def summarise(self) -> None:
        catch_up(RollupRepository(self.services.decisions._engine), self.now + timedelta(hours=1))

    def read(self) -> None:
        """Everything that there is, by everybody who may, and some who may not."""
        own = [each.decision_id for each in self.decisions()]
        some = self.lots.sample(own, min(3, len(own)))
        for scopes in READ_BY:
            by = self.by(*scopes)
            cases = self.cases(by)[:8] if {"review", "rescue"} & {*scopes} else []
            one = [each.format(name) for name in some for each in ABOUT_ONE]
            one += [f"cases/{name}" for name in cases]
            language = self.lots.choice(["en", "fr", "ar"])
            for address in (*LISTS, *one):
                self.client.get(f"/v1/{address}", headers=by | {"Accept-Language": language})
        for role in self.lots.sample([*ROLE_SCOPES], 2):
            sign_in_as(self.service, role)
            case_id = self.a_case(self.by("rescue" if role == "rescue" else "review"))
            names = {"case": case_id, "rescue": case_id, "account": "the reviewer"}
            for page in (page for page, roles in SEEN_BY.items() if role in roles):
                self.client.get(page.format(**names, kind="party", entity="none"))
            self.client.cookies.clear()

    def decisions(self) -> list[Decision]:
        records = self.services.decisions.records()
        return [Decision.model_validate_json(record) for record in records if record]

    def verify(self) -> None:
        engine = self.services.decisions._engine
        assert verify_decision_log(engine).is_whole
        assert [str(finding) for finding in verify_audit_log(engine).findings] == []


USUAL: dict[Callable[[Days], None], int] = {
    Days.submit_some: 6,
    Days.send_some: 6,
    Days.score_again: 4,
    Days.open_cases: 3,
    Days.act: 8,
    Days.end_a_case: 4,
    Days.wait: 3,
    Days.switch: 1,
    Days.restart: 3,
    Days.end_data: 1,
    Days.summarise: 1,
    Days.verify: 1,
}


@pytest.mark.faults
@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("seed", range(count(1, 30)))
def test_whatever_happens_every_call_and_page_is_answered(
    home: Path, seed: int, request: pytest.FixtureRequest
) -> None:
    server: Server | None = request.getfixturevalue("postgres") if seed % 3 == 2 else None
    days = Days(home, seed, None if server is None else server.new_database())
    for step in range(1, STEPS + 1):
        (act,) = days.lots.choices([*USUAL], [*USUAL.values()])
        act(days)
        if step % 30 == 0:
            days.open_cases()
            days.read()
    days.verify()
    days.stop()
