"""`tidegate retrain`: a challenger from all the records of a home, in one step."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serving.cli.audit import write_reading
from serving.cli.database import opened_database
from serving.cli.options import (
    DEFAULT_HOME,
    DatabaseUrl,
    Home,
    Json,
    SubjectOption,
    TrackingUri,
)
from serving.cli.output import messages, print_json, progress_bar
from serving.cli.train import logged_in, trained

if TYPE_CHECKING:
    from serving.history.export_records import HomeRecords
    from training.gates.verdict import Verdict
    from training.retrain import Retraining


def retrain(
    subject: SubjectOption,
    until: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
            help="Only what was known before this instant (UTC); now without.",
        ),
    ] = None,
    experiment: Annotated[
        Path | None, typer.Option(help="TOML file of parameters; defaults without.")
    ] = None,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    tracking_uri: TrackingUri = None,
    trainer: Annotated[
        str | None, typer.Option(help="Who trains; the name you are logged in with, without.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Gather records, decisions and outcomes, build, train, register a challenger, ask every gate.

    Nothing is promoted: `tidegate promote` is for somebody else. Exit code 0 even where gates would
    refuse it; what they say is printed. Run it from cron or a timer.
    """
    from training.model.model_home import ModelHome
    from training.parameters import TrainingParameters
    from training.retrain import retrain as retrain_model

    known_until = until.replace(tzinfo=UTC) if until else datetime.now(UTC)
    if known_until > datetime.now(UTC):
        raise typer.BadParameter("nothing of the future is known", param_hint="--until")
    parameters = TrainingParameters.read(experiment) if experiment else TrainingParameters()
    who = trainer or logged_in()
    retraining = retrain_model(
        _home_records(home, database_url),
        ModelHome(home),
        subject.value,
        known_until,
        parameters.seed,
        lambda built: trained(subject, built, parameters, home, tracking_uri, who)[1],
        progress_bar(f"{subject.value}: features"),
    )
    if isinstance(retraining.canaries, Path):
        messages.print(f"canaries were chosen: {retraining.canaries}")
    elif retraining.canaries is not None:
        messages.print(f"no canaries were chosen: {retraining.canaries}", markup=False)
    if as_json:
        print_json(_summary(retraining, known_until))
        return
    _print(retraining)


def _home_records(home: Path, database_url: str | None) -> "HomeRecords":
    from serving.access.pseudonyms import Pseudonyms
    from serving.history.export_records import HomeRecords
    from serving.settings import settings_of
    from serving.storage.repositories.decision_repository import DecisionRepository
    from serving.storage.repositories.record_repository import RecordRepository

    settings = settings_of(home, database_url)
    engine = opened_database(settings, may_create=False)
    write_reading("export", "records", home=home, database_url=database_url)
    pseudonyms = Pseudonyms.kept_in(settings.keys)
    return HomeRecords(
        settings.records, DecisionRepository(engine), RecordRepository(engine), pseudonyms
    )


def _summary(retraining: "Retraining", until: datetime) -> dict[str, Any]:
    return {
        "known_until": until.isoformat(),
        "records": retraining.records,
        "authored": retraining.authored,
        "challenger": retraining.registration.model_dump(mode="json"),
        "would_be_refused_by": [v.gate for v in retraining.verdicts if not v.is_open],
        "verdicts": [vars(verdict) for verdict in retraining.verdicts],
    }


def _print(retraining: "Retraining") -> None:
    counts = ", ".join(f"{count:,} {name}" for name, count in retraining.records.items())
    messages.print(f"put together: {counts}; {retraining.authored:,} outcomes have an author")
    for verdict in retraining.verdicts:
        messages.print(f"  {verdict.answer}  {verdict.gate}: {verdict.reason}", markup=False)
    name = f"{retraining.registration.name} version {retraining.registration.version}"
    messages.print(f"{name} is now the challenger; {_outlook(retraining.verdicts)}")


def _outlook(verdicts: Sequence["Verdict"]) -> str:
    """What a promotion would come to, as gates say now."""
    said = {verdict.verdict for verdict in verdicts if not verdict.is_open}
    if "refused" in said:
        return "its promotion would be refused"
    if said:
        return "another person may promote it if two people answer for what is undecided"
    return "another person may promote it"
