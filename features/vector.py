"""One subject -> the same row that a training set would hold for it."""

from features.online.vectors import Past, vectors
from features.records import SubjectKind
from features.state.state import Records
from features.submission import Submission

Vector = dict[str, float | str | None]
"""A value per feature, in catalogue order; None where it is missing."""

# What features read and a submission may leave out, as `missing_inputs` names it.
WANTED_FIELDS: dict[SubjectKind, tuple[str, ...]] = {
    "route": ("booked_at", "registration_country", "declared_cargo_mass_kg", "certified_capacity"),
    "shipment": (
        "declared_value",
        "gross_mass_kg",
        "net_mass_kg",
        "volume_m3",
        "packages",
        "goods_description",
        "declarant_id",
        "forwarder_id",
    ),
}
WANTED_DOCUMENTS: dict[SubjectKind, tuple[str, ...]] = {
    "route": ("manifest",),
    "shipment": ("manifest", "invoice", "packing_list"),
}
WANTED_RECORDS: dict[SubjectKind, tuple[str, ...]] = {
    "route": ("legs", "transactions"),
    "shipment": ("journey", "transactions"),
}


def feature_vector(submission: Submission, past: Past, beside: Records | None = None) -> Vector:
    """The features of a submitted subject, as of its declaration, in catalogue order.

    `beside` are records that count as known too and that the past does not hold.
    """
    made = vectors(submission.subject_kind)
    return dict(zip(made.names, made.of(submission, past, beside), strict=True))


def missing_inputs(submission: Submission) -> list[str]:
    """What the features would read and the submission does not bring, e.g. `documents.invoice`."""
    kind = submission.subject_kind
    own = "journey" if kind == "route" else "shipment"
    kinds = {document.kind for document in submission.documents}
    return [
        *(f for f in WANTED_RECORDS[kind] if not getattr(submission, f)),
        *(f"documents.{k}" for k in WANTED_DOCUMENTS[kind] if k not in kinds),
        *(f"{own}.{f}" for f in WANTED_FIELDS[kind] if getattr(submission.subject, f) is None),
    ]
