"""Verdicts of all gates on a registered version, from its files as they are now."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from features.errors import CatalogueMismatch, Tampered
from training.data.training_set import TrainingSet
from training.errors import (
    ArtefactError,
    ChampionUnreadable,
    PromotionRefused,
    TrainingError,
)
from training.evaluation.evaluation_report import EvaluationReport
from training.evaluation.reevaluation import parameters_of
from training.gates import gates
from training.gates.canaries import Canaries
from training.gates.score_gates import traffic_verdicts
from training.gates.second_approval import approved_by_another
from training.gates.verdict import Verdict, passed_if
from training.gates.waivable import WAIVABLE
from training.gates.waiver import WAIVABLE_WHEN_REFUSED, Waiver
from training.model.model_home import ModelHome
from training.model.model_inputs import ModelInputs
from training.model.model_registration import APPROVER_GATE, Registration
from training.model.risk_model import RiskModel
from training.parameters import LeakageParameters

CHAMPION: Final = "champion"
UNSIGNED = (
    "the home did not sign who trained this version: an older release registered it, or its "
    "signature was taken away; train again"
)


def promotion_verdicts(
    registration: Registration,
    home: ModelHome,
    approver: str,
    data: TrainingSet | None,
    inputs: ModelInputs | None,
) -> Iterable[Verdict]:
    """Yield all verdicts; if the artefact is unsound, only those on approver and artefact.

    If the champion cannot be read, the gate `champion` replaces those that compare with it. `data`
    is the model's own training set; without it the comparison is undecided.
    """
    folder = home.folder_of(registration.name, registration.version)
    yield from unsigned(registration)
    if registration.signature:
        yield approved_by_another(registration.trainer, approver)
    sound = list(soundness(folder, registration.digest, home, inputs))
    yield from sound
    # An artefact that is not sound must not be loaded, so no other gate can be evaluated.
    if not all(verdict.verdict == "passed" for verdict in sound):
        return
    model = RiskModel.read(folder, home.public_key, inputs)
    report = EvaluationReport.model_validate_json(model.report_json)
    yield from evaluation_verdicts(report, parameters_of(model).leakage)
    try:
        champion = _champion(registration, home, inputs)
    except ChampionUnreadable as error:
        yield Verdict("champion", "refused", str(error))
        return
    # On any other set the champion might have seen the window, or the figures could be chosen.
    own_set = data if data and data.digest == model.manifest.training_set_digest else None
    attempt = attempt_of(registration.name, registration.version, home)
    yield from comparison_verdicts(model, champion, own_set, home, attempt)


def attempt_of(name: str, version: str, home: ModelHome) -> int:
    """Return the place of a version among those judged against the champion, from 1.

    Every version registered since the champion was is counted, as its verdicts were seen, and a
    version from before it comes last. Raises ChampionUnreadable.
    """
    champion = home.champion_pointer(name)
    if champion is None:
        return 1
    since = [each for each in home.versions_of(name) if each > int(champion.version)]
    is_earlier = int(version) < int(champion.version)
    return 1 + sum(is_earlier or each < int(version) for each in since)


def unsigned(registration: Registration) -> Iterable[Verdict]:
    """Yield an undecided verdict if no signature proves who trained the version."""
    if not registration.signature:
        yield Verdict(APPROVER_GATE, "undecided", UNSIGNED)


def evaluation_verdicts(report: EvaluationReport, leakage: LeakageParameters) -> Iterable[Verdict]:
    """Yield the verdicts that depend on an evaluation, given its leakage parameters."""
    yield from traffic_verdicts(report)
    yield gates.free_of_leaks(report, leakage)
    yield gates.no_proxy_for_origin(report)
    yield gates.bounded_influence(report)


def comparison_verdicts(
    model: RiskModel,
    champion: RiskModel | None,
    data: TrainingSet | None,
    home: ModelHome,
    attempt: int = 1,
) -> Iterable[Verdict]:
    """Yield the verdicts that compare a model with the champion on data unseen by both.

    `attempt` is its place among the models judged against this champion, from 1.
    """
    if model.manifest.recalibrates is not None:
        yield gates.well_recalibrated(model, champion, data)
    yield gates.no_worse_than_champion(model, champion, data, attempt)
    yield _steady_canaries(model, champion, data, home)
    yield gates.holds_on_the_control_lane(model, champion, data)


def _steady_canaries(
    model: RiskModel, champion: RiskModel | None, data: TrainingSet | None, home: ModelHome
) -> Verdict:
    try:
        canaries = Canaries.read(home.home, model.manifest.subject, home.public_key)
    except Tampered as error:
        return Verdict(gates.CANARIES, "refused", str(error))
    return gates.steady_canaries(canaries, model, champion, data)


def soundness(
    folder: Path, digest: str, home: ModelHome, inputs: ModelInputs | None
) -> Iterable[Verdict]:
    """Check that the artefact is intact, is the registered one, and reproduces its own rows."""
    try:
        model = RiskModel.read(folder, home.public_key, inputs)
    except (ArtefactError, Tampered, CatalogueMismatch) as error:
        yield Verdict("artefact", "refused", str(error))
        return
    if model.digest != digest:
        yield Verdict(
            "artefact", "refused", f"its digest is {model.digest}, registered was {digest}"
        )
        return
    yield Verdict("artefact", "passed", "signature, digests and catalogue fit")
    yield gates.golden_vectors(model)


def _champion(
    registration: Registration, home: ModelHome, inputs: ModelInputs | None
) -> RiskModel | None:
    """Return the champion to beat; None if there is none or it is this version.

    Raises ChampionUnreadable.
    """
    pointer = home.champion_pointer(registration.name)
    if pointer is None or pointer.version == registration.version:
        return None
    return home.champion(registration.name, inputs)


def waiver_in_force(folder: Path, digest: str, home: ModelHome, at: datetime) -> Iterable[Verdict]:
    """Check that the waiver for the version with this digest is still in force."""
    try:
        waiver = Waiver.of_model(folder, home.public_key)
    except (Tampered, TrainingError) as error:
        yield Verdict("waiver", "refused", str(error))
        return
    if waiver is None:
        return
    if waiver.digest != digest:
        yield Verdict(
            "waiver", "refused", f"it was signed for {waiver.digest}, the model is {digest}"
        )
        return
    yield Verdict(
        "waiver", passed_if(at < waiver.until), f"{', '.join(waiver.gates)} {waiver.in_words}"
    )


def refuse_unless_open(verdicts: tuple[Verdict, ...], at: datetime) -> None:
    """Raise PromotionRefused with the reasons, as of `at`, of all gates that stay shut."""
    if shut := [verdict for verdict in verdicts if not verdict.is_open]:
        raise PromotionRefused(
            tuple(f"{v.gate}, {v.verdict}: {v.in_words(at)}" for v in shut),
            tuple(v.gate for v in shut if v.verdict == "undecided" and v.gate in WAIVABLE),
            tuple(
                v.gate for v in shut if v.verdict == "refused" and v.gate in WAIVABLE_WHEN_REFUSED
            ),
        )
