"""`tidegate import`: external data to record files."""

from pathlib import Path
from typing import Annotated

import typer

from serving.cli.import_messages import AS_SENT, MessageOptions, import_messages, list_formats
from serving.cli.import_tables import import_tables, write_draft
from serving.cli.options import DEFAULT_HOME, Home, Json


def import_records(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[INPUT]...",
            help="Messages, a file each; or tables: CSV, Parquet or NDJSON files, or the URL of a "
            "database, as TABLE=FILE where the mapping has several.",
        ),
    ] = None,
    *,
    format: Annotated[
        str | None, typer.Option("--format", help="The standard of messages; `--list` names all.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="The mapping of tables: a TOML file (docs/importing.md).")
    ] = None,
    draft: Annotated[
        Path | None, typer.Option(help="Write a proposal of a mapping of tables into this file.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of record files to write; replaced when all is read."),
    ] = None,
    is_list: Annotated[
        bool, typer.Option("--list", help="Name the standards that can be read.")
    ] = False,
    is_check: Annotated[
        bool, typer.Option("--check", help="Only report what would be made; write nothing.")
    ] = False,
    received_at: Annotated[
        str | None,
        typer.Option(
            help=f"When the authority received the messages; now without, and `{AS_SENT}` for when "
            "each says that it was sent."
        ),
    ] = None,
    zone: Annotated[
        str, typer.Option(help="The time zone of dates and times that name none.")
    ] = "UTC",
    shipment_pattern: Annotated[
        str | None,
        typer.Option(
            help="How ids of shipments look in the references of payments and invoices: text, "
            "{digits} and {letters} with their lengths, as AC{digits:6} or {letters:2-4}-{digits}."
        ),
    ] = None,
    journey_pattern: Annotated[
        str | None,
        typer.Option(help="How ids of journeys look in the references of payments, likewise."),
    ] = None,
    heard_at: Annotated[
        str | None, typer.Option(help="When AIS sentences without a time of their own were heard.")
    ] = None,
    max_bytes: Annotated[
        int,
        typer.Option(
            envvar="TIDEGATE_MAX_MESSAGE_BYTES", min=1024, help="The largest message that is read."
        ),
    ] = 16 * 1024 * 1024,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Make record files of messages of a standard, or of an agency's own tables by a mapping.

    Parties become pseudonyms under the key of the home; no name is written. Where one message is
    wrong nothing is written; rows of tables that break the contract of records are set aside in
    DIR/quarantine, and the others used.
    """
    if is_list:
        list_formats(as_json=as_json)
        return
    if [format, mapping, draft].count(None) != 2:
        raise typer.BadParameter("want one of --format, --mapping, --draft and --list")
    if draft is not None:
        write_draft(draft, inputs or [], as_json=as_json)
        return
    # Exactly one of the two, so that nobody mistakes a check for an import.
    if (out is None) != is_check:
        raise typer.BadParameter("want either --out DIR or --check")
    if mapping is not None:
        import_tables(mapping, inputs or [], out, home, as_json=as_json)
        return
    assert format is not None
    files = _files(inputs or [])
    given = MessageOptions(
        home, received_at, zone, shipment_pattern, journey_pattern, heard_at, max_bytes
    )
    import_messages(format, files, out, given, as_json=as_json)


def _files(inputs: list[str]) -> list[Path]:
    files = [Path(each) for each in inputs]
    missing = [str(file) for file in files if not file.is_file()]
    if missing or not files:
        raise typer.BadParameter(f"want files of one message each; no file: {', '.join(missing)}")
    return files
