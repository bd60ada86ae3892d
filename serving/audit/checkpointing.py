"""When the log is sealed by a checkpoint: every so many decisions, and every so many seconds."""

import time
from collections.abc import Callable
from datetime import datetime

import structlog

from serving.audit.checkpoints import Notary
from serving.db.repositories.checkpoint_repository import CheckpointRegister
from serving.db.repositories.decision_repository import Mark
from serving.errors import LogUnavailable

log = structlog.get_logger(__name__)


class Sealing:
    """Seals one log as it grows; a failure is tried again, and never reaches a request."""

    def __init__(
        self,
        notary: Notary,
        register: CheckpointRegister,
        clock: Callable[[], datetime],
        *,
        every: int,
        within_s: float,
    ):
        self._notary = notary
        self._register = register
        self._clock = clock
        self._every = every
        self._within_s = within_s
        self._unsealed: Mark | None = None
        self._sealed_size = 0
        self._sealed_at = time.monotonic()
        self._has_failed = False

    @property
    def has_failed(self) -> bool:
        """Whether the last checkpoint could not be kept."""
        return self._has_failed

    def grown_to(self, mark: Mark) -> None:
        """Note where the log ends now."""
        self._unsealed = mark

    def seal_if_due(self, *, is_last: bool = False) -> None:
        """Sign and keep a checkpoint where one is due; the last one always is."""
        mark = self._unsealed
        if mark is None or not (is_last or self._is_due(mark)):
            return
        try:
            self._register.add(self._notary.signed(mark, self._clock()))
        except LogUnavailable as failure:
            self._has_failed = True
            log.warning("log_not_sealed", reason=str(failure))
        else:
            self._has_failed = False
            self._unsealed, self._sealed_size = None, mark.size
        self._sealed_at = time.monotonic()

    def _is_due(self, mark: Mark) -> bool:
        waited_s = time.monotonic() - self._sealed_at
        return waited_s >= self._within_s or mark.size - self._sealed_size >= self._every
