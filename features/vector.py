"""One subject -> the same row that a training set would hold for it."""

from features.online.vectors import Past, vectors
from features.state.state import Brought
from features.submission import Submission

Vector = dict[str, float | str | None]
"""A value per feature, in catalogue order; None where it is missing."""


def feature_vector(submission: Submission, past: Past, beside: Brought | None = None) -> Vector:
    """The features of a submitted subject, as of its declaration, in catalogue order.

    `beside` are records that count as known too and that the past does not hold.
    """
    made = vectors(submission.subject_kind)
    return dict(zip(made.names, made.of(submission, past, beside), strict=True))
