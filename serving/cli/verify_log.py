"""`tidegate verify-log`: is the log whole? `tidegate checkpoints`: what a witness keeps of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home, Json
from serving.cli.output import messages, print_json

if TYPE_CHECKING:
    from serving.db.audit_verification import AuditProof
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
    """Check every decision, audit event and checkpoint, and every row that audit events tell of.

    Names the first decision that is wrong, and every other row; where the keys of the home are
    there, each outline is compared with the decision that it outlines.
    Checkpoints kept where the service cannot write show whether the end was cut off or an older
    copy put in place.
    """
    from serving.db.log_verification import ProvenHead
    from serving.settings import settings_of

    if (size is None) != (head is None):
        raise typer.BadParameter("give --size and --head together")
    given = [ProvenHead(size, head)] if size is not None and head is not None else []
    settings = settings_of(home, database_url)
    proof, is_compared = _proof(settings, given, witness or settings.witness_file, key)
    audit = _audit_proof(settings)
    if as_json:
        print_json(_document(proof, audit, is_compared=is_compared))
    else:
        for line in _lines(proof, audit, is_compared=is_compared):
            messages.print(line, markup=False)
    if not (proof.is_whole and audit.is_whole):
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


def _document(proof: "LogProof", audit: "AuditProof", *, is_compared: bool) -> dict[str, Any]:
    return {
        "whole": proof.is_whole and audit.is_whole,
        "size": proof.mark.size,
        "head": proof.mark.head,
        "checkpoints": proof.checkpoints,
        "first_bad": proof.first_bad,
        "why": proof.why,
        "outlines_compared": is_compared,
        "audit": {
            "size": audit.mark.size,
            "head": audit.mark.head,
            "rows": audit.rows,
            "findings": [vars(finding) for finding in audit.findings],
        },
    }


def _lines(proof: "LogProof", audit: "AuditProof", *, is_compared: bool) -> Iterator[str]:
    """What was found, in words: everything that is wrong, or that nothing is."""
    if not proof.is_whole:
        yield f"record {proof.first_bad}: {proof.why}" if proof.first_bad else str(proof.why)
    yield from map(str, audit.findings)
    if proof.is_whole and audit.is_whole:
        yield (
            f"whole: {proof.mark.size:,} records, {proof.checkpoints:,} checkpoints, "
            f"head {proof.mark.head}"
        )
        yield (
            f"whole: {audit.mark.size:,} audit events, {audit.rows:,} rows that they cover, "
            f"head {audit.mark.head}"
        )
        if not is_compared:
            yield "outlines were not compared with decisions: the keys are not there"


def _audit_proof(settings: "Settings") -> "AuditProof":
    from serving.db.audit_verification import verify_audit_log
    from serving.db.engine import open_database

    return verify_audit_log(open_database(settings.database, is_service=False))


def _proof(
    settings: "Settings", given: "list[ProvenHead]", witness: Path, key: str | None
) -> "tuple[LogProof, bool]":
    """What was found of decisions, and whether outlines were compared with them."""
    from dataclasses import replace

    from serving.audit.checkpoints import public_key_of
    from serving.db.engine import open_database
    from serving.db.log_verification import signed_heads, verify_decision_log
    from serving.db.outline_comparison import OutlineComparison

    engine = open_database(settings.database, is_service=False, keys=settings.keys)
    comparison = OutlineComparison.where_possible(engine, settings.keys)
    compare = comparison or (lambda _: None)
    lines = witness.read_text(encoding="utf-8").splitlines() if witness.exists() else []
    try:
        given = [*given, *signed_heads(engine, lines, key or public_key_of(settings.keys))]
    except ValueError as error:
        proof = verify_decision_log(engine, given, compare)
        return replace(proof, why=str(error)) if proof.is_whole else proof, comparison is not None
    return verify_decision_log(engine, given, compare), comparison is not None
