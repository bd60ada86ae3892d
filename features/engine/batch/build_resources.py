"""The share of a machine that a build may use."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class BuildResources:
    """An empty folder for what does not fit in memory, and so many threads."""

    scratch: Path
    threads: int = 1

    def map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """The result of work for each item, in their order; as many at a time as threads."""
        if self.threads == 1:
            return [work(item) for item in items]
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(work, items))
