"""Resources that a build may use."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class BuildResources:
    """Empty folder for data that exceeds memory, and a number of threads."""

    scratch: Path
    threads: int = 1

    def map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Return the result for each item, in order, with at most `threads` running at a time."""
        if self.threads == 1:
            return [work(item) for item in items]
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(work, items))
