"""`tidegate retrain`: a challenger from all records of a home, in one step."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.subject_types import SUBJECT_TYPES
from serving.cli.opened_home import CommandOutput, OpenedHome, on_existing_home
from serving.cli.options import Subject, SubjectOption, TrackingUri
from serving.cli.output import messages, progress_bar
from serving.cli.train import logged_in, recalibrated, trained

if TYPE_CHECKING:
    from serving.history.export_records import HomeRecords
    from training.gates.verdict import Verdict
    from training.model.model_home import ModelHome
    from training.model.model_registration import Registration
    from training.model.risk_model import RiskModel
    from training.retrain import Retraining


@on_existing_home
def retrain(
    at: OpenedHome,
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
    recalibrate: Annotated[
        bool,
        typer.Option(
            "--recalibrate",
            help="Keep the champion's trees, and fit its probabilities alone to newer results.",
        ),
    ] = False,
    tracking_uri: TrackingUri = None,
    trainer: Annotated[
        str | None, typer.Option(help="Who trains; the name you are logged in with, without.")
    ] = None,
) -> CommandOutput:
    """Gather records, decisions and outcomes, build, train, register a challenger, ask every gate.

    Nothing is promoted: `tidegate promote` is for somebody else. Exit code 0 even where gates would
    refuse it; what they say is printed. Run it from cron or a timer.
    """
    from training.model.model_home import ModelHome
    from training.parameters import TrainingParameters
    from training.retrain import retrain_challenger as retrain_model

    known_until = until.replace(tzinfo=UTC) if until else at.now
    if known_until > at.now:
        raise typer.BadParameter("nothing of the future is known", param_hint="--until")
    if recalibrate and experiment:
        raise typer.BadParameter(
            "a recalibration keeps the champion's parameters; leave out one of both",
            param_hint="--recalibrate, --experiment",
        )
    parameters = TrainingParameters.read(experiment) if experiment else TrainingParameters()
    who, models = trainer or logged_in(), ModelHome(at.home)
    champion = _champion(models, subject) if recalibrate else None

    def make(built: Path) -> "Registration":
        if champion is not None:
            return recalibrated(champion, built, at.home, tracking_uri, who)
        return trained(subject, built, parameters, at.home, tracking_uri, who)[1]

    retraining = retrain_model(
        _home_records(at),
        models,
        subject.value,
        known_until,
        parameters.seed,
        make,
        progress_bar(f"{subject.value}: features"),
    )
    if isinstance(retraining.canaries, Path):
        messages.print(f"canaries were chosen: {retraining.canaries}")
    elif retraining.canaries is not None:
        messages.print(f"no canaries were chosen: {retraining.canaries}", markup=False)
    return CommandOutput(_summary(retraining, known_until), (), _in_words(retraining, at.now))


def _champion(models: "ModelHome", subject: Subject) -> "RiskModel":
    """Return the champion to recalibrate, read before any work is done; raises TrainingError."""
    from training.errors import TrainingError

    name = SUBJECT_TYPES[subject.value].model_name
    if (champion := models.champion(name)) is None:
        raise TrainingError(
            f"{name} has no champion to recalibrate; `tidegate promote` makes one of a challenger"
        )
    return champion


def _home_records(at: OpenedHome) -> "HomeRecords":
    from serving.access.pseudonyms import Pseudonyms
    from serving.history.export_records import HomeRecords

    at.record_reading("export", "records")
    pseudonyms = Pseudonyms.kept_in(at.settings.keys)
    return HomeRecords(at.settings.records, at.stores.decisions, at.stores.records, pseudonyms)


def _summary(retraining: "Retraining", until: datetime) -> dict[str, Any]:
    return {
        "known_until": until.isoformat(),
        "records": retraining.records,
        "authored": retraining.authored,
        "challenger": retraining.registration.model_dump(mode="json"),
        "would_be_refused_by": [v.gate for v in retraining.verdicts if not v.is_open],
        "verdicts": [verdict.as_json for verdict in retraining.verdicts],
    }


def _in_words(retraining: "Retraining", now: datetime) -> list[str]:
    counts = ", ".join(f"{count:,} {name}" for name, count in retraining.records.items())
    name = f"{retraining.registration.name} version {retraining.registration.version}"
    return [
        f"put together: {counts}; {retraining.authored:,} outcomes have an author",
        *(f"  {each.answer}  {each.gate}: {each.in_words(now)}" for each in retraining.verdicts),
        f"{name} is now the challenger; {_outlook(retraining.verdicts)}",
    ]


def _outlook(verdicts: Sequence["Verdict"]) -> str:
    """Return the likely outcome of a promotion by the current verdicts."""
    said = {verdict.verdict for verdict in verdicts if not verdict.is_open}
    if "refused" in said:
        return "its promotion would be refused"
    if said:
        return "another person may promote it if two people answer for what is undecided"
    return "another person may promote it"
