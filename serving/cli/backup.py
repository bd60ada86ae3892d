"""`tidegate backup` and `tidegate restore`: an installation in one file, and back."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.opened_home import CommandOutput, OpenedHome, on_home, opened_database
from serving.cli.options import DatabaseUrl
from serving.cli.output import messages, progress_bar
from serving.cli.retention import Today, opened_retention

if TYPE_CHECKING:
    from serving.access.actors import Actor
    from serving.settings import Settings
    from serving.storage.backup.home_restore import Restored


@on_home
def backup(
    at: OpenedHome,
    out: Annotated[Path, typer.Option(help="New file to write, outside of the home.")],
) -> CommandOutput:
    """Write the home and its database into one file, also while they are served.

    The keys are in it, wrapped where the home has them wrapped: who has the file has what the home
    has. It is there whole or not at all.
    """
    from serving.storage.backup.backup_writer import write_backup

    manifest = write_backup(at.settings, out, at.by, at.now)
    decisions = manifest.chains["decisions"].size
    says = (
        f"{out}: {out.stat().st_size / 2**20:.1f} MiB, {len(manifest.members):,} files, "
        f"{decisions:,} decisions. It has the keys: keep it as the home."
    )
    return CommandOutput.note(says, file=str(out), files=len(manifest.members), decisions=decisions)


def restore(
    archive: Annotated[Path, typer.Argument(help="File that `tidegate backup` wrote.")],
    home: Annotated[Path, typer.Option("--home", help="Folder that becomes the home; empty.")],
    because: Annotated[
        str, typer.Option(help="Why; witnesses read it, so name no party.")
    ] = "restored from a backup",
    database_url: DatabaseUrl = None,
    former_home: Annotated[
        Path | None,
        typer.Option(help="The home as it was, if it is there: what was revoked stays so."),
    ] = None,
    former_database_url: Annotated[
        str | None, typer.Option(help="Its database, where that is no file in it.")
    ] = None,
    today: Today = None,
    drill: Annotated[
        bool, typer.Option("--drill", help="To see that it works: no witness is asked or told.")
    ] = False,
) -> None:
    """Make a home of a backup: a new epoch of the log, sessions ended, the past rebuilt.

    Witnesses are told, and refuse the former service from then on, but for a --drill: look at what
    that makes and delete it, serve it never. It goes into an empty folder, and an empty database
    with --database-url. Killed, run it again.
    What was erased, masked or held since is so again with --former-home; without, what is over by
    HOME/retention.toml is masked, and its erasure proposed.
    """
    from serving.access.actors import Actor
    from serving.settings import settings_of
    from serving.storage.backup.home_restore import RestoreRequest, restore_home

    if not because.strip():
        raise typer.BadParameter("say --because WHY")
    if former_database_url and former_home is None:
        raise typer.BadParameter("give --former-home with --former-database-url")
    settings = settings_of(home, database_url)
    if drill:
        # A drill must not begin an epoch at real witnesses.
        settings = settings.model_copy(update={"witness": None})
    former = _former_settings(former_home, former_database_url)
    actor, now = Actor.from_command_line(), datetime.now(UTC)
    found = restore_home(archive, settings, RestoreRequest(actor, because.strip(), now, former))
    _tell(found, is_former_known=former is not None)
    messages.print(f"epoch {found.epoch} begins; every session is ended", markup=False)
    _finish(settings)
    if former is None:
        _prepare_erasure(home, database_url, today, actor)


def _former_settings(home: Path | None, database_url: str | None) -> "Settings | None":
    from serving.settings import Settings, settings_of

    if home is None:
        return None
    if database_url:
        return settings_of(home, database_url)
    # The environment's database is that of the new home.
    return Settings(home=home).model_copy(update={"database_url": None})


def _tell(found: "Restored", *, is_former_known: bool) -> None:
    """Print what was revoked again, and which keys may have been revoked in the meantime."""
    for name in found.revoked:
        messages.print(f"ended again: {name}", markup=False)
    if found.live_keys and not is_former_known:
        names = ", ".join(found.live_keys)
        messages.print(
            f"Nobody said what was revoked since the backup, so these keys are in use: {names}. "
            "Revoke or rotate them, and disable accounts that were ended.",
            markup=False,
        )
    if (erased := found.ended.erased) is not None:
        messages.print(
            f"erased again: {erased.decisions:,} decisions, {erased.records:,} records, with the "
            f"keys of {erased.keys:,} days and units, and what files had of them",
            markup=False,
        )
    for act in found.ended.acts:
        messages.print(f"as it was: {act.action} by {act.by}", markup=False)


def _prepare_erasure(
    home: Path, database_url: str | None, today: str | None, actor: "Actor"
) -> None:
    """Mask data past their period, and propose their erasure, as they may have been erased before.

    Without configured periods nothing was erased. Problems are printed and left to a person.
    """
    from serving.audit.errors import ClockDisagrees, RetentionRefused

    at = OpenedHome(home, database_url, may_create=False)
    retention, now = opened_retention(at, today), at.now
    if not retention.settings.retention.exists():
        return
    because = "a backup was restored, and nobody said what was erased since"
    try:
        retention.clock.require(now)
        cutoffs = retention.cutoffs(now.date())
        due = retention.due(cutoffs, now)
        # What is masked stays masked, so there is work only if the day moved on.
        if cutoffs.mask > retention.acts.masked_before():
            retention.mask(actor.identity, because, now)
        number = retention.propose(actor.identity, because, now)
    except (ClockDisagrees, RetentionRefused) as refusal:
        messages.print(
            f"what was erased since the backup is there again; nothing is prepared: {refusal}. "
            "Before you serve, see `tidegate retention due`, `mask` and `erase`.",
            markup=False,
        )
        return
    messages.print(
        f"{due.decisions:,} decisions, {due.records:,} records and files before {cutoffs.files} "
        "are over, and may have been erased since the backup. Decisions are masked; let another "
        f"person erase before you serve: tidegate retention erase {number} --by … --because …",
        markup=False,
    )


def _finish(settings: "Settings") -> None:
    """Deliver the new epoch to the witnesses, and rebuild the online feature store."""
    from serving.history.client import rebuild_history
    from serving.integrity.witnesses import witnesses_of
    from serving.outbox.witness_channel import WitnessChannel
    from serving.storage.postgres_state import shared_state
    from serving.storage.repositories.checkpoint_repository import CheckpointRepository
    from serving.storage.repositories.decision_repository import DecisionRepository
    from serving.storage.repositories.receiver_repository import ReceiverRepository
    from serving.storage.repositories.record_repository import RecordRepository

    engine = opened_database(settings)
    witnesses, checkpoints = witnesses_of(settings), CheckpointRepository(engine)
    channel = WitnessChannel(
        witnesses, checkpoints, ReceiverRepository(engine), lambda: datetime.now(UTC)
    )
    # The service delivers again later, so an unreachable witness does not stop the restore.
    for place in channel.deliver_all():
        name = witnesses[place - 1].name
        messages.print(f"{name}: took nothing; the service goes on trying", markup=False)
    log, records = DecisionRepository(engine), RecordRepository(engine)
    with progress_bar("records") as progress:
        rebuild_history(settings, log, records, shared_state(engine), progress=progress)
    engine.dispose()
    told = "" if settings.witness is None else " Witnesses refuse the former service from now on."
    messages.print(
        f"{settings.home} is restored.{told} See `tidegate verify-log`, `tidegate doctor`.",
        markup=False,
    )
