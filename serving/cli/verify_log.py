"""`tidegate verify-log`: is the log whole? `tidegate checkpoints`: what a witness keeps of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home, Json
from serving.cli.output import messages, print_json

if TYPE_CHECKING:
    from serving.db.log_verification import LogProof, ProvenHead
    from serving.settings import Settings


def verify_log(
    size: Annotated[
        int | None, typer.Option(min=1, help="How many records the log had earlier.")
    ] = None,
    head: Annotated[str | None, typer.Option(help="Its head at that size.")] = None,
    witness: Annotated[
        Path | None,
        typer.Option(help="Checkpoints that a witness kept; the service's own file without."),
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="The key that signs them, as the witness noted it.")
    ] = None,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Check every record, the chain between them and every checkpoint; name the first wrong one.

    Checkpoints kept where the service cannot write show whether the end was cut off or an older
    copy put in place.
    """
    from serving.db.log_verification import ProvenHead
    from serving.settings import settings_of

    if (size is None) != (head is None):
        raise typer.BadParameter("give --size and --head together")
    given = [ProvenHead(size, head)] if size is not None and head is not None else []
    settings = settings_of(home, database_url)
    proof = _proof(settings, given, witness or settings.witness_file, key)
    if as_json:
        print_json(
            {
                "whole": proof.is_whole,
                "size": proof.mark.size,
                "head": proof.mark.head,
                "checkpoints": proof.checkpoints,
                "first_bad": proof.first_bad,
                "why": proof.why,
            }
        )
    elif proof.is_whole:
        messages.print(
            f"whole: {proof.mark.size:,} records, {proof.checkpoints:,} checkpoints, "
            f"head {proof.mark.head}"
        )
    else:
        messages.print(f"record {proof.first_bad}: {proof.why}" if proof.first_bad else proof.why)
    if not proof.is_whole:
        raise typer.Exit(1)


def checkpoints(
    out: Annotated[Path, typer.Option(help="File to write, one checkpoint a line (JSON).")],
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
) -> None:
    """Hand every signed checkpoint of the log to a witness, with the key that proves them.

    `verify-log --witness FILE` holds the log to them later.
    """
    import json
    from dataclasses import asdict

    from serving.audit.checkpoints import public_key_of
    from serving.db.engine import open_database
    from serving.db.repositories.checkpoint_repository import CheckpointRepository
    from serving.settings import settings_of

    settings = settings_of(home, database_url)
    engine = open_database(settings.database, is_service=False)
    kept = CheckpointRepository(engine, settings.witness_file).all()
    out.write_text("".join(json.dumps(asdict(each)) + "\n" for each in kept), encoding="utf-8")
    messages.print(f"{out}: {len(kept):,} checkpoints, signed by {public_key_of(settings.keys)}")


def _proof(
    settings: "Settings", given: "list[ProvenHead]", witness: Path, key: str | None
) -> "LogProof":
    from dataclasses import replace

    from serving.audit.checkpoints import public_key_of
    from serving.db.engine import open_database
    from serving.db.log_verification import signed_heads, verify_decision_log

    engine = open_database(settings.database, is_service=False)
    lines = witness.read_text(encoding="utf-8").splitlines() if witness.exists() else []
    try:
        given = [*given, *signed_heads(engine, lines, key or public_key_of(settings.keys))]
    except ValueError as error:
        proof = verify_decision_log(engine, given)
        return replace(proof, why=str(error)) if proof.is_whole else proof
    return verify_decision_log(engine, given)
