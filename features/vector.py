"""Submitted subjects -> the same rows that a training set would hold for them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache, partial
from itertools import repeat

from features.catalogue import windows_of
from features.compiled_catalogue import computation
from features.engine.online.vector_plan import HistoryReader, VectorPlan
from features.engine.store.layout import layouts_of
from features.engine.store.query_plan import RequestRecords
from features.history.online_store import history_windows
from features.records import SubjectKind
from features.submission import Submission
from features.submitted_subject import linked_sources, request_rows, subject_program

# So many subjects at a time share one view of the past and one run of each program.
TOGETHER = 64

Vector = dict[str, float | str | None]
"""A value per feature, in catalogue order; None where it is missing."""


def feature_vector(
    submission: Submission, history: HistoryReader, overlay: RequestRecords | None = None
) -> Vector:
    """The features of a submitted subject, as of its declaration, in catalogue order.

    `overlay` are records that count as known too and that the history does not hold.
    """
    plan = vector_plan(submission.subject_kind)
    (values,) = plan.vectors([request_rows(submission)], history, [overlay])
    return dict(zip(plan.names, values, strict=True))


def feature_vectors(
    submissions: Sequence[Submission],
    history: HistoryReader,
    overlay: Sequence[RequestRecords | None] | None = None,
) -> list[Vector]:
    """The features of each submitted subject, as if it were asked about alone, but faster.

    `overlay` are for each subject the records that count as known to it too; no other subject sees
    them.
    """
    vector_at: dict[int, Vector] = {}
    overlays = [*(overlay or repeat(None, len(submissions)))]
    for kind, places in _by_kind(submissions):
        plan = vector_plan(kind)
        requests = [request_rows(submissions[place]) for place in places]
        rows = plan.vectors(requests, history, [overlays[place] for place in places])
        for place, values in zip(places, rows, strict=True):
            vector_at[place] = dict(zip(plan.names, values, strict=True))
    return [vector_at[place] for place in range(len(submissions))]


def _by_kind(submissions: Sequence[Submission]) -> Iterator[tuple[SubjectKind, list[int]]]:
    """The places of submissions of one kind, so many at a time."""
    places: dict[SubjectKind, list[int]] = defaultdict(list)
    for place, submission in enumerate(submissions):
        places[submission.subject_kind].append(place)
    for kind, of_kind in places.items():
        for begin in range(0, len(of_kind), TOGETHER):
            yield kind, of_kind[begin : begin + TOGETHER]


@cache
def vector_plan(kind: SubjectKind) -> VectorPlan:
    """The plan of the feature vectors of one kind of subject, made once."""
    return VectorPlan(
        features=computation(kind),
        windows=windows_of(kind),
        linked=linked_sources(kind).values(),
        subject=partial(subject_program, kind),
        layouts=layouts_of(history_windows()),
    )
