"""How long the console takes over a full queue, beside an empty one.

    python -m experiments.benchmarks.console [CASES]

Server time of the queue's first page, of a case page and of its links, p95 of repeated calls in one
process, over a small trained home with one page of open cases, and with CASES (100,000) of them.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select

from serving.access.accounts import new_account
from serving.app import create_app
from serving.console.case_list import PAGE_SIZE
from serving.crypto.encryption import EncryptionUnit
from serving.review.cases.case_records import CaseLink, CaseRecord
from serving.settings import Settings
from serving.storage.encrypted_cases import EncryptedCases
from serving.storage.encrypted_decisions import EncryptedDecisions
from serving.storage.engine import open_database
from serving.storage.keys.data_keys import DataKeys
from serving.storage.tables.review import case_links, cases, cases_opened_to
from serving.storage.tables.scoring import decisions
from serving.storage.write_lock import writing
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service
from tests.serving.world import train_and_promote, write_world

CALLS = 200
GOALS_MS = {"queue": 150.0, "case": 150.0, "links": 150.0}
SHARED_BY = 3
"""Every third case names the same parties as the one that is measured, as a large trader's do."""
PLAN = """
[[watched]]
kind = "company"
value = "c-0012"
list = "for this benchmark"
reason = "so that there is a case"
"""


def main(full: int = 100_000) -> None:
    """Print both pages' p95 over one case and over many, their ratio and the goals."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        write_world(home / "records")
        train_and_promote(home, "shipment", "1")
        (home / "lanes.toml").write_text(PLAN)
        app = create_app(Settings(home=home), clock=lambda: NOW)
        with TestClient(app) as client:
            service = Service(client, app.state.services, home)
            case_id = service.score(shipment(), service.key("score")).json()["decision_id"]
            _sign_in(service)
            _fill(home, case_id, range(2, PAGE_SIZE + 2))
            alone = _measured(client, case_id)
            _fill(home, case_id, range(PAGE_SIZE + 2, full + 2))
            among = _measured(client, case_id)
    for page, goal in GOALS_MS.items():
        ratio = among[page] / alone[page]
        print(
            f"{page}: p95 {among[page]:.1f} ms among {full:,} cases (want <= {goal:.0f}), "
            f"{alone[page]:.1f} ms among {PAGE_SIZE}, ratio {ratio:.2f} (want <= 2)"
        )


def _sign_in(service: Service) -> None:
    account = new_account("reader", "a long password", "reviewer", (), datetime.now(UTC))
    service.services.accounts.add_account(account)
    service.client.post(
        "/console/sign-in",
        data={"name": "reader", "password": "a long password"},
        headers={"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"},
    )


def _measured(client: TestClient, case_id: str) -> dict[str, float]:
    case = f"/console/cases/{case_id}"
    pages = {"queue": "/console/queue", "case": case, "links": f"{case}/links"}
    return {name: _p95(lambda to=address: client.get(to)) for name, address in pages.items()}  # type: ignore[misc]  # mypy infers no default


def _p95(call: Callable[[], Response]) -> float:
    taken = []
    for _ in range(CALLS):
        began = time.perf_counter()
        response = call()
        assert response.history == [], "a page that asks to sign in says nothing about the queue"
        taken.append(1000 * (time.perf_counter() - began))
    return float(np.quantile(taken, 0.95))


def _fill(home: Path, like: str, places: range) -> None:
    """Open more cases like one, due at different times, at forty offices; places are of the log."""
    engine = open_database(home / "tidegate.db", is_service=False)
    keys = DataKeys(engine)
    encrypted = EncryptedCases(keys)
    with engine.connect() as connection:
        decision = connection.execute(
            select(decisions).where(decisions.c.decision_id == like)
        ).one()
        row = connection.execute(select(cases).where(cases.c.case_id == like)).one()
        links = connection.execute(select(case_links).where(case_links.c.case_id == like)).all()
    record = EncryptedDecisions(keys).record(decision) or ""
    case = encrypted.of_case(row)
    shared = [link for each in links if (link := encrypted.of_link(each))]
    for start in range(0, len(places), 5_000):
        made = places[start : start + 5_000]
        ids = [f"case-{number}" for number in made]
        with writing(engine) as connection:
            connection.execute(
                decisions.insert(),
                [
                    {
                        **decision._mapping,
                        "seq": n,
                        "decision_id": i,
                        "encrypted": keys.encrypt(
                            EncryptionUnit.of_decision(i, decision.scored_at),
                            "record",
                            record.encode(),
                            connection,
                        ),
                    }
                    for n, i in zip(made, ids, strict=True)
                ],
            )
            connection.execute(
                cases.insert(),
                [
                    encrypted.case(_like(case, n, i), connection)
                    for n, i in zip(made, ids, strict=True)
                ],
            )
            connection.execute(
                case_links.insert(),
                [
                    encrypted.link(
                        _link_like(link, n, i),
                        EncryptionUnit.of_decision(i, case.opened_at),
                        connection,
                    )
                    for n, i in zip(made, ids, strict=True)
                    for link in shared
                ],
            )
            connection.execute(cases_opened_to.update().values(seq=made[-1]))


def _link_like(link: CaseLink, number: int, case_id: str) -> CaseLink:
    value = link.value if number % SHARED_BY == 0 else f"{link.value}-{number % 5_000}"
    return replace(link, case_id=case_id, seq=number, value=value)


def _like(case: CaseRecord, number: int, case_id: str) -> CaseRecord:
    due_at = NOW + timedelta(minutes=number % 20_000)
    return replace(
        case,
        case_id=case_id,
        seq=number,
        subject_id=f"S-{number}",
        office_id=f"XX{number % 40:04}",
        rank=1 + number % 3,
        due_at=due_at.isoformat(),
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
