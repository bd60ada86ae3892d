"""Write a first mapping from the names and leading rows of tables."""

import codecs
import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from features.arrow_schema import limits
from features.atomic_dir import write_durably
from features.errors import TidegateError
from features.field_kinds import Money, kinds_of_fields
from features.mapping.block_columns import BlockColumns
from features.mapping.drafting.column_values import ColumnSample, is_iban
from features.mapping.drafting.proposals import (
    Proposal,
    RecordProposal,
    proposed_records,
)
from features.mapping.field_values import ungrouped
from features.mapping.inputs import is_url
from features.mapping.mapping import TableMapping
from features.mapping.source_tables import open_file
from features.persons import is_about_a_person
from features.records import RECORD_FILES

ROWS_LOOKED_AT = 5_000
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WITH_COMMA = re.compile(r"\"?[+-]?(\d+|\d{1,3}([. ]\d{3})+),\d+\"?")
# Numbers with decimals. A number with only a point may have thousands instead.
_WITH_POINT = re.compile(r"\"?[+-]?(\d+|\d{1,3}(, ?\d{3})+)\.\d+\"?")


@dataclass(frozen=True)
class TableDraft:
    """The proposal for one table."""

    name: str
    written: TableMapping
    about_persons: list[str]
    records: list[RecordProposal]
    left_over: list[str]


@dataclass(frozen=True)
class MappingDraft:
    """The proposal for all tables."""

    tables: list[TableDraft]

    def as_json(self) -> dict[str, Any]:
        """Return the draft as plain JSON."""
        return {
            "tables": [
                {
                    "table": table.name,
                    "records": {
                        each.name: {
                            "fields": [
                                {"field": p.field, "column": p.column, "sure": p.in_words,
                                 "why": p.why} for p in each.fields
                            ],
                            "missing": list(each.missing),
                        }
                        for each in table.records
                    },
                    "columns_about_persons": table.about_persons,
                    "columns_left_over": table.left_over,
                }
                for table in self.tables
            ]
        }  # fmt: skip

    def summary(self) -> str:
        """Return a one-line summary of the draft."""
        if not self.tables:
            return "every record type with its fields, to be filled in"
        found = [
            f"{len(each.fields)} fields of {each.name} from {table.name}"
            for table in self.tables
            for each in table.records
        ]
        return (", ".join(found) or "no record type is like the columns") + "; read it through"


def write_mapping_draft(file: Path, inputs: Sequence[str]) -> MappingDraft:
    """Write a proposed mapping of tables; without tables, an empty one to fill in.

    Raises TidegateError if a table cannot be read or the file already exists.
    """
    if file.exists():
        raise TidegateError(f"{file} is there already, and somebody may have worked on it")
    draft = MappingDraft([_table(each) for each in inputs])
    lines = _lines(draft) if inputs else _to_fill_in()
    write_durably(file, ("\n".join(lines) + "\n").encode(), replace=False)
    return draft


def _table(place: str) -> TableDraft:
    if is_url(place):
        raise TidegateError("a draft is made of files; export some rows of each table")
    file = Path(place)
    written = _written(file)
    samples, about_persons = [], []
    for sample in _samples(file, written):
        # An account number identifies a person, whatever the name of its column.
        if is_about_a_person(sample.name) or sample.share_of(is_iban) > 0.9:
            about_persons.append(sample.name)
        else:
            samples.append(sample)
    records = proposed_records(samples)
    used = {each.column for record in records for each in record.fields}
    left = [sample.name for sample in samples if sample.name not in used]
    return TableDraft(file.stem, written, about_persons, records, left)


def _written(file: Path) -> TableMapping:
    """Return the format of a file, as far as its first 64 KiB show."""
    if file.suffix.lower() not in (".csv", ".txt") or not file.is_file():
        return TableMapping()
    with file.open("rb") as opened:
        head = opened.read(1 << 16)
    text, encoding = _decoded(head)
    try:
        delimiter = csv.Sniffer().sniff(text.partition("\n")[0], ",;\t|").delimiter
    except csv.Error:
        delimiter = ","
    cells = re.split(f"[{delimiter}\r\n]", text)
    has_commas = any(map(_WITH_COMMA.fullmatch, cells)) and not any(
        map(_WITH_POINT.fullmatch, cells)
    )
    return TableMapping(encoding=encoding, delimiter=delimiter, decimal="," if has_commas else None)


def _decoded(head: bytes) -> tuple[str, str]:
    """Return the beginning of a file, and its most likely encoding."""
    marks = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
    wide = next((encoding for mark, encoding in marks.items() if head.startswith(mark)), None)
    # text has no null characters, but UTF-16 has one in each Latin letter
    if wide is None and b"\0" in head[:200]:
        wide = "utf-16-be" if head.startswith(b"\0") else "utf-16-le"
    if wide is not None:
        return head.decode(wide, errors="ignore"), wide
    try:
        # Drop the last line: a multi-byte character may be cut off at the end.
        return (head.rpartition(b"\n")[0] or head).decode(), "utf-8"
    except UnicodeDecodeError:
        return head.decode("cp1252", errors="replace"), "cp1252"


def _samples(file: Path, written: TableMapping) -> Iterator[ColumnSample]:
    source = open_file(file, written)
    names = source.schema.names
    block = next(iter(source.blocks(names)), None)
    rows = block.rows[:ROWS_LOOKED_AT] if block else source.schema.empty_table().to_batches()
    columns = BlockColumns(
        rows if block else pa.RecordBatch.from_pylist([], source.schema), written
    )
    yield from (ColumnSample(name, _numbers(columns.column(name), written)) for name in names)


def _numbers(column: pa.Array, written: TableMapping) -> pa.Array:
    """Return a column with decimal points, if all its values are numbers with decimal commas."""
    if written.decimal is None or not pa.types.is_string(column.type):
        return column
    plain, broken = ungrouped(column, written.decimal)
    return column if broken else plain


def _lines(draft: MappingDraft) -> Iterator[str]:
    yield "# A draft: after each line, how sure it is and why. Read it through, then try it with"
    yield "# `tidegate import --mapping THIS INPUT… --check`."
    for table in draft.tables:
        yield ""
        yield from _lines_of_table(table)
        for record in table.records:
            yield ""
            yield f"[{record.name}]"
            yield f"from = {_value(table.name)}"
            for each in record.fields:
                yield f"{each.field} = {_said(each)} # {each.in_words}: {each.why}"
            for name in record.missing:
                yield _to_be_said(record.name, name)
            yield from _currencies(record)
            if any("pseudonym" in each.options for each in record.fields):
                yield "# Where ids of parties are pseudonyms already, name the column alone."
        if table.left_over:
            yield ""
            yield f"# Left over of {table.name}: {', '.join(table.left_over)}"


def _lines_of_table(table: TableDraft) -> Iterator[str]:
    yield f"[tables.{_key(table.name)}]"
    for name, usual in (("delimiter", ","), ("encoding", "utf-8"), ("decimal", None)):
        if (said := getattr(table.written, name)) != usual:
            yield f"{name} = {_value(said)}" + (_OF_BYTES if said == "cp1252" else "")
    if any("format" in p.options for record in table.records for p in record.fields):
        yield 'zone = "UTC" # a guess: the zone of the clock that the table was written by'
    if split := {p.column for record in table.records for p in record.fields
                 if "first_six" in p.options}:  # fmt: skip
        pairs = ", ".join(f"{_key(c)} = {_value(_FIRST_SIX)}" for c in sorted(split))
        yield f"split = {{ {pairs} }}"
    if table.about_persons:
        yield "# These describe persons, whom no record has room for, so they are never read."
        yield f"drop = [{', '.join(map(_value, table.about_persons))}]"


_OF_BYTES = " # a guess: it is not UTF-8; cp1252 is that of Western Europe, and reads any bytes"
_FIRST_SIX = r"(?P<HS6>\d{6})\d*"


def _to_be_said(record_type: str, field: str) -> str:
    choices = limits(RECORD_FILES[record_type])[field].choices
    if choices:
        what = f"required, one of {', '.join(choices)}"
        return f'# {field} = {{ constant = "{choices[0]}" }} # {what}'
    return f'# {field} = "" # required, and no column is like it'


def _currencies(record: RecordProposal) -> Iterator[str]:
    """Yield the currency line of amounts that have neither a currency column nor a unit."""
    of_type, found = RECORD_FILES[record.name], {each.field for each in record.fields}
    for each in record.fields:
        kind = kinds_of_fields(of_type).get(each.field)
        if isinstance(kind, Money) and "unit" not in each.options:
            name = kind.currency_field
            if name not in {*found, *record.missing}:
                yield f'# {name} = {{ constant = "EUR" }} # needed beside {each.field}'


def _said(each: Proposal) -> str:
    options = dict(each.options)
    column = "HS6" if options.pop("first_six", None) else each.column
    if not options:
        return _value(column)
    said = ", ".join(f"{name} = {_value(value)}" for name, value in options.items())
    return f"{{ column = {_value(column)}, {said} }}"


def _to_fill_in() -> Iterator[str]:
    yield "# Keep the record types that your tables hold, and give each field its column."
    for name, record in RECORD_FILES.items():
        yield ""
        yield f"# [{name}] # {(record.__doc__ or '').partition(chr(10))[0]}"
        yield '# from = ""'
        for field, about in record.model_fields.items():
            need = "required: " if about.is_required() else ""
            yield f'# {field} = "" # {need}{about.description}'


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_key(key)} = {_value(each)}' for key, each in value.items())} }}"
    if isinstance(value, str) and "\\" in value and "'" not in value:
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False)
