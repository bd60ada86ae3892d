"""Erasure: the units that are due and retained, as `storage.keys.key_destruction` handles them.

A unit is erased as a whole: a decision with its answer and its case, or a record ingested by
itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from serving.audit.retention_log import RetentionAct


@dataclass(frozen=True)
class OutOfOrder:
    """Consecutive entries of a log whose times do not fit those around them.

    `first` and `last` are their numbers in `log` ("decisions" or "audit_events"), `earliest` and
    `latest` what the clock stated. They are ahead of the present clock, or more than a minute
    behind `counts_from`, the time of the entry before them. `is_settled` is set once two persons
    agreed that the clock was wrong; their periods then count from `counts_from`.
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
        """Return the name of one entry of this log."""
        return self.log.removesuffix("s").replace("_", " ")

    def keeps_from(self, limit: str) -> bool:
        """Return whether they must outlast an erasure of everything before a day (ISO)."""
        return not self.is_settled or self.counts_from[:10] >= limit

    def __str__(self) -> str:
        """Return a description that names no party."""
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
    """Units retained in addition to open cases: stretches of the log and tokens of subjects.

    Both ends of a stretch are included; a subject is a pair of its kind and its token. Entries out
    of order are retained until two persons agreed on their time and their period is over by it.
    """

    stretches: tuple[tuple[int, int], ...] = ()
    subjects: tuple[tuple[str, str], ...] = ()
    out_of_order: tuple[OutOfOrder, ...] = ()


# Returns what is retained after the acts so far; raises RetentionRefused if nothing may be erased.
RetainedAfter = Callable[[Sequence[RetentionAct]], RetainedUnits]


@dataclass(frozen=True)
class DueForErasure:
    """Counts of units that are due, and of those retained, by reason; one unit may have several.

    `accounts` are sealed disclosures that end with their decisions, without retained ones.
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
    """Counts of an erasure: units erased, keys of days and units destroyed, units retained."""

    decisions: int
    records: int
    keys: int
    kept: int
