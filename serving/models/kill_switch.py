"""Whether models may be asked at all: people switch them off at once, in every worker.

The register is read again every `LOOKED_EVERY_S` by a thread that no request waits for. Where it
cannot be read, what was known last holds; nothing can be decided then either.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

import structlog

from features.records import SubjectKind
from serving.db.repositories.kill_switch_repository import Switched
from serving.errors import LogUnavailable, ModelsOff

log = structlog.get_logger(__name__)

LOOKED_EVERY_S = 0.5


class Switch:
    """Follows how models were switched last, as `newest` tells by kind; all are on without it."""

    def __init__(self, newest: Callable[[], Mapping[str, Switched]] = dict):
        self._newest = newest
        self._last = dict(newest())
        self._is_over = threading.Event()
        self._watch = threading.Thread(target=self._watching, name="switch-watch", daemon=True)

    def is_off(self, kind: SubjectKind) -> bool:
        """Whether no model may be asked about subjects of this kind."""
        last = self._last.get(kind)
        return last is not None and not last.is_on

    @property
    def off(self) -> tuple[str, ...]:
        """The kinds whose models are switched off."""
        return tuple(sorted(kind for kind, last in self._last.items() if not last.is_on))

    def require_on(self, kind: SubjectKind) -> None:
        """Raise ModelsOff, with the instant and the reason, unless models may be asked."""
        if self.is_off(kind):
            last = self._last[kind]
            raise ModelsOff(
                f"the models of {kind}s were switched off at {last.switched_at[:19]}; an absent "
                "score never means low risk: follow the manual procedure"
            )

    def refresh(self) -> None:
        """Look at once. Raises LogUnavailable."""
        found = dict(self._newest())
        for kind, switched in found.items():
            if switched != self._last.get(kind):
                word = "models_switched_on" if switched.is_on else "models_switched_off"
                log.warning(word, subject_kind=kind, by=switched.switched_by)
        self._last = found

    def watch(self) -> None:
        """Begin to look again and again."""
        self._watch.start()

    def stop(self) -> None:
        """Stop looking."""
        self._is_over.set()
        if self._watch.is_alive():
            self._watch.join()

    def _watching(self) -> None:
        while not self._is_over.wait(LOOKED_EVERY_S):
            with suppress(LogUnavailable):
                self.refresh()
