"""A version becomes the champion, once every gate is passed; or the former one returns."""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from features.errors import CatalogueMismatch
from training import gates
from training.errors import (
    ArtefactError,
    ArtefactTampered,
    PromotionRefused,
    TrackingError,
    UnknownModel,
    WaiverError,
)
from training.evaluation.report import Report
from training.gates import Verdict
from training.manifest import Manifest
from training.model_card import MODEL_CARD, model_card
from training.model_home import ModelHome, Pointer, Registration
from training.model_inputs import ModelInputs
from training.risk_model import REPORT, RiskModel
from training.tracking.registry import clear_alias, set_alias, tag_version
from training.tracking.runs import add_text
from training.tracking.store import TrackingStore
from training.training_set import TrainingSet
from training.waiver import Waiver

CHAMPION: Final = "champion"
SHADOW: Final = "shadow"


@dataclass(frozen=True)
class Approval:
    """Who answers for a promotion, and when."""

    approver: str
    at: datetime


@dataclass(frozen=True)
class Leave:
    """The groups' gate may stand open: why, and until when. Who approves answers for it."""

    because: str
    until: datetime


@dataclass(frozen=True)
class Promotion:
    """The new champion, or shadow, and what every gate said."""

    champion: Pointer
    verdicts: tuple[Verdict, ...]


def promote(
    reference: str,
    home: ModelHome,
    store: TrackingStore,
    approval: Approval,
    data: TrainingSet | None,
    inputs: ModelInputs | None = None,
    leave: Leave | None = None,
) -> Promotion:
    """Ask every gate, record the answers as tags of the version, and name it champion.

    `data` is the training set that the model is from; without it, it cannot be compared with a
    champion. With `leave`, the groups' gate may stand open. Raises
    WaiverError, or PromotionRefused with the reasons; the champion is then who it was.
    """
    registration = _registered(home, home.find(reference))
    waiver = leave and Waiver.given(
        "groups", registration.digest, approval.approver, leave.because, (approval.at, leave.until)
    )
    verdicts = tuple(
        verdict.waived(waiver) if waiver and verdict.gate == waiver.gate else verdict
        for verdict in _verdicts(registration, home, approval, data, inputs)
    )
    _record(store, registration, approval, verdicts)
    _refuse(verdicts)
    if waiver and any(verdict.is_waived for verdict in verdicts):
        waiver.write(home.folder_of(registration.name, registration.version), home.signing_key)
    _write_card(home, store, registration, approval, verdicts)
    former = home.pointer(registration.name, CHAMPION)
    champion = Pointer(
        name=registration.name,
        version=registration.version,
        digest=registration.digest,
        approver=approval.approver,
        set_at=approval.at,
        previous=_line(former, registration.version),
    )
    _name_champion(home, store, champion, former)
    return Promotion(champion, verdicts)


def roll_back(
    reference: str,
    home: ModelHome,
    store: TrackingStore,
    approval: Approval,
    inputs: ModelInputs | None = None,
) -> Promotion:
    """Name the former champion again, if it is still whole. Raises PromotionRefused otherwise."""
    name = re.split(r"[@/]", reference, maxsplit=1)[0]
    now = home.pointer(name, CHAMPION)
    if now is None:
        raise UnknownModel(f"{name} has no champion here")
    if not now.previous:
        raise PromotionRefused((f"version {now.version} is the first champion of {name}",))
    former, *earlier = now.previous
    folder = home.folder_of(name, former.version)
    verdicts = (
        *_soundness(folder, former.digest, home, inputs),
        *_waiver_in_force(folder, home, approval.at),
    )
    _refuse(verdicts)
    champion = former.model_copy(
        update={
            "approver": approval.approver,
            "set_at": approval.at,
            "previous": tuple(earlier),
        }
    )
    tags = {"tidegate.rolled_back_by": approval.approver}
    tag_version(
        store, name, now.version, tags | {"tidegate.rolled_back_at": approval.at.isoformat()}
    )
    _name_champion(home, store, champion, now)
    return Promotion(champion, verdicts)


def run_as_shadow(
    reference: str,
    home: ModelHome,
    store: TrackingStore,
    approval: Approval,
    inputs: ModelInputs | None = None,
) -> Promotion:
    """Let a version score beside the champion, answering nobody, if it is whole.

    Raises PromotionRefused otherwise. No figure is asked for: a shadow is there to be measured.
    """
    registration = _registered(home, home.find(reference))
    folder = home.folder_of(registration.name, registration.version)
    verdicts = tuple(_soundness(folder, registration.digest, home, inputs))
    _refuse(verdicts)
    shadow = Pointer(
        name=registration.name,
        version=registration.version,
        digest=registration.digest,
        approver=approval.approver,
        set_at=approval.at,
    )
    set_alias(store, shadow.name, SHADOW, shadow.version)
    home.point(SHADOW, shadow)
    return Promotion(shadow, verdicts)


def _refuse(verdicts: tuple[Verdict, ...]) -> None:
    if shut := [verdict for verdict in verdicts if not verdict.is_open]:
        raise PromotionRefused(tuple(f"{verdict.gate}: {verdict.reason}" for verdict in shut))


def _waiver_in_force(folder: Path, home: ModelHome, at: datetime) -> Iterable[Verdict]:
    """Is what was waived for the version still waived?"""
    try:
        waiver = Waiver.read(folder, home.public_key)
    except (ArtefactTampered, WaiverError) as error:
        yield Verdict("waiver", False, str(error))
        return
    if waiver is not None:
        yield Verdict("waiver", at < waiver.until, f"{waiver.gate} {waiver.in_words}")


def _registered(home: ModelHome, folder: Path) -> Registration:
    try:
        registration = home.registration_of(folder)
    except ArtefactError:
        raise UnknownModel(f"{folder} was never registered; `tidegate train` does that") from None
    own = home.folder_of(registration.name, registration.version)
    if folder.resolve() != own.resolve():
        raise UnknownModel(f"{folder} is no version of this home; want {own}")
    return registration


def _verdicts(
    registration: Registration,
    home: ModelHome,
    approval: Approval,
    data: TrainingSet | None,
    inputs: ModelInputs | None,
) -> Iterable[Verdict]:
    folder = home.folder_of(registration.name, registration.version)
    yield gates.approved_by_another(registration.trainer, approval.approver)
    sound = list(_soundness(folder, registration.digest, home, inputs))
    yield from sound
    if not all(verdict.is_passed for verdict in sound):
        return
    model = RiskModel.read(folder, home.public_key, inputs)
    yield gates.better_than_the_lot(model.manifest)
    yield gates.calibrated(model.manifest)
    report = Report.model_validate_json(model.report_json)
    yield gates.free_of_leaks(report)
    yield gates.fair_to_groups(report)
    yield gates.no_worse_than_champion(model, _champion(registration, home, inputs), data)


def _soundness(
    folder: Path, digest: str, home: ModelHome, inputs: ModelInputs | None
) -> Iterable[Verdict]:
    """Is the artefact whole, the one that was registered, and able to answer its own rows?"""
    try:
        model = RiskModel.read(folder, home.public_key, inputs)
    except (ArtefactError, CatalogueMismatch) as error:
        yield Verdict("artefact", False, str(error))
        return
    if model.digest != digest:
        yield Verdict("artefact", False, f"its digest is {model.digest}, registered was {digest}")
        return
    yield Verdict("artefact", True, "signature, digests and catalogue fit")
    yield gates.golden_vectors(model)


def _champion(
    registration: Registration, home: ModelHome, inputs: ModelInputs | None
) -> RiskModel | None:
    """The champion to beat; none where it is this version, or can no longer answer anyway."""
    pointer = home.pointer(registration.name, CHAMPION)
    if pointer is None or pointer.version == registration.version:
        return None
    folder = home.folder_of(pointer.name, pointer.version)
    with suppress(ArtefactError, CatalogueMismatch):
        return RiskModel.read(folder, home.public_key, inputs)
    return None


def _record(
    store: TrackingStore,
    registration: Registration,
    approval: Approval,
    verdicts: tuple[Verdict, ...],
) -> None:
    passed = all(verdict.is_open for verdict in verdicts)
    tags = {
        "tidegate.verdict": "passed" if passed else "refused",
        "tidegate.approver": approval.approver,
        "tidegate.decided_at": approval.at.isoformat(),
    }
    for verdict in verdicts:
        said = f"{verdict.answer}: {verdict.reason}"
        tags[f"tidegate.gate.{verdict.gate.replace(' ', '_')}"] = said
    tag_version(store, registration.name, registration.version, tags)


def _write_card(
    home: ModelHome,
    store: TrackingStore,
    registration: Registration,
    approval: Approval,
    verdicts: tuple[Verdict, ...],
) -> None:
    """Before it is named champion, so that none is without a card."""
    folder = home.folder_of(registration.name, registration.version)
    # The gates have just verified what lies there.
    manifest = Manifest.model_validate_json((folder / "manifest.json").read_bytes())
    report = Report.model_validate_json((folder / REPORT).read_bytes())
    card = model_card(manifest, report, registration, approval.approver, verdicts)
    add_text(store, registration.run_id, MODEL_CARD, card)
    (folder / MODEL_CARD).write_text(card)


def _line(former: Pointer | None, version: str) -> tuple[Pointer, ...]:
    """Who was champion before, without repeating the version that becomes it now."""
    if former is None:
        return ()
    if former.version == version:
        return former.previous
    return (former.model_copy(update={"previous": ()}), *former.previous)


def _name_champion(
    home: ModelHome, store: TrackingStore, champion: Pointer, former: Pointer | None
) -> None:
    """In the registry first: what serving reads changes only once everything else has."""
    set_alias(store, champion.name, CHAMPION, champion.version)
    try:
        home.point(CHAMPION, champion)
    except OSError:
        with suppress(TrackingError):
            if former is None:
                clear_alias(store, champion.name, CHAMPION)
            else:
                set_alias(store, former.name, CHAMPION, former.version)
        raise
