"""Convert message files to a folder of record files, with the source of every field.

The import is all or nothing: if one message is refused, nothing is written. Identical records, from
one message or several, are stored once. A document that differs between messages gets a later
version; any other record that already exists with other content is refused, never overwritten.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa

from features.arrow_schema import arrow_schema
from features.atomic_dir import written_whole
from features.errors import MessageRefused
from features.ingest.record_files import write_records
from features.messages.conversion import Conversion, MadeRecord, RefusedRecord
from features.messages.formats import convert_message
from features.messages.options import Options
from features.records import RECORD_FILES

# Records made so far, by record type and key.
Made = dict[tuple[str, Any], MadeRecord]

SOURCES, REPORT = "sources.ndjson", "report.json"


@dataclass(frozen=True)
class ImportedFile:
    """One message file with its conversion or refusal."""

    file: Path
    outcome: Conversion | MessageRefused

    def report(self) -> dict[str, Any]:
        """Return the outcome as plain JSON."""
        if isinstance(self.outcome, MessageRefused):
            why = {"place": self.outcome.place, "wanted": self.outcome.wanted}
            return {"file": str(self.file), "is_refused": True, "line": self.outcome.line, **why}
        return {"file": str(self.file), "is_refused": False, **self.outcome.report()}


def read_files(format: str, files: Iterable[Path], options: Options) -> Iterator[ImportedFile]:
    """Yield the outcome of each file in turn; raises OSError if a file cannot be opened."""
    for file in files:
        with file.open("rb") as opened:
            # One extra byte shows that a file is too large without reading all of it.
            message = opened.read(options.bounds.size + 1)
        try:
            outcome: Conversion | MessageRefused = convert_message(format, message, options)
        except MessageRefused as refusal:
            outcome = refusal
        yield ImportedFile(file, outcome)


def drop_repeated_records(imported: Sequence[ImportedFile]) -> list[ImportedFile]:
    """Return the files with repeated records removed."""
    made: Made = {}
    return [
        each
        if isinstance(each.outcome, MessageRefused)
        else replace(each, outcome=_after(made, each.outcome))
        for each in imported
    ]


def _after(made: Made, conversion: Conversion) -> Conversion:
    """Return a conversion adjusted to earlier records, and add its own records to `made`."""
    kept: list[MadeRecord] = []
    refused = list(conversion.refused)
    for record in conversion.records:
        own = _beside(record, made)
        if isinstance(own, RefusedRecord):
            refused.append(own)
        elif own is not None:
            kept.append(own)
    founded = [
        (each, _newest(each.record_type, each.named.values(), made))
        for each in conversion.withdrawals
    ]
    for withdrawal, newest in founded:
        if newest is not None and not newest.fields.get("withdrawn"):
            kept.append(_noted(withdrawal.after(newest.fields), made))
    unfounded = tuple(each for each, newest in founded if newest is None)
    return replace(conversion, records=tuple(kept), refused=tuple(refused), withdrawals=unfounded)


def _beside(record: MadeRecord, made: Made) -> MadeRecord | RefusedRecord | None:
    """Return a record in its version, a refusal if it conflicts, or None if it is a repetition."""
    if not record.key:
        return record
    if record.amended_at is not None:
        return _amending(record, made)
    # A document that differs from an earlier message gets the next free version.
    while (before := made.get((record.record_type, record.key))) is not None:
        if _content(before) == _content(record):
            return None
        if record.record_type != "documents":
            place = next(iter(record.places.values()), "")
            return RefusedRecord(record.record_type, place, ("another message made it already",))
        record = record.after(before.fields)
    return _noted(record, made)


def _amending(record: MadeRecord, made: Made) -> MadeRecord | None:
    """Return an amendment as the version after the newest; None if it changes nothing."""
    versions_of = RECORD_FILES[record.record_type].versions_of
    newest = _newest(record.record_type, [record.fields[name] for name in versions_of], made)
    if newest is None:
        return _noted(record, made)
    if not newest.fields.get("withdrawn") and _content(newest) == _content(record):
        return None
    return _noted(record.after(newest.fields), made)


def _noted(record: MadeRecord, made: Made) -> MadeRecord:
    made[record.record_type, record.key] = record
    return record


def _newest(record_type: str, named: Iterable[Any], made: Made) -> MadeRecord | None:
    """Return the newest version of a record made so far; None if there is none."""
    newest, key = None, tuple(named)
    for version in count(1):
        if (found := made.get((record_type, (*key, version)))) is None:
            break
        newest = found
    return newest


def _content(record: MadeRecord) -> dict[str, Any]:
    """Return the content of a record without receipt times, since a message may be sent twice."""
    beside = ("version", "received_at", "known_at")
    return {name: each for name, each in record.fields.items() if name not in beside}


def write_import(imported: Sequence[ImportedFile], format: str, out: Path) -> None:
    """Write the record files, the source of each field and a report; replaces `out` as a whole."""
    conversions = [
        (each.file, each.outcome) for each in imported if isinstance(each.outcome, Conversion)
    ]
    # All or nothing: readers never see part of an import.
    with written_whole(out) as folder:
        for name, record in RECORD_FILES.items():
            rows = [
                made.fields
                for _, each in conversions
                for made in each.records
                if made.record_type == name
            ]
            if rows:
                write_records(folder, name, _table(rows, record))
        with (folder / SOURCES).open("w", encoding="utf-8") as sources:
            numbers: Counter[str] = Counter()
            for file, each in conversions:
                for made in each.records:
                    numbers[made.record_type] += 1
                    source = {
                        "key": [str(part) for part in made.key],
                        "file": file.name,
                        "format": format,
                        "kind": each.kind,
                        "message_id": each.message_id,
                        "places": made.places,
                    }
                    row = {"record_type": made.record_type, "row": numbers[made.record_type]}
                    sources.write(json.dumps(row | source, default=str) + "\n")
        report = {"format": format, "files": [each.report() for each in imported]}
        (folder / REPORT).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _table(rows: list[dict[str, Any]], record: Any) -> pa.Table:
    defaults = {
        name: field.default
        for name, field in record.model_fields.items()
        if not field.is_required()
    }
    return pa.Table.from_pylist([defaults | row for row in rows], arrow_schema(record))
