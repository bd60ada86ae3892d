"""How far the log is sealed and witnessed at present, without verifying all of it.

`tidegate verify-log` verifies every row. This only looks at the newest checkpoint: its signature,
the links of both chains at its sizes, and the progress of each witness.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serving.integrity.checkpoints import Checkpoint
from serving.integrity.hash_chain import AUDIT_EVENTS, DECISIONS, LogHead

if TYPE_CHECKING:
    from serving.storage.repositories.checkpoint_repository import CheckpointRepository


@dataclass(frozen=True)
class WitnessState:
    """A witness: the last checkpoint it took, 0 without one, and the number it lacks."""

    name: str
    taken: int
    lacks: int
    is_behind: bool


@dataclass(frozen=True)
class ProofState:
    """The newest checkpoint, and whether the log still matches it; None before the first.

    `unsealed` counts the rows of each chain added since.
    """

    newest: Checkpoint | None
    is_signed: bool
    is_matched: bool
    sizes: Mapping[str, int]
    unsealed: Mapping[str, int]
    witnesses: tuple[WitnessState, ...]

    @property
    def is_sound(self) -> bool:
        """Return whether nothing contradicts the newest checkpoint."""
        return self.newest is not None and self.is_signed and self.is_matched

    @classmethod
    def of_log(
        cls, chains: "CheckpointRepository", public_keys: str, witnesses: Iterable[tuple[str, bool]]
    ) -> "ProofState":
        """Return the state by stored checkpoints; `witnesses` pairs names with being behind."""
        lines, heads = chains.newest_lines(), chains.heads()
        newest = Checkpoint.from_json(lines[-1]) if lines else None
        sealed = newest.heads if newest else {}
        return cls(
            newest=newest,
            is_signed=newest is not None and newest.is_signed_by(public_keys),
            # A shorter or rewritten chain lacks the link at the sealed size.
            is_matched=all(_has_link(chains, name, head) for name, head in sealed.items()),
            sizes={name: head.size for name, head in heads.items()},
            unsealed={
                name: head.size - (sealed[name].size if name in sealed else 0)
                for name, head in heads.items()
            },
            witnesses=tuple(
                _state(chains, name, newest, is_behind=is_behind) for name, is_behind in witnesses
            ),
        )

    @property
    def events(self) -> int:
        """Return the number of audit events."""
        return self.sizes.get(AUDIT_EVENTS, 0)

    @property
    def decisions(self) -> int:
        """Return the number of decisions."""
        return self.sizes.get(DECISIONS, 0)


def _has_link(chains: "CheckpointRepository", name: str, head: LogHead) -> bool:
    return chains.links(name, [head.size]).get(head.size) == head.head


def _state(
    chains: "CheckpointRepository", name: str, newest: Checkpoint | None, *, is_behind: bool
) -> WitnessState:
    # -1 stands for a witness that took none yet.
    taken = max(chains.handed_over(name), 0)
    return WitnessState(name, taken, max((newest.number if newest else 0) - taken, 0), is_behind)
