"""Files of messages -> a folder of record files, with the places that every field came from.

All or nothing: where one message is refused, nothing is written. What one message says twice, or
two say alike, is one record; a document that another message states otherwise is a later version
of it, and any other record that was made already is refused, never overwritten.
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
from features.messages.formats import read_message
from features.messages.options import Options
from features.records import RECORD_FILES

# What was made before, by record type and key.
Made = dict[tuple[str, Any], MadeRecord]

SOURCES, REPORT = "sources.ndjson", "report.json"


@dataclass(frozen=True)
class ImportedFile:
    """One file of a message: what it became, or why it is refused."""

    file: Path
    outcome: Conversion | MessageRefused

    def report(self) -> dict[str, Any]:
        """The outcome as plain JSON."""
        if isinstance(self.outcome, MessageRefused):
            why = {"place": self.outcome.place, "wanted": self.outcome.wanted}
            return {"file": str(self.file), "is_refused": True, "line": self.outcome.line, **why}
        return {"file": str(self.file), "is_refused": False, **self.outcome.report()}


def read_files(format: str, files: Iterable[Path], options: Options) -> Iterator[ImportedFile]:
    """Yield what each file becomes, one after the other; a file that cannot be opened is an
    OSError.
    """
    for file in files:
        with file.open("rb") as opened:
            # One byte more tells that there are too many, without reading all of them.
            message = opened.read(options.bounds.size + 1)
        try:
            outcome: Conversion | MessageRefused = read_message(format, message, options)
        except MessageRefused as refusal:
            outcome = refusal
        yield ImportedFile(file, outcome)


def drop_repeated_records(imported: Sequence[ImportedFile]) -> list[ImportedFile]:
    """The same files, so that no two records of them are the same one."""
    made: Made = {}
    return [
        each
        if isinstance(each.outcome, MessageRefused)
        else replace(each, outcome=_after(made, each.outcome))
        for each in imported
    ]


def _after(made: Made, conversion: Conversion) -> Conversion:
    """A message after others that made records; those of its own are noted among them."""
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
    """A record beside those made before: None where one of them is the same."""
    if not record.key:
        return record
    if record.amended_at is not None:
        return _amending(record, made)
    while (before := made.get((record.record_type, record.key))) is not None:
        if _content(before) == _content(record):
            return None
        if record.record_type != "documents":
            place = next(iter(record.places.values()), "")
            return RefusedRecord(record.record_type, place, ("another message made it already",))
        record = record.after(before.fields)
    return _noted(record, made)


def _amending(record: MadeRecord, made: Made) -> MadeRecord | None:
    """Return what states a record anew: the version after the newest; None where that says the
    same.
    """
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
    """The newest version of a record, of those made before."""
    newest, key = None, tuple(named)
    for version in count(1):
        if (found := made.get((record_type, (*key, version)))) is None:
            break
        newest = found
    return newest


def _content(record: MadeRecord) -> dict[str, Any]:
    """Return what a record says, but for when it was received: a message may be sent twice."""
    beside = ("version", "received_at", "known_at")
    return {name: each for name, each in record.fields.items() if name not in beside}


def write_import(imported: Sequence[ImportedFile], format: str, out: Path) -> None:
    """Write the record files, the places of all fields and the report; replaces `out` whole."""
    conversions = [
        (each.file, each.outcome) for each in imported if isinstance(each.outcome, Conversion)
    ]
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
