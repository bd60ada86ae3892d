"""One feature of one subject: its value with what it is made of, and one-line tests of features."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from features.build_training_set import feature_column
from features.catalogue import feature_named, features_of
from features.definition import Feature, Unit
from features.engine.batch.record_blocks import RecordBlocks
from features.engine.columns import Columns, columns_of_records
from features.engine.columns import rows as rows_at
from features.engine.string_table import STRING_TABLE
from features.errors import RecordsError, TidegateError, nearest_of
from features.ingest.record_files import read_records
from features.ingest.record_folder import InMemoryRecords, RecordFolder
from features.provenance import EarlierEvents, SubmissionProvenance
from features.records import RECORD_FILES, SUBJECT_KINDS, SubjectKind
from features.replay_submissions import submissions_of
from features.scoring_instants import Instants, at_instants
from features.subject_types import SUBJECT_TYPES
from features.submission import Submission
from serving.explanation.formatting import Value
from serving.explanation.reasons_in_words import sentence
from serving.language import language_named
from tidegate.home import DEFAULT, HomeFolder

# When the subject of a test is declared, unless the test says otherwise.
DECLARED = datetime(2025, 6, 16, 12, tzinfo=UTC)
KNOWN = DECLARED - timedelta(days=1)
EARLIER = DECLARED - timedelta(days=10)

# What a test of a feature need not say of its records; other required fields it must give.
UNSAID: Mapping[str, Mapping[str, Any]] = {
    "journeys": {
        "journey_id": "J",
        "mode": "sea",
        "carrier_id": "carrier",
        "conveyance_id": "conveyance",
        "conveyance_kind": "container_ship",
        "origin": "CNSHA",
        "destination": "NLRTM",
    },
    "shipments": {
        "shipment_id": "S",
        "consignor_id": "consignor",
        "consignee_id": "consignee",
        "origin_country": "CN",
        "dispatch_country": "CN",
        "destination_country": "NL",
    },
    "legs": {"journey_id": "J", "origin": "CNSHA", "destination": "NLRTM", "known_at": KNOWN},
    "positions": {"journey_id": "J", "observed_at": KNOWN},
    "goods_items": {"shipment_id": "S", "commodity_code": "8903100000"},
    "documents": {"kind": "invoice", "received_at": KNOWN},
    "transactions": {
        "payer_id": "payer",
        "payee_id": "payee",
        "currency": "EUR",
        "method": "bank_transfer",
        "paid_at": KNOWN,
        "known_at": KNOWN,
    },
    "events": {"occurred_at": KNOWN, "known_at": KNOWN},
    "outcomes": {"selected_by": "random", "inspected_at": EARLIER, "known_at": KNOWN},
}
# The field that numbers the records of a type.
NUMBERED = {
    "documents": "document_id",
    "transactions": "transaction_id",
    "events": "event_id",
    "legs": "sequence",
    "goods_items": "number",
}

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class FeatureValue:
    """The value of a feature of one subject as of an instant, and what it is made of.

    `value` is in `unit`; None if it is missing. `declared` holds the subject's fields
    that it reads, `records` the ids of linked records by type, and `earlier_events` the groups of
    events of others in history.
    """

    feature: str
    subject_id: str
    at: datetime
    value: Value
    unit: Unit
    declared: Mapping[str, Any]
    records: Mapping[str, tuple[str, ...]]
    earlier_events: tuple[EarlierEvents, ...]

    def in_words(self, language: str = "en") -> str:
        """Return the value as reviewers read it; of a missing one the cause."""
        return sentence(feature_named(self.feature), self.value, language_named(language))


def show_feature(
    feature: str,
    subject: str,
    *,
    at: datetime | None = None,
    records: str | Path | None = None,
    home: str | Path = DEFAULT,
) -> FeatureValue:
    """Return the value of a feature of one subject as of an instant, and the records behind it.

    `at` is the declaration without; records known at that instant or later do not count. `records`
    is a folder of record files, that of the home without. All records are read, so it takes as
    long as building a training set. Raises UnknownFeature with the nearest names, RecordsError for
    an unknown subject, and ValueError if `at` is before the declaration or has no time zone.
    """
    wanted = feature_named(feature)
    folder = Path(records) if records else HomeFolder(Path(home)).records
    kind = _kind_of(subject, folder)
    if at is not None and at.tzinfo is None:
        raise ValueError("`at` has no time zone; want one, such as datetime(…, tzinfo=UTC)")
    submission = _submission(subject, kind, folder, {})
    if at is not None:
        if at < submission.declared_at:
            raise ValueError(f"declared at {submission.declared_at}; want a later `at`")
        submission = _submission(subject, kind, folder, {subject: [at]})
    row = _row(kind, RecordFolder(folder), subject, at, wanted)
    behind = SubmissionProvenance(submission).feature(wanted)
    return FeatureValue(
        feature,
        subject,
        submission.scoring_instant,
        _value(row, wanted),
        wanted.unit,
        {name: _declared(submission, name) for name in behind.declared},
        behind.records,
        behind.earlier_events,
    )


def compute_feature(
    feature: str | Feature,
    subject: SubjectKind | None = None,
    *,
    records: str | Path | None = None,
    home: str | Path = DEFAULT,
) -> "pd.Series[Any]":
    """Return the value of a feature for every subject of a kind, by id, as of its declaration.

    The feature may be one of a notebook, which is in no catalogue yet. `subject` is its own kind
    without, `records` the folder of the home. Raises TidegateError as loading a feature does.
    """
    wanted = feature if isinstance(feature, Feature) else feature_named(feature)
    folder = Path(records) if records else HomeFolder(Path(home)).records
    table = feature_column(wanted, subject or wanted.subjects[-1], RecordFolder(folder))
    return (
        table.select(["subject_id", wanted.name]).to_pandas().set_index("subject_id")[wanted.name]
    )


def assure_feature(
    feature: str | Feature,
    *,
    given: Mapping[str, Rows | Mapping[str, Any]],
    expect: Value,
    at: datetime | None = None,
) -> None:
    """Raise AssertionError, in words, unless records give a feature the expected value.

    `given` has rows by record file: `{"shipments": {"gross_mass_kg": 900.0, "packages": 30}}`. The
    subject is the first shipment, or else the first journey; others are earlier ones. What a test
    does not say is `UNSAID`, and links of records are to the subject. `expect` is None for missing;
    numbers may differ by two millionths. The feature may be one of a notebook. Raises
    UnknownFeature, and ValueError for a row that is no record.

    >>> given = {"shipments": {"gross_mass_kg": 900.0, "packages": 30}}
    >>> assure_feature("mass_per_package_kg", given=given, expect=30.0)
    """
    wanted = feature if isinstance(feature, Feature) else feature_named(feature)
    kind: SubjectKind = "shipment" if "shipments" in given else "route"
    named = {name: [rows] if isinstance(rows, Mapping) else rows for name, rows in given.items()}
    if unknown := [name for name in named if name not in RECORD_FILES]:
        raise ValueError(
            f"{unknown[0]!r} is no record file; {nearest_of(unknown[0], RECORD_FILES)}"
        )
    subject_type = SUBJECT_TYPES[kind]
    named.setdefault(subject_type.record_file, [{}])
    records = {}
    for name, record in RECORD_FILES.items():
        rows = [_told_in_full(name, row, at, kind) for at, row in enumerate(named.get(name, ()))]
        records[name] = columns_of_records([record(**row) for row in rows], record)
    subject = named[subject_type.record_file][0]
    subject_id = subject.get(subject_type.id_field, subject_type.id_field[0].upper())
    found = _value(_row(kind, InMemoryRecords(records), subject_id, at, wanted), wanted)
    if not _is_same(found, expect):
        raise AssertionError(
            f"{wanted.name} is {found!r}, expected {expect!r}: {sentence(wanted, found)}"
        )


def _kind_of(subject: str, records: Path) -> SubjectKind:
    for kind in reversed(SUBJECT_KINDS):
        subject_type = SUBJECT_TYPES[kind]
        ids = read_records(records, subject_type.record_file)[subject_type.id_field]
        if subject in ids.to_pylist():
            return kind
    raise RecordsError(f"{records}: there is no journey or shipment {subject!r}")


def _submission(subject: str, kind: SubjectKind, records: Path, later: Instants) -> Submission:
    """Return a subject as submitted at the last of its instants, or at its declaration."""
    found = [*submissions_of(records, kind, later=later, among=pa.array([subject]))]
    if not found:
        raise RecordsError(f"{records}: every version of {subject!r} was withdrawn")
    return found[-1]


def _row(
    kind: SubjectKind, records: RecordBlocks, subject: str, at: datetime | None, feature: Feature
) -> dict[str, Any]:
    """Return a feature of one subject, as of an instant or its declaration."""
    if kind not in feature.subjects:
        names = nearest_of(feature.name, (each.name for each in features_of(kind)))
        raise TidegateError(f"{feature.name} is no feature of a {kind}; {names}")
    code = STRING_TABLE.code(subject)

    def select(subjects: Columns) -> Columns:
        own = rows_at(subjects, subjects["subject_id"] == code)
        return own if at is None else at_instants({subject: [at]})(own)

    row: dict[str, Any] = feature_column(feature, kind, records, select).to_pylist()[-1]
    return row


def _value(row: Mapping[str, Any], feature: Feature) -> Value:
    value: Value = row[feature.name]
    return value


def _declared(submission: Submission, name: str) -> Any:
    """Return a field of the declared subject, or of the journey that brings it."""
    if hasattr(submission.subject, name):
        return getattr(submission.subject, name)
    return getattr(submission.journey, name.removeprefix("journey_"), None)


def _told_in_full(name: str, row: Mapping[str, Any], at: int, kind: SubjectKind) -> dict[str, Any]:
    """Return a row with what the test leaves unsaid; `at` is its place, the subject's is 0."""
    unsaid = dict(UNSAID[name])
    fields = RECORD_FILES[name].model_fields
    if "subject_id" in fields:
        unsaid |= {"subject_kind": kind, "subject_id": "S" if kind == "shipment" else "J"}
    if name in ("journeys", "shipments"):
        is_subject = at == 0 and (name == "shipments") == (kind == "shipment")
        is_carrier = at == 0 and not is_subject
        unsaid["declared_at"] = (
            DECLARED if is_subject else DECLARED - timedelta(hours=1) if is_carrier else EARLIER
        )
        if at:
            identity = "journey_id" if name == "journeys" else "shipment_id"
            unsaid[identity] = f"{unsaid[identity]}-{at + 1}"
        if name == "journeys":
            unsaid["due_at"] = row.get("declared_at", unsaid["declared_at"]) + timedelta(days=10)
    if field := NUMBERED.get(name):
        unsaid[field] = (
            at + 1 if fields[field].annotation is int else f"{field[0].upper()}-{at + 1}"
        )
    return unsaid | dict(row)


def _is_same(found: Value, expected: Value) -> bool:
    if found is None or expected is None or isinstance(found, str) or isinstance(expected, str):
        return found == expected
    # Some inputs are kept in whole millionths.
    return math.isclose(found, expected, rel_tol=2e-6, abs_tol=1e-9)
