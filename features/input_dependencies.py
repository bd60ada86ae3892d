"""Find the inputs of a submission that feed each feature, and the inputs that are missing.

Inputs are written as paths: `legs` are all legs, `documents.invoice` documents of one kind,
`shipment.volume_m3` a field, `journey` the journey that carries a shipment. The features that an
input feeds follow from what features, windows and derived columns read; nothing is listed by hand.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

from features.catalogue import feature_named, features_of
from features.definition import Feature
from features.derived.beside_subject import subject_key
from features.derived.document import KINDS
from features.derived.subject import LATEST_FIELDS, derived_columns
from features.engine.expressions.program import Key
from features.engine.expressions.trace import Mapped
from features.engine.windows.window_declaration import Window
from features.field_kinds import Money, kinds_of_fields
from features.linked_records import LINKED_RECORD_TYPES
from features.records import SubjectKind
from features.subject_types import SUBJECT_TYPES
from features.submission import Submission

# Inputs that an office can request if a submission lacks them, in the order of the request.
INPUTS: dict[SubjectKind, tuple[str, ...]] = {
    "route": (
        "legs",
        "transactions",
        "documents.manifest",
        "journey.booked_at",
        "journey.registration_country",
        "journey.declared_cargo_mass_kg",
        "journey.certified_capacity",
    ),
    "shipment": (
        "journey",
        "transactions",
        "documents.manifest",
        "documents.invoice",
        "documents.packing_list",
        "shipment.declared_value",
        "shipment.gross_mass_kg",
        "shipment.net_mass_kg",
        "shipment.volume_m3",
        "shipment.packages",
        "shipment.goods_description",
        "shipment.declarant_id",
        "shipment.forwarder_id",
    ),
}

# Either mass is enough for a feature that both feed, except for those below.
_MASSES = frozenset({"shipment.gross_mass_kg", "shipment.net_mass_kg"})
_NEED_BOTH_MASSES = ("tare_ratio", "net_share_to_goods_ratio_365d")


@cache
def features_fed(
    kind: SubjectKind, names: tuple[str, ...] | None = None
) -> Mapping[str, tuple[str, ...]]:
    """Return the features that each of the `INPUTS` feeds, those with fewest other inputs first.

    `names` are the features of a model in its order, by default those of the catalogue. The first
    feature's value shows whether a row had the input: see `shows_input`.
    """
    chosen = features_of(kind) if names is None else map(feature_named, names)
    features = [(feature, _read_by_feature(kind, feature)) for feature in chosen]

    def fed_by(path: str) -> tuple[str, ...]:
        fed = [
            # Features that read the input itself come first, then those with the fewest windows and
            # inputs.
            (path not in read, len(feature.windows), len(read), place, feature.name)
            for place, (feature, read) in enumerate(features)
            if _is_among(path, read)
        ]
        return tuple(name for *_, name in sorted(fed))

    return {path: fed_by(path) for path in INPUTS[kind]}


def filled_by(
    kind: SubjectKind,
    path: str,
    missing: Collection[str],
    names: tuple[str, ...] | None = None,
) -> tuple[str, ...]:
    """Return the features that one input alone would fill if all of `missing` are missing.

    A feature that also needs another missing input is not included. `names` are as in
    `features_fed`.
    """
    fed = features_fed(kind, names)
    return tuple(
        name
        for name in fed.get(path, ())
        if all(
            _is_enough_without(path, other, name)
            for other in missing
            if other != path and name in fed.get(other, ())
        )
    )


def missing_inputs(submission: Submission) -> list[str]:
    """Return the inputs of features that a submission lacks, such as `documents.invoice`.

    An amount without its currency counts as missing.
    """
    documents = {document.kind for document in submission.standing("documents")}
    return [path for path in INPUTS[submission.subject_kind] if _lacks(submission, path, documents)]


def shows_input(feature_name: str, value: float | str | None) -> bool:
    """Return whether the value of an input's first feature shows that the input was present.

    It then has a value, or one above 0 if the feature is never missing.
    """
    is_never_missing = feature_named(feature_name).when_missing.startswith("never")
    return value is not None and (not is_never_missing or value != 0)


def _read_by_feature(kind: SubjectKind, feature: Feature) -> set[str]:
    """Return the inputs from which a feature's columns and windows are computed."""
    columns = _read_by_columns(kind, feature.columns)
    windows = (_read_by_window(kind, window) for window in feature.windows.values())
    return columns.union(*windows)


def _read_by_columns(kind: SubjectKind, columns: Iterable[str]) -> set[str]:
    return {path for column in columns for path in _read_by_column(kind, column)}


@cache
def _read_by_column(kind: SubjectKind, column: str) -> frozenset[str]:
    """Return the inputs from which a column of a subject is computed."""
    subject_type = SUBJECT_TYPES[kind]
    own = subject_type.submission_field
    derived = derived_columns(kind).inputs_of_outputs
    if column in derived:
        return frozenset(f"{own}.{_name(key)}" for key in derived[column])
    if column in LATEST_FIELDS:
        latest = LATEST_FIELDS[column]
        source = f"{latest.record_file}.{latest.kind}" if latest.kind else latest.record_file
        return frozenset({source})
    if subject_type.has_journey and column.startswith("journey_") and column != "journey_id":
        return frozenset({"journey"})
    return frozenset({f"{own}.{column}"})


def _read_by_window(kind: SubjectKind, window: Window) -> set[str]:
    """Return the inputs behind a window: of its key, or linked records and compared columns."""
    if window.source not in LINKED_RECORD_TYPES:
        return _read_by_columns(kind, window.by)
    derived = LINKED_RECORD_TYPES[window.source].program(kind).inputs_of_outputs
    keys = {key for name in (window.value, window.where) for key in derived.get(name, ())}
    compared = {_name(own) for own in map(subject_key, keys) if own is not None}
    kinds = [name for name in KINDS if _asks_for(window, name)]
    records = {f"{window.source}.{name}" for name in kinds} or {window.source}
    return records | _read_by_columns(kind, compared)


def _asks_for(window: Window, document_kind: str) -> bool:
    """Return whether a window selects documents of one kind: `is_invoice`, `is_valued_invoice`."""
    asked = (window.value or "", window.where or "")
    return any(name.startswith("is_") and name.endswith(f"_{document_kind}") for name in asked)


def _name(key: Key) -> str:
    """Return the column that a key of a program stands for."""
    return str(key.key if isinstance(key, Mapped) else key)


def _is_among(path: str, paths: Collection[str]) -> bool:
    """Return whether paths contain an input itself, or all records of its type."""
    record_type, _, _ = path.partition(".")
    return path in paths or record_type in paths


def _is_enough_without(path: str, other: str, name: str) -> bool:
    if {path, other} == _MASSES:
        return name not in _NEED_BOTH_MASSES
    # A document of any kind is enough for a feature that several kinds feed.
    return path.startswith("documents.") and other.startswith("documents.")


def _lacks(submission: Submission, path: str, documents: Collection[str]) -> bool:
    """Return whether a submission lacks an input.

    `documents` are the kinds of documents in force.
    """
    whole, _, part = path.partition(".")
    if whole == "documents":
        return part not in documents
    is_linked = whole in LINKED_RECORD_TYPES
    given = submission.standing(whole) if is_linked else getattr(submission, whole)
    return _says_nothing(given, part) if part else not given


def _says_nothing(record: Any, field: str) -> bool:
    """Return whether a field is missing, or is an amount without its currency."""
    kind = kinds_of_fields(record.__class__).get(field)
    is_alone = isinstance(kind, Money) and getattr(record, kind.currency_field) is None
    return is_alone or getattr(record, field) is None
