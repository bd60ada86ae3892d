"""`tidegate import --mapping`: tables of an agency to record files."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from serving.cli.output import messages, print_json, progress_bar

if TYPE_CHECKING:
    from features.mapping.import_tables import ImportReport

PLACES_SHOWN = 20


def import_tables(
    mapping: Path, inputs: list[str], out: Path | None, home: Path, *, as_json: bool
) -> None:
    """Write record files from tables by a mapping, or only report without `out`.

    Exits with code 1 if a check finds a row that would be refused.
    """
    from serving.cli.rows_ahead import count_in_records

    report = _imported(mapping, inputs, out, home)
    ahead = count_in_records(out, datetime.now(UTC)) if out else None
    if as_json:
        print_json(_document(report, out) | {"declared_ahead": ahead})
    else:
        for line in _lines(report, out):
            messages.print(line, markup=False, soft_wrap=True)
    if out is None and report.refused:
        raise typer.Exit(1)


def write_draft(file: Path, inputs: list[str], *, as_json: bool) -> None:
    """Write a draft of a mapping for tables."""
    from features.mapping.drafting.mapping_draft import write_mapping_draft as write

    drafted = write(file, inputs)
    if as_json:
        print_json({"mapping": str(file)} | drafted.as_json())
    else:
        messages.print(f"{file}: {drafted.summary()}", markup=False, soft_wrap=True)


def _imported(file: Path, inputs: list[str], out: Path | None, home: Path) -> "ImportReport":
    from features.home_keys import party_key
    from features.mapping.import_tables import import_source_tables as make_records
    from features.mapping.inputs import open_inputs
    from features.mapping.mapping import MappingFile
    from features.mapping.source_tables import SourceTable

    def open_database(url: str, table: Any) -> SourceTable:
        from serving.storage.foreign_table import ForeignTable

        return ForeignTable(url, table)

    mapping = MappingFile.read(file)
    sources = open_inputs(mapping, inputs, open_database)
    with progress_bar("inputs read") as progress:
        # A mapping without parties needs no home.
        key = party_key(home / "keys") if mapping.makes_pseudonyms else None
        return make_records(mapping, sources, out, key, progress)


def _document(report: "ImportReport", out: Path | None) -> dict[str, Any]:
    from features.mapping.import_tables import QUARANTINE

    has_quarantine = out is not None and report.refused
    quarantine = {"quarantine": str(out / QUARANTINE) if out and has_quarantine else None}
    return {"out": str(out) if out else None} | report.as_json() | quarantine


def _lines(report: "ImportReport", out: Path | None) -> Iterator[str]:
    made = ", ".join(f"{rows:,} {name}" for name, rows in report.records.items())
    yield f"{out}: {made}" if out else f"would be made: {made}"
    left = {"about persons, and never read": report.about_persons, "left over": report.left_over}
    for what, tables in left.items():
        yield from (
            f"{name}: {what}: {', '.join(found)}" for name, found in tables.items() if found
        )
    if report.refused:
        yield from _lines_of_refused(report, out)


def _lines_of_refused(report: "ImportReport", out: Path | None) -> Iterator[str]:
    """Yield the refused rows: groups for an import, which has a quarantine; more for a check."""
    from features.mapping.import_tables import QUARANTINE

    if out:
        yield f"refused rows are in {out / QUARANTINE}:"
        yield from (f"  {group.fault()}" for group in report.refused)
        return
    for group in report.refused:
        rows = "row" if group.rows == 1 else "rows"
        of_type = ", ".join(filter(None, (group.record_type, group.column)))
        yield f"{group.source}: {of_type}: {group.what}, in {group.rows:,} {rows}"
        for each in group.places[:PLACES_SHOWN]:
            yield f"  row {each.row}" + (f" holds {each.value}" if each.value is not None else "")
        if group.rows > PLACES_SHOWN:
            yield f"  … and {group.rows - PLACES_SHOWN:,} more"
