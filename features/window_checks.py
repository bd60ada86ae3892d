"""Check the windows of the catalogue against the columns of their sources."""

from functools import cache

from features.catalogue import features_of
from features.definition import Feature
from features.derived.subject import LATEST_FIELDS, subject_kinds
from features.derived.transaction import derive_payment
from features.engine.columns import Kind, kinds_of
from features.engine.expressions.program import traced_columns
from features.engine.store.layout import STORED_REDUCERS
from features.engine.windows.reducers import Reducer
from features.engine.windows.validation import EventSource, check_window
from features.engine.windows.window_declaration import NETWORK
from features.linked_records import linked_record_types
from features.networks.links import NETWORK_VALUES, asking_columns
from features.records import Position, SubjectKind, Transaction
from features.subject_types import SUBJECT_TYPES

_ORDER = {"known_at": Kind.WHOLE, "record_id": Kind.TEXT}


@cache
def check_windows(kind: SubjectKind) -> None:
    """Check every window of the features of one kind of subject.

    Raises TidegateError with the feature, the column and the nearest valid name.
    """
    for feature in features_of(kind):
        check_windows_of(feature, kind)
    for record_type in linked_record_types(kind):
        for name, history in record_type.histories.items():
            for window in history.windows.values():
                own = {history.key: Kind.TEXT}
                check_window(f"{record_type.name}, {name}", window, own, _history_sources())


def check_windows_of(feature: Feature, kind: SubjectKind) -> None:
    """Check the windows of one feature, which may be outside the catalogue."""
    subject, sources = subject_kinds(kind), window_sources(kind)
    for window in feature.windows.values():
        check_window(f"feature {feature.name}", window, subject, sources)


def window_sources(kind: SubjectKind) -> dict[str, EventSource]:
    """Return the sources of windows for subjects of one kind: history, and linked records."""
    linked = {
        each.name: EventSource(each.column_kinds(kind), by=("subject_id",))
        for each in linked_record_types(kind)
    }
    return _history_sources() | linked | {NETWORK: _network_source(kind)}


def _network_source(kind: SubjectKind) -> EventSource:
    keys = dict.fromkeys(asking_columns(kind), Kind.TEXT)
    values = dict.fromkeys(NETWORK_VALUES, Kind.NUMBER)
    return EventSource(keys | values, frozenset({Reducer.LATEST}), key_only=frozenset(keys))


@cache
def _history_sources() -> dict[str, EventSource]:
    payment = traced_columns(derive_payment, kinds_of(Transaction)).outputs
    columns = kinds_of(Transaction) | {name: column.kind for name, column in payment.items()}
    permit = dict.fromkeys(("subject_id", "number"), Kind.TEXT) | _ORDER
    paid_outcome = dict.fromkeys(("payer_id", "payee_id", "inspected_subject"), Kind.TEXT)
    paid_outcome |= {"is_confirmed": Kind.NUMBER} | _ORDER
    drift = kinds_of(Position) | {"drift_cell": Kind.NUMBER} | _ORDER
    sources = {
        "payments": EventSource(columns | _ORDER, STORED_REDUCERS),
        "shipment_permits": EventSource(permit, STORED_REDUCERS),
        "paid_outcomes": EventSource(paid_outcome, frozenset({Reducer.DISTINCT})),
        # Counted distinct, because the same drift may be reported twice.
        "drifts": EventSource(drift, frozenset({Reducer.DISTINCT})),
    }
    for kind, subject_type in SUBJECT_TYPES.items():
        columns = {n: k for n, k in subject_kinds(kind).items() if n not in LATEST_FIELDS} | _ORDER
        # A shipment may become known before its journey, whose columns therefore may only be keys.
        journey = frozenset(n for n in columns if n.startswith("journey_") and n != "journey_id")
        key_only = journey if subject_type.has_journey else frozenset()
        outcome = columns | {"is_confirmed": Kind.NUMBER}
        sources[subject_type.record_file] = EventSource(columns, STORED_REDUCERS, key_only=key_only)
        sources[subject_type.outcome_source] = EventSource(
            outcome, STORED_REDUCERS, key_only=key_only
        )
    return sources
