"""A case that was opened again and ended otherwise: what trains is its newest end."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from features.build_training_set import build_training_set
from serving.app import create_app
from serving.history.export_records import HomeRecords
from serving.monitor.monitoring import visits_of
from serving.monitor.rollups import catch_up
from serving.settings import Settings
from tests.serving.clock import Clock
from tests.serving.conftest import NOW, Service
from tests.serving.review.cases.stated import FOUND, NOTHING, body_of, end, post, result_of
from tests.serving.review.cases.test_cases_served import PLAN, open_case


@dataclass
class Corrected:
    """A case that ended as a find, which two persons confirmed, and was opened again."""

    service: Service
    clock: Clock
    case_id: str
    by: tuple[dict[str, str], dict[str, str]]

    def end(self, **body: Any) -> None:
        """Claim the case and have an action find something, by as many as it takes."""
        self.clock.now += timedelta(minutes=1)
        if "kind" in body:
            post(self.service, self.case_id, "claim", self.by[0])
            answer = post(self.service, self.case_id, "actions", self.by[0], **body)
        else:
            kind = body.pop("found_by", "inspect")
            answer = end(self.service, self.case_id, *self.by, kind=kind, **body)
        assert answer.json()["status"] == "closed", answer.text

    def reopen(self) -> None:
        """Open the case again, a minute later."""
        self.clock.now += timedelta(minutes=1)
        for each in self.by:
            answer = post(self.service, self.case_id, "reopen", each, text="the seals were ours")
            assert answer.status_code == 200
            if not answer.json()["is_reopening_proposed"]:
                return

    def trained(self, folder: Path, until: datetime) -> list[dict[str, Any]]:
        """The outcomes of a training set of what was known before an instant, with authors."""
        services = self.service.services
        home = HomeRecords(
            folder / "none", services.decisions, services.records, services.pseudonyms
        )
        (folder / "records").mkdir(parents=True)
        _, authors = home.write(folder / "records", until)
        build_training_set(folder / "records", "shipment", folder / "built")
        rows = pq.read_table(folder / "built/outcomes.parquet").to_pylist()
        keys = [
            ("shipment", *(r[n] for n in ("subject_id", "inspected_at", "known_at"))) for r in rows
        ]
        assert all(key in authors for key in keys)
        return rows


@pytest.fixture
def corrected(home: Path) -> Iterator[Corrected]:
    (home / "lanes.toml").write_text(PLAN)
    clock = Clock()
    app = create_app(Settings(home=home), clock=clock)
    with TestClient(app) as client:
        service = Service(client, app.state.services, home)
        by = service.person("one", "review"), service.person("two", "review")
        found = Corrected(service, clock, open_case(service), by)
        found.end(**body_of(FOUND))
        found.reopen()
        yield found


PROTECTED = {"kind": "refer", "refer_to": "protection", "text": "a child travels alone"}
RELEASED = {"kind": "release", "text": "nothing calls for a look"}
IN_ORDER = result_of("documents_in_order", "check_documents")
EARLIER = {"inspected_at": (NOW + timedelta(seconds=30)).isoformat()}


@pytest.mark.parametrize(
    ("body", "result"),
    [
        (body_of(NOTHING), "not_confirmed"),
        ({**body_of(NOTHING), **EARLIER}, "not_confirmed"),
        (body_of(result_of("inconclusive")), "inconclusive"),
        (RELEASED, "inconclusive"),
        (body_of(result_of("other_offence")), "other_offence"),
        ({**body_of(FOUND), "is_protection": True}, "inconclusive"),
        (PROTECTED, "inconclusive"),
    ],
)
def test_the_end_after_a_case_was_opened_again_is_what_trains(
    corrected: Corrected, body: dict[str, Any], result: str, tmp_path: Path
) -> None:
    reopened_at = corrected.clock.now
    corrected.end(**body)

    (now,) = corrected.trained(tmp_path / "now", corrected.clock.now + timedelta(days=1))
    (before,) = corrected.trained(tmp_path / "before", reopened_at)
    assert (before["result"], now["result"]) == ("confirmed", result)
    assert now["known_at"] == corrected.clock.now


def test_a_correction_is_of_the_same_inspection_and_the_earlier_outcome_stays(
    corrected: Corrected,
) -> None:
    corrected.end(**body_of(NOTHING))
    corrected.reopen()
    corrected.end(**body_of(FOUND))

    kept = [r for r in corrected.service.services.records.all() if r.kind == "outcomes"]
    said = [json.loads(row.body) for row in kept]
    assert sorted(each["result"] for each in said) == ["confirmed", "confirmed", "not_confirmed"]
    assert len({each["inspected_at"] for each in said}) == 1
    assert len({each["known_at"] for each in said}) == 3


def test_monitoring_counts_what_the_newest_end_says(corrected: Corrected) -> None:
    rollups, days = corrected.service.services.rollups, (NOW.date(), NOW.date() + timedelta(days=2))

    def confirmed(as_of: datetime) -> float:
        catch_up(rollups, as_of)
        return float(visits_of(rollups, "shipment", days, as_of)["confirmed"].iloc[0])

    assert confirmed(corrected.clock.now) == 1
    corrected.end(**{"found_by": "check_documents", **body_of(IN_ORDER)})
    assert math.isnan(confirmed(corrected.clock.now))
