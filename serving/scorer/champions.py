"""The promoted model of each kind of subject, loaded once and swapped when another is promoted.

`models/<name>/champion.json` names a version; the artefact is the folder beside it. A request takes
one `Champion` and uses nothing else, so that no answer mixes two models. A version that fails its
checks is refused and the previous one keeps answering.
"""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

import numpy as np
import structlog
from pydantic import BaseModel, Field

from features.errors import TidegateError
from features.records import SubjectKind
from serving.errors import NoModel
from serving.scorer.scores import ADDITIVITY, Scorer
from training.errors import ArtefactError
from training.risk_model import BOOSTER, MANIFEST, RiskModel

log = structlog.get_logger(__name__)

NAMES: dict[SubjectKind, str] = {"route": "tidegate-route", "shipment": "tidegate-shipment"}

Stamp = tuple[int, int, int]


class Pointer(BaseModel):
    """What `champion.json` must say; the rest of it is for those who promote."""

    version: Annotated[str, Field(pattern=r"^[0-9]{1,18}$")]


@dataclass(frozen=True)
class Champion:
    """A model ready to answer."""

    version: str
    model: RiskModel
    scorer: Scorer

    @classmethod
    def read(cls, folder: Path, public_key: bytes) -> Self:
        """The artefact in `folder`, whose name is the version; checked down to its golden vectors.

        Raises training.errors.ArtefactError or features.errors.CatalogueMismatch.
        """
        model = RiskModel.read(folder, public_key)
        scorer = Scorer.of(model)
        _check_golden(scorer, folder)
        return cls(folder.name, model, scorer)


class Champions:
    """The champions of one models folder; looks for a promotion whenever one is asked for."""

    def __init__(self, models: Path, public_key: Path):
        self._models = models
        self._public_key = public_key
        self._loaded: dict[SubjectKind, Champion] = {}
        self._stamps: dict[SubjectKind, Stamp | None] = {}
        self._swapping = threading.Lock()

    def of(self, kind: SubjectKind) -> Champion:
        """The champion for subjects of this kind; raises NoModel where none may answer."""
        stamp = _stamp(self._pointer(kind))
        if stamp != self._stamps.get(kind):
            self._swap(kind, stamp)
        try:
            return self._loaded[kind]
        except KeyError:
            why = (
                "none is promoted" if stamp is None else "the promoted one was refused, see the log"
            )
            raise NoModel(
                f"no {kind} model is ready ({why}); run `tidegate train --subject {kind}` and "
                f"`tidegate promote`, then try again"
            ) from None

    def loaded(self) -> dict[SubjectKind, Champion]:
        """The champions that can answer now."""
        ready: dict[SubjectKind, Champion] = {}
        for kind in NAMES:
            try:
                ready[kind] = self.of(kind)
            except NoModel:
                continue
        return ready

    def _pointer(self, kind: SubjectKind) -> Path:
        return self._models / NAMES[kind] / "champion.json"

    def _swap(self, kind: SubjectKind, stamp: Stamp | None) -> None:
        with self._swapping:
            if stamp == self._stamps.get(kind):
                return
            try:
                self._loaded[kind] = champion_of(self._models / NAMES[kind], self._public_key)
            except (TidegateError, OSError, ValueError) as refusal:
                log.error("model_refused", subject_kind=kind, reason=str(refusal))
            self._stamps[kind] = stamp


def champion_of(models: Path, public_key: Path) -> Champion:
    """The promoted version of one model; raises TidegateError, OSError or ValueError."""
    pointer = Pointer.model_validate_json((models / "champion.json").read_bytes())
    return Champion.read(models / pointer.version, public_key.read_bytes())


def _stamp(pointer: Path) -> Stamp | None:
    try:
        found = pointer.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _check_golden(scorer: Scorer, folder: Path) -> None:
    golden = scorer.model.manifest.golden
    names = scorer.model.encoding.names
    vectors = (dict(zip(names, each.values, strict=True)) for each in golden)
    try:
        scores = scorer.score(np.stack([scorer.model.encode(vector)[0] for vector in vectors]))
    except ArithmeticError as wrong:
        raise ArtefactError(f"{folder / BOOSTER}: of the golden vectors, {wrong}") from None
    apart = np.maximum(
        np.abs(scores.log_odds - [each.log_odds for each in golden]),
        np.abs(scores.contributions - [each.contributions for each in golden]).max(axis=1),
    )
    if not apart.max() <= ADDITIVITY:
        raise ArtefactError(
            f"{folder / BOOSTER}: the trees do not answer golden vector {int(apart.argmax()) + 1} "
            f"of {MANIFEST} as they did; they are {apart.max():.1e} apart"
        )
