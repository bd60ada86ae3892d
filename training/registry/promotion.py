"""Promotion of a version to champion once all gates pass, and rollback to the previous one."""

import re
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from features.errors import Tampered, TidegateError
from features.person_names import names_somebody
from training.data.training_set import TrainingSet
from training.errors import ArtefactError, ChampionUnreadable, PromotionRefused, TrainingError
from training.evaluation.evaluation_report import EvaluationReport
from training.gates.profiles import Profile, for_use, must_be_decided
from training.gates.promotion_verdicts import (
    CHAMPION,
    promotion_verdicts,
    refuse_unless_open,
    soundness,
    unsigned,
    waiver_in_force,
)
from training.gates.verdict import Verdict, write_verdicts
from training.gates.waiver import Waiver, WaiverRequest
from training.model.manifest import Manifest
from training.model.model_home import ModelHome
from training.model.model_inputs import ModelInputs
from training.model.model_pointer import Approver, GateVerdict, ModelPointer
from training.model.model_registration import REGISTRATION, Registration, require_registered
from training.model.risk_model import REPORT
from training.registry.mlflow.runs import add_text
from training.registry.mlflow.store import TrackingStore
from training.registry.mlflow.versions import clear_alias, set_alias, tag_version
from training.registry.model_card import MODEL_CARD, model_card

SHADOW: Final = "shadow"


def _unrecorded(_: ModelPointer) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True)
class Approval:
    """The person accountable for a promotion, and the time; raises PromotionRefused without one.

    In live use `approvers` are the persons behind the name and the proposer, `documents` their
    signed statements, and `recording` logs the act while the pointer is replaced. `profile` says
    which gates must be decided.
    """

    approver: str
    at: datetime
    approvers: tuple[Approver, ...] = ()
    documents: tuple[dict[str, Any], ...] = ()
    recording: Callable[[ModelPointer], AbstractContextManager[None]] = _unrecorded
    profile: Profile = "live"

    def __post_init__(self) -> None:
        if not names_somebody(self.approver):
            raise PromotionRefused((f"{self.approver!r} names nobody who would answer for it",))

    def of(self, named: Registration | ModelPointer, verdicts: Iterable[Verdict]) -> ModelPointer:
        """Return the unsigned pointer to a version, with this approval and these verdicts."""
        return ModelPointer(
            name=named.name,
            version=named.version,
            digest=named.digest,
            approver=self.approver,
            approvers=self.approvers or (Approver(name=self.approver),),
            verdicts=tuple(GateVerdict(**asdict(verdict)) for verdict in verdicts),
            approvals=self.documents,
            set_at=self.at,
        )


@dataclass(frozen=True)
class Promotion:
    """The new champion or shadow, and the verdicts of all gates."""

    champion: ModelPointer
    verdicts: tuple[Verdict, ...]


def promote_version(
    reference: str,
    home: ModelHome,
    store: TrackingStore,
    approval: Approval,
    data: TrainingSet | None,
    inputs: ModelInputs | None = None,
    leave: WaiverRequest | None = None,
    live: Verdict | None = None,
) -> Promotion:
    """Evaluate all gates, record the verdicts as tags, and make the version champion.

    `data` is the model's training set; without it, the comparison with the champion is undecided.
    `leave` requests to waive gates; `live` is the verdict on live traffic, if the version ran next
    to the champion. Raises TrainingError, or PromotionRefused with the reasons; the champion then
    stays.
    """
    registration = _registered(home, home.find(reference))
    waiver = leave and Waiver.from_request(
        leave, registration.digest, leave.given_by or approval.approver, approval.at
    )
    verdicts = tuple(
        verdict.waived(waiver.in_words) if waiver and waiver.opens(verdict) else verdict
        for verdict in (
            *promotion_verdicts(registration, home, approval.approver, data, inputs),
            *filter(None, [live]),
        )
    )
    verdicts = tuple(for_use(verdict, approval.profile) for verdict in verdicts)
    # Before refusing: refused attempts must be on record too.
    _record(store, registration, approval, verdicts)
    refuse_unless_open(verdicts, approval.at)
    if waiver and any(verdict.is_waived for verdict in verdicts):
        waiver.write(home.folder_of(registration.name, registration.version), home.signing_key)
    _write_card(home, store, registration, approval, verdicts)
    former = _former_champion(home, registration.name)
    champion = approval.of(registration, verdicts).model_copy(
        update={"previous": _previous_champions(former, registration.version)}
    )
    champion = _name_champion(home, store, approval, champion, former)
    return Promotion(champion, verdicts)


def roll_back(
    reference: str,
    home: ModelHome,
    store: TrackingStore,
    approval: Approval,
    inputs: ModelInputs | None = None,
) -> Promotion:
    """Make the previous champion champion again; raises PromotionRefused if it is not intact."""
    name = re.split(r"[@/]", reference, maxsplit=1)[0]
    current = home.pointer(name, CHAMPION)
    if current is None:
        raise TrainingError(f"{name} has no champion here")
    if not current.previous:
        raise PromotionRefused((f"version {current.version} is the first champion of {name}",))
    former, *earlier = current.previous
    folder = home.folder_of(name, former.version)
    verdicts = (
        *soundness(folder, former.digest, home, inputs),
        *waiver_in_force(folder, former.digest, home, approval.at),
    )
    refuse_unless_open(verdicts, approval.at)
    if not former.is_through_all_gates:
        raise PromotionRefused((f"no gate let version {former.version} through",))
    left_open = [each.gate for each in former.verdicts if each.not_required_in]
    if missing := [gate for gate in left_open if must_be_decided(gate, approval.profile)]:
        raise PromotionRefused(
            (
                f"version {former.version} became champion with {', '.join(missing)} undecided, "
                "which must be decided now; promote it again",
            )
        )
    try:
        require_registered(folder, former, home.public_key)
    except (ArtefactError, Tampered) as refusal:
        raise PromotionRefused((str(refusal),)) from None
    champion = approval.of(former, verdicts).model_copy(
        update={
            "previous": tuple(earlier),
            # Its verdicts at its own promotion; only its integrity is checked again.
            "verdicts": former.verdicts,
            # After the two documents of this act come those by which gates were waived.
            "approvals": (*approval.documents, *former.approvals[2:]),
        }
    )
    tags = {"tidegate.rolled_back_by": approval.approver}
    tag_version(
        store, name, current.version, tags | {"tidegate.rolled_back_at": approval.at.isoformat()}
    )
    champion = _name_champion(home, store, approval, champion, current)
    return Promotion(champion, verdicts)


def run_as_shadow(
    reference: str,
    home: ModelHome,
    store: TrackingStore,
    approval: Approval,
    inputs: ModelInputs | None = None,
) -> Promotion:
    """Make a version shadow: scored next to the champion, without answering.

    Raises PromotionRefused unless it is intact. No figure is required, because a shadow is there to
    be measured.
    """
    registration = _registered(home, home.find(reference))
    folder = home.folder_of(registration.name, registration.version)
    verdicts = (*unsigned(registration), *soundness(folder, registration.digest, home, inputs))
    refuse_unless_open(verdicts, approval.at)
    shadow = approval.of(registration, verdicts).signed_for(SHADOW, home.signing_key)
    # The registry first, as in `_name_champion`.
    set_alias(store, shadow.name, SHADOW, shadow.version)
    with approval.recording(shadow):
        home.point(SHADOW, shadow)
    return Promotion(shadow, verdicts)


def _registered(home: ModelHome, folder: Path) -> Registration:
    if not (folder / REGISTRATION).exists():
        raise TrainingError(f"{folder} was never registered; `tidegate train` does that")
    registration = home.registration_of(folder)
    own_folder = home.folder_of(registration.name, registration.version)
    # Serving reads the folder in the home, so that is the one to check.
    if folder.resolve() != own_folder.resolve():
        raise TrainingError(f"{folder} is not a version of this home; want {own_folder}")
    return registration


def _record(
    store: TrackingStore,
    registration: Registration,
    approval: Approval,
    verdicts: tuple[Verdict, ...],
) -> None:
    tags = {
        "tidegate.verdict": _overall(verdicts),
        "tidegate.approver": approval.approver,
        "tidegate.decided_at": approval.at.isoformat(),
    }
    for verdict in verdicts:
        answer = f"{verdict.answer}: {verdict.reason}"
        tags[f"tidegate.gate.{verdict.gate.replace(' ', '_')}"] = answer
    tag_version(store, registration.name, registration.version, tags)


def _overall(verdicts: tuple[Verdict, ...]) -> str:
    """Return the worst verdict that stays shut; waived, not required or passed if none does."""
    shut = {verdict.verdict for verdict in verdicts if not verdict.is_open}
    if shut:
        return "refused" if "refused" in shut else "undecided"
    if any(verdict.is_waived for verdict in verdicts):
        return "waived"
    undecided = next((verdict for verdict in verdicts if verdict.not_required_in), None)
    return undecided.answer if undecided else "passed"


def _write_card(
    home: ModelHome,
    store: TrackingStore,
    registration: Registration,
    approval: Approval,
    verdicts: tuple[Verdict, ...],
) -> None:
    """Write card and verdicts, before the promotion, so that every champion has a card."""
    folder = home.folder_of(registration.name, registration.version)
    # The gates have just verified these files.
    manifest = Manifest.model_validate_json((folder / "manifest.json").read_bytes())
    report = EvaluationReport.model_validate_json((folder / REPORT).read_bytes())
    card = model_card(manifest, report, registration, approval.approver, verdicts, approval.at)
    add_text(store, registration.run_id, MODEL_CARD, card)
    (folder / MODEL_CARD).write_text(card)
    write_verdicts(folder, verdicts)


def _former_champion(home: ModelHome, name: str) -> ModelPointer | None:
    """Return the champion's pointer; None if there is none or it is unreadable.

    The gate `champion` reports an unreadable one.
    """
    try:
        return home.champion_pointer(name)
    except ChampionUnreadable:
        return None


def _previous_champions(former: ModelPointer | None, version: str) -> tuple[ModelPointer, ...]:
    """Return the earlier champions, latest first, without the version to promote.

    They need no signatures of their own: the pointer that lists them is signed.
    """
    if former is None:
        return ()
    if former.version == version:
        return former.previous
    return (former.model_copy(update={"previous": (), "signature": ""}), *former.previous)


def _name_champion(
    home: ModelHome,
    store: TrackingStore,
    approval: Approval,
    champion: ModelPointer,
    former: ModelPointer | None,
) -> ModelPointer:
    """Update the registry first, then the pointer that serving reads.

    If the pointer cannot be written, restore the previous champion in both.
    """
    champion = champion.signed_for(CHAMPION, home.signing_key)
    set_alias(store, champion.name, CHAMPION, champion.version)
    try:
        with approval.recording(champion):
            home.point(CHAMPION, champion)
    except (OSError, TidegateError):
        with suppress(OSError, TidegateError):
            _name_again(home, store, champion, former)
        raise
    return champion


def _name_again(
    home: ModelHome, store: TrackingStore, champion: ModelPointer, former: ModelPointer | None
) -> None:
    """Restore the previous champion in the registry and, if it was replaced, in the home."""
    if former is None:
        clear_alias(store, champion.name, CHAMPION)
    else:
        set_alias(store, champion.name, CHAMPION, former.version)
    # The pointer was not replaced, so serving never saw the new champion.
    if home.pointer(champion.name, CHAMPION) != champion:
        return
    if former is None:
        home.clear(champion.name, CHAMPION)
    else:
        home.point(CHAMPION, former)
