"""`tidegate promote`: make a model champion or shadow, or restore the former champion."""

from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from serving.cli.approved_acts import Approvals
from serving.cli.opened_home import has_no_database, opened_database
from serving.cli.options import (
    DEFAULT_HOME,
    DatabaseUrl,
    Home,
    Json,
    ModelReference,
    Subject,
    TrackingUri,
    TrainingSetOption,
)
from serving.cli.output import messages, print_json
from training.gates.waivable import Waivable

if TYPE_CHECKING:
    from features.records import SubjectKind
    from serving.access.approvals import GivenApproval, TwoPersons
    from serving.cli.approved_acts import LiveUse
    from serving.settings import Settings
    from serving.storage.repositories.approval_repository import ApprovalRepository
    from training.data.training_set import TrainingSet
    from training.gates.verdict import Verdict
    from training.gates.waiver import WaiverRequest
    from training.model.model_home import ModelHome
    from training.model.model_pointer import ModelPointer
    from training.registry.mlflow.store import TrackingStore
    from training.registry.promotion import Approval, Promotion


IS_CHAMPION = "is now the champion"


class ProfileName(StrEnum):
    """What a model is promoted for, outside of live use."""

    TRIAL = "trial"
    PILOT = "pilot"


if TYPE_CHECKING:
    GateName = Waivable
else:  # a list of literals is no type that typer reads
    GateName = StrEnum("GateName", [(gate, gate) for gate in get_args(Waivable)])


def promote(
    model: ModelReference,
    approver: Annotated[
        str | None,
        typer.Option(help="Who answers for it; not who trained it. A name is enough in a trial."),
    ] = None,
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
        str | None,
        typer.Option(help="Why it may, in 20 characters or more; signed by the approver."),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="When the waiver ends (UTC).")
    ] = None,
    requested_by: Annotated[
        str | None,
        typer.Option(help="Who asks for the waiver, beside the approver; for undecided gates."),
    ] = None,
    profile: Annotated[
        ProfileName | None,
        typer.Option(
            help="A trial, where only a refusal stops a model (default), or a pilot, which needs "
            "some gates decided; live use needs all."
        ),
    ] = None,
    approval_file: Approvals = None,
    training_set: TrainingSetOption = None,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    tracking_uri: TrackingUri = None,
    as_json: Json = False,
) -> None:
    """Ask every gate, and make a model the champion if all are open.

    In a trial one person says so by name; in live use two sign it (`tidegate approvals`). Exit code
    1 where a gate refuses, or is undecided and must be decided for this use.
    """
    from training.errors import PromotionRefused
    from training.model.model_home import ModelHome
    from training.registry.mlflow.store import TrackingStore

    if rollback + shadow + bool(waive) > 1:
        raise typer.BadParameter("want only one of --rollback, --shadow and --waive")
    models, kind = ModelHome(home), "roll_back" if rollback else "shadow" if shadow else "promote"
    leave = _leave(waive or [], because, until, requested_by)
    settings = _settings(home, database_url)
    # Approvals come first: without them, asking all gates would be in vain.
    approval, leave = approved(
        kind, models, model, settings, approver, approval_file or [], leave, datetime.now(UTC)
    )
    if profile is not None:
        if approval.profile == "live":
            raise typer.BadParameter("live use needs every gate decided; leave --profile out")
        approval = replace(approval, profile=profile.value)
    store = TrackingStore.open(home, tracking_uri)
    try:
        done = carry_out(kind, model, models, store, settings, approval, leave, training_set)
    except PromotionRefused as refusal:
        if as_json:
            print_json({"refused": refusal.reasons, "undecided": refusal.undecided})
        raise
    if as_json:
        verdicts = [verdict.as_json for verdict in done.verdicts]
        role = "shadow" if shadow else "champion"
        print_json({role: done.champion.model_dump(mode="json"), "verdicts": verdicts})
        return
    print_promotion(done, "scores in the shadow of the champion" if shadow else IS_CHAMPION)


def carry_out(
    kind: str,
    model: str,
    models: "ModelHome",
    store: "TrackingStore",
    settings: "Settings",
    approval: "Approval",
    leave: "WaiverRequest | None" = None,
    training_set: Path | None = None,
) -> "Promotion":
    """Promote a model, run it as shadow or roll back to it; raises PromotionRefused."""
    from training.registry import promotion

    if kind == "roll_back":
        return promotion.roll_back(model, models, store, approval)
    if kind == "shadow":
        return promotion.run_as_shadow(model, models, store, approval)
    data = training_set_of(models, model, training_set)
    live = _live(models, model, settings, approval.at)
    return promotion.promote_version(model, models, store, approval, data, leave=leave, live=live)


def print_promotion(done: "Promotion", role: str = IS_CHAMPION) -> None:
    """Print the verdict of each gate, and the model's new role."""
    for verdict in done.verdicts:
        reason = verdict.in_words(done.champion.set_at)
        messages.print(f"  {verdict.answer}  {verdict.gate}: {reason}", markup=False)
    messages.print(f"{done.champion.name} version {done.champion.version} {role}")


def _settings(home: Path, database_url: str | None) -> "Settings":
    from serving.settings import settings_of

    return settings_of(home, database_url)


def approved(
    kind: str,
    models: "ModelHome",
    reference: str,
    settings: "Settings",
    approver: str | None,
    files: list[Path],
    leave: "WaiverRequest | None",
    now: datetime,
) -> "tuple[Approval, WaiverRequest | None]":
    """Return the approval of an act on a version, and its waiver, by two people each in live use.

    Raises ApprovalRefused, or BadParameter if a trial has no approver.
    """
    from serving.access.approvals import require_others
    from serving.cli.approved_acts import act_on_version, live_use

    live = live_use(settings, is_signed=bool(files))
    if live is None:
        if approver is None:
            raise typer.BadParameter("want --approver, who answers for it")
        return _claimed(kind, approver, settings, now), leave
    two = live.agreed(act_on_version(kind, models, reference), files, now, approver)
    documents = two.documents
    if leave is not None:
        words = {
            "gates": tuple(sorted(leave.gates)),
            "because": " ".join(leave.because.split()),
            "until": f"{leave.until:%Y-%m-%d}",
        }
        waiver = live.agreed(act_on_version("waive", models, reference, **words), files, now, None)
        # Otherwise one person could open a gate for their own act.
        require_others(waiver, two)
        leave = replace(leave, requested_by=waiver.proposer, given_by=waiver.approver)
        documents += waiver.documents
    return _signed(kind, two, documents, live, now), leave


def _claimed(kind: str, approver: str, settings: "Settings", now: datetime) -> "Approval":
    """Return an approval by name alone, recorded if there is a database."""
    from serving.storage.repositories.approval_repository import ApprovalRepository
    from training.registry.promotion import Approval

    if has_no_database(settings):
        return Approval(approver, now, profile="trial")
    store = ApprovalRepository(opened_database(settings))
    return Approval(
        approver,
        now,
        recording=lambda pointer: _recorded(kind, store, (), now, pointer),
        profile="trial",
    )


def _signed(
    kind: str,
    two: "TwoPersons",
    documents: "tuple[GivenApproval, ...]",
    live: "LiveUse",
    now: datetime,
) -> "Approval":
    from training.model.model_pointer import Approver
    from training.registry.promotion import Approval

    return Approval(
        two.approver,
        now,
        approvers=(
            Approver(identity=f"account:{two.proposer}", name=two.proposer, part="proposer"),
            Approver(identity=f"account:{two.approver}", name=two.approver),
        ),
        documents=tuple(each.model_dump(mode="json") for each in documents),
        recording=lambda pointer: _recorded(kind, live.approvals, documents, now, pointer),
    )


def _recorded(
    kind: str,
    store: "ApprovalRepository",
    documents: "tuple[GivenApproval, ...]",
    now: datetime,
    pointer: "ModelPointer",
) -> AbstractContextManager[None]:
    """Use the approvals up and record the act in one transaction, around the pointer's change."""
    from serving.access.actors import Actor
    from serving.integrity.audit_log import AuditEvent

    by = Actor.from_command_line()
    details = {
        "version": pointer.version,
        "digest": pointer.digest,
        "pointer": pointer.content_digest,
        "approvers": [each.identity or each.name for each in pointer.approvers],
        "waived": [verdict.gate for verdict in pointer.verdicts if verdict.is_waived],
    }
    seat = f"{pointer.name}@{pointer.role}"
    return store.using(documents, by, now, AuditEvent(now, by, kind, "seat", seat, details))


def _leave(
    waived: list[GateName], because: str | None, until: datetime | None, requested_by: str | None
) -> "WaiverRequest | None":
    """Return the waiver that `--waive`, `--because`, `--until` and `--requested-by` describe."""
    from training.gates.waiver import WaiverRequest

    if not waived and because is None and until is None and requested_by is None:
        return None
    if not waived or because is None or until is None:
        raise typer.BadParameter(
            "--requested-by, --because and --until belong to --waive; give all of them, or none"
        )
    gates = tuple(dict.fromkeys(waived))
    return WaiverRequest(gates, because, until.replace(tzinfo=UTC), requested_by)


def _live(
    models: "ModelHome", reference: str, settings: "Settings", now: datetime
) -> "Verdict | None":
    """Return the verdict of live traffic on a version and the champion; None without data."""
    from serving.monitor.monitoring import live_traffic
    from serving.storage.repositories.rollup_repository import RollupRepository
    from training.gates.live_traffic_gate import (
        no_worse_on_live_traffic,
        too_recent_on_live_traffic,
    )

    if has_no_database(settings):
        return None
    registration = models.registration_of(models.find(reference))
    store = RollupRepository(opened_database(settings))
    subject = Subject(registration.name.removeprefix("tidegate-"))
    live = live_traffic(store, subject.value, registration.version, now)
    if live is None:
        return None
    # Too little traffic has known results for a comparison.
    if live.figures is None:
        return too_recent_on_live_traffic(live.asked, live.until)
    told = live.figures
    return no_worse_on_live_traffic(told.gain, told.compared, told.gain_needs)


def training_set_of(
    models: "ModelHome", reference: str, training_set: Path | None
) -> "TrainingSet | None":
    """Return the training set of a version, for its comparison with a champion.

    Returns None without a champion or a set. Raises TrainingSetError if another set is named: a
    version that cannot be compared could otherwise be waived through.
    """
    from features.errors import CatalogueMismatch, Tampered
    from training.errors import ArtefactError, ChampionUnreadable, TrainingSetError
    from training.evaluation.reevaluation import read_for
    from training.model.risk_model import RiskModel
    from training.registry.kept_training_sets import kept_of

    version = models.find(reference)
    name = models.registration_of(version).name
    subject: SubjectKind = Subject(name.removeprefix("tidegate-")).value
    champion = None
    try:
        if models.champion_pointer(name) is None:
            return None
        kept, digest = kept_of(models, subject, version)
        model = RiskModel.read(version, models.public_key)
        with suppress(ChampionUnreadable):
            champion = models.champion(name)
    # A gate reports each of these.
    except (
        ArtefactError,
        CatalogueMismatch,
        ChampionUnreadable,
        KeyError,
        OSError,
        Tampered,
        ValueError,
    ):
        return None
    # The kept copy is the set of this version; a rebuilt folder may have changed since.
    built = kept if kept.exists() else models.home / "training_sets" / subject
    try:
        data = read_for(training_set or built, model, champion)
    except TrainingSetError:
        if training_set is not None:
            raise
        return None
    if training_set is not None and data.digest != digest:
        raise TrainingSetError(
            f"{training_set}: {name} version {version.name} is from another training set; leave "
            "--training-set out, or name the one with the digest of its manifest"
        )
    return data
