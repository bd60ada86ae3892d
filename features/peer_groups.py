"""The groups beside whose members a subject's values are usual or not."""

from features.definition import Peers
from features.submission import Submission

BETWEEN_PLACES = " > "


def peers_of(submission: Submission) -> dict[Peers, str]:
    """The subject's goods code and corridor, as `subjects.parquet` of a training set names them."""
    shipment, journey = submission.shipment, submission.journey
    if submission.subject_kind == "shipment":
        assert shipment is not None, "refused on entry"
        ends = (shipment.dispatch_country, shipment.destination_country)
        return {Peers.GOODS: shipment.hs_code, Peers.CORRIDOR: BETWEEN_PLACES.join(ends)}
    assert journey is not None, "refused on entry"
    way = (journey.origin, journey.destination, journey.mode)
    return {Peers.CORRIDOR: BETWEEN_PLACES.join(way)}
