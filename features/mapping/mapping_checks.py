"""Check a mapping against the record types, then against the columns of its tables.

Both report all faults at once, each with its line and the nearest valid name.
"""

import zoneinfo
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from features.arrow_schema import INSTANT, Limits, arrow_schema, limits
from features.errors import nearest_of
from features.field_kinds import (
    FieldKind,
    Identifier,
    Instant,
    Money,
    Party,
    Quantity,
    kinds_of_fields,
)
from features.ingest.contract import broken_values, typed
from features.mapping.columns_read import Schemas, known_columns, source_of_column
from features.mapping.instants import UNIX_FORMATS, unknown_directives
from features.mapping.mapping import (
    TABLES,
    Fault,
    FieldMapping,
    MappingFile,
    RecordMapping,
    Scalar,
    cell_text,
    groups_of,
)
from features.mapping.toml_lines import KeyPath
from features.mapping.units import factors_of
from features.persons import describes_a_person, is_about_a_person, why_refused
from features.records import RECORD_FILES

_ONLY_FOR: dict[str, tuple[str, tuple[type[FieldKind], ...]]] = {
    "unit": ("a quantity or an amount", (Quantity, Money)),
    "pseudonym": ("a party or an identifier", (Party, Identifier)),
    "format": ("an instant", (Instant,)),
    "zone": ("an instant", (Instant,)),
    "plus": ("an instant", (Instant,)),
}


def check_mapping(mapping: MappingFile) -> None:
    """Check a mapping against the record types; raises TidegateError."""
    faults = [*_faults_of_tables(mapping)]
    if not mapping.records:
        faults.append(((), f"no record type is mapped; there are {', '.join(RECORD_FILES)}"))
    for record in mapping.records:
        faults += _faults_of_record(mapping, record)
    mapping.refuse(faults)


def check_columns(mapping: MappingFile, schemas: Schemas) -> None:
    """Check a mapping against the columns of its tables; raises TidegateError."""
    known = known_columns(mapping, schemas)
    faults = [*_naive_faults(mapping, schemas)]
    for name, table in mapping.tables.items():
        for key, named in (("split", [*table.split]), ("drop", table.drop)):
            for column in named if name in known else ():
                path: KeyPath = (TABLES, name, key, column)
                faults += _faults_of_column(path, column, known[name])
                # Dropping a column about a person is right; splitting would read it.
                if key == "split" and is_about_a_person(column):
                    faults.append((path, _about_a_person(column)))
    for record in mapping.records:
        for column, path in record.reads():
            table_name, own = source_of_column(record, column, known)
            faults += _faults_of_column(path, own, known.get(table_name, set()))
            # A count of persons may have a column named after them, unless it describes one.
            is_refused = describes_a_person if _counts_persons(record, path) else is_about_a_person
            if is_refused(own):
                faults.append((path, _about_a_person(own)))
    mapping.refuse(faults)


def _faults_of_column(path: KeyPath, column: str, known: set[str]) -> Iterator[Fault]:
    if column not in known:
        yield path, f"there is no column {column!r}; {nearest_of(column, known or ['none'])}"


def _counts_persons(record: RecordMapping, path: KeyPath) -> bool:
    """Return whether a field counts people, as a column of passengers may."""
    kind = kinds_of_fields(RECORD_FILES[record.name]).get(str(path[-1]))
    return isinstance(kind, Quantity) and kind.unit == "persons"


def _about_a_person(column: str) -> str:
    return f"the column {column!r} is about a person, which no record takes; drop it"


def _faults_of_tables(mapping: MappingFile) -> Iterator[Fault]:
    read = mapping.tables_read
    for name, table in mapping.tables.items():
        at = (TABLES, name)
        if name not in read:
            yield at, f"no record comes from the table {name!r}; there are {', '.join(read)}"
        yield from _faults_of_zone((*at, "zone"), table.zone)
        for column, pattern in table.split.items():
            yield from _faults_of_pattern((*at, "split", column), pattern)


def _faults_of_pattern(path: tuple[str, ...], pattern: str) -> Iterator[Fault]:
    if not groups_of(pattern):
        yield path, "want a pattern with named groups, as in '(?P<FROM>\\w{5})-(?P<TO>\\w{5})'"
        return
    try:
        # Compiled by Arrow, because its dialect (RE2) differs from Python's.
        pc.extract_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        yield path, f"the pattern cannot be read: {str(error).partition(':')[2].strip()}"


def _faults_of_zone(path: KeyPath, zone: str | None) -> Iterator[Fault]:
    if zone is not None and zone not in (zones := zoneinfo.available_timezones()):
        nearest = nearest_of(zone, zones)
        # Without a near one, all hundreds of zones would be listed.
        wanted = nearest if nearest.startswith("the nearest") else "want one as in 'Europe/Lisbon'"
        yield path, f"there is no time zone {zone!r}; {wanted}"


def _faults_of_record(mapping: MappingFile, record: RecordMapping) -> Iterator[Fault]:
    of_type = RECORD_FILES[record.name]
    for name, each in record.fields.items():
        path = (*record.at, name)
        if name not in of_type.model_fields:
            yield path, f"{why_refused(name)}; {nearest_of(name, of_type.model_fields)}"
            continue
        for what in _wrong_with(mapping, record, name, each):
            yield path, f"{record.name}.{name}: {what}"
    for name, field in of_type.model_fields.items():
        if field.is_required() and name not in record.fields and not fills_currency(record, name):
            yield record.at, f"{record.name}.{name} is required, and nothing says where it is"


def fills_currency(record: RecordMapping, currency_field: str) -> FieldMapping | None:
    """Return the mapping of the amount whose unit implies the currency; None if there is none."""
    kinds = kinds_of_fields(RECORD_FILES[record.name])
    for name, each in record.fields.items():
        kind = kinds.get(name)
        if isinstance(kind, Money) and kind.currency_field == currency_field and each.unit:
            return each
    return None


def _naive_faults(mapping: MappingFile, schemas: Schemas) -> Iterator[Fault]:
    """Yield faults of timestamps and dates that have neither an offset nor a zone."""
    known = known_columns(mapping, schemas)
    for record in mapping.records:
        fields = arrow_schema(RECORD_FILES[record.name])
        zone = mapping.table(record.head.table).zone
        for name, each in record.fields.items():
            if each.zone or zone or fields.field(name).type != INSTANT:
                continue
            for column in each.reads:
                table, own = source_of_column(record, column, known)
                if own in schemas[table].names and _is_naive(schemas[table].field(own).type):
                    what = f"{record.name}.{name}: {column!r} tells no offset; give a zone"
                    yield (*record.at, name), what


def _is_naive(kind: pa.DataType) -> bool:
    is_naive = pa.types.is_timestamp(kind) and kind.tz is None
    return bool(is_naive or pa.types.is_date(kind))


def _wrong_with(
    mapping: MappingFile, record: RecordMapping, name: str, each: FieldMapping
) -> Iterator[str]:
    of_type = RECORD_FILES[record.name]
    kind, want = kinds_of_fields(of_type).get(name), arrow_schema(of_type).field(name)
    limit = limits(of_type)[name]
    if sum(one is not None for one in (each.column, each.columns, each.constant)) != 1:
        yield "want one of column, columns and constant"
    for option, (what, fitting) in _ONLY_FOR.items():
        if getattr(each, option) is not None and not isinstance(kind, fitting):
            yield f"{option} is for {what}"
    if each.zero_pad and not pa.types.is_string(want.type):
        yield "zero_pad is for codes and ids"
    if isinstance(kind, Instant):
        yield from _wrong_instant(mapping, record, each)
    yield from _wrong_unit(each.unit, kind)
    yield from _wrong_values(mapping, each, want, limit)


def _wrong_unit(unit: str | None, kind: FieldKind | None) -> Iterator[str]:
    units = factors_of(kind)
    if unit is None or not units or unit in units:
        return
    is_money = isinstance(kind, Money)
    nearest = (
        "want a currency as in EUR, kEUR, MEUR or cEUR" if is_money else nearest_of(unit, units)
    )
    yield f"there is no unit {unit!r}; {nearest}"


def _wrong_instant(
    mapping: MappingFile, record: RecordMapping, each: FieldMapping
) -> Iterator[str]:
    zone = each.zone or mapping.table(record.head.table).zone
    yield from (what for _, what in _faults_of_zone((), each.zone))
    if each.format is None or each.format in UNIX_FORMATS:
        return
    if unknown := unknown_directives(each.format):
        yield f"the format has {unknown[0]}, which is none of %Y %m %d %H %M %S and their like"
    if zone is None:
        yield "a format tells no offset; give a zone, as in 'Europe/Lisbon'"


def _wrong_values(
    mapping: MappingFile, each: FieldMapping, want: pa.Field, limit: Limits
) -> Iterator[str]:
    """Yield the faults of constants and codes that the mapping itself contains."""
    said: list[Scalar] = [
        one for one in (each.constant, each.when_empty, each.otherwise) if one is not None
    ]
    try:
        codes = mapping.codes_of(each)
    except ValueError as error:
        yield str(error)
        codes = None
    if codes is None and each.otherwise is not None:
        yield "otherwise is for what a list of codes does not hold"
    for value in dict.fromkeys([*said, *(codes or {}).values()]):
        # The same checks as for rows, so that a constant cannot refuse every row later.
        column, wrong = typed(pa.chunked_array([pa.array([cell_text(value)])]), want)
        broken = [what for what, flags in broken_values(column, limit) if pc.any(flags).as_py()]
        if wrong is not None:
            yield f"{value!r} is no {want.type}"
        elif broken:
            nearest = f"; {nearest_of(str(value), limit.choices)}" if limit.choices else ""
            yield f"{value!r} {broken[0]}{nearest}"
