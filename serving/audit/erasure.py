"""Erasure: which units are due and which are retained, as `db.key_destruction` carries it out.

A unit is what is erased together: a decision with its answer and its case, or a record that was
ingested by itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from serving.audit.retention_log import RetentionAct


@dataclass(frozen=True)
class OutOfOrder:
    """Entries of a log, one after the other, whose times do not fit those around them.

    `first` and `last` are their places in `log` ("decisions" or "audit_events"), `earliest` and
    `latest` what the clock said. They are ahead of the clock of today, or more than a minute behind
    `counts_from`, the time of the entry before them. `is_settled` once two persons agreed that the
    clock was wrong: then their periods count from `counts_from`.
    """

    log: str
    first: int
    last: int
    earliest: str
    latest: str
    counts_from: str
    is_ahead: bool
    is_settled: bool = False

    @property
    def kind(self) -> str:
        """Return what an entry of this log is called."""
        return self.log.removesuffix("s").replace("_", " ")

    def keeps_from(self, limit: str) -> bool:
        """Return whether they must stay when what is before a day (ISO) ends."""
        return not self.is_settled or self.counts_from[:10] >= limit

    def __str__(self) -> str:
        """Return what is out of order, in words that name no party."""
        count = self.last - self.first + 1
        dated = self.earliest[:16].replace("T", " ")
        if count > 1:
            dated += f" to {self.latest[:16].replace('T', ' ')}"
        place = f"{self.kind} {self.first}"
        if count > 1:
            place = f"{self.kind}s {self.first} to {self.last}"
        before = self.counts_from[:16].replace("T", " ")
        why = "which has not come yet" if self.is_ahead else f"after an entry of {before}"
        return f"{place}: dated {dated}, {why}"


@dataclass(frozen=True)
class ErasureLimits:
    """The days (ISO) before which decisions and records are due."""

    decisions: str
    records: str


@dataclass(frozen=True)
class RetainedUnits:
    """What is retained besides open cases: stretches of the log and tokens of subjects.

    Both ends of a stretch are in it; a subject is a pair of its kind and its token. What is out of
    order is retained until two persons agreed on its time, and its period is over by that.
    """

    stretches: tuple[tuple[int, int], ...] = ()
    subjects: tuple[tuple[str, str], ...] = ()
    out_of_order: tuple[OutOfOrder, ...] = ()


# What is retained after the acts so far; raises RetentionRefused where nothing may be erased.
RetainedAfter = Callable[[Sequence[RetentionAct]], RetainedUnits]


@dataclass(frozen=True)
class DueForErasure:
    """How many units are due, and how many of those are retained, by reason (one may have several).

    `accounts` are sealed accounts of cases that end with their decisions; no retained one is among
    them.
    """

    decisions: int
    records: int
    open_cases: int
    frozen: int
    held: int
    accounts: int = 0
    out_of_order: int = 0


@dataclass(frozen=True)
class ErasedUnits:
    """What an erasure did: units erased, keys of days and units destroyed, units retained."""

    decisions: int
    records: int
    keys: int
    kept: int
