"""Count one day's decisions about one kind of subject, in sums that only grow.

Values are counted in fine cells that depend on no model or period: numbers on a logarithmic scale,
log-odds in equal steps, categories by name. Any two days can therefore be added and compared.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt

from serving.explanation.formatting import Value

# The ratio of the upper to the lower bound of a cell of numbers.
RATIO = 1.1

# Numbers closer to 0 are counted as 0.
SMALLEST = 1e-6

# The width of a cell of log-odds.
STEP = 0.25

MISSING = "missing"
MAX_CATEGORIES = 500
OTHERS = "(others)"

_OFFSET = math.floor(math.log(SMALLEST) / math.log(RATIO)) - 1


def cells(values: Iterable[Value]) -> Counter[str]:
    """Count the values in each cell.

    >>> dict(cells([None, 0.0, "sea", "sea"]))
    {'missing': 1, 'sea': 2, '0': 1}
    """
    counts: Counter[str] = Counter()
    numbers = []
    for value in values:
        if isinstance(value, float | int):
            numbers.append(float(value))
        else:
            counts[MISSING if value is None else _letters_cell(value)] += 1
    if numbers:
        counts.update(_number_cells(np.array(numbers)))
    return counts


def log_odds_cells(values: Iterable[float]) -> Counter[str]:
    """Count log-odds in equal steps."""
    steps = np.floor(np.fromiter(values, float) / STEP).astype(int)
    return Counter({str(step): int(count) for step, count in _counted(steps)})


def _number_cells(numbers: npt.NDArray[np.float64]) -> dict[str, int]:
    size = np.abs(numbers)
    place = np.floor(np.log(np.maximum(size, SMALLEST)) / math.log(RATIO)) - _OFFSET
    codes = np.where(size < SMALLEST, 0, np.sign(numbers) * place).astype(int)
    return {str(code): int(count) for code, count in _counted(codes)}


def _counted(codes: npt.NDArray[np.int_]) -> Iterable[tuple[int, int]]:
    found, counts = np.unique(codes, return_counts=True)
    return zip(found.tolist(), counts.tolist(), strict=True)


def _letters_cell(text: str) -> str:
    # A category such as "12" must not look like a cell of numbers.
    return f"={text}" if is_number_cell(text) else text


def is_number_cell(text: str) -> bool:
    """Return True if a cell counts numbers rather than a text."""
    return text.lstrip("-").isdigit()


@dataclass
class DaySummary:
    """The counts of one day.

    `sizes` is by dimension, its value, and stratum; `lanes` by grouping, group, and lane: of days
    that an earlier release counted, by office alone. `predicted` is the sum of probabilities by
    stratum; `histograms` count cells by measure. Decisions without a score are only counted in
    `unscored`.
    """

    sizes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    lanes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    predicted: dict[str, float] = field(default_factory=dict)
    histograms: dict[str, Counter[str]] = field(default_factory=dict)
    unscored: int = 0

    def add(self, other: Self) -> None:
        """Add the counts of another summary of the same day."""
        self.unscored += other.unscored
        self.sizes.update(other.sizes)
        self.lanes.update(other.lanes)
        for stratum, probability in other.predicted.items():
            self.predict(stratum, probability)
        for measure, counts in other.histograms.items():
            self.count(measure, counts)

    def predict(self, stratum: str, probability: float) -> None:
        """Add a probability to the sum of a stratum."""
        self.predicted[stratum] = self.predicted.get(stratum, 0.0) + probability

    def count(self, measure: str, counts: Mapping[str, int]) -> None:
        """Add cells; once a measure has MAX_CATEGORIES cells, new ones count as OTHERS."""
        kept = self.histograms.setdefault(measure, Counter())
        for cell, count in counts.items():
            is_kept = cell in kept or len(kept) < MAX_CATEGORIES
            kept[cell if is_kept else OTHERS] += count

    def as_json(self) -> str:
        """Encode the summary for storage."""
        return json.dumps(
            {
                "sizes": {"\t".join(key): count for key, count in self.sizes.items()},
                "lanes": {"\t".join(key): count for key, count in self.lanes.items()},
                "predicted": self.predicted,
                "histograms": self.histograms,
                "unscored": self.unscored,
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )

    @classmethod
    def read(cls, body: str) -> Self:
        """Decode a stored summary."""
        stored = json.loads(body)
        return cls(
            sizes=Counter({tuple(key.split("\t")): n for key, n in stored["sizes"].items()}),
            lanes=Counter({_grouped_lane(key): n for key, n in stored["lanes"].items()}),
            predicted=stored["predicted"],
            histograms={name: Counter(each) for name, each in stored["histograms"].items()},
            unscored=stored.get("unscored", 0),
        )


def _grouped_lane(key: str) -> tuple[str, str, str]:
    *grouping, group, lane = key.split("\t")
    # An earlier release wrote office and lane alone.
    return grouping[0] if grouping else "office", group, lane
