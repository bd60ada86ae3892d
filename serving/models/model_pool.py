"""The promoted model of each kind of subject, loaded once and swapped when another is promoted.

`models/<name>/champion.json` names a version; the artefact is the folder beside it, and so for the
challenger and the shadow, which are asked beside the champion and answer nobody. A request takes
one `Champion` and uses nothing else, so that no answer mixes two models. A version that fails its
checks is refused and the previous one keeps answering.
"""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
import structlog
from pydantic import BaseModel, Field

from features.errors import TidegateError
from features.records import SubjectKind
from features.subject_types import SUBJECT_TYPES
from serving.errors import NoModel, Unexplained
from serving.models.kill_switch import Switch
from serving.models.scores import ADDITIVITY, Scorer
from training.errors import ArtefactError
from training.model.risk_model import BOOSTER, MANIFEST, RiskModel

log = structlog.get_logger(__name__)

NAMES = {kind: each.model_name for kind, each in SUBJECT_TYPES.items()}

Role = Literal["champion", "challenger", "shadow"]
BESIDE: tuple[Role, ...] = ("challenger", "shadow")
ROLES: tuple[Role, ...] = ("champion", *BESIDE)
Seat = tuple[Role, SubjectKind]
Stamp = tuple[int, int, int]

WATCHED_EVERY_S = 0.5


class Pointer(BaseModel):
    """What `champion.json` and its like must say; the rest of it is for those who promote."""

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
        return cls._of(RiskModel.read(folder, public_key), folder)

    @classmethod
    def read_archived(cls, folder: Path, public_key: bytes) -> Self:
        """As `read`, of whatever catalogue it was trained on, for vectors that it has scored."""
        return cls._of(RiskModel.read_archived(folder, public_key), folder)

    @classmethod
    def _of(cls, model: RiskModel, folder: Path) -> Self:
        scorer = Scorer.of(model)
        _check_golden(scorer, folder)
        return cls(folder.name, model, scorer)


class Champions:
    """The models of one folder by the role they have, swapped whole when a role changes hands.

    While it watches, changes are noticed and loaded beside the requests, which keep being answered
    by the model there was; without, `refresh` does it. A version that was refused is not tried
    again until its role is given anew. While a kind is switched off, nobody is given its models.
    """

    def __init__(self, models: Path, public_key: Path, switch: Switch | None = None):
        self.switch = switch or Switch()
        self._models = models
        self._public_key = public_key
        self._loaded: dict[Seat, Champion] = {}
        self._stamps: dict[Seat, Stamp | None] = {}
        self._refused: dict[Seat, str] = {}
        self._swapping = threading.Lock()
        self._is_over = threading.Event()
        self._watch = threading.Thread(target=self._watching, name="model-watch", daemon=True)
        self.refresh()

    def of(self, kind: SubjectKind) -> Champion:
        """The champion for subjects of this kind; raises NoModel where none can, or ModelsOff."""
        self.switch.require_on(kind)
        try:
            return self._loaded["champion", kind]
        except KeyError:
            is_refused = ("champion", kind) in self._refused
            why = "the promoted one was refused, see the log" if is_refused else "none is promoted"
            raise NoModel(
                f"no {kind} model is ready ({why}); run `tidegate train --subject {kind}` and "
                f"`tidegate promote`, then try again"
            ) from None

    def beside(self, kind: SubjectKind) -> dict[Role, Champion]:
        """The models of other roles that are not the champion itself; none while switched off."""
        if self.switch.is_off(kind):
            return {}
        champion = self._loaded.get(("champion", kind))
        return {
            role: other
            for role in BESIDE
            if (other := self._loaded.get((role, kind)))
            and (champion is None or other.model.digest != champion.model.digest)
        }

    def loaded(self) -> dict[SubjectKind, Champion]:
        """The champions that there are, switched off or not."""
        return {kind: m for (role, kind), m in self._loaded.items() if role == "champion"}

    def answering(self) -> dict[SubjectKind, Champion]:
        """The champions that may be asked now."""
        return {kind: m for kind, m in self.loaded().items() if not self.switch.is_off(kind)}

    @property
    def refused(self) -> dict[Seat, str]:
        """The seats whose last version was refused, and why; the one before keeps the seat."""
        return dict(self._refused)

    def watch(self) -> None:
        """Begin to notice changes."""
        self._watch.start()
        self.switch.watch()

    def stop(self) -> None:
        """Stop noticing changes."""
        self._is_over.set()
        if self._watch.is_alive():
            self._watch.join()
        self.switch.stop()

    def refresh(self) -> None:
        """Load what changed since the last time."""
        with self._swapping:
            for role in ROLES:
                for kind, name in NAMES.items():
                    stamp = _stamp(self._models / name / f"{role}.json")
                    if stamp != self._stamps.get((role, kind)):
                        self._swap((role, kind), stamp)

    def _swap(self, seat: Seat, stamp: Stamp | None) -> None:
        role, kind = seat
        self._stamps[seat] = stamp
        self._refused.pop(seat, None)
        if stamp is None:
            self._left_empty(seat)
            return
        try:
            found = holder_of(self._models / NAMES[kind], role, self._public_key)
        except (TidegateError, OSError, ValueError) as refusal:
            self._refused[seat] = str(refusal)
            log.error("model_refused", role=role, subject_kind=kind, reason=str(refusal))
        else:
            self._loaded[seat] = found

    def _left_empty(self, seat: Seat) -> None:
        """Nobody is named any more: others leave, a champion goes on until there is a new one."""
        if seat[0] in BESIDE:
            self._loaded.pop(seat, None)
        elif seat in self._loaded:
            self._refused[seat] = "no version is named any more"

    def _watching(self) -> None:
        while not self._is_over.wait(WATCHED_EVERY_S):
            self.refresh()


def holder_of(models: Path, role: Role, public_key: Path) -> Champion:
    """The version of one model that has a role; raises TidegateError, OSError or ValueError."""
    pointer = Pointer.model_validate_json((models / f"{role}.json").read_bytes())
    return Champion.read(models / pointer.version, public_key.read_bytes())


def _stamp(pointer: Path) -> Stamp | None:
    try:
        found = pointer.stat()
    except FileNotFoundError:
        return None
    except OSError:  # reading it will say why
        return 0, 0, 0
    return found.st_ino, found.st_mtime_ns, found.st_size


def _check_golden(scorer: Scorer, folder: Path) -> None:
    golden = scorer.model.manifest.golden
    names = scorer.model.encoding.names
    vectors = (dict(zip(names, each.values, strict=True)) for each in golden)
    try:
        scores = scorer.score(np.stack([scorer.model.encode(vector)[0] for vector in vectors]))
    except Unexplained as wrong:
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
