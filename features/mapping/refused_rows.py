"""Count refused rows by reason, and set them aside for correction.

A line of the quarantine has the input, the row number from 1, the reasons and the record as the
mapping reads it: no columns that are not read, and pseudonyms instead of ids of a register.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.arrow_schema import limits
from features.errors import Example, Fault
from features.ingest.contract import MAX_EXAMPLES, BrokenRows, value_for_report
from features.ingest.quarantine import REPORT
from features.records import RECORD_FILES

# Rows that are listed for each reason; further ones are only counted.
MAX_PLACES = 1_000
# File of rows that could not be parsed and so belong to no record type.
UNREAD = "unread"

Places = npt.NDArray[np.int64]


@dataclass
class RefusedGroup:
    """Rows of one input refused for the same reason, with the locations of the first ones."""

    source: str
    record_type: str | None
    column: str | None
    what: str
    rows: int = 0
    places: list[Example] = field(default_factory=list)

    def add(self, row: int, value: str | None) -> None:
        """Count a row; its number is stored for the first `MAX_PLACES`."""
        self.rows += 1
        if len(self.places) < MAX_PLACES:
            self.places.append(Example(row, value))

    def fault(self) -> Fault:
        """Return the group in the form in which faults of record files are reported."""
        place = f"{self.source}: {self.record_type}" if self.record_type else self.source
        first = tuple(self.places[:MAX_EXAMPLES])
        return Fault(place, self.column, self.what, self.rows, first)

    def as_json(self) -> dict[str, Any]:
        """Return the group as plain JSON."""
        return {
            "input": self.source,
            "record_type": self.record_type,
            "column": self.column,
            "what": self.what,
            "rows": self.rows,
            "places": [{"row": each.row, "value": each.value} for each in self.places],
        }


class RefusedRows:
    """The refused rows of an import, written to a quarantine folder if there is one."""

    def __init__(self, quarantine: Path | None):
        self._quarantine = quarantine
        self._files: dict[str, IO[str]] = {}
        self._groups: dict[tuple[str, str | None, str | None, str], RefusedGroup] = {}

    @property
    def groups(self) -> list[RefusedGroup]:
        """Return the groups of refused rows, sorted by record type, column and reason."""
        return sorted(
            self._groups.values(),
            key=lambda each: (each.record_type or "", each.column or "", each.what, each.source),
        )

    def add(
        self,
        name: str,
        source: str,
        places: Places,
        broken: Sequence[BrokenRows],
        stood: Mapping[str, pa.Array],
    ) -> None:
        """Refuse rows of a block; `stood` has the original value of each field."""
        why: dict[int, list[str]] = {}
        for each in broken:
            at = np.flatnonzero(each.rows)
            self._count(name, source, each, places, at, stood.get(each.column))
            if self._quarantine is not None:
                for row in at.tolist():
                    why.setdefault(row, []).append(f"{each.column}: {each.what}")
        if why:
            rows = sorted(why)
            records = pa.table(dict(stood)).take(pa.array(rows)).to_pylist()
            self._write(name, (
                {"input": source, "row": int(places[row]), "why": why[row], "record": record}
                for row, record in zip(rows, records, strict=True)
            ))  # fmt: skip

    def add_unread(self, source: str, unread: Iterable[tuple[int, str]]) -> None:
        """Refuse rows that could not be parsed; their content is not stored."""
        for row, what in unread:
            self._group(None, source, None, what).add(row, None)
            self._write(UNREAD, [{"input": source, "row": row, "why": [what]}])

    def finish(self) -> bool:
        """Write the report if anything was refused; return whether it was."""
        for file in self._files.values():
            file.close()
        if self._quarantine is None or not self._groups:
            return False
        report = {"faults": [group.as_json() for group in self.groups]}
        (self._quarantine / REPORT).write_text(json.dumps(report, indent=1) + "\n")
        return True

    def _count(
        self, name: str, source: str, broken: BrokenRows, places: Places, at: Places,
        stood: pa.Array | None,
    ) -> None:  # fmt: skip
        limit = limits(RECORD_FILES[name]).get(broken.column)
        group = self._group(name, source, broken.column, broken.what)
        # Only the first rows are shown; the others are counted without reading their values.
        shown_rows = at[: MAX_PLACES - len(group.places)].tolist()
        for row in shown_rows:
            value = None if stood is None else value_for_report(stood[row].as_py(), limit)
            group.add(int(places[row]), value)
        group.rows += len(at) - len(shown_rows)

    def _group(self, name: str | None, source: str, column: str | None, what: str) -> RefusedGroup:
        key = (source, name, column, what)
        return self._groups.setdefault(key, RefusedGroup(source, name, column, what))

    def _write(self, name: str, lines: Iterable[dict[str, Any]]) -> None:
        if self._quarantine is None:
            return
        if name not in self._files:
            self._quarantine.mkdir(exist_ok=True)
            self._files[name] = (self._quarantine / f"{name}.ndjson").open("w", encoding="utf-8")
        for line in lines:
            print(json.dumps(line, ensure_ascii=False, default=str), file=self._files[name])
