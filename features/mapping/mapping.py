"""The content of a mapping: its tables, and the source of each record field.

A mapping is a TOML file. `[tables.NAME]` describes the format of a table, `[codes.NAME]` is a list
of codes, and every other header is a record type, several of which (`[[documents]]`) may come from
one row. `mapping_checks` checks a mapping against record types and tables.
"""

import csv
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from features.errors import TidegateError, in_own_words, nearest_of
from features.mapping.toml_lines import KeyPath, key_lines, line_at
from features.records import RECORD_FILES

Scalar = str | bool | int | float
Codes = dict[str, Scalar]
Selection = dict[str, Scalar | list[Scalar]]
# Location of a fault in the mapping, and its description.
Fault = tuple[KeyPath, str]

TABLES, CODE_LISTS = "tables", "codes"
_FROM, _WHERE, _UNLESS, _JOIN = "from", "where", "unless", "join"
# Keys of a record type that are not fields.
OF_A_RECORD = (_FROM, _WHERE, _UNLESS, _JOIN)

_DURATION = re.compile(r"(-?[0-9]{1,6}) (day|hour|minute)s?")


def _duration(said: Any) -> Any:
    found = _DURATION.fullmatch(said) if isinstance(said, str) else None
    if found is None:
        raise ValueError("want a number of days, hours or minutes, as in '30 days'")
    return timedelta(**{f"{found[2]}s": int(found[1])})


def cell_text(value: Scalar) -> str:
    """Return a value of a mapping as a CSV file would have it.

    >>> cell_text(True), cell_text(7)
    ('true', '7')
    """
    return str(value).lower() if isinstance(value, bool) else str(value)


def groups_of(pattern: str) -> list[str]:
    """Return the columns that a pattern splits off: its named groups.

    >>> groups_of("(?P<FROM>[A-Z]{5})-(?P<TO>[A-Z]{5})")
    ['FROM', 'TO']
    """
    return re.findall(r"\(\?P<(\w+)>", pattern)


class _Part(BaseModel):
    # Strict, so that a misspelt key or a wrong type is reported instead of ignored.
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class FieldMapping(_Part):
    """The source of one field's values and their conversions, applied in this order."""

    column: str | None = None
    columns: list[str] | None = Field(None, min_length=2)
    joined_by: str = ""
    constant: Scalar | None = None
    zero_pad: int | None = Field(None, ge=2, le=64)
    codes: Codes | str | None = None
    otherwise: Scalar | None = None
    pseudonym: str | None = Field(None, pattern="^[a-z][a-z0-9_]{0,23}$")
    decimal: Literal[".", ","] | None = None
    unit: str | None = None
    format: str | None = None
    zone: str | None = None
    at_clock_change: Literal["refuse", "earlier", "later"] = "refuse"
    plus: Annotated[timedelta, BeforeValidator(_duration)] | None = None
    when_empty: Scalar | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        """Return the columns that the field reads."""
        return tuple(self.columns or filter(None, [self.column]))


class TableMapping(_Part):
    """The format of a sender's table: location, encoding and content of columns."""

    file: str | None = None
    table: str | None = None
    query: str | None = None
    delimiter: str = Field(",", min_length=1, max_length=1)
    encoding: str = "utf-8"
    empty: list[str] = Field(default_factory=list)
    decimal: Literal[".", ","] | None = None
    zone: str | None = None
    split: dict[str, str] = Field(default_factory=dict)
    drop: list[str] = Field(default_factory=list)

    @property
    def split_from(self) -> dict[str, str]:
        """Return the columns that are split off, each with its source column."""
        return {
            group: column for column, pattern in self.split.items() for group in groups_of(pattern)
        }


class _Head(_Part):
    """The keys of a record type that are not fields."""

    table: str = Field(alias=_FROM)
    where: Selection = Field(default_factory=dict)
    unless: Selection = Field(default_factory=dict)
    join: dict[str, Annotated[dict[str, str], Field(min_length=1)]] = Field(default_factory=dict)


@dataclass(frozen=True)
class RecordMapping:
    """One record per selected row of a table."""

    name: str
    at: KeyPath
    head: _Head
    fields: Mapping[str, FieldMapping]

    def reads(self) -> Iterator[tuple[str, KeyPath]]:
        """Yield every column that is read, with the key that names it."""
        for name, each in self.fields.items():
            yield from ((column, (*self.at, name)) for column in each.reads)
        for key, selection in ((_WHERE, self.head.where), (_UNLESS, self.head.unless)):
            yield from ((column, (*self.at, key, column)) for column in selection)
        for table, keys in self.head.join.items():
            for own, other in keys.items():
                yield own, (*self.at, _JOIN, table)
                yield f"{table}.{other}", (*self.at, _JOIN, table)


@dataclass(frozen=True)
class MappingFile:
    """A whole mapping as written."""

    file: Path
    tables: Mapping[str, TableMapping]
    codes: Mapping[str, Codes]
    records: tuple[RecordMapping, ...]
    lines: Mapping[KeyPath, int] = field(repr=False, default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> "MappingFile":
        """Return the mapping in a file; TidegateError lists every line that is not understood."""
        try:
            text = file.read_text(encoding="utf-8")
            document = tomllib.loads(text)
        except OSError as error:
            raise TidegateError(f"{file}: {error.strerror}") from None
        except ValueError as error:  # invalid TOML or invalid UTF-8
            raise TidegateError(f"{file}: {error}") from None
        faults: list[Fault] = []
        tables = {
            name: _part(TableMapping, said, (TABLES, name), faults)
            for name, said in _tables_in(document, TABLES, faults)
        }
        codes = {
            name: _codes(said, (CODE_LISTS, name), faults)
            for name, said in _tables_in(document, CODE_LISTS, faults)
        }
        mapping = cls(file, tables, codes, tuple(_records(document, faults)), key_lines(text))
        mapping.refuse(faults)
        return mapping

    def refuse(self, faults: list[Fault]) -> None:
        """Raise TidegateError with one line per fault, in the order of the file, if any."""
        if faults:
            placed = {(line_at(dict(self.lines), path) or 1, what): None for path, what in faults}
            raise TidegateError(
                "\n".join(f"{self.file}, line {line}: {what}" for line, what in sorted(placed))
            )

    @property
    def tables_read(self) -> dict[str, KeyPath]:
        """Return every table that records read or join, with the key that names it."""
        found: dict[str, KeyPath] = {}
        for record in self.records:
            found.setdefault(record.head.table, (*record.at, _FROM))
            for joined in record.head.join:
                found.setdefault(joined, (*record.at, _JOIN, joined))
        return found

    @property
    def makes_pseudonyms(self) -> bool:
        """Return whether the mapping needs the pseudonym key of a home."""
        return any(each.pseudonym for one in self.records for each in one.fields.values())

    def table(self, name: str) -> TableMapping:
        """Return the format of a table; the default format if it is not described."""
        return self.tables.get(name) or TableMapping()

    def codes_of(self, each: FieldMapping) -> Codes | None:
        """Return the codes of a field: its own, a list of the mapping, or a CSV file next to it.

        Raises ValueError if there are none of that name.
        """
        if not isinstance(each.codes, str):
            return each.codes
        if each.codes in self.codes:
            return self.codes[each.codes]
        file = self.file.parent / each.codes
        if not file.is_file():
            files = [other.name for other in file.parent.glob("*.csv")]
            nearest = nearest_of(each.codes, [*self.codes, *files] or ["none"])
            raise ValueError(f"there are no codes {each.codes!r}; {nearest}")
        return _codes_in(file)


def _codes_in(file: Path) -> Codes:
    """Return a map of the first column of a CSV file to its second; the first line is a header."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.reader(lines))[1:]
    if any(len(row) < 2 for row in rows):
        raise ValueError(f"{file.name}: want two columns: the code and its meaning")
    return {row[0].strip(): row[1].strip() for row in rows}


def _tables_in(
    document: dict[str, Any], key: str, faults: list[Fault]
) -> Iterator[tuple[str, Any]]:
    said = document.get(key, {})
    if not isinstance(said, dict):
        faults.append(((key,), f"{key} is no table; write [{key}.NAME]"))
        return
    yield from said.items()


def _records(document: dict[str, Any], faults: list[Fault]) -> Iterator[RecordMapping]:
    for name, said in document.items():
        if name in (TABLES, CODE_LISTS):
            continue
        if name not in RECORD_FILES:
            nearest = nearest_of(name, [*RECORD_FILES, TABLES, CODE_LISTS])
            faults.append(((name,), f"[{name}] is no record type; {nearest}"))
            continue
        # `[name]` makes one record per row, `[[name]]` several.
        is_several = isinstance(said, list)
        for number, one in enumerate(said if is_several else [said]):
            at: KeyPath = (name, number) if is_several else (name,)
            if not isinstance(one, dict):
                faults.append((at, f"{name} is no table; write [{name}]"))
                continue
            yield _record(name, at, one, faults)


def _record(name: str, at: KeyPath, said: dict[str, Any], faults: list[Fault]) -> RecordMapping:
    head = {key: value for key, value in said.items() if key in OF_A_RECORD}
    fields = {
        key: _part(
            FieldMapping, {"column": value} if isinstance(value, str) else value, (*at, key), faults
        )
        for key, value in said.items()
        if key not in OF_A_RECORD
    }
    return RecordMapping(name, at, _part(_Head, head, at, faults), fields)


def _codes(said: Any, at: KeyPath, faults: list[Fault]) -> Codes:
    if isinstance(said, dict) and all(isinstance(value, Scalar) for value in said.values()):
        return said
    faults.append((at, "a list of codes has lines as in: 1 = 'sea'"))
    return {}


def _part(model: type[Any], said: Any, at: KeyPath, faults: list[Fault]) -> Any:
    """Return a part of the mapping; if it is invalid, an empty one, with the errors in `faults`.

    Continuing lets one run report all errors.
    """
    try:
        return model.model_validate(said)
    except ValidationError as error:
        for each in error.errors(include_input=False, include_url=False):
            path = (*at, *each["loc"])
            faults.append((path, _in_words(model, at, each["loc"], each)))
        # A placeholder, so that the checks of other parts still run.
        return model.model_construct(**{_FROM: "", "table": ""} if model is _Head else {})


def _in_words(model: type[BaseModel], at: KeyPath, inside: KeyPath, error: Any) -> str:
    place = ".".join(str(key) for key in (*at, *inside[:1]))
    if error["type"] == "extra_forbidden":
        known = [field.alias or name for name, field in model.model_fields.items()]
        return f"{place} is not understood; {nearest_of(str(inside[-1]), known)}"
    if error["type"] == "model_type":
        return f"{place}: want the name of a column, or what to do as in {{ column = … }}"
    if error["type"] == "missing":
        return f"{place} is missing: the table that the rows come from"
    return f"{place}: {in_own_words(error['msg']).lower()}"
