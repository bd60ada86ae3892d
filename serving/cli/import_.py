"""`tidegate import`: tables of an agency become record files, by a mapping."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serving.cli.options import DEFAULT_HOME, Home, Json
from serving.cli.output import messages, print_json, progress_bar

if TYPE_CHECKING:
    from features.ingest.mapping.import_tables import ImportReport
    from features.ingest.mapping.mapping import MappingFile

PLACES_SHOWN = 20


def import_(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[INPUT]...",
            help="CSV, Parquet or NDJSON files, or the URL of a database; TABLE=FILE where the "
            "mapping has several tables.",
        ),
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="The mapping: a TOML file, as docs/importing.md tells.")
    ] = None,
    draft: Annotated[
        Path | None, typer.Option(help="Write a proposal of a mapping into this file instead.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of record files to write; replaced when all is read."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 if a row would be refused.")
    ] = False,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Make record files of an agency's own tables, as a mapping says.

    Rows that break the contract of records are set aside in DIR/quarantine, and the others used.
    """
    if (mapping is None) == (draft is None):
        raise typer.BadParameter("want one of --mapping and --draft")
    if draft is not None:
        _draft(draft, inputs or [], as_json=as_json)
        return
    if (out is None) != check:
        raise typer.BadParameter("want either --out DIR or --check")
    assert mapping is not None
    report = _imported(mapping, inputs or [], out, home)
    if as_json:
        print_json(_document(report, out))
    else:
        for line in _lines(report, out):
            messages.print(line, markup=False, soft_wrap=True)
    if check and report.refused:
        raise typer.Exit(1)


def _imported(file: Path, inputs: list[str], out: Path | None, home: Path) -> "ImportReport":
    from features.ingest.mapping.import_tables import import_tables
    from features.ingest.mapping.inputs import open_inputs
    from features.ingest.mapping.mapping import MappingFile
    from features.ingest.mapping.source_tables import SourceTable

    def open_database(url: str, table: Any) -> SourceTable:
        from serving.db.foreign_table import ForeignTable

        return ForeignTable(url, table)

    mapping = MappingFile.read(file)
    sources = open_inputs(mapping, inputs, open_database)
    with progress_bar("inputs read") as progress:
        return import_tables(mapping, sources, out, _key(mapping, home), progress)


def _key(mapping: "MappingFile", home: Path) -> bytes | None:
    """The first key of the home's pseudonyms: records from before a rotation have its names."""
    if not mapping.makes_pseudonyms:
        return None
    from features.home_keys import PSEUDONYMS, former_keys, read_key

    folder = home / "keys"
    return (read_key(folder, PSEUDONYMS), *former_keys(folder, PSEUDONYMS))[-1]


def _draft(file: Path, inputs: list[str], *, as_json: bool) -> None:
    from features.ingest.mapping.drafting.mapping_draft import write_draft

    drafted = write_draft(file, inputs)
    if as_json:
        print_json({"mapping": str(file)} | drafted.as_json())
    else:
        messages.print(f"{file}: {drafted.summary()}", markup=False, soft_wrap=True)


def _document(report: "ImportReport", out: Path | None) -> dict[str, Any]:
    from features.ingest.mapping.import_tables import QUARANTINE

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
    """Of an import the first of the rows, which are in the quarantine; of a check, more."""
    from features.ingest.mapping.import_tables import QUARANTINE

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
