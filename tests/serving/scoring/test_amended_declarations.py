"""An amended declaration is scored again as it stands then, and one that was withdrawn is not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from features.ingest.record_folder import RecordFolder
from features.records import RECORD_FILES
from features.rescoring_rules import RescoringRules
from features.scoring_instants import later_instants
from serving.audit.replay import replayed
from tests.agreement.streams import write
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW
from tests.serving.scoring.test_rescoring import (
    LATER,
    Tide,
    payment,
    score_again_once_by_three,
    started,
    tide,
)

__all__ = ["tide"]

SHIPMENT: dict[str, Any] = shipment()["shipment"]
JOURNEY: dict[str, Any] = route()["journey"]
JUST_AFTER = timedelta(microseconds=1)
KNOWN = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)


def amended(version: int = 2, known_at: str = LATER, **changed: Any) -> dict[str, Any]:
    """A later version of the shipment; three times as heavy."""
    own = {"version": version, "known_at": known_at, "gross_mass_kg": 3_750.0}
    return {**SHIPMENT, **own, **changed}


def waits(tide: Tide) -> int:
    """How many subjects wait, however long."""
    return len(tide.service.services.rescoring.queue.due(NOW + timedelta(days=9_999), 9))


def test_an_amended_shipment_is_scored_again_as_of_when_that_was_known(tide: Tide) -> None:
    first = tide.score(shipment())
    assert tide.run() == 0
    tide.send(shipments=[amended()])

    assert tide.run() == 1
    before, again = tide.decisions()
    assert before == first
    assert (again.rescores, again.lane_before) == (first.decision_id, first.lane)
    assert again.because == ("shipments/S-1 version 2",)
    assert again.as_of == KNOWN + JUST_AFTER
    assert again.submission.subject.gross_mass_kg == 3_750.0  # type: ignore[union-attr]  # a shipment
    assert again.vector["mass_per_package_kg"] == pytest.approx(3_750 / 12)
    assert again.submission.transactions == first.submission.transactions
    champion = tide.service.services.models.champion("shipment")
    assert replayed(again, champion).is_identical
    assert (tide.run(), waits(tide)) == (0, 0)


def test_the_vector_is_that_of_a_call_with_the_amended_declaration(tide: Tide) -> None:
    tide.score(shipment())
    tide.send(shipments=[amended()])
    tide.run()
    again = tide.decisions()[-1]
    body = shipment() | {"as_of": (KNOWN + JUST_AFTER).isoformat()}
    body["shipment"] = amended()

    called = tide.score(body)

    assert called.vector == again.vector
    assert called.because == ()


def test_an_amended_journey_scores_its_route_again_and_no_shipment(tide: Tide) -> None:
    tide.score(route())
    carried = shipment(journey_id=JOURNEY["journey_id"])
    carried["journey"], carried["legs"] = JOURNEY, []
    tide.score(carried)
    later = {"version": 2, "known_at": LATER, "destination": "GRPIR"}
    tide.send(journeys=[{**JOURNEY, **later}])

    assert tide.run() == 1
    again = tide.decisions()[-1]
    assert (again.subject_kind, again.because) == ("route", ("journeys/J-2 version 2",))
    assert again.submission.journey.destination == "GRPIR"  # type: ignore[union-attr]  # it has one


def test_the_same_amendment_again_or_one_that_was_scored_by_call_scores_nothing(
    tide: Tide,
) -> None:
    tide.score(shipment())
    for _ in range(2):
        tide.send(shipments=[amended()])
        tide.run()
    assert len(tide.decisions()) == 2
    body = shipment() | {"as_of": "2026-11-24T12:30:00Z"}
    body["shipment"] = amended(3, "2026-11-24T12:10:00Z")
    tide.score(body)
    tide.now = NOW + timedelta(days=1)

    tide.send(shipments=[amended(3, "2026-11-24T12:10:00Z")])

    assert tide.run() == 0
    assert (len(tide.decisions()), waits(tide)) == (3, 0)


def test_each_version_counts_at_its_own_instant_and_the_bounds_hold(tide: Tide) -> None:
    tide.rules = RescoringRules(most_per_subject=2)
    tide.score(shipment())
    for version, hour in ((2, 11), (3, 12), (4, 14)):
        known_at = f"2026-11-24T{hour}:30:00Z"
        tide.send(shipments=[amended(version, known_at, gross_mass_kg=1_000.0 * version)])
    tide.now = NOW + timedelta(days=1)
    while tide.run():
        pass

    later = tide.decisions()[1:]
    assert [each.submission.subject.version for each in later] == [2, 3]
    assert [each.because for each in later] == [
        ("shipments/S-1 version 2",),
        ("shipments/S-1 version 3",),
    ]
    assert waits(tide) == 0


def test_what_is_paid_after_an_amendment_counts_beside_what_was_amended(tide: Tide) -> None:
    tide.score(shipment())
    tide.send(shipments=[amended()], transactions=[payment(2, "2026-11-24T11:30:00Z")])
    tide.now = NOW + timedelta(days=1)
    while tide.run():
        pass

    _, mass, paid = tide.decisions()
    assert (mass.because, paid.because) == (
        ("shipments/S-1 version 2",),
        ("transactions/T-2",),
    )
    assert mass.submission.subject.version == paid.submission.subject.version == 2


def test_goods_items_stay_those_declared_where_an_amendment_states_none(tide: Tide) -> None:
    body = shipment()
    body["shipment"] = SHIPMENT | {"items": [{"number": 1, "commodity_code": "8903100000"}]}
    tide.score(body)
    tide.send(shipments=[amended()])
    tide.run()

    (item,) = tide.decisions()[-1].submission.shipment.items  # type: ignore[union-attr]  # it has one
    assert item.commodity_code == "8903100000"


def test_an_amendment_that_is_known_later_waits_until_then(tide: Tide) -> None:
    tide.score(shipment())
    tide.send(shipments=[amended(known_at="2026-11-24T15:00:00Z")])
    assert tide.run() == 0
    tide.now = NOW + timedelta(hours=4)

    assert tide.run() == 1


def test_a_withdrawn_declaration_is_scored_no_more_and_waits_no_longer(tide: Tide) -> None:
    tide.score(shipment())
    tide.send(transactions=[payment(2, "2026-11-24T15:00:00Z")])
    assert (tide.run(), waits(tide)) == (0, 1)
    before = payment(4, "2026-11-24T10:30:00Z")
    tide.send(shipments=[amended(withdrawn=True)], transactions=[before])
    tide.now = NOW + timedelta(days=1)

    assert (tide.run(), waits(tide)) == (0, 0)
    tide.send(transactions=[payment(3, "2026-11-24T16:00:00Z")])
    assert (tide.run(), waits(tide), len(tide.decisions())) == (0, 0, 1)
    tide.send(shipments=[amended(3, "2026-11-25T10:00:00Z")])
    assert tide.run() == 2  # declared anew: what was paid before it was withdrawn counts too
    again = tide.decisions()[-1]
    assert again.because[0] == "shipments/S-1 version 3"
    assert again.as_of == datetime(2026, 11, 25, 10, 0, tzinfo=UTC) + JUST_AFTER


def test_whoever_withdraws_a_journey_calls_no_search_off(tide: Tide) -> None:
    tide.score(route())
    withdrawn = {"version": 2, "known_at": LATER, "withdrawn": True}
    heard = {"journey_id": "J-2", "latitude": 38.0, "longitude": 26.0, "is_distress": True}
    tide.send(
        journeys=[{**JOURNEY, **withdrawn}],
        positions=[heard | {"observed_at": "2026-11-24T11:30:00Z"}],
    )

    assert tide.run() == 1
    assert tide.decisions()[-1].lane == "rescue"


def test_the_instants_are_those_of_a_training_set(tide: Tide, tmp_path: Path) -> None:
    """The same records in files: a row for each decision that the service made by the rules."""
    day = "2026-11-25T"
    versions = [
        amended(),
        amended(3, f"{day}08:00:00Z", withdrawn=True),
        amended(4, f"{day}18:00:00Z", gross_mass_kg=800.0),
    ]
    payments = [payment(2, f"{day}07:30:00Z"), payment(3, f"{day}09:00:00Z")]
    tide.score(shipment())
    tide.send(shipments=versions, transactions=payments)
    tide.now = NOW + timedelta(days=3)
    while tide.run():
        pass

    told = {"journeys": [shipment()["journey"]], "shipments": [SHIPMENT, *versions]}
    told["transactions"] = payments
    rows = {
        name: [dict(record.model_validate(each)) for each in told.get(name, [])]
        for name, record in RECORD_FILES.items()
    }
    write(rows, tmp_path / "records")
    instants = later_instants("shipment", RecordFolder(tmp_path / "records"), tide.rules)
    assert instants["S-1"] == [each.as_of for each in tide.decisions()[1:]]
    assert len(instants["S-1"]) == 3


def test_two_workers_at_once_make_one_decision_of_an_amendment(tide: Tide) -> None:
    tide.score(shipment())
    tide.send(shipments=[amended()])
    score_again_once_by_three(tide)


def test_an_amendment_that_was_accepted_is_scored_after_a_restart(home: Path) -> None:
    with started(home) as tide:
        tide.score(shipment())
        tide.send(shipments=[amended()])
    with started(home) as tide:
        assert tide.run() == 1
    with started(home) as tide:
        assert tide.run() == 0


def test_a_declaration_that_is_submitted_after_it_was_amended_is_scored_as_amended(
    tide: Tide,
) -> None:
    tide.send(shipments=[amended()])
    tide.score(shipment())

    assert tide.run() == 1
    assert tide.decisions()[-1].because == ("shipments/S-1 version 2",)


def test_no_amendment_moves_until_when_a_subject_is_scored_again(tide: Tide) -> None:
    tide.score(route())
    later = {"version": 2, "known_at": LATER, "due_at": "2027-06-01T10:00:00Z"}
    tide.send(journeys=[{**JOURNEY, **later}])
    assert tide.run() == 1
    tide.now = NOW + timedelta(days=60)

    tide.send(journeys=[{**JOURNEY, **later, "version": 3, "known_at": "2027-01-20T10:00:00Z"}])

    assert (tide.run(), waits(tide)) == (0, 0)


def test_what_was_withdrawn_is_not_scored_as_the_version_before_it(tide: Tide) -> None:
    tide.send(shipments=[amended(withdrawn=True)])

    refused = tide.service.score(shipment(), tide.service.key("score"))

    assert refused.status_code == 409
    assert refused.json()["title"] == "The declaration was withdrawn"
    assert (
        "shipment S-1 was withdrawn, as is known since 2026-11-24 11:00"
        in (refused.json()["detail"])
    )
    assert tide.decisions() == []
    anew = shipment() | {"as_of": NOW.isoformat()}
    anew["shipment"] = amended(3, "2026-11-24T11:30:00Z")
    assert tide.score(anew).submission.subject.version == 3


def test_a_sign_of_danger_is_answered_though_the_journey_was_withdrawn(tide: Tide) -> None:
    heard = {"journey_id": "J-2", "latitude": 38.0, "longitude": 26.0, "is_distress": True}
    tide.send(
        journeys=[{**JOURNEY, "version": 2, "known_at": LATER, "withdrawn": True}],
        positions=[heard | {"observed_at": "2026-11-24T11:30:00Z"}],
    )

    assert tide.score(route() | {"as_of": NOW.isoformat()}).lane == "rescue"


@pytest.mark.parametrize("office_id", ["DE002100", None])
def test_an_amendment_that_names_another_office_or_none_is_scored_too(
    tide: Tide, office_id: str | None
) -> None:
    first = tide.score(shipment())
    tide.send(shipments=[amended(office_id=office_id)])

    assert tide.run() == 1
    again = tide.decisions()[-1]
    assert again.rescores == first.decision_id
    assert again.office_id == (office_id or "DE004600")
    assert {case.office_id for case in tide.cases().values()} <= {"DE004600"}
