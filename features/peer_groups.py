"""The peer groups in which a subject's values are compared."""

from features.definition import Peers
from features.subject_types import SUBJECT_TYPES
from features.submission import Submission, SubmittedShipment

BETWEEN_PLACES = " > "


def peers_of(submission: Submission) -> dict[Peers, str]:
    """Return the subject's goods code and corridor, as in `subjects.parquet` of a training set."""
    subject = submission.subject
    fields = SUBJECT_TYPES[submission.subject_kind].corridor_fields
    corridor = BETWEEN_PLACES.join(getattr(subject, name) for name in fields)
    goods = {Peers.GOODS: subject.goods_code} if isinstance(subject, SubmittedShipment) else {}
    return goods | {Peers.CORRIDOR: corridor}
