"""Set invalid rows aside for correction instead of failing a build.

Nothing is dropped silently: every unused row is in `<record type>.ndjson` of the quarantine with
its row number, the reasons and its original content, and `report.json` counts them by file and
column. Columns that are missing, unknown or of the wrong type still stop everything.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa

from features.atomic_dir import written_whole
from features.ingest.record_files import (
    CheckedFile,
    check_record_file,
    record_file_of,
    write_records,
)
from features.ingest.record_summary import SET_ASIDE
from features.records import RECORD_FILES

REPORT = "report.json"


@contextmanager
def set_aside(records: Path, quarantine: Path) -> Iterator[Path]:
    """Yield a folder of the valid records; `quarantine` is complete before the block begins.

    Files without faults are linked, not copied. Raises RecordsError for faults that do not concern
    single rows.
    """
    with TemporaryDirectory() as usable:
        with written_whole(quarantine) as aside:
            faults = [
                fault
                for name in RECORD_FILES
                if (file := record_file_of(records, name))
                for fault in _parted(file, name, Path(usable), aside)
            ]
            (aside / REPORT).write_text(json.dumps({"faults": faults}, indent=1) + "\n")
        (Path(usable) / SET_ASIDE).write_text(json.dumps([_counted(fault) for fault in faults]))
        yield Path(usable)


def _parted(file: Path, name: str, usable: Path, aside: Path) -> list[dict[str, Any]]:
    """Write the rows of one file to the valid or the quarantined side, and return its faults."""
    checked = check_record_file(file, name)
    if checked.why:
        write_records(usable, name, _usable(checked))
        (aside / f"{name}.ndjson").write_text(_lines(checked))
    else:
        (usable / file.name).symlink_to(file.resolve())
    return [asdict(fault) for fault in checked.faults]


def _counted(fault: dict[str, Any]) -> dict[str, Any]:
    counts = {key: fault[key] for key in ("column", "what", "rows")}
    return {"record_type": Path(fault["file"]).stem, **counts}


def _usable(checked: CheckedFile) -> pa.Table:
    is_usable = np.ones(len(checked.table), dtype=np.bool_)
    is_usable[list(checked.why)] = False
    return checked.table.filter(pa.array(is_usable))


def _lines(checked: CheckedFile) -> str:
    """Return one line per row set aside: number from 1, reasons and original content."""
    rows = (
        {"row": row + 1, "why": list(why), "record": checked.as_it_stands(row)}
        for row, why in sorted(checked.why.items())
    )
    return "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows)
