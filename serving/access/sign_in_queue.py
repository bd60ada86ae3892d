"""The order in which attempts to sign in get their turn, and which one is refused when full.

Turns alternate. One goes to the attempt that has waited longest, so nobody waits longer than two
turns for each place. The next goes round the networks in turn (a /16 of IPv4 or a /32 of IPv6, then
the /24 or /48 within it, then the address), so a flood from few networks delays nobody else. A full
queue makes room by refusing the newest attempt of the network that has the most.
"""

from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Generic, TypeVar

T = TypeVar("T")
Path = tuple[str, ...]

NETWORK_BITS = {4: (16, 24, 32), 6: (32, 48, 64)}


def networks_of(address: str) -> Path:
    """Return the networks an address belongs to, the widest first; itself if it is no address."""
    try:
        parsed = ip_address(address.partition("%")[0].partition("/")[0])
    except ValueError:
        return (address[:64],)
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return tuple(
        str(ip_network(f"{parsed}/{bits}", strict=False)) for bits in NETWORK_BITS[parsed.version]
    )


class FairQueue(Generic[T]):
    """Waiting items, each with the path of nested groups that share turns and places."""

    def __init__(self, max_waiting: int):
        self._max_waiting = max_waiting
        self._paths: dict[T, Path] = {}  # the longest waiting first
        self._sizes: Counter[Path] = Counter()
        self._last_turns: dict[Path, int] = {}  # of each group: its last turn, or when it came
        self._turn = 0

    def __len__(self) -> int:
        return len(self._paths)

    def put(self, item: T, path: Path) -> T | None:
        """Add an item; return the one that must go for it, which may be the item itself."""
        self._paths[item] = path
        for group in _groups(path):
            self._sizes[group] += 1
            self._last_turns.setdefault(group, self._turn)
        if len(self._paths) <= self._max_waiting:
            return None
        newest_first = reversed(self._paths)  # of equals `max` takes the first
        refused = max(newest_first, key=lambda each: self._of_groups(each, self._sizes))
        self.remove(refused)
        return refused

    def take(self) -> T | None:
        """Return the item whose turn it is, which leaves the queue; None if nothing waits."""
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
        """Take an item out that does not wait any more; one that is not here is no error."""
        for group in _groups(self._paths.pop(item, ())):
            self._sizes[group] -= 1
            if not self._sizes[group]:
                del self._sizes[group], self._last_turns[group]

    def _of_groups(self, item: T, numbers: dict[Path, int]) -> list[int]:
        return [numbers[group] for group in _groups(self._paths[item])]


def _groups(path: Path) -> Iterator[Path]:
    """Yield the groups of a path, the widest first."""
    return (path[: end + 1] for end in range(len(path)))
