"""Which lanes' cases come first."""

from serving.review.queue_rank import QUEUE_RANK


def test_rescues_come_first_and_control_cases_stand_among_inspections() -> None:
    assert QUEUE_RANK == {
        "rescue": 0,
        "inspect": 1,
        "control": 1,
        "document_check": 2,
        "post_review": 3,
    }
