"""What must stay is not erased while something holds it."""

from datetime import timedelta

import pytest

from features.errors import TidegateError
from features.home_keys import LOG, private_key
from serving.audit import incidents
from serving.audit.incidents import LiftedHold, Opening, freeze
from serving.errors import Erased
from serving.integrity.checkpoints import public_key_of
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.verification.log_verification import verify_decision_log
from tests.serving.audit.installation import LATER, Installation
from tests.serving.bodies import shipment
from tests.serving.canaries import decided, ended
from tests.serving.conftest import NOW


def test_what_was_scored_again_stays_with_its_open_case(place: Installation) -> None:
    with place.serving() as service:
        first = decided(service, shipment_id="canary-open")
    with place.serving(NOW + timedelta(hours=2)) as service:
        at = (NOW + timedelta(hours=1)).isoformat()
        body = shipment(shipment_id="canary-open") | {"as_of": at}
        answer = service.score(body, service.key("score"))
        assert answer.status_code == 200, answer.text
        again = answer.json()["decision_id"]
        claim = service.client.post(f"/v1/cases/{first}/claim", headers=service.key("review"))
        assert claim.status_code == 200, claim.text

    place.erased()

    for decision_id in (first, again):
        assert "canary-open" in str(place.record(decision_id))


def test_what_must_stay_stays_until_nothing_holds_it(place: Installation) -> None:
    with place.serving() as service:
        opened, held, free = (
            decided(service, shipment_id=f"canary-{name}") for name in ("open", "held", "free")
        )
        for case_id in (held, free):
            ended(service, case_id)
    with place.serving(NOW + timedelta(hours=2)) as service:
        frozen = decided(service, shipment_id="canary-frozen")
        ended(service, frozen)
        service.client.get("/v1/queue", headers=service.key("review"))
        folder = place.settings.incidents / "torn"
        freeze(service.services.decisions, private_key(place.settings.keys, LOG), folder, OPENING)
    hold = place.retention().hold("shipment", "canary-held", "ada", "a court asks for it", LATER)

    certificate = place.erased()

    # Each with the document that came by itself about its subject, and the outcomes of two.
    assert certificate["destroyed"]["decisions"] == 1
    assert certificate["destroyed"]["kept"] == 3 + 3 + 2
    stays = {opened: "open", held: "held", frozen: "frozen"}
    for case_id, name in stays.items():
        assert f"canary-{name}" in str(place.record(case_id))
    with pytest.raises(Erased):
        place.record(free)
    (read,) = incidents.read(
        DecisionRepository(place.engine()), *incidents.incidents(folder.parent)
    )
    assert "canary-frozen" in read

    with place.serving(LATER) as service:
        ended(service, opened)
    place.retention().lift(hold, "ada", "the court has ended", LATER)
    incidents.lift_incident_hold(
        folder, LiftedHold(by="ada", because="reported and closed", at=LATER)
    )
    place.erased()

    for case_id in stays:
        with pytest.raises(Erased):
            place.record(case_id)
    incident = incidents.verify_incident(folder, public_key_of(place.settings.keys))
    with pytest.raises(TidegateError, match="were erased"):
        list(incidents.read(DecisionRepository(place.engine()), incident))
    assert verify_decision_log(place.engine()).is_whole


OPENING = Opening(
    what="a hold was torn open",
    harm="serious",
    opened_by="ada",
    opened_at=NOW,
    begins=NOW + timedelta(hours=1),
    ends=NOW + timedelta(hours=3),
)
