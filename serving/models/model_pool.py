"""Load, check and hot-swap the promoted models of each kind of subject.

`models/<name>/champion.json` is a signed pointer to a version, whose artefact is in the folder next
to it. `challenger.json` and `shadow.json` point to models that are scored for comparison only. A
request takes one `LoadedModel` and uses nothing else, so no answer mixes two models. A pointer not
signed for its role, or a version that fails its checks, is refused, and the previous model keeps
answering.
"""

import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import structlog

from features.errors import KeyMissing, TidegateError
from features.records import SubjectKind
from features.subject_types import SUBJECT_TYPES
from serving.access.errors import ApprovalRefused
from serving.errors import LogUnavailable, ReasonsUnavailable, Unavailable
from serving.language import say
from serving.models.errors import NoModel
from serving.models.kill_switch import KillSwitch
from serving.models.scores import ADDITIVITY, Scorer
from serving.models.slot_approvals import SlotApprovals
from serving.process.background_threads import PollingThread
from training.errors import ArtefactError
from training.model.model_pointer import Alias, GateVerdict, ModelPointer
from training.model.model_registration import require_registered
from training.model.risk_model import BOOSTER, MANIFEST, RiskModel

log = structlog.get_logger(__name__)

MODEL_NAMES = {kind: subject_type.model_name for kind, subject_type in SUBJECT_TYPES.items()}
KINDS = {name: kind for kind, name in MODEL_NAMES.items()}

Role = Alias
CHALLENGER_ROLES: tuple[Role, ...] = ("challenger", "shadow")
ROLES: tuple[Role, ...] = ("champion", *CHALLENGER_ROLES)
Slot = tuple[Role, SubjectKind]
FileStamp = tuple[int, int, int]

POLL_INTERVAL_S = 0.5
# Retired models kept in memory, since a reader of old decisions often reads several of them.
MAX_EARLIER_MODELS = 4


@dataclass(frozen=True)
class LoadedModel:
    """A verified model version, ready to score, with the gate verdicts of its promotion.

    `previous` are the pointers to the champions before it, latest first.
    """

    version: str
    model: RiskModel
    scorer: Scorer
    verdicts: tuple[GateVerdict, ...] = ()
    previous: tuple[ModelPointer, ...] = ()

    @classmethod
    def read(cls, folder: Path, public_key: bytes) -> Self:
        """Read and verify the artefact in `folder`, which is named after the version.

        Scores its golden vectors and compares the results. Raises training.errors.ArtefactError or
        features.errors.CatalogueMismatch.
        """
        return cls._verified(RiskModel.read(folder, public_key), folder)

    @classmethod
    def read_archived(cls, folder: Path, public_key: bytes) -> Self:
        """Read an artefact made for another catalogue, to rescore vectors it once scored."""
        return cls._verified(RiskModel.read_archived(folder, public_key), folder)

    @classmethod
    def _verified(cls, model: RiskModel, folder: Path) -> Self:
        scorer = Scorer.for_model(model)
        _check_golden(scorer, folder)
        return cls(folder.name, model, scorer)


class ModelPool:
    """The models of one folder by role, each replaced as a whole on promotion.

    While the pool watches, a thread of its own notices and loads changes, and requests continue
    with the previous model; otherwise `refresh` does it. A refused version is retried only when its
    pointer changes, unless the reason was a missing or unreadable approval. A kind that is switched
    off has no models. In live use `approvals` check every pointer.
    """

    def __init__(
        self,
        folder: Path,
        public_key: Path,
        kill_switch: KillSwitch | None = None,
        approvals: SlotApprovals | None = None,
    ):
        self.kill_switch = kill_switch or KillSwitch()
        self._approvals = approvals
        self._folder = folder
        self._public_key = public_key
        self._loaded: dict[Slot, LoadedModel] = {}
        self._stamps: dict[Slot, FileStamp | None] = {}
        self._refused: dict[Slot, str] = {}
        self._earlier: dict[str, RiskModel] = {}
        self._swapping = threading.Lock()
        self.polling = PollingThread("models", self.refresh, waits="models_wait")
        self.refresh()

    def waived_gates(self, kind: SubjectKind, digest: str) -> tuple[GateVerdict, ...]:
        """Return the gates that were waived when a champion was promoted, now or earlier."""
        champion = self._loaded.get(("champion", kind))
        if champion is None:
            return ()
        promoted = {each.digest: each.verdicts for each in reversed(champion.previous)}
        promoted[champion.model.digest] = champion.verdicts
        return tuple(verdict for verdict in promoted.get(digest, ()) if verdict.is_waived)

    def champion(self, kind: SubjectKind) -> LoadedModel:
        """Return the champion for this kind; raises NoModel without a usable one that is on."""
        self.kill_switch.require_on(kind)
        try:
            return self._loaded["champion", kind]
        except KeyError:
            is_refused = ("champion", kind) in self._refused
            why = "the promoted one was refused, see the log" if is_refused else "none is promoted"
            raise NoModel(
                f"no {kind} model is ready ({why}); run `tidegate train --subject {kind}` and "
                f"`tidegate promote`, then try again"
            ) from None

    def challengers(self, kind: SubjectKind) -> dict[Role, LoadedModel]:
        """Return challenger and shadow by role, unless they are the champion; none while off."""
        if self.kill_switch.is_off(kind):
            return {}
        champion = self._loaded.get(("champion", kind))
        return {
            role: model
            for role in CHALLENGER_ROLES
            if (model := self._loaded.get((role, kind)))
            # A promoted challenger would only be compared with itself.
            and (champion is None or model.model.digest != champion.model.digest)
        }

    def champions(self) -> dict[SubjectKind, LoadedModel]:
        """Return the loaded champions, whether switched off or not."""
        return {kind: model for (role, kind), model in self._loaded.items() if role == "champion"}

    def active_champions(self) -> dict[SubjectKind, LoadedModel]:
        """Return the champions that may be used now."""
        return {
            kind: model
            for kind, model in self.champions().items()
            if not self.kill_switch.is_off(kind)
        }

    def as_it_decided(self, name: str, version: str, digest: str) -> RiskModel:
        """Return the version of a model that made a decision, in service or not.

        It scores its own stored vectors, whatever the catalogue computes now. Raises
        ReasonsUnavailable if it is missing or has another digest.
        """
        loaded = [each.model for each in self._loaded.values()] + [*self._earlier.values()]
        found = next((model for model in loaded if model.digest == digest), None)
        return found or self._read_earlier(name, version, digest)

    def _read_earlier(self, name: str, version: str, digest: str) -> RiskModel:
        lacking = say(
            "{model}, which decided, is not in this home as it was", model=f"{name} {version}"
        )
        try:
            key = _read_public_key(self._public_key)
            model = RiskModel.read_archived(self._folder / name / version, key)
        except (TidegateError, OSError, ValueError) as error:
            log.error("earlier_model_not_read", model=name, version=version, reason=str(error))
            raise ReasonsUnavailable(lacking) from None
        if model.digest != digest:
            raise ReasonsUnavailable(lacking)
        self._earlier = dict([*self._earlier.items()][1 - MAX_EARLIER_MODELS :]) | {digest: model}
        return model

    @property
    def refused(self) -> dict[Slot, str]:
        """The slots whose last version was refused, with the reason; each keeps its old model."""
        return dict(self._refused)

    def watch(self) -> None:
        """Start watching for changes."""
        self.polling.start(POLL_INTERVAL_S)
        self.kill_switch.watch()

    def stop(self) -> None:
        """Stop watching for changes."""
        self.polling.stop()
        self.kill_switch.stop()

    def refresh(self) -> None:
        """Load the models whose pointers changed since the last call."""
        # The polling thread and other callers may refresh at the same time.
        with self._swapping:
            for role in ROLES:
                for kind, name in MODEL_NAMES.items():
                    stamp = _stamp(self._folder / name / f"{role}.json")
                    if stamp != self._stamps.get((role, kind)):
                        self._swap((role, kind), stamp)

    def _swap(self, slot: Slot, stamp: FileStamp | None) -> None:
        role, kind = slot
        self._stamps[slot] = stamp
        if stamp is None:
            self._refused.pop(slot, None)
            self._vacate(slot)
            return
        folder = self._folder / MODEL_NAMES[kind]
        try:
            self._loaded[slot] = load_role(folder, role, self._public_key, self._approvals)
        except (TidegateError, OSError, ValueError) as refusal:
            if isinstance(refusal, ApprovalRefused | LogUnavailable):
                # The approval may be recorded in a moment, so try again at the next poll.
                del self._stamps[slot]
            if self._refused.get(slot) != str(refusal):
                log.error("model_refused", role=role, subject_kind=kind, reason=str(refusal))
            self._refused[slot] = str(refusal)
        else:
            self._refused.pop(slot, None)

    def _vacate(self, slot: Slot) -> None:
        """Empty a slot whose pointer was removed; a champion stays until there is a new one."""
        if slot[0] in CHALLENGER_ROLES:
            self._loaded.pop(slot, None)
        elif slot in self._loaded:
            self._refused[slot] = "no version is named any more"


def load_role(
    model_folder: Path, role: Role, public_key: Path, approvals: SlotApprovals | None = None
) -> LoadedModel:
    """Load the version signed for a role and, in live use, approved for it.

    Raises TidegateError, OSError or ValueError.
    """
    key = _read_public_key(public_key)
    pointer = ModelPointer.read_seat(model_folder / f"{role}.json", role, key)
    if approvals is not None:
        approvals.require(pointer)
    found = LoadedModel.read(model_folder / pointer.version, key)
    pointer.require(found.model.manifest, found.model.digest, KINDS[model_folder.name])
    require_registered(model_folder / pointer.version, pointer, key)
    return replace(found, verdicts=pointer.verdicts, previous=pointer.previous)


def _read_public_key(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise KeyMissing(
            f"{file} is missing, so no model can be verified: put it back, with the others, from "
            "the copy of HOME/keys or from another host"
        ) from None


def records_trained_on(models: Path, public_key: Path) -> dict[str, int]:
    """Return, by record type, the largest count that a champion here was trained on.

    Champions that cannot be loaded are skipped.
    """
    most: dict[str, int] = {}
    for name in MODEL_NAMES.values():
        with suppress(TidegateError, OSError, ValueError):
            trained_on = load_role(models / name, "champion", public_key).model.manifest
            for kind, count in trained_on.record_counts.items():
                most[kind] = max(most.get(kind, 0), count)
    return most


def _stamp(pointer: Path) -> FileStamp | None:
    try:
        found = pointer.stat()
    except FileNotFoundError:
        return None
    except OSError:  # a stamp that differs leads to a read, which reports the error
        return 0, 0, 0
    return found.st_ino, found.st_mtime_ns, found.st_size


def _check_golden(scorer: Scorer, folder: Path) -> None:
    golden = scorer.model.manifest.golden
    # Golden vectors were scored at training. Differing results mean that the trees were damaged or
    # that this platform computes differently.
    names = scorer.model.encoding.names
    vectors = (dict(zip(names, each.values, strict=True)) for each in golden)
    try:
        scores = scorer.score(np.stack([scorer.model.encode(vector)[0] for vector in vectors]))
    except Unavailable as wrong:
        raise ArtefactError(f"{folder / BOOSTER}: of the golden vectors, {wrong}") from None
    apart = np.maximum(
        np.abs(scores.log_odds - [vector.log_odds for vector in golden]),
        np.abs(scores.contributions - [vector.contributions for vector in golden]).max(axis=1),
    )
    if not apart.max() <= ADDITIVITY:
        raise ArtefactError(
            f"{folder / BOOSTER}: the trees do not answer golden vector {int(apart.argmax()) + 1} "
            f"of {MANIFEST} as they did; they are {apart.max():.1e} apart"
        )
