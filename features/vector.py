"""Submitted subjects -> the same rows that a training set would hold for them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import repeat

from features.engine.online.vector_plan import Past, vectors
from features.engine.store.query_plan import Brought
from features.records import SubjectKind
from features.submission import Submission

# So many subjects at a time share one view of the past and one run of each program.
TOGETHER = 64

Vector = dict[str, float | str | None]
"""A value per feature, in catalogue order; None where it is missing."""


def feature_vector(submission: Submission, past: Past, beside: Brought | None = None) -> Vector:
    """The features of a submitted subject, as of its declaration, in catalogue order.

    `beside` are records that count as known too and that the past does not hold.
    """
    made = vectors(submission.subject_kind)
    (values,) = made.of([submission], past, [beside])
    return dict(zip(made.names, values, strict=True))


def feature_vectors(
    submissions: Sequence[Submission],
    past: Past,
    beside: Sequence[Brought | None] | None = None,
) -> list[Vector]:
    """The features of each submitted subject, as if it were asked about alone, but faster.

    `beside` are for each subject the records that count as known to it too; no other subject sees
    them.
    """
    vector_at: dict[int, Vector] = {}
    brought = [*(beside or repeat(None, len(submissions)))]
    for kind, places in _by_kind(submissions):
        made = vectors(kind)
        asked = [submissions[place] for place in places]
        rows = made.of(asked, past, [brought[place] for place in places])
        for place, values in zip(places, rows, strict=True):
            vector_at[place] = dict(zip(made.names, values, strict=True))
    return [vector_at[place] for place in range(len(submissions))]


def _by_kind(submissions: Sequence[Submission]) -> Iterator[tuple[SubjectKind, list[int]]]:
    """The places of submissions of one kind, so many at a time."""
    places: dict[SubjectKind, list[int]] = defaultdict(list)
    for place, submission in enumerate(submissions):
        places[submission.subject_kind].append(place)
    for kind, of_kind in places.items():
        for begin in range(0, len(of_kind), TOGETHER):
            yield kind, of_kind[begin : begin + TOGETHER]
