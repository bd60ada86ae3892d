"""Queue of sign-in attempts: their order, and which one is refused when it is full.

Two rules alternate. One takes the attempt that has waited longest, so that nobody waits longer than
two turns per place. The other rotates over networks (a /16 of IPv4 or /32 of IPv6, then the /24 or
/48 within it, then the address), so that a flood from few networks delays nobody else. A full queue
refuses the newest attempt of the network that has the most.
"""

from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Generic, TypeVar

T = TypeVar("T")
Path = tuple[str, ...]

NETWORK_BITS = {4: (16, 24, 32), 6: (32, 48, 64)}


def networks_of(address: str) -> Path:
    """Return the networks of an address, the widest first; the text itself if it is no address."""
    try:
        parsed = ip_address(address.partition("%")[0].partition("/")[0])
    except ValueError:
        return (address[:64],)
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return tuple(
        str(ip_network(f"{parsed}/{bits}", strict=False)) for bits in NETWORK_BITS[parsed.version]
    )


class FairQueue(Generic[T]):
    """Queue of items, each with a path of nested groups that share turns and places."""

    def __init__(self, max_waiting: int):
        self._max_waiting = max_waiting
        # In the order of arrival, the longest waiting first.
        self._paths: dict[T, Path] = {}
        self._sizes: Counter[Path] = Counter()
        # Last turn of each group, or the turn at its arrival.
        self._last_turns: dict[Path, int] = {}
        self._turn = 0

    def __len__(self) -> int:
        return len(self._paths)

    def put(self, item: T, path: Path) -> T | None:
        """Add an item; return the item that is refused for it, possibly itself, or None."""
        self._paths[item] = path
        for group in _groups(path):
            self._sizes[group] += 1
            self._last_turns.setdefault(group, self._turn)
        if len(self._paths) <= self._max_waiting:
            return None
        # `max` returns the first of equals, which then is the newest.
        newest_first = reversed(self._paths)
        refused = max(newest_first, key=lambda each: self._of_groups(each, self._sizes))
        self.remove(refused)
        return refused

    def take(self) -> T | None:
        """Remove and return the next item; None if the queue is empty."""
        if not self._paths:
            return None
        self._turn += 1
        if self._turn % 2:
            item = next(iter(self._paths))
        else:
            item = min(self._paths, key=lambda each: self._of_groups(each, self._last_turns))
        for group in _groups(self._paths[item]):
            self._last_turns[group] = self._turn
        self.remove(item)
        return item

    def remove(self, item: T) -> None:
        """Remove an item that no longer waits; ignore unknown ones."""
        for group in _groups(self._paths.pop(item, ())):
            self._sizes[group] -= 1
            if not self._sizes[group]:
                del self._sizes[group], self._last_turns[group]

    def _of_groups(self, item: T, numbers: dict[Path, int]) -> list[int]:
        return [numbers[group] for group in _groups(self._paths[item])]


def _groups(path: Path) -> Iterator[Path]:
    """Yield the groups of a path, the widest first."""
    return (path[: end + 1] for end in range(len(path)))
