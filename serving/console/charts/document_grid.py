"""Comparison of the declaration with every document, with their differences."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Self

from features.submission import AttachedDocument, Submission
from serving.language import reading, say, say_word
from serving.review.letters.filed_papers import declared_field, paper_versions

MAX_LEADING = 3

# Fields of documents in row order.
_STATED = {
    "consignor_id": "Consignor",
    "consignee_id": "Consignee",
    "container_number": "Container",
    "seal_number": "Seal",
    "packages": "Packages",
    "gross_mass_kg": "Gross mass",
    "value": "Value",
}
_OF_SHIPMENT = {"value": "declared_value"}
# Declaration fields with another name than in documents.
_OF_JOURNEY = {"gross_mass_kg": "declared_cargo_mass_kg"}

_NOTHING = (None, None)


@dataclass(frozen=True)
class GridCell:
    """Value in a document; `differs` describes the differences, if any."""

    words: str
    differs: tuple[str, ...] = ()


@dataclass(frozen=True)
class GridColumn:
    """Newest version of a document; instants are None if not stated."""

    document_id: str
    name: str
    number: str | None
    version: int
    issuer: str | None
    issued_at: datetime | None
    expires_at: datetime | None
    received_at: datetime
    is_expired: bool


@dataclass(frozen=True)
class GridRow:
    """One field: its declared value, and its value in each document."""

    name: str
    declared: str
    cells: tuple[GridCell, ...]


@dataclass(frozen=True)
class DocumentGrid:
    """Declaration by documents; without columns if no document was filed."""

    columns: tuple[GridColumn, ...]
    rows: tuple[GridRow, ...]

    @classmethod
    def from_submission(cls, submission: Submission) -> Self:
        """Return the grid of a submission's documents, in order of receipt."""
        filed = sorted(submission.standing("documents"), key=lambda d: (d.received_at, d.version))
        papers = paper_versions(filed)
        columns = tuple(_column(each, submission.declared_at) for each in papers)
        rows = (_row(name, submission, papers) for name in _STATED)
        said = tuple(row for row in rows if row.declared or any(cell.words for cell in row.cells))
        return cls(columns, said if columns else ())

    @property
    def differences(self) -> int:
        """Number of cells that differ from the declaration, another version or another document."""
        return sum(bool(cell.differs) for row in self.rows for cell in row.cells)

    @property
    def leading_differences(self) -> list[tuple[str, str, GridCell]]:
        """First MAX_LEADING cells that differ, each with its field and document."""
        found = (
            (row.name, column.name, cell)
            for row in self.rows
            for column, cell in zip(self.columns, row.cells, strict=True)
            if cell.differs
        )
        return list(islice(found, MAX_LEADING))


def _column(filed: list[AttachedDocument], declared_at: datetime) -> GridColumn:
    newest = filed[-1]
    return GridColumn(
        newest.document_id,
        say_word(newest.kind),
        newest.number,
        newest.version,
        newest.issuer_id,
        newest.issued_at,
        newest.expires_at,
        newest.received_at,
        newest.expires_at is not None and newest.expires_at < declared_at,
    )


def _row(name: str, submission: Submission, documents: list[list[AttachedDocument]]) -> GridRow:
    declared = _declared(name, submission)
    newest = [filed[-1] for filed in documents]
    cells = []
    for filed in documents:
        # Some documents describe only a part of the goods and cannot be compared.
        is_alike = declared_field(submission.subject, newest, filed[-1], name) is not None
        differences = _differences(name, declared if is_alike else _NOTHING, filed)
        cells.append(GridCell(_words(name, filed[-1]), tuple(differences)))
    return GridRow(_STATED[name], stated_in_words(name, *declared), tuple(cells))


def _declared(name: str, submission: Submission) -> tuple[object, str | None]:
    """Return the declared value, and its currency for money."""
    if shipment := submission.shipment:
        return getattr(shipment, _OF_SHIPMENT.get(name, name), None), shipment.currency
    return getattr(submission.journey, _OF_JOURNEY.get(name, name), None), None


def _differences(
    name: str, declared: tuple[object, str | None], filed: list[AttachedDocument]
) -> Iterator[str]:
    *earlier, newest = filed
    value = getattr(newest, name)
    expected, currency = declared
    is_other_money = name == "value" and None not in (currency, newest.currency)
    is_other_money = is_other_money and currency != newest.currency
    if None not in (value, expected) and (is_other_money or value != expected):
        share = "" if is_other_money else difference_in_words(value, expected)
        yield say("declared {value}", value=f"{stated_in_words(name, expected, currency)}{share}")
    for before in earlier[-1:]:
        said = getattr(before, name)
        # What an amendment removed leads to the earlier version that stated it.
        if said is not None and said != value:
            stated = f"{_words(name, before)}{difference_in_words(value, said)}"
            yield say("version {version}: {value}", version=before.version, value=stated)


def difference_in_words(value: object, expected: object) -> str:
    """Return a relative difference in whole percent; empty if unknown or rounded to 0."""
    if not isinstance(value, int | float) or not isinstance(expected, int | float) or not expected:
        return ""
    share = 100 * (value - expected) / expected
    return f" ({share:+.0f} %)".replace("-", "−") if abs(share) >= 0.5 else ""


def _words(name: str, document: AttachedDocument) -> str:
    return stated_in_words(name, getattr(document, name), document.currency)


def stated_in_words(name: str, value: object, currency: str | None) -> str:
    """Return the value of a field as text; empty if not stated."""
    if value is None:
        return ""
    is_number = isinstance(value, float | int)
    words = reading().language.figure(f"{value:,.10g}") if is_number else str(value)
    if name == "gross_mass_kg":
        return say("{mass} kg", mass=words)
    return f"{words} {currency or say('(no currency)')}" if name == "value" else words
