"""What a subject takes from the records that a request links to it."""

from datetime import timedelta

from features.derived.drifting import drift_cell
from features.engine.columns import instant_us
from features.records import Journey, Position
from features.submission import Submission
from features.submitted_subject import request_rows
from tests.features.families.facts import DECLARED, JOURNEY

HOUR = timedelta(hours=1)


def test_where_a_conveyance_drifts_since_its_declaration_is_not_where_it_drifted_last() -> None:
    heard = [
        Position(
            journey_id=JOURNEY["journey_id"],
            observed_at=DECLARED + hours * HOUR,
            latitude=latitude,
            longitude=0.0,
            speed_kn=speed_kn,
        )
        for hours, latitude, speed_kn in ((-3, 0.0, 0.5), (-2, 1.0, 12.0), (0, 2.0, 0.5))
    ]
    submission = Submission(
        subject_kind="route",
        journey=Journey(**JOURNEY),
        positions=tuple(heard),
        as_of=DECLARED + HOUR,
    )

    rows = request_rows(submission)

    (drifted,) = drift_cell([0.0], [0.0], [0.5], [instant_us(DECLARED - 3 * HOUR)])
    assert len(rows.linked["positions"]) == 3
    assert rows.subject["latest_drift_cell"] == drifted
