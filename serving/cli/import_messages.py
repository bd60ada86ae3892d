"""`tidegate import --format`: standard trade messages to record files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from features.errors import TidegateError
from serving.cli.output import messages, print_json, progress_bar

if TYPE_CHECKING:
    from features.messages.id_templates import IdTemplate
    from features.messages.import_files import ImportedFile
    from features.messages.options import Options

AS_SENT = "sent"


@dataclass(frozen=True)
class MessageOptions:
    """Command-line options for files of messages."""

    home: Path
    received_at: str | None
    zone: str
    shipment_pattern: str | None
    journey_pattern: str | None
    heard_at: str | None
    max_bytes: int


def list_formats(*, as_json: bool) -> None:
    """Print the standards that can be read."""
    from features.messages.formats import FORMATS

    if as_json:
        print_json({each.name: each.messages for each in FORMATS.values()})
        return
    for each in FORMATS.values():
        typer.echo(f"{each.name:<10} {each.messages}")


def import_messages(
    format: str, files: Sequence[Path], out: Path | None, given: MessageOptions, *, as_json: bool
) -> None:
    """Read messages and write their records into a folder, or only report without one.

    Raises TidegateError if a message is refused; then nothing is written.
    """
    from features.messages.import_files import drop_repeated_records, read_files, write_import
    from serving.cli.rows_ahead import count_in_records

    options = _options(given)
    imported: list[ImportedFile] = []
    with progress_bar("messages") as progress:
        for each in read_files(format, files, options):
            imported.append(each)
            progress(len(imported), len(files))
    imported = drop_repeated_records(imported)
    refusals = [each.report() for each in imported if each.report()["is_refused"]]
    is_written = out is not None and not refusals
    if out is not None and is_written:
        write_import(imported, format, out)
    ahead = count_in_records(out, datetime.now(UTC)) if out is not None and is_written else None
    if as_json:
        reports = [each.report() for each in imported]
        print_json(
            {
                "format": format,
                "out": str(out) if is_written else None,
                "files": reports,
                "declared_ahead": ahead,
            }
        )
    else:
        for each in imported:
            _say(each.report())
    if refusals:
        number = f"{len(refusals)} of {len(imported)} messages"
        # All or nothing: a partial import would look complete.
        raise TidegateError(f"{number} cannot be read; nothing was written\n{_lines(refusals)}")


def _options(given: MessageOptions) -> "Options":
    from zoneinfo import ZoneInfo, available_timezones

    from features.home_keys import party_key
    from features.messages.options import Bounds, Options

    if given.zone not in available_timezones():
        raise typer.BadParameter("want a time zone such as Europe/Berlin", param_hint="--zone")
    return Options(
        key=party_key(given.home / "keys"),
        received_at=_received_at(given.received_at),
        zone=ZoneInfo(given.zone),
        shipment_pattern=_template(given.shipment_pattern, "--shipment-pattern"),
        journey_pattern=_template(given.journey_pattern, "--journey-pattern"),
        heard_at=_instant(given.heard_at, "--heard-at") if given.heard_at else None,
        bounds=Bounds(size=given.max_bytes),
    )


def _received_at(said: str | None) -> datetime | None:
    """Return the stated instant, now by default; None means each message's time of sending."""
    if said is None:
        return datetime.now(UTC).replace(microsecond=0)
    return None if said == AS_SENT else _instant(said, "--received-at")


def _instant(said: str, option: str) -> datetime:
    from features.messages.written_values import instant_of

    read = instant_of(said, UTC)
    # Without an offset, the instant depends on a time zone that nobody stated.
    if read is None or not read[1]:
        wanted = "want an instant with its offset, as 2026-11-28T06:00:00Z"
        raise typer.BadParameter(wanted, param_hint=option)
    return read[0]


def _template(said: str | None, option: str) -> "IdTemplate | None":
    from features.messages.id_templates import id_template

    try:
        return id_template(said) if said else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def _say(report: dict[str, Any]) -> None:
    """Print one message per line, then what was not imported and why."""
    if report["is_refused"]:
        return
    counts = ", ".join(f"{number:,} {name}" for name, number in report["records"].items())
    left, withheld = (sum(each["count"] for each in report[k]) for k in ("left_over", "withheld"))
    messages.print(
        f"{report['file']}: {report['kind']}: {counts or 'no records'}; "
        f"{left:,} elements left over, {withheld:,} withheld",
        markup=False,
        soft_wrap=True,
    )
    for refused in report["refused"]:
        why = "; ".join(refused["reasons"])
        messages.print(
            f"  {refused['record_type']}, {refused['place']}: {why}", markup=False, soft_wrap=True
        )
    for remark in report["remarks"]:
        messages.print(f"  {remark}", markup=False, soft_wrap=True)


def _lines(refusals: list[dict[str, Any]]) -> str:
    lines = []
    for each in refusals:
        line = f"line {each['line']}, " if each["line"] else ""
        lines.append(f"{each['file']}: {line}{each['place']}: {each['wanted']}")
    return "\n".join(lines)
