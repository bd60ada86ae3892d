"""All documents of a model version: manifest, report, registration, card and others."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from features.errors import CatalogueMismatch, Tampered
from training.errors import ArtefactError
from training.evaluation.evaluation_report import EvaluationReport
from training.gates.verdict import Verdict, read_verdicts
from training.gates.waiver import Waiver
from training.model.manifest import Manifest
from training.model.model_home import ModelHome
from training.model.model_registration import Registration
from training.model.risk_model import RiskModel
from training.registry.model_card import MODEL_CARD


@dataclass(frozen=True)
class Version:
    """One version in the history of a model, with the metrics in its manifest."""

    registration: Registration
    manifest: Manifest
    is_champion: bool


@dataclass(frozen=True)
class Dossier:
    """A version with all its documents; `versions` are all versions of its name, oldest first."""

    model: RiskModel
    report: EvaluationReport
    registration: Registration
    card: str | None
    waiver: Waiver | None
    verdicts: tuple[Verdict, ...]
    versions: tuple[Version, ...]

    @classmethod
    def gather(cls, reference: str, home: ModelHome) -> Self:
        """Gather a version's documents; raises TrainingError, ArtefactError if one is invalid."""
        folder = home.find(reference)
        model = RiskModel.read(folder, home.public_key)
        card = folder / MODEL_CARD
        return cls(
            model=model,
            report=EvaluationReport.model_validate_json(model.report_json),
            registration=home.registration_of(folder),
            card=card.read_text(encoding="utf-8") if card.is_file() else None,
            waiver=Waiver.of_model(folder, home.public_key),
            verdicts=read_verdicts(folder),
            versions=tuple(_versions(home, model.manifest.name)),
        )

    @property
    def as_json(self) -> dict[str, Any]:
        """The dossier as JSON values, with the whole report and manifest except golden vectors."""
        return {
            "registration": self.registration.model_dump(mode="json"),
            "digest": self.model.digest,
            "manifest": self.model.manifest.model_dump(mode="json", exclude={"golden"}),
            "report": self.report.model_dump(mode="json"),
            "card": self.card,
            "waiver": self.waiver and self.waiver.model_dump(mode="json"),
            "verdicts": [verdict.as_json for verdict in self.verdicts],
            "versions": [version.registration.model_dump(mode="json") for version in self.versions],
        }


def _versions(home: ModelHome, name: str) -> Iterable[Version]:
    champion = home.pointer(name, "champion")
    folders = (home.home / "models" / name).iterdir()
    # Pointers lie next to the versions, and 10 comes after 9.
    for folder in sorted((f for f in folders if f.name.isdigit()), key=lambda f: int(f.name)):
        try:
            model = RiskModel.read(folder, home.public_key)
        except (ArtefactError, Tampered, CatalogueMismatch):
            continue  # from an older release, which wrote its own technical file
        registration = home.registration_of(folder)
        is_champion = champion is not None and champion.version == registration.version
        yield Version(registration, model.manifest, is_champion)
