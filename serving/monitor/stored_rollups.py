"""What monitoring stores: rollups of days, visits and reports, and the protocol of their store."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

DayKey = tuple[str, str]
"""A kind of subject and a day (ISO date)."""


@dataclass(frozen=True)
class Visit:
    """A decision that sent somebody to look, with what groups it.

    `subject_id` is stored, and read again, as the subject's token. `undrawn_lane` is the lane that
    it would have come into, had it not been drawn for control.
    """

    seq: int
    decision_id: str
    subject_kind: str
    subject_id: str
    scored_at: str
    stratum: str
    lane: str
    probability: float
    office: str
    model: str
    mode: str
    region: str
    operator: str
    undrawn_lane: str


@dataclass(frozen=True)
class ScorePair:
    """The scores of champion and challenger for one decision's vector, and the decision's lane."""

    decision_id: str
    version: str
    lane: str
    champion: float
    challenger: float


class RollupStore(Protocol):
    """The rollups of one decision log. Every method raises LogUnavailable where it fails."""

    def reached(self) -> int:
        """Up to which place in the log the rollups go."""
        ...

    def size(self) -> int:
        """How many decisions the log has."""
        ...

    def decisions_after(self, seq: int, before: str) -> list[tuple[int, str | None]]:
        """The next page of places and records, of decisions scored before an instant.

        None stands for a record that was erased before it was read.
        """
        ...

    def keep(
        self,
        span: tuple[int, int],
        grown: Mapping[DayKey, Callable[[str | None], str]],
        new_visits: Sequence[Visit],
    ) -> bool:
        """Add what the decisions after `span[0]` up to `span[1]` say; at once, or not at all.

        False where another process was first: nothing is then stored.
        """
        ...

    def days(self, kind: str, first: str, end: str) -> Iterator[tuple[str, str]]:
        """Each day from `first` up to, not including, `end`, with the body of its rollup."""
        ...

    def span(self, kind: str) -> tuple[str, str] | None:
        """The first and the last day that have a rollup."""
        ...

    def visits(self, kind: str, first: str, end: str) -> Iterator[list[Visit]]:
        """The visits of decisions scored from `first` up to, not including, `end`; in pages."""
        ...

    def outcomes(self, kind: str, received_by: str) -> Iterator[str]:
        """The body of every outcome of these subjects that was received by an instant."""
        ...

    def score_pairs(
        self, kind: str, role: str, span: tuple[str, str], limit: int
    ) -> list[ScorePair]:
        """The newest decisions of a span that a model in this role scored as well."""
        ...
