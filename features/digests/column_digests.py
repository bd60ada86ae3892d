"""Digests of the columns of subjects, linked records and earlier events."""

from collections.abc import Callable
from functools import cache, partial

from features.derived.beside_subject import (
    IS_SUPERSEDED,
    PREVIOUS,
    subject_key,
    with_previous,
    with_versions,
)
from features.derived.document import shipment_permits
from features.derived.drifting import drift_cell
from features.derived.goods_item import are_of_other_goods
from features.derived.shipment import join_journeys
from features.derived.subject import LATEST_FIELDS, derived_columns
from features.derived.transaction import derive_payment
from features.digests.code import code_digest, combined, source_digest
from features.digests.program_digests import output_digests
from features.engine.batch.amendments import amendments_of
from features.engine.columns import Column, Places, kinds_of
from features.engine.expressions.program import Key, traced_columns
from features.engine.expressions.trace import Mapped
from features.engine.string_table import STRING_TABLE
from features.engine.windows.record_history import RecordHistory
from features.engine.windows.reducers import Reducer
from features.engine.windows.window_declaration import NETWORK, Window
from features.errors import TidegateError
from features.linked_records import (
    LINKED_RECORD_TYPES,
    LinkedRecordType,
    latest_by_subject,
    linked_before,
)
from features.networks.links import LINKS, PARTY_OUTCOMES, VALUES_OF_RESULTS
from features.records import RECORD_FILES, Position, SubjectKind, Transaction
from features.reference.currencies import (
    first_of_currency,
    known_currencies,
    months,
    rate_by_month,
    round_unit,
)
from features.reference.de_minimis import de_minimis_eur, de_minimis_limits
from features.reference.geography.places import (
    content_digest,
    country,
    latitude,
    longitude,
    place_table,
)
from features.reference.geography.ports import nearest_port_km
from features.reference.goods_names import names_digest
from features.reference.reporting_limits import reporting_limit, reporting_limits
from features.subject_types import SUBJECT_TYPES

_SUBJECTS = {subject_type.record_file: kind for kind, subject_type in SUBJECT_TYPES.items()}
_OUTCOMES = {subject_type.outcome_source: kind for kind, subject_type in SUBJECT_TYPES.items()}
PAYMENTS, PERMITS, PAID_OUTCOMES = "payments", "shipment_permits", "paid_outcomes"
DRIFTS = "drifts"
_OF_THE_OUTCOME = ("record_id", "known_at", "is_confirmed")

# Functions that make the events of a source of payments or inspections.
_OUTCOME_FUNCTIONS = {
    PAID_OUTCOMES: ("outcome_events", "paid_outcome_events"),
    LINKS: ("equal_pairs",),
    PARTY_OUTCOMES: ("equal_pairs", "outcome_events"),
}
# Files that decide which parties are linked, and what that says of a subject.
_OF_NETWORKS = ("networks/links.py", "networks/neighbourhood.py")

# Functions of a place code, and the column of the place table that each reads.
_OF_PLACES = {country: "country", latitude: "latitude", longitude: "longitude"}


def _currencies_and_months() -> tuple[str, ...]:
    return (*known_currencies(), *months())


def _round_units() -> tuple[str, ...]:
    return tuple(f"{currency} {round_unit(currency)}" for currency in known_currencies())


def _limits() -> tuple[str, ...]:
    return tuple(f"{currency} {limit}" for currency, limit in reporting_limits().items())


def _de_minimis() -> tuple[str, ...]:
    return tuple(f"{country} {limit}" for country, limit in de_minimis_limits().items())


# Functions of a currency or country, and a function that returns the table each reads.
_OF_CURRENCIES: dict[Callable[[str], object], Callable[[], tuple[str, ...]]] = {
    first_of_currency: _currencies_and_months,
    round_unit: _round_units,
    reporting_limit: _limits,
    de_minimis_eur: _de_minimis,
}


# Used only to find rows. They count by name, since their code does not affect values.
_BY_NAME = (STRING_TABLE, Places, amendments_of)

# Files that decide during which time each version of a record counts.
_ENDS_VERSIONS = ("engine/batch/amendments.py", "engine/windows/lifetimes.py")


@cache
def subject_column(kind: SubjectKind, name: str) -> str:
    """Return the digest of a column of subjects of one kind.

    Raises TidegateError, like the functions below, if there is no such column.
    """
    if name in (digests := _derived_digests(kind)):
        return digests[name]
    if name in LATEST_FIELDS:
        latest = LATEST_FIELDS[name]
        columns = filter(None, (latest.field, latest.where))
        read = (event_column(kind, latest.record_file, column) for column in columns)
        return combined(code_digest(latest_by_subject, _BY_NAME), *read)
    subject_type = SUBJECT_TYPES[kind]
    if subject_type.has_journey and name.startswith("journey_") and name != "journey_id":
        field = _field("journeys", name.removeprefix("journey_"))
        return combined(code_digest(join_journeys, _BY_NAME), field)
    return _field(subject_type.record_file, name)


@cache
def event_column(kind: SubjectKind, source: str, name: str) -> str:
    """Return the digest of a column of a source's events, as read for subjects of one kind."""
    if source == NETWORK:
        return history_column(PARTY_OUTCOMES if name in VALUES_OF_RESULTS else LINKS, name)
    if source not in LINKED_RECORD_TYPES:
        return history_column(source, name)
    columns = _linked_digests(kind, source)
    if name not in columns:
        raise TidegateError(f"{source} have no column {name!r} that a digest could name")
    return combined(_choice_digest(source), columns[name])


@cache
def history_column(source: str, name: str) -> str:
    """Return the digest of a column of earlier events, as the online feature store keeps it."""
    if source in _SUBJECTS:
        return subject_column(_SUBJECTS[source], "subject_id" if name == "record_id" else name)
    if source in _OUTCOMES:
        is_own = name in _OF_THE_OUTCOME
        column = name if is_own else subject_column(_OUTCOMES[source], name)
        return combined(source_digest("derived/outcome.py", "outcome_events"), column)
    if source == PAYMENTS:
        return _payment_digests().get(name) or _field("transactions", name)
    if source == PERMITS:
        field = {"known_at": "received_at", "record_id": "document_id"}.get(name, name)
        return combined(code_digest(shipment_permits, _BY_NAME), _field("documents", field))
    if source in _OUTCOME_FUNCTIONS:
        functions = map(partial(source_digest, "derived/outcome.py"), _OUTCOME_FUNCTIONS[source])
        files = _OF_NETWORKS if source in (LINKS, PARTY_OUTCOMES) else ()
        return combined(*functions, *map(source_digest, files), name)
    if source == DRIFTS:
        field = Position.known_from if name == "known_at" else name
        return _field_or_measure(LINKED_RECORD_TYPES["positions"], field)
    of_anyone = (PAYMENTS, PERMITS, PAID_OUTCOMES, DRIFTS, LINKS, PARTY_OUTCOMES)
    sources = ", ".join([*_SUBJECTS, *_OUTCOMES, *of_anyone, *LINKED_RECORD_TYPES])
    raise TidegateError(f"a window reads {source!r}, which is not a source of events: {sources}")


@cache
def _derived_digests(kind: SubjectKind) -> dict[Key, str]:
    record = SUBJECT_TYPES[kind].record_file
    return output_digests(derived_columns(kind), partial(input_digest, partial(_field, record)))


@cache
def _payment_digests() -> dict[Key, str]:
    program = traced_columns(derive_payment, kinds_of(Transaction))
    return output_digests(program, partial(input_digest, partial(_field, "transactions")))


@cache
def _choice_digest(source: str) -> str:
    """Return the digest of the rules that select linked records and order them."""
    record_type = LINKED_RECORD_TYPES[source]
    beside = with_versions if record_type.version_of else with_previous
    previous = code_digest(beside, _BY_NAME) if record_type.previous else "alone"
    fields = (
        record_type.name,
        record_type.subject_field,
        record_type.known_from,
        record_type.order_field,
        *record_type.previous,
        *record_type.version_of,
        *([str(record_type.known_when_missing)] if record_type.known_when_missing else []),
    )
    ends = map(source_digest, _ENDS_VERSIONS)
    return combined(code_digest(linked_before, _BY_NAME), previous, *ends, *fields)


@cache
def _linked_digests(kind: SubjectKind, source: str) -> dict[Key, str]:
    record_type = LINKED_RECORD_TYPES[source]

    def of_input(key: Key) -> str:
        if (own := subject_key(key)) is not None:
            return input_digest(partial(subject_column, kind), own)
        return input_digest(partial(_field_or_measure, record_type), key)

    return output_digests(record_type.program(kind), of_input)


def _field_or_measure(record_type: LinkedRecordType, name: str) -> str:
    """Return the digest of a field of a linked record, or of a value measured from fields."""
    if name in record_type.histories:
        return _history_digest(record_type, record_type.histories[name])
    measured = record_type.measured.get(name.removeprefix(PREVIOUS))
    if measured is None:
        return _field(record_type.name, name)
    fields = (_field(record_type.name, field) for field in measured.fields)
    return combined(name, _measure_digest(measured.function), *fields)


def _history_digest(record_type: LinkedRecordType, history: RecordHistory) -> str:
    """Return the digest of a value computed from history.

    It covers the windows, their key and the function that combines them.
    """
    key = combined(_field(record_type.name, history.field), code_digest(history.key_of))

    def of_subject(name: str) -> str:
        return key if name == history.key else name

    windows = (
        combined(name, window_digest(window, partial(history_column, window.source), of_subject))
        for name, window in sorted(history.windows.items())
    )
    return combined(code_digest(history.function), *windows)


def window_digest(
    window: Window, event: Callable[[str], str], subject: Callable[[str], str]
) -> str:
    """Return the digest of a window, given the digests of event and subject columns."""
    pairs = zip(window.matching, window.by, strict=True)
    # Sorted: the order of key columns does not change which events match.
    keys = sorted(combined(event(of), subject(by)) for of, by in pairs)
    reads = [window.value, window.where, "known_at"]
    # Ties of the latest instant are decided by record id, so it counts for this reducer only.
    if window.reducer is Reducer.LATEST:
        reads.append("record_id")
    return combined(
        window.source,
        str(window.reducer),
        str(window.days),
        source_digest("engine/batch/reduce_windows.py"),
        source_digest("engine/windows/reducers.py"),
        source_digest("engine/batch/shared_keys.py", "keys_where"),
        subject("declared_at"),
        *("none" if name is None else event(name) for name in reads),
        *keys,
    )


def _measure_digest(function: Callable[..., Column]) -> str:
    if function is are_of_other_goods:
        return combined(source_digest("reference/goods_names.py"), names_digest())
    # These two read the place table at run time, so its contents are part of their digest.
    if function not in (nearest_port_km, drift_cell):
        return code_digest(function)
    of_table = (content_digest(name) for name in ("kind", "latitude", "longitude"))
    own = source_digest("derived/drifting.py") if function is drift_cell else ""
    return combined(own, source_digest("reference/geography/ports.py"), *of_table)


def input_digest(column: Callable[[str], str], key: Key) -> str:
    """Return the digest of a column that a program reads, or of a function of its texts."""
    if not isinstance(key, Mapped):
        return column(key)
    return combined(key.kind.name, column(str(key.key)), _function_digest(key.function))


def _function_digest(function: Callable[[str], object]) -> str:
    if function in _OF_CURRENCIES:
        # The tables count by content instead; otherwise a change in their loading code would count.
        tables = (known_currencies, months, rate_by_month, reporting_limits, de_minimis_limits)
        return combined(code_digest(function, tables), *_OF_CURRENCIES[function]())
    if function not in _OF_PLACES:
        return code_digest(function)
    return combined(code_digest(function, (place_table,)), content_digest(_OF_PLACES[function]))


def _field(record: str, name: str) -> str:
    """Return the digest of a field, by its name; `previous_` reads it from the record before."""
    if name == IS_SUPERSEDED:
        return combined("versions", record)
    if name.removeprefix("previous_") not in RECORD_FILES[record].model_fields:
        raise TidegateError(f"{record} have no column {name!r} that a digest could name")
    return combined("field", record, name)
