"""The order of the review queue: by the rank of a case's lane, then by when it is due."""

from serving.triage.lane_rule import Lane

# Control cases stand among inspections and look like them, so that they get the same diligence.
QUEUE_RANK: dict[Lane, int] = {
    "rescue": 0,
    "inspect": 1,
    "control": 1,
    "document_check": 2,
    "post_review": 3,
}
