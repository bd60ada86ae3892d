"""The kill switch: whether models may be used, and who switched them off or on, when and why.

Regulation (EU) 2024/1689, Article 14(4)(e), wants a stop within reach of whoever oversees a system.
Every worker reads the switch again every `POLL_INTERVAL_S` on a thread that no request waits for.
Where it cannot be read, the last state holds: nothing can be decided then either.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, get_args

import structlog

from features.records import SUBJECT_KINDS, SubjectKind
from serving.errors import LogUnavailable, ModelsOff, Unprocessable

log = structlog.get_logger(__name__)

POLL_INTERVAL_S = 0.5
SHORTEST_REASON = 10
LONGEST_REASON = 500
SwitchScope = Literal["route", "shipment", "all"]


@dataclass(frozen=True)
class SwitchEvent:
    """The models of one kind of subject were switched on or off, from an instant (ISO) on."""

    subject_kind: str
    is_on: bool
    switched_at: str
    switched_by: str
    because: str


class SwitchEventLog(Protocol):
    """Every switch event, appended and never changed. Every method may raise LogUnavailable."""

    def append(self, events: Sequence[SwitchEvent]) -> None:
        """Store all of these events, or none."""
        ...

    def latest_by_kind(self) -> Mapping[str, SwitchEvent]:
        """The last event of each kind of subject; a kind never switched is left out."""
        ...

    def newest(self, limit: int) -> list[SwitchEvent]:
        """The newest events, newest first."""
        ...


class KillSwitch:
    """Follows the last switch event of each kind; models without any are on."""

    def __init__(self, latest_by_kind: Callable[[], Mapping[str, SwitchEvent]] = dict):
        self._latest_by_kind = latest_by_kind
        self._latest = dict(latest_by_kind())
        self._is_over = threading.Event()
        self._watch = threading.Thread(target=self._poll, name="switch-watch", daemon=True)

    def is_off(self, kind: SubjectKind) -> bool:
        """Whether no model may be used for subjects of this kind."""
        latest = self._latest.get(kind)
        return latest is not None and not latest.is_on

    @property
    def kinds_off(self) -> tuple[str, ...]:
        """The kinds whose models are switched off."""
        return tuple(sorted(kind for kind, latest in self._latest.items() if not latest.is_on))

    def require_on(self, kind: SubjectKind) -> None:
        """Raise ModelsOff, with the instant, unless models may be used."""
        if self.is_off(kind):
            latest = self._latest[kind]
            raise ModelsOff(
                f"the models of {kind}s were switched off at {latest.switched_at[:19]}; an absent "
                "score never means low risk: follow the manual procedure"
            )

    def refresh(self) -> None:
        """Read the switch now. Raises LogUnavailable."""
        found = dict(self._latest_by_kind())
        for kind, event in found.items():
            if event != self._latest.get(kind):
                name = "models_switched_on" if event.is_on else "models_switched_off"
                log.warning(name, subject_kind=kind, by=event.switched_by)
        self._latest = found

    def watch(self) -> None:
        """Start to poll."""
        self._watch.start()

    def stop(self) -> None:
        """Stop polling."""
        self._is_over.set()
        if self._watch.is_alive():
            self._watch.join()

    def _poll(self) -> None:
        while not self._is_over.wait(POLL_INTERVAL_S):
            with suppress(LogUnavailable):
                self.refresh()


def record_switch(
    events: SwitchEventLog,
    scope: SwitchScope,
    *,
    is_on: bool,
    by: str,
    because: str,
    at: datetime,
) -> None:
    """Switch the models of a kind, or of all, on or off from now on, in every worker.

    Raises Unprocessable without a name or a reason in words, and LogUnavailable.
    """
    if scope not in get_args(SwitchScope):
        raise Unprocessable(f"say which models: {', '.join(get_args(SwitchScope))}")
    if not by.strip():
        raise Unprocessable("say who switches the models")
    if not SHORTEST_REASON <= len(because.strip()) <= LONGEST_REASON:
        raise Unprocessable(f"say why, in {SHORTEST_REASON} to {LONGEST_REASON} characters")
    kinds = SUBJECT_KINDS if scope == "all" else (scope,)
    events.append([SwitchEvent(kind, is_on, at.isoformat(), by, because.strip()) for kind in kinds])


def switch_states(
    latest_by_kind: Mapping[str, SwitchEvent],
) -> dict[SubjectKind, SwitchEvent | None]:
    """The last event of each kind; None for a kind never switched, which is on."""
    return {kind: latest_by_kind.get(kind) for kind in SUBJECT_KINDS}
