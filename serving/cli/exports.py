"""`tidegate export`: a decision or a case with its proof, for a court or an authority."""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from serving.cli.opened_home import CommandOutput, OpenedHome, on_home

export = typer.Typer(
    help="Signed exports for courts and authorities: a decision, or all that is on record about a "
    "case.",
    no_args_is_help=True,
)


class RecipientName(StrEnum):
    """Recipient that may receive everything on record about a case."""

    COURT = "court"
    DATA_PROTECTION_AUTHORITY = "data_protection_authority"


@export.command("decision")
@on_home
def export_one_decision(
    at: OpenedHome,
    decision_id: Annotated[str, typer.Argument(help="The id of the decision.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
) -> CommandOutput:
    """Write a decision, its model, its chain and its checkpoint into a folder.

    `deploy/verify/verify_decision.py FOLDER` verifies it with Python alone. The folder holds all
    that was submitted: hand it to nobody but the court. The export is on record.
    """
    from features.home_keys import LOG, private_key
    from serving.audit.decision_export import ExportRequest, ExportSources, export_decision
    from serving.integrity.checkpoints import public_keys_of
    from serving.integrity.witnesses import is_apart, witnesses_of
    from serving.outbox.witness_channel import WitnessChannel

    settings, store = at.settings, at.stores.checkpoints
    witnesses = witnesses_of(settings)
    # Seal first, so that a checkpoint covers the exported decision.
    store.seal(private_key(settings.keys, LOG), at.now)
    WitnessChannel(witnesses, store, at.stores.receivers, lambda: at.now).deliver_all()
    sources = ExportSources(
        log=at.stores.decisions,
        chains=store,
        checkpoints=store.lines(),
        # A witness next to the log proves nothing to a court.
        witnesses=[each for each in witnesses if is_apart(each, settings.home)],
        audit_log=at.stores.audit_log,
        models=settings.models,
        log_keys=public_keys_of(settings.keys),
        model_key=settings.keys / "signing.pub",
    )
    checkpoint = export_decision(sources, ExportRequest(decision_id, at.by, at.now, out))
    says = f"{out}: up to checkpoint {checkpoint.number}; it is on record"
    return CommandOutput.note(says, folder=str(out), checkpoint=checkpoint.number)


@export.command("case")
@on_home
def export_case(
    at: OpenedHome,
    case_id: Annotated[
        str, typer.Argument(metavar="CASE", help="The case, by the id of its decision.")
    ],
    sealed_for: Annotated[
        RecipientName | None, typer.Option("--for", help="Which kind of recipient.")
    ] = None,
    recipient: Annotated[
        str | None, typer.Option(help="The recipient by name, with its reference.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who makes it.")] = None,
    because: Annotated[
        str | None, typer.Option(help="Why: the order or the request, and its date.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write; HOME/accounts/CASE without.")
    ] = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="CASE is an exported folder: check that it is as it was sealed here."
        ),
    ] = False,
) -> CommandOutput:
    """Write all that is on record about a case, signed; that it was handed out is recorded.

    With `--verify`, exit 1 where anything in an exported folder was changed.
    """
    from features.home_keys import LOG, private_key
    from serving.integrity.checkpoints import public_key_of
    from serving.review.letters.sealed_account import Sealing, seal_account, verify_account

    if verify:
        digest = verify_account(Path(case_id), public_key_of(at.settings.keys))
        return CommandOutput.note(f"{case_id}: as it was sealed, {digest}", digest=digest)
    # typer cannot make options required depending on another option.
    if not (sealed_for and recipient and by and because):
        raise typer.BadParameter("want --for, --recipient, --by and --because")
    folder = out or at.settings.accounts_of_cases / case_id
    digest = seal_account(
        at.stores.cases,
        at.stores.decisions,
        private_key(at.settings.keys, LOG),
        folder,
        Sealing(
            case_id,
            sealed_for.value,
            recipient,
            # The stated name is a claim; the user of this machine is recorded next to it.
            replace(at.by, name=f"{by} ({at.by.name})"),
            because,
            at.now,
        ),
    )
    says = f"{folder}: {digest}; hand it to nobody but {recipient}"
    return CommandOutput.note(says, folder=str(folder), digest=digest)
