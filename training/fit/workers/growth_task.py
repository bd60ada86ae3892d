"""The task of a worker: parameters, bin edges, and its rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from training.data.training_set import TrainingSet
from training.fit.fit_trees import LabelledRows, sample_for_edges
from training.fit.workers.connection import Arrays
from training.model.encoding import Encoding, ModelInput
from training.ranking import Floats, Ints

_SAMPLE, _OWN, _HELD_BACK = "sample", "own", "held_back"


@dataclass(frozen=True)
class FileRows:
    """Rows by their positions in the features file, with labels and weights."""

    places: Ints
    labels: Floats
    weights: Floats | None

    @classmethod
    def of(cls, rows: LabelledRows, data: TrainingSet) -> Self:
        """Return the same rows by position in the file."""
        places = rows.values.places
        in_file = places if data.places_in_file is None else data.places_in_file[places]
        return cls(in_file, rows.labels, rows.weights)

    def parts(self, count: int) -> Iterator[Self]:
        """Yield `count` parts in order, whose sizes differ by at most one row."""
        for part in np.array_split(np.arange(len(self.places)), count):
            weights = None if self.weights is None else self.weights[part]
            yield type(self)(self.places[part], self.labels[part], weights)


@dataclass(frozen=True)
class GrowthTask:
    """A fit of trees, as one worker receives it.

    `sample` are rows from which every worker computes the same bin edges. `folder` holds the
    training set with the `digest`. `settings` are LightGBM's. Growth stops `rounds` after the best
    tree for the held-back rows of all workers; None if no rows are held back.
    """

    folder: Path
    digest: str
    encoding: Encoding
    settings: dict[str, Any]
    trees: int
    rounds: int
    sample: tuple[Floats, Floats, Floats | None]
    own: FileRows
    held_back: FileRows | None

    @classmethod
    def for_each(
        cls,
        count: int,
        data: TrainingSet,
        encoding: Encoding,
        settings: dict[str, Any],
        limits: tuple[int, int],
        rows: LabelledRows,
        held_back: LabelledRows | None,
    ) -> Iterator[Self]:
        """Yield the tasks of `count` workers; `limits` are the number of trees and the rounds."""
        edges = sample_for_edges(rows)
        sample = edges.values[:], edges.labels, edges.weights
        own = FileRows.of(rows, data).parts(count)
        watched = FileRows.of(held_back, data).parts(count) if held_back else iter([None] * count)
        # Absolute, because a worker may run in another working folder.
        folder = data.folder.resolve()
        for part, watched_part in zip(own, watched, strict=True):
            yield cls(folder, data.digest, encoding, settings, *limits, sample, part, watched_part)

    def packed(self) -> tuple[dict[str, Any], Arrays]:
        """Return JSON values and arrays from which `unpacked` restores the task."""
        arrays = _named(_SAMPLE, self.sample)
        for name, rows in ((_OWN, self.own), (_HELD_BACK, self.held_back)):
            if rows is not None:
                arrays |= _named(name, (rows.places, rows.labels, rows.weights))
        inputs = [column.model_dump(mode="json") for column in self.encoding.inputs]
        values = {"folder": str(self.folder), "digest": self.digest, "inputs": inputs}
        limits = {"settings": self.settings, "trees": self.trees, "rounds": self.rounds}
        return values | limits, arrays

    @classmethod
    def unpacked(cls, values: dict[str, Any], arrays: Arrays) -> Self:
        """Restore a task from `packed`."""
        sample, own, held_back = (_of(name, arrays) for name in (_SAMPLE, _OWN, _HELD_BACK))
        assert sample is not None
        assert own is not None
        return cls(
            folder=Path(values["folder"]),
            digest=values["digest"],
            encoding=Encoding(
                tuple(ModelInput.model_validate(each, strict=False) for each in values["inputs"])
            ),
            settings=values["settings"],
            trees=values["trees"],
            rounds=values["rounds"],
            sample=sample,
            own=FileRows(*own),
            held_back=FileRows(*held_back) if held_back else None,
        )


def _named(name: str, arrays: tuple[Any, ...]) -> dict[str, Any]:
    return {f"{name}_{at}": each for at, each in enumerate(arrays) if each is not None}


def _of(name: str, arrays: Arrays) -> tuple[Any, Any, Any] | None:
    if f"{name}_0" not in arrays:
        return None
    return arrays[f"{name}_0"], arrays[f"{name}_1"], arrays.get(f"{name}_2")
