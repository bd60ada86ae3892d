"""The models, training sets, records and decisions of one home, to read."""

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pandas as pd

from features.errors import TidegateError
from features.records import SubjectKind
from features.subject_types import SUBJECT_TYPES
from serving.audit.decision import Decision
from serving.cli.opened_home import OpenedHome
from serving.errors import NotFound
from training.data.training_set import TrainingSet
from training.evaluation.reevaluation import read_for
from training.model.model_home import ModelHome
from training.model.model_pointer import Alias
from training.model.risk_model import RiskModel

DEFAULT = Path(".tidegate")

# A model, or its reference in a home, such as "tidegate-shipment@champion", or its folder.
AnyModel = RiskModel | str | Path
AnyTrainingSet = TrainingSet | str | Path


@dataclass(frozen=True)
class HomeFolder:
    """A home folder, to read: nothing here changes a model, a record or a decision."""

    path: Path

    @property
    def records(self) -> Path:
        """The folder of its record files."""
        return self.path / "records"

    def models(self) -> pd.DataFrame:
        """Return one row for each version, with its aliases, trainer, time (UTC) and digest."""
        models, columns = ModelHome(self.path), ["name", "version", "aliases"]
        rows = []
        for name in sorted(subject_type.model_name for subject_type in SUBJECT_TYPES.values()):
            pointers = {alias: models.pointer(name, alias) for alias in get_args(Alias)}
            folders = (self.path / "models" / name).glob("[0-9]*")
            for folder in sorted(folders, key=lambda each: int(each.name)):
                aliases = [a for a, at in pointers.items() if at and at.version == folder.name]
                made = models.registration_of(folder)
                rows.append(
                    {
                        "name": name,
                        "version": folder.name,
                        "aliases": ", ".join(aliases),
                        "trainer": made.trainer,
                        "registered_at": made.registered_at,
                        "digest": made.digest,
                    }
                )
        return pd.DataFrame(rows, columns=[*columns, "trainer", "registered_at", "digest"])

    def model(self, reference: str | Path) -> RiskModel:
        """Return a verified model by `name@alias`, `name/version` or folder; raises TidegateError.

        A model for other features than those of this release raises CatalogueMismatch.
        """
        models = ModelHome(self.path)
        return RiskModel.read(models.find(str(reference)), models.public_key)

    def training_set(self, subject: SubjectKind) -> TrainingSet:
        """Return the training set that `tidegate build` or `demo` left for a kind of subject."""
        return TrainingSet.read(self.path / "training_sets" / subject, subject)

    def decision(self, decision_id: str) -> Decision:
        """Return a stored decision with its vector, score and contributions; raises NotFound.

        The reading is recorded in the audit log, as for every command.
        """
        at = OpenedHome(self.path, may_create=False)
        try:
            record = at.stores.decisions.record(decision_id)
            if record is None:
                raise NotFound(f"there is no decision {decision_id} in the log")
            at.record_reading("read", "decision", decision_id)
            return Decision.model_validate_json(record)
        finally:
            at.close()


def open_home(home: str | Path = DEFAULT) -> HomeFolder:
    """Return a home folder to read; raises TidegateError if there is none."""
    path = Path(home)
    if not path.is_dir():
        raise TidegateError(f"{path}: no such home; `tidegate demo --once --home {path}` makes one")
    return HomeFolder(path)


def model_in(home: str | Path, model: AnyModel) -> RiskModel:
    """Return a model as it is, or read and verify the one that is referred to."""
    return model if isinstance(model, RiskModel) else HomeFolder(Path(home)).model(model)


def training_set_in(folder: AnyTrainingSet, *models: RiskModel) -> TrainingSet:
    """Return a training set as it is, or read and check the one in a folder.

    With models, only what they read must be in the folder, which may be of another catalogue.
    """
    if isinstance(folder, TrainingSet):
        return folder
    return read_for(folder, *models) if models else TrainingSet.read(folder)
