"""What one party to a subject declared itself, apart from what others declared or are known for.

The declaration of a shipment is its consignee's and its declarant's word, the journey and its legs
are the carrier's, and a document is the word of whoever issued it: of one that names no issuer it
is nobody's. Payments, positions and history are never anyone's own word.
"""

from dataclasses import dataclass
from datetime import datetime

from features.catalogue import feature_named
from features.definition import Feature
from features.derived.subject import LATEST_FIELDS
from features.errors import UnknownFeature
from features.field_kinds import Party, fields_of_kind
from features.provenance import Provenance, SubmissionProvenance, fields_behind
from features.records import Record, SubjectKind
from features.submission import AttachedDocument, Submission
from serving.errors import Unprocessable
from serving.language import say
from serving.review.case_letters import Audience

DECLARANTS: tuple[Audience, ...] = ("consignee", "declarant")
"""Whose word the declaration of a shipment is: lodged by the one for the other."""

UNITS = {"_kg": "kg", "_m3": "m³"}


def recipient_of(submission: Submission, audience: Audience) -> str:
    """The pseudonym of the party that an audience is; raises Unprocessable where none is named."""
    named = submission.journey if audience == "carrier" else submission.shipment
    recipient: str | None = getattr(named, f"{audience}_id", None)
    if recipient is None:
        raise Unprocessable(
            say(
                "the {subject_kind} names no {audience} to write to",
                subject_kind=submission.subject_kind,
                audience=audience,
            )
        )
    return recipient


@dataclass(frozen=True)
class OwnDeclarations:
    """What one party declared of a submission, and which features read nothing else."""

    submission: Submission
    audience: Audience
    recipient: str
    _provenance: SubmissionProvenance

    @classmethod
    def from_submission(cls, submission: Submission, audience: Audience) -> "OwnDeclarations":
        """What the party of this audience declared; raises Unprocessable where there is none."""
        recipient = recipient_of(submission, audience)
        return cls(submission, audience, recipient, SubmissionProvenance(submission))

    @property
    def record(self) -> Record | None:
        """The record that is the party's own declaration, if one is."""
        if self.audience == "carrier":
            return self.submission.journey
        return self.submission.shipment if self.audience in DECLARANTS else None

    @property
    def papers(self) -> tuple[AttachedDocument, ...]:
        """The documents that the party issued."""
        return tuple(d for d in self.submission.documents if d.issuer_id == self.recipient)

    def holds(self, name: str) -> bool:
        """Whether a feature reads nothing but what this party itself declared and issued."""
        try:
            feature = feature_named(name)
        except UnknownFeature:
            return False
        return reads_own_columns(feature, self.submission.subject_kind, self.audience) and (
            not _reads_papers(feature) or self._are_own(self._provenance.feature(feature))
        )

    def facts(self, name: str) -> tuple[str, ...]:
        """What the party declared and issued that a feature of its own rests on, in words."""
        provenance = self._provenance.feature(feature_named(name))
        fields = (_own_field(field) for field in provenance.declared)
        said = (field_in_words(self.record, field) for field in fields if self.record)
        ids = provenance.records.get("documents", ())
        papers = (paper_in_words(each) for each in self.papers if each.document_id in ids)
        legs = (
            f"leg {leg.sequence} from {leg.origin} to {leg.destination}"
            for leg in self.submission.legs
            if str(leg.sequence) in provenance.records.get("legs", ())
        )
        return tuple(dict.fromkeys((*filter(None, said), *papers, *legs)))

    def _are_own(self, provenance: Provenance) -> bool:
        issued = {paper.document_id for paper in self.papers}
        return issued.issuperset(provenance.records.get("documents", ()))


def reads_own_columns(feature: Feature, kind: SubjectKind, audience: Audience) -> bool:
    """Whether a feature's columns and windows are of the records that an audience answers for.

    Of documents it still has to be seen who issued them.
    """
    if any(column in LATEST_FIELDS for column in feature.columns):
        return False
    fields = (field for column in feature.columns for field in fields_behind(kind, column))
    if any(_declarer(kind, field) != _role(audience) for field in fields):
        return False
    sources = {window.source for window in feature.windows.values()}
    # A document is compared with the subject, so that it tells of the declaration too.
    is_of_subject = _declarer(kind, "") == _role(audience)
    own = {"documents"} if is_of_subject else set()
    return sources <= (own | ({"legs"} if audience == "carrier" else set()))


def _reads_papers(feature: Feature) -> bool:
    return any(window.source == "documents" for window in feature.windows.values())


def _role(audience: Audience) -> str:
    return "declarant" if audience in DECLARANTS else audience


def _declarer(kind: SubjectKind, field: str) -> str:
    """Who answers for a declared field of a subject."""
    is_of_journey = field.startswith("journey_") and field != "journey_id"
    return "carrier" if kind == "route" or is_of_journey else "declarant"


def _own_field(field: str) -> str:
    return field if field == "journey_id" else field.removeprefix("journey_")


def field_in_words(record: Record | None, field: str) -> str:
    """A declared field with its value and unit; empty for one that is absent or names a party."""
    value = getattr(record, field, None)
    if record is None or value is None or field in fields_of_kind(type(record), Party):
        return ""
    if field == "currency":  # it stands beside the amount
        return ""
    name = field
    unit = next((UNITS[ending] for ending in UNITS if field.endswith(ending)), "")
    for ending in (*UNITS, "_at"):
        name = name.removesuffix(ending)
    if field in ("declared_value", "value"):
        unit = getattr(record, "currency", None) or ""
    return " ".join(filter(None, (name.replace("_", " "), _written(value), unit)))


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%-d %B %Y, %H:%M} UTC"
    # To the last figure: it is what was declared, and may differ in the last from what a paper has.
    return f"{value:,.15g}" if isinstance(value, int | float) else str(value).replace("_", " ")


def paper_in_words(paper: AttachedDocument) -> str:
    """A document as its issuer knows it."""
    number = f" {paper.number}" if paper.number else ""
    return f"the {paper.kind.replace('_', ' ')}{number}, version {paper.version}"
