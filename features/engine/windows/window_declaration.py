"""Declaration of windows, in the defaults of a feature's parameters.

    def consignee_shipments_30d(count: Column = count("shipments", by="consignee_id", days=30)):

Each builder returns a `Window`. It is typed `Any`, since the feature will get a column instead.
"""

from dataclasses import dataclass
from typing import Any

from features.engine.windows.reducers import Reducer

# Source of values that are computed for each subject from events of all subjects at once, since no
# key divides them: the network around a subject.
NETWORK = "network"

# The keying of events: their source, the columns of the entity key, the condition they meet.
Keying = tuple[str, tuple[str, ...], str | None]


@dataclass(frozen=True, kw_only=True)
class Window:
    """Events that are reduced to one value per subject.

    `by` names the subject columns that form the key, `matching` the event columns that must equal
    it. A subject without its key gets a missing value; a key that was never seen gives 0 for counts
    and totals, else a missing value. `days` is None for all of history. `value` names the int64
    column that is reduced, `where` a boolean column that events must satisfy.
    """

    source: str
    by: tuple[str, ...]
    matching: tuple[str, ...]
    days: int | None
    reducer: Reducer
    value: str | None = None
    where: str | None = None

    @property
    def keying(self) -> Keying:
        """Keying of its events; windows with the same keying share an event log."""
        return self.source, self.matching, self.where

    def __str__(self) -> str:
        what = str(self.reducer) if self.value is None else f"{self.reducer!s} {self.value}"
        condition = f" where {self.where}" if self.where else ""
        span = "ever" if self.days is None else f"{self.days} days"
        return f"{what} of {self.source}{condition} by {', '.join(self.by) or 'all'}, {span}"


def _window(
    reducer: Reducer,
    source: str,
    *,
    by: str | tuple[str, ...],
    matching: str | tuple[str, ...] | None = None,
    days: int | None = None,
    value: str | None = None,
    where: str | None = None,
) -> Any:
    # A single column may be given as a plain text.
    keys = (by,) if isinstance(by, str) else by
    matched = (matching,) if isinstance(matching, str) else matching
    return Window(
        source=source,
        by=keys,
        matching=matched or keys,
        days=days,
        reducer=reducer,
        value=value,
        where=where,
    )


def count(source: str, **face: Any) -> Any:
    """Count events; 0 if the key has none."""
    return _window(Reducer.COUNT, source, **face)


def total(source: str, value: str | None = None, **face: Any) -> Any:
    """Sum `value` exactly, as int64; 0 if the key has no events."""
    return _window(Reducer.TOTAL, source, value=value, **face)


def mean(source: str, value: str | None = None, **face: Any) -> Any:
    """Divide the exact sum of `value` by its count; missing if the key has no events."""
    return _window(Reducer.MEAN, source, value=value, **face)


def largest(source: str, value: str | None = None, **face: Any) -> Any:
    """Take the largest `value`; missing if the key has no events."""
    return _window(Reducer.LARGEST, source, value=value, **face)


def smallest(source: str, value: str | None = None, **face: Any) -> Any:
    """Take the smallest `value`; missing if the key has no events."""
    return _window(Reducer.SMALLEST, source, value=value, **face)


def latest(source: str, value: str | None = None, **face: Any) -> Any:
    """Take the `value` known last, by instant and then by record id; missing without events."""
    return _window(Reducer.LATEST, source, value=value, **face)


def distinct(source: str, value: str | None = None, **face: Any) -> Any:
    """Count distinct values; missing values do not count."""
    return _window(Reducer.DISTINCT, source, value=value, **face)


def hours_since_latest(source: str, **face: Any) -> Any:
    """Measure the hours from the newest event to the scoring instant; missing without events."""
    return _window(Reducer.HOURS_SINCE_LATEST, source, **face)


def days_since_first(source: str, **face: Any) -> Any:
    """Measure the days from the oldest event to the scoring instant; missing without events."""
    return _window(Reducer.DAYS_SINCE_FIRST, source, **face)


def network(value: str, *, by: tuple[str, ...]) -> Any:
    """Take a value of the network around a subject's parties, whose ids are in the columns `by`."""
    return _window(Reducer.LATEST, NETWORK, by=by, value=value)
