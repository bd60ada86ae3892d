"""`tidegate export-decision`: one decision with all that proves it, for a court."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from serving.cli.database import opened_database
from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home
from serving.cli.output import messages


def export_decision(
    decision_id: Annotated[str, typer.Argument(help="The id of the decision.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
) -> None:
    """Write a decision, its model, its chain and its checkpoint into a folder.

    `deploy/verify/verify_decision.py FOLDER` verifies it with Python alone. The folder holds all
    that was submitted: hand it to nobody but the court. The export is on record.
    """
    from serving.access.actors import Actor
    from serving.audit.decision_export import ExportRequest, ExportSources
    from serving.audit.decision_export import export_decision as export
    from serving.integrity.checkpoints import LogSigner, public_keys_of
    from serving.integrity.witness_delivery import WitnessDelivery
    from serving.integrity.witnesses import is_apart, witnesses_of
    from serving.settings import settings_of
    from serving.storage.repositories.audit_repository import AuditRepository
    from serving.storage.repositories.checkpoint_repository import CheckpointRepository
    from serving.storage.repositories.decision_repository import DecisionRepository

    settings, now = settings_of(home, database_url), datetime.now(UTC)
    engine = opened_database(settings)
    store, witnesses = CheckpointRepository(engine), witnesses_of(settings)
    store.seal(LogSigner.from_folder(settings.keys).sign, now)
    for each in witnesses:
        WitnessDelivery(each, store, lambda: now).deliver()
    sources = ExportSources(
        log=DecisionRepository(engine),
        chains=store,
        checkpoints=store.lines(),
        witnesses=[each for each in witnesses if is_apart(each, settings.home)],
        audit_log=AuditRepository(engine),
        models=settings.models,
        log_keys=public_keys_of(settings.keys),
        model_key=settings.keys / "signing.pub",
    )
    request = ExportRequest(decision_id, Actor.from_command_line(), now, out)
    checkpoint = export(sources, request)
    messages.print(f"{out}: up to checkpoint {checkpoint.number}; it is on record", markup=False)
