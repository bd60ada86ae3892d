"""Search a training set for giveaways: single values of a feature that all but name a smuggler.

A model learns such a value at once, and then measures the generator instead of the method.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synthetic.chance import Flags, Floats, Ints
from synthetic.truth_check import Claim

MAX_LIFT, MIN_RECALL = 10.0, 0.10


@dataclass(frozen=True)
class SingleValue:
    """The rule on one feature with the highest precision at the recall asked for.

    `lift` is its precision as a multiple of the base rate.
    """

    feature: str
    rule: str
    lift: float
    recall: float


def strongest_values(training_set: Path, world: Path) -> list[SingleValue]:
    """Return the strongest rule of each feature of a world's training set, best first."""
    subjects = pq.read_table(training_set / "subjects.parquet", columns=["subject_id"])
    oracle = pq.read_table(world / "oracle.parquet", columns=["subject_id", "true_probability"])
    rows = pc.index_in(subjects["subject_id"], oracle["subject_id"])
    truth = oracle["true_probability"].take(rows).to_numpy()
    file = pq.ParquetFile(training_set / "features.parquet")
    # A column at a time, because the features of a large world need gigabytes.
    columns = ((name, file.read(columns=[name])[name]) for name in file.schema_arrow.names)
    best = (max(rules(name, column, truth), key=_lift, default=None) for name, column in columns)
    return sorted((each for each in best if each), key=_lift, reverse=True)


def giveaway_claims(training_set: Path, world: Path) -> list[Claim]:
    """Return the claim that the strongest single value is no giveaway."""
    best = strongest_values(training_set, world)[0]
    rows = pq.read_metadata(training_set / "subjects.parquet").num_rows
    name = f"{training_set.name}: precision of {best.feature} {best.rule} against the base rate"
    return [Claim(name, best.lift, 0.0, MAX_LIFT, rows)]


def rules(name: str, column: pa.ChunkedArray, truth: Floats) -> Iterator[SingleValue]:
    """Yield the rules on a feature that catch at least MIN_RECALL of the truth.

    A numeric feature is cut at each of its values, in both directions; missing is a value too.
    """
    is_number = pa.types.is_floating(column.type) or pa.types.is_integer(column.type)
    if is_number:
        values = column.to_numpy().astype(np.float64)
        missing = np.isnan(values)
        yield from _ranges(name, values[~missing], truth[~missing], truth)
    else:
        encoded = pc.dictionary_encode(column.combine_chunks(), null_encoding="encode")
        codes = encoded.indices.to_numpy()
        words = encoded.dictionary.to_pylist()
        missing = np.isin(codes, [code for code, word in enumerate(words) if word is None])
        sums = np.bincount(codes, weights=truth)
        for word, caught, count in zip(words, sums, np.bincount(codes), strict=True):
            if word is not None:
                yield from _judged(name, f"= {word}", caught, count, truth)
    yield from _judged(name, "missing", truth[missing].sum(), missing.sum(), truth)


def _ranges(name: str, values: Floats, of_values: Floats, truth: Floats) -> Iterator[SingleValue]:
    for sign, comparison in ((1.0, "<="), (-1.0, ">=")):
        order = np.argsort(sign * values, kind="stable")
        ordered = values[order]
        ends = np.flatnonzero(np.append(np.diff(ordered) != 0, True)) if len(ordered) else order
        caught = np.cumsum(of_values[order])[ends]
        lift, enough = _lifts(caught, ends + 1, truth)
        if enough.any():
            at = int(np.argmax(np.where(enough, lift, -1.0)))
            rule = f"{comparison} {ordered[ends[at]]:g}"
            yield SingleValue(name, rule, float(lift[at]), float(caught[at] / truth.sum()))


def _judged(
    name: str, rule: str, caught: float, count: int, truth: Floats
) -> Iterator[SingleValue]:
    lift, enough = _lifts(np.array([caught]), np.array([count]), truth)
    if enough[0]:
        yield SingleValue(name, rule, float(lift[0]), float(caught / truth.sum()))


def _lifts(caught: Floats, count: Ints, truth: Floats) -> tuple[Floats, Flags]:
    lift = caught / np.maximum(count, 1) / truth.mean()
    return lift, caught >= MIN_RECALL * truth.sum()


def _lift(value: SingleValue) -> float:
    return value.lift
