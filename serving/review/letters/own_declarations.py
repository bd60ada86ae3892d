"""The declarations of one party to a subject, separate from those of others.

Consignee and declarant answer for the declaration of a shipment, the carrier for the journey and
its legs, and the issuer for a document; a document without an issuer belongs to no party. Payments,
positions and history never count as anyone's own declaration.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import get_args

from babel.dates import format_date

from features.catalogue import feature_named
from features.definition import Feature
from features.derived.subject import LATEST_FIELDS
from features.errors import UnknownFeature
from features.field_kinds import Party, fields_of_kind
from features.provenance import Provenance, SubmissionProvenance, fields_behind
from features.records import DocumentKind, Journey, Record, Shipment, SubjectKind
from features.submission import AttachedDocument, Submission
from serving.errors import Unprocessable
from serving.explanation.code_names import country_in_words, place_in_words
from serving.explanation.provenance_text import field_name
from serving.language import ENGLISH, Language, reading, say
from serving.review.letters.case_letters import Audience
from serving.review.letters.filed_papers import newest_papers

# Parties that answer for a shipment's declaration; one lodges it for the other.
DECLARANTS: tuple[Audience, ...] = ("consignee", "declarant")

UNITS = {"_kg": "kg", "_m3": "m³"}

STATED = "{name} {value}"
PAPER, PAPER_WITHOUT_NUMBER = (
    "the {paper} {number}, version {version}",
    "the {paper}, version {version}",
)
LEG = "leg {sequence} from {origin} to {destination}"
DAY_AND_TIME = "{day}, {time} UTC"
# Names of fields that differ from other screens, to fit after "you declared".
NAMES = {
    "declared_at": "time of declaration",
    "declared_cargo_mass_kg": "cargo mass",
    "due_at": "expected arrival",
}
# Fields whose values are formatted in the reader's language.
FIGURES = (
    *("gross_mass_kg", "net_mass_kg", "declared_cargo_mass_kg", "volume_m3", "packages", "value"),
    *("declared_value", "tax_rate", "certified_capacity", "persons_on_board"),
)


def recipient_of(submission: Submission, audience: Audience) -> str:
    """Return the pseudonym of the audience's party; raises Unprocessable if none is named."""
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
    """The declarations of one party in a submission, and the features that read only them."""

    submission: Submission
    audience: Audience
    recipient: str
    _provenance: SubmissionProvenance

    @classmethod
    def from_submission(cls, submission: Submission, audience: Audience) -> "OwnDeclarations":
        """Return the declarations of the audience's party; raises Unprocessable if it has none."""
        recipient = recipient_of(submission, audience)
        return cls(submission, audience, recipient, SubmissionProvenance(submission))

    @property
    def record(self) -> Record | None:
        """The party's own declaration; None if it has none."""
        if self.audience == "carrier":
            return self.submission.journey
        return self.submission.shipment if self.audience in DECLARANTS else None

    @cached_property
    def papers(self) -> tuple[AttachedDocument, ...]:
        """The newest versions of the documents that the party issued."""
        newest = newest_papers(self.submission.documents)
        return tuple(paper for paper in newest if paper.issuer_id == self.recipient)

    def holds(self, name: str) -> bool:
        """Return whether a feature reads only what this party declared and issued.

        A value that rests only on superseded versions no longer counts as the party's own.
        """
        try:
            feature = feature_named(name)
        except UnknownFeature:
            return False
        return reads_own_columns(feature, self.submission.subject_kind, self.audience) and (
            not _reads_papers(feature) or self._are_own(self._provenance.feature(feature))
        )

    def facts(self, name: str) -> tuple[str, ...]:
        """Return in words the party's declarations and papers that a feature rests on."""
        provenance = self._provenance.feature(feature_named(name))
        fields = (_own_field(field) for field in provenance.declared)
        said = (field_words(self.record, field) for field in fields if self.record)
        ids = provenance.records.get("documents", ())
        papers = (paper_in_words(each) for each in self.papers if each.document_id in ids)
        legs = (
            f"leg {leg.sequence} from {leg.origin} to {leg.destination}"
            for leg in self.submission.legs
            if str(leg.sequence) in provenance.records.get("legs", ())
        )
        return tuple(dict.fromkeys((*filter(None, said), *papers, *legs)))

    def _are_own(self, provenance: Provenance) -> bool:
        """Return whether the party issued all documents behind a value, one in its newest version.

        A value that rests on no document, such as "none has expired", depends on every filed
        document.
        """
        filed = self.submission.documents
        others = {d.document_id for d in filed if d.issuer_id != self.recipient}
        behind = set(provenance.records.get("documents", ()))
        if not behind:
            return not others
        newest = {paper.document_id for paper in self.papers}
        return not behind & others and bool(behind & newest)


def reads_own_columns(feature: Feature, kind: SubjectKind, audience: Audience) -> bool:
    """Return whether a feature reads only records that the audience answers for.

    The issuers of its documents must be checked separately.
    """
    if any(column in LATEST_FIELDS for column in feature.columns):
        return False
    fields = (field for column in feature.columns for field in fields_behind(kind, column))
    if any(_declarer(kind, field) != _role(audience) for field in fields):
        return False
    sources = {window.source for window in feature.windows.values()}
    # Documents are compared with the subject, so such features reveal the declaration too.
    is_of_subject = _declarer(kind, "") == _role(audience)
    own = {"documents"} if is_of_subject else set()
    return sources <= (own | ({"legs"} if audience == "carrier" else set()))


def _reads_papers(feature: Feature) -> bool:
    return any(window.source == "documents" for window in feature.windows.values())


def _role(audience: Audience) -> str:
    return "declarant" if audience in DECLARANTS else audience


def _declarer(kind: SubjectKind, field: str) -> str:
    """Return the party that answers for a declared field of a subject."""
    is_of_journey = field.startswith("journey_") and field != "journey_id"
    return "carrier" if kind == "route" or is_of_journey else "declarant"


def _own_field(field: str) -> str:
    return field if field == "journey_id" else field.removeprefix("journey_")


def field_words(record: Record | None, field: str) -> str:
    """Return a declared field with its value and unit; empty if absent or a party."""
    value = getattr(record, field, None)
    if record is None or value is None or field in fields_of_kind(type(record), Party):
        return ""
    if field == "currency":  # shown next to the amount
        return ""
    unit = next((UNITS[ending] for ending in UNITS if field.endswith(ending)), "")
    if field in ("declared_value", "value"):
        unit = getattr(record, "currency", None) or ""
    return " ".join(filter(None, (_name_of(field), _written(value), unit)))


def _name_of(field: str) -> str:
    for ending in (*UNITS, "_at"):
        field = field.removesuffix(ending)
    return field.replace("_", " ")


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%-d %B %Y, %H:%M} UTC"
    # In full precision: it may differ from a paper in the last digit only.
    return f"{value:,.15g}" if isinstance(value, int | float) else str(value).replace("_", " ")


def paper_in_words(paper: AttachedDocument, language: Language = ENGLISH) -> str:
    """Return a document as its issuer knows it: kind, number and version."""
    kind, version = language.say(_paper_kind(paper.kind)), str(paper.version)
    if paper.number is None:
        return language.say(PAPER_WITHOUT_NUMBER, paper=kind, version=version)
    return language.say(PAPER, paper=kind, number=paper.number, version=version)


def _paper_kind(kind: DocumentKind) -> str:
    return "transit declaration" if kind == "transit" else kind.replace("_", " ")


def stated_in_words(stored: str) -> str:
    """Translate a stored declaration or paper for the reader; other texts stay as they are.

    `stored` is the output of `facts`, `field_words` or `paper_in_words`.
    """
    if found := _papers().fullmatch(stored):
        kind, number, version = found.groups()
        return (
            say(PAPER, paper=say(kind), number=number, version=version)
            if number
            else say(PAPER_WITHOUT_NUMBER, paper=say(kind), version=version)
        )
    if found := re.fullmatch(r"leg (\S+) from (\S+) to (\S+)", stored):
        sequence, origin, destination = found.groups()
        ends = {"origin": place_in_words(origin), "destination": place_in_words(destination)}
        return say(LEG, sequence=sequence, **ends)
    named = (name for name in _fields() if stored.startswith(f"{name} "))
    # A name may be the beginning of another, so the longest match is the field.
    name = max(named, key=len, default=None)
    if name is None:
        return stored
    field = _fields()[name]
    # The sentence around it already contains "you declared".
    called = NAMES.get(field) or field_name(field).removeprefix("declared ")
    return say(STATED, name=say(called), value=_value_again(field, stored.removeprefix(f"{name} ")))


def _value_again(field: str, value: str) -> str:
    """Translate a stored value for the reader: a figure, an instant, a place or a code."""
    language = reading().language
    if field.endswith("_at"):
        at = datetime.strptime(value, "%d %B %Y, %H:%M UTC")  # noqa: DTZ007  # the text says UTC
        day = format_date(at, "d MMMM y", locale=language.locale)
        return say(DAY_AND_TIME, day=day, time=f"{at:%H:%M}")
    if field in ("origin", "destination", "hire_return_location"):
        return place_in_words(value)
    if field.endswith("_country"):
        return country_in_words(value, language)
    figure, _, unit = value.partition(" ")
    if field not in FIGURES:
        return say(value)
    figure = language.figure(figure)
    return say("{mass} kg", mass=figure) if unit == "kg" else f"{figure} {unit}".rstrip()


@cache
def _fields() -> dict[str, str]:
    """Return the fields by their names in stored texts."""
    records: tuple[type[Record], ...] = (AttachedDocument, Journey, Shipment)
    return {_name_of(field): field for each in records for field in each.model_fields}


@cache
def _papers() -> re.Pattern[str]:
    kinds = "|".join(re.escape(_paper_kind(kind)) for kind in get_args(DocumentKind))
    return re.compile(rf"the ({kinds})(?: (\S+))?, version (\d+)")
