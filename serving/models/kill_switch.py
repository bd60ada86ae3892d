"""The kill switch: whether models may be used, and who switched them off or on, when and why.

Regulation (EU) 2024/1689, Article 14(4)(e), requires a stop within reach of the people who oversee
a system. Every worker re-reads the switch every `POLL_INTERVAL_S` on a background thread, so no
request waits for it. If it cannot be read, the last state holds: without the database nothing can
be decided either.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal, get_args

import structlog

from features.records import SUBJECT_KINDS, SubjectKind
from serving.access.actors import Actor
from serving.access.two_persons import require_person, require_second_person
from serving.access.visible_texts import is_visible
from serving.errors import Conflict, Unprocessable
from serving.models.errors import NoModel
from serving.process.background_threads import PollingThread

if TYPE_CHECKING:
    from serving.storage.repositories.kill_switch_repository import KillSwitchRepository

log = structlog.get_logger(__name__)

# Every worker must follow a switch within two seconds.
POLL_INTERVAL_S = 0.5
MIN_REASON_LENGTH = 10
MAX_REASON_LENGTH = 500
SwitchScope = Literal["route", "shipment", "all"]


@dataclass(frozen=True)
class SwitchEvent:
    """The models of one kind of subject were switched on or off at an instant.

    `switched_by` is an identity; `switched_by_name` is its display name.
    """

    subject_kind: str
    is_on: bool
    switched_at: datetime
    switched_by: str
    because: str
    switched_by_name: str = ""

    @property
    def by(self) -> Actor:
        """The account that switched."""
        return Actor(self.switched_by, self.switched_by_name)


@dataclass(frozen=True)
class SwitchProposal:
    """A proposal to switch the models of a kind on, or a refusal of another person's proposal."""

    subject_kind: str
    step: Literal["propose", "decline"]
    at: datetime
    by: Actor
    because: str


@dataclass(frozen=True)
class SwitchBoard:
    """The latest switch event of each kind, and open proposals since then."""

    latest: Mapping[str, SwitchEvent]
    proposals: Mapping[str, SwitchProposal]

    def is_off(self, kind: str) -> bool:
        """Return True if the models of a kind are off."""
        return kind in self.latest and not self.latest[kind].is_on


# Derives events from the current state, inside the transaction that stores them.
DecideSwitch = Callable[[SwitchBoard], Sequence[SwitchEvent | SwitchProposal]]


class KillSwitch:
    """Follows the last switch event of each kind; kinds without an event are on."""

    def __init__(self, latest_by_kind: Callable[[], Mapping[str, SwitchEvent]] = dict):
        self._latest_by_kind = latest_by_kind
        self._latest = dict(latest_by_kind())
        self.polling = PollingThread("kill-switch", self.refresh, waits="kill_switch_waits")

    def is_off(self, kind: SubjectKind) -> bool:
        """Return True if no model may be used for subjects of this kind."""
        latest = self._latest.get(kind)
        return latest is not None and not latest.is_on

    @property
    def kinds_off(self) -> tuple[str, ...]:
        """The kinds whose models are switched off."""
        return tuple(sorted(kind for kind, latest in self._latest.items() if not latest.is_on))

    def require_on(self, kind: SubjectKind) -> None:
        """Raise NoModel, with the instant, if the models are off."""
        if self.is_off(kind):
            at = self._latest[kind].switched_at.isoformat(timespec="seconds")[:19]
            raise NoModel(
                f"the models of {kind}s were switched off at {at}; an absent "
                "score never means low risk: follow the manual procedure",
                code="models-off",
            )

    def refresh(self) -> None:
        """Read the switch and log changes; raises LogUnavailable."""
        found = dict(self._latest_by_kind())
        for kind, event in found.items():
            if event != self._latest.get(kind):
                name = "models_switched_on" if event.is_on else "models_switched_off"
                log.warning(name, subject_kind=kind, by=event.switched_by)
        # Replaced as a whole, so that other threads see either the old or the new state.
        self._latest = found

    def watch(self) -> None:
        """Start polling."""
        self.polling.start(POLL_INTERVAL_S)

    def stop(self) -> None:
        """Stop polling."""
        self.polling.stop()


def record_switch(
    events: "KillSwitchRepository",
    scope: SwitchScope,
    *,
    is_on: bool,
    by: Actor | str,
    because: str,
    at: datetime,
) -> None:
    """Switch the models of one kind, or of all, on or off in every worker.

    `by` is a name if a command called; the operating system's user is recorded with it. Raises
    Unprocessable without a proper reason, and LogUnavailable.
    """
    kinds, because = _kinds_of(scope), _reason(because)
    if isinstance(by, str):
        if not by.strip():
            raise Unprocessable("say who switches the models")
        by = replace(Actor.from_command_line(), name=by.strip())
    said = (at, by.identity, because, by.name)
    events.append([SwitchEvent(kind, is_on, *said) for kind in kinds])


def switch_on_by_two(
    events: "KillSwitchRepository", scope: SwitchScope, by: Actor, because: str, at: datetime
) -> None:
    """Propose to switch models on, or confirm another person's proposal.

    Switching on takes two persons, switching off only one, since a stop must not wait. Raises
    PersonNeeded, Conflict if the same person confirms or no model is off, and Unprocessable.
    """
    kinds, because = _kinds_of(scope), _reason(because)
    require_person(by)

    def decide(board: SwitchBoard) -> list[SwitchEvent | SwitchProposal]:
        off = [kind for kind in kinds if board.is_off(kind)]
        if not off:
            raise Conflict("these models are on")
        acts: list[SwitchEvent | SwitchProposal] = []
        for kind in off:
            proposal = board.proposals.get(kind)
            if proposal is None:
                acts.append(SwitchProposal(kind, "propose", at, by, because))
            else:
                words = "another person than who proposed it switches the models on"
                require_second_person(proposal.by, by, words)
                said = (at, by.identity, because, by.name)
                acts.append(SwitchEvent(kind, True, *said))
        return acts

    events.decide(decide)


def decline_switching_on(
    events: "KillSwitchRepository", scope: SwitchScope, by: Actor, because: str, at: datetime
) -> None:
    """Decline, as a second person, another person's proposal to switch models on.

    Raises PersonNeeded, Conflict if nothing is proposed, and Unprocessable.
    """
    kinds, because = _kinds_of(scope), _reason(because)

    def decide(board: SwitchBoard) -> list[SwitchEvent | SwitchProposal]:
        proposed = [board.proposals[kind] for kind in kinds if kind in board.proposals]
        if not proposed:
            raise Conflict("nobody proposes to switch these models on")
        for proposal in proposed:
            require_second_person(proposal.by, by, "another person than who proposed it declines")
        return [
            SwitchProposal(proposal.subject_kind, "decline", at, by, because)
            for proposal in proposed
        ]

    events.decide(decide)


def _kinds_of(scope: SwitchScope) -> tuple[str, ...]:
    if scope not in get_args(SwitchScope):
        raise Unprocessable(f"say which models: {', '.join(get_args(SwitchScope))}")
    return SUBJECT_KINDS if scope == "all" else (scope,)


def _reason(because: str) -> str:
    # Spaces and invisible characters alone are no reason.
    if not (MIN_REASON_LENGTH <= len(because.strip()) <= MAX_REASON_LENGTH and is_visible(because)):
        raise Unprocessable(f"say why, in {MIN_REASON_LENGTH} to {MAX_REASON_LENGTH} characters")
    return because.strip()


def switch_states(
    latest_by_kind: Mapping[str, SwitchEvent],
) -> dict[SubjectKind, SwitchEvent | None]:
    """Return the last event of each kind; None for a kind never switched, which is on."""
    return {kind: latest_by_kind.get(kind) for kind in SUBJECT_KINDS}
