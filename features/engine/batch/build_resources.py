"""What a build may use of a machine."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Of = TypeVar("Of")
To = TypeVar("To")


@dataclass(frozen=True)
class Workshop:
    """An empty folder for what does not fit in memory, and so many threads."""

    scratch: Path
    threads: int = 1

    def each(self, work: Callable[[Of], To], items: Iterable[Of]) -> list[To]:
        """What work makes of each item, in the items' order; as many at a time as threads."""
        if self.threads == 1:
            return list(map(work, items))
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(work, items))
