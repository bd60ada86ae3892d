"""`tidegate promote`: a model becomes champion or shadow, or the former champion returns."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.options import (
    DEFAULT_HOME,
    Home,
    Json,
    ModelReference,
    Subject,
    TrackingUri,
    TrainingSetOption,
)
from serving.cli.output import messages, print_json

if TYPE_CHECKING:
    from training.data.training_set import TrainingSet
    from training.gates.verdict import Verdict
    from training.gates.waiver import Waivable, WaiverRequest
    from training.model.model_home import ModelHome


class GateName(StrEnum):
    """A gate that may be left open for a time: undecided by two people, else as `waiver` says."""

    BETTER_THAN_RANDOM = "better than random"
    CALIBRATION = "calibration"
    GROUPS = "groups"
    PROXIES = "proxies"
    INFLUENCE = "influence"
    CHAMPION = "champion"
    NO_WORSE_THAN_THE_CHAMPION = "no worse than the champion"
    CANARIES = "canaries"
    CONTROL_LANE = "control lane"
    LIVE_TRAFFIC = "live traffic"


def promote(
    model: ModelReference,
    approver: Annotated[str, typer.Option(help="Who answers for it; not who trained it.")],
    *,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Name the former champion again.")
    ] = False,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Score beside the champion, answering nobody.")
    ] = False,
    waive: Annotated[
        list[GateName] | None,
        typer.Option(help="A gate that may stand open, with --because and --until; repeat."),
    ] = None,
    because: Annotated[
        str | None, typer.Option(help="Why it may; signed by the approver, beside the model.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="When the waiver ends (UTC).")
    ] = None,
    requested_by: Annotated[
        str | None,
        typer.Option(help="Who asks for the waiver, beside the approver; for undecided gates."),
    ] = None,
    training_set: TrainingSetOption = None,
    home: Home = DEFAULT_HOME,
    tracking_uri: TrackingUri = None,
    as_json: Json = False,
) -> None:
    """Ask every gate, and make a model the champion if all are open.

    Exit code 1 where a gate refuses, or is undecided since too little is known to say.
    """
    from training.model.model_home import ModelHome
    from training.registry import promotion
    from training.registry.mlflow.store import TrackingStore

    models, approval = ModelHome(home), promotion.Approval(approver, datetime.now(UTC))
    if rollback + shadow + bool(waive) > 1:
        raise typer.BadParameter("want only one of --rollback, --shadow and --waive")
    leave = _leave(waive or [], because, until, requested_by)
    store = TrackingStore.open(home, tracking_uri)
    if rollback:
        done = promotion.roll_back(model, models, store, approval)
    elif shadow:
        done = promotion.run_as_shadow(model, models, store, approval)
    else:
        data = _data_of(models, model, training_set)
        live = _live(models, model, approval.at)
        done = promotion.promote(model, models, store, approval, data, leave=leave, live=live)
    if as_json:
        verdicts = [vars(verdict) for verdict in done.verdicts]
        role = "shadow" if shadow else "champion"
        print_json({role: done.champion.model_dump(mode="json"), "verdicts": verdicts})
        return
    for verdict in done.verdicts:
        messages.print(f"  {verdict.answer}  {verdict.gate}: {verdict.reason}", markup=False)
    role = "scores in the shadow of the champion" if shadow else "is now the champion"
    messages.print(f"{done.champion.name} version {done.champion.version} {role}")


def _leave(
    waived: list[GateName], because: str | None, until: datetime | None, requested_by: str | None
) -> "WaiverRequest | None":
    """What `--waive`, `--because`, `--until` and `--requested-by` say together."""
    from training.gates.waiver import WaiverRequest

    if not waived and because is None and until is None and requested_by is None:
        return None
    if not waived or because is None or until is None:
        raise typer.BadParameter("want --waive, --because and --until together")
    gates: tuple[Waivable, ...] = tuple(gate.value for gate in dict.fromkeys(waived))
    return WaiverRequest(gates, because, until.replace(tzinfo=UTC), requested_by)


def _live(models: "ModelHome", reference: str, now: datetime) -> "Verdict | None":
    """What live traffic said of a version beside the champion; None where it was not asked."""
    from serving.db.engine import open_database
    from serving.db.repositories.rollup_repository import RollupRepository
    from serving.monitor.monitoring import live_traffic
    from serving.settings import settings_of
    from training.gates.live_traffic_gate import (
        no_worse_on_live_traffic,
        too_recent_on_live_traffic,
    )

    settings = settings_of(models.home)
    where = settings.database
    if isinstance(where, Path) and not where.exists():
        return None
    registration = models.registration_of(models.find(reference))
    store = RollupRepository(open_database(where, is_service=False, keys=settings.keys))
    subject = Subject(registration.name.removeprefix("tidegate-"))
    live = live_traffic(store, subject.value, registration.version, now)
    if live is None:
        return None
    if live.figures is None:
        return too_recent_on_live_traffic(live.asked, live.until)
    told = live.figures
    return no_worse_on_live_traffic(told.gain, told.compared, told.gain_needs)


def _data_of(
    models: "ModelHome", reference: str, training_set: Path | None
) -> "TrainingSet | None":
    """The training set to compare with a champion on; None where neither is there."""
    from training.data.training_set import TrainingSet
    from training.errors import ChampionUnreadable, TrainingSetError

    name = models.registration_of(models.find(reference)).name
    try:
        if models.champion_pointer(name) is None:
            return None
    except ChampionUnreadable:  # which a gate says
        return None
    subject = name.removeprefix("tidegate-")
    try:
        return TrainingSet.read(
            training_set or models.home / "training_sets" / subject, Subject(subject).value
        )
    except TrainingSetError:
        if training_set is not None:
            raise
        return None
