"""Compute the rows that a training set would hold for submitted subjects."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import repeat

from features.catalogue import features_of, windows_of
from features.compiled_catalogue import computation
from features.engine.online.history_of_records import HistoryReader
from features.engine.online.vector_plan import FeatureValue, VectorPlan
from features.engine.store.layout import layouts_of
from features.engine.store.query_plan import RequestRecords
from features.engine.windows.window_declaration import Window
from features.history.online_store import history_windows
from features.records import SubjectKind
from features.submission import Submission
from features.submitted_subject import linked_sources, request_rows, subject_program

# Number of subjects that share one view of the history and one run of each program.
GROUP_SIZE = 64


class Vector(dict[str, FeatureValue]):
    """The value of each feature, in catalogue order; None if missing.

    `said_with` has the counts that a feature's sentence shows next to the value: by feature, the
    number of each window that the sentence names. They are no model input.
    """

    def __init__(
        self,
        values: Iterable[tuple[str, FeatureValue]],
        said_with: Mapping[str, Mapping[str, float]],
    ) -> None:
        super().__init__(values)
        self.said_with = said_with


def feature_vector(
    submission: Submission, history: HistoryReader, overlay: RequestRecords | None = None
) -> Vector:
    """Return the features of a submitted subject at its scoring instant, in catalogue order.

    `overlay` are records that count as known although the history does not hold them.
    """
    plan = vector_plan(submission.subject_kind)
    (row,) = plan.vectors([request_rows(submission)], history, [overlay])
    return _vector(submission.subject_kind, *row)


def feature_vectors(
    submissions: Sequence[Submission],
    history: HistoryReader,
    overlay: Sequence[RequestRecords | None] | None = None,
) -> list[Vector]:
    """Return the features of each submitted subject; faster than one at a time, with equal results.

    `overlay` are, for each subject, additional records that count as known for it alone.
    """
    vector_at: dict[int, Vector] = {}
    overlays = [*(overlay or repeat(None, len(submissions)))]
    for kind, places in _by_kind(submissions):
        plan = vector_plan(kind)
        requests = [request_rows(submissions[place]) for place in places]
        rows = plan.vectors(requests, history, [overlays[place] for place in places])
        for place, row in zip(places, rows, strict=True):
            vector_at[place] = _vector(kind, *row)
    return [vector_at[place] for place in range(len(submissions))]


def _by_kind(submissions: Sequence[Submission]) -> Iterator[tuple[SubjectKind, list[int]]]:
    """Yield the positions of submissions of one kind, in batches."""
    places: dict[SubjectKind, list[int]] = defaultdict(list)
    for place, submission in enumerate(submissions):
        places[submission.subject_kind].append(place)
    for kind, of_kind in places.items():
        for begin in range(0, len(of_kind), GROUP_SIZE):
            yield kind, of_kind[begin : begin + GROUP_SIZE]


def _vector(kind: SubjectKind, values: Sequence[FeatureValue], shown: Sequence[float]) -> Vector:
    said_with: dict[str, dict[str, float]] = {}
    vector = Vector(zip(vector_plan(kind).names, values, strict=True), said_with)
    for (feature, parameter, _), number in zip(_said_windows(kind), shown, strict=True):
        # The sentence of a missing feature shows no counts.
        if vector[feature] is not None:
            said_with.setdefault(feature, {})[parameter] = number
    return vector


@cache
def _said_windows(kind: SubjectKind) -> tuple[tuple[str, str, Window], ...]:
    """Return the windows that sentences name, with the feature and its parameter."""
    return tuple(
        (feature.name, parameter, feature.windows[parameter])
        for feature in features_of(kind)
        for parameter in feature.said_with
    )


@cache
def vector_plan(kind: SubjectKind) -> VectorPlan:
    """Return the cached plan of the feature vectors of one kind of subject."""
    return VectorPlan(
        features=computation(kind),
        windows=windows_of(kind),
        linked=linked_sources(kind).values(),
        subject=partial(subject_program, kind),
        layouts=layouts_of(history_windows()),
        shown=[window for *_, window in _said_windows(kind)],
    )
