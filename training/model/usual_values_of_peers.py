"""Reference values of peer groups: subjects of one goods code, or of one corridor.

Stored as `usual.parquet` in the artefact, and validated strictly. Groups are goods codes and
corridors of the fit window, never parties.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.definition import Feature, Peers
from training.errors import ArtefactError
from training.model.manifest import Reference
from training.model.model_inputs import ModelInputs
from training.model.reference_distribution import STEPS, reference_of, reference_of_numbers

if TYPE_CHECKING:
    import pandas as pd

# Smaller groups give unreliable references; their members are compared with all subjects.
MIN_SUBJECTS = 50

# The number of largest groups of each kind to store.
MAX_GROUPS = 200

SCHEMA = pa.schema(
    [
        ("among", pa.string()),
        ("group", pa.string()),
        ("subjects", pa.int64()),
        ("feature", pa.string()),
        ("missing_share", pa.float64()),
        ("quantiles", pa.list_(pa.float64())),
        ("shares", pa.map_(pa.string(), pa.float64())),
    ]
)


@dataclass(frozen=True)
class GroupReference:
    """Usual values of one feature in one group, and the number of its subjects."""

    reference: Reference
    subjects: int


@dataclass(frozen=True)
class PeerReference:
    """Usual values of features that are compared within groups; `content` is the file."""

    content: bytes
    _table: "_ReferenceTable"
    _places: dict[tuple[str, str], int]

    @classmethod
    def from_rows(
        cls, frame: "pd.DataFrame", subjects: "pd.DataFrame", inputs: ModelInputs
    ) -> Self:
        """Return the reference over the rows that `frame` and `subjects` share."""
        rows = [
            row
            for among in (Peers.GOODS, Peers.CORRIDOR)
            if among.value in subjects and not subjects[among.value].isna().all()
            for row in _rows(
                frame,
                subjects[among.value],
                [feature for feature in inputs.features if feature.among is among],
            )
        ]
        file = io.BytesIO()
        table = pa.Table.from_pylist(rows, SCHEMA)
        pq.write_table(table, file, compression="zstd")
        return cls._indexed(file.getvalue(), table)

    @classmethod
    def read(cls, content: bytes, inputs: ModelInputs | None) -> Self:
        """Decode `content`; raises ArtefactError unless it has the form that `from_rows` writes.

        Without `inputs`, the groups in which features are compared are not checked.
        """
        try:
            # `read_table` would load pandas: a third of a second and 70 MiB that no service needs.
            table = pq.ParquetFile(io.BytesIO(content)).read()
        except (pa.ArrowInvalid, OSError) as error:
            raise ArtefactError(f"usual.parquet: not a readable Parquet file ({error})") from None
        _check(table, inputs)
        return cls._indexed(content, table)

    def in_group(self, feature: Feature, group: str | None) -> GroupReference | None:
        """Return the reference of a feature in a group; None if there is none."""
        place = self._places.get((feature.name, group)) if group is not None else None
        return None if place is None else self._table.read(place)

    @classmethod
    def _indexed(cls, content: bytes, table: pa.Table) -> Self:
        pairs = zip(table["feature"].to_pylist(), table["group"].to_pylist(), strict=True)
        return cls(
            content, _ReferenceTable(table), {pair: place for place, pair in enumerate(pairs)}
        )


class _ReferenceTable:
    """The columns of the table as arrays, since rows are read while a request waits."""

    def __init__(self, table: pa.Table) -> None:
        quantiles, shares = (table[name].combine_chunks() for name in ("quantiles", "shares"))
        self._missing_shares = _numbers(table["missing_share"].combine_chunks())
        self._subjects = _numbers(table["subjects"].combine_chunks())
        self._quantiles = _numbers(quantiles.flatten())
        self._quantile_starts = _starts(quantiles)
        self._categories = shares.keys.to_pylist()
        self._shares = _numbers(shares.items)
        self._share_starts = _starts(shares)
        self._cache: dict[int, GroupReference] = {}

    def read(self, row: int) -> GroupReference:
        """Decode one row, and cache it."""
        if row not in self._cache:
            self._cache[row] = self._read(row)
        return self._cache[row]

    def _read(self, row: int) -> GroupReference:
        steps = slice(*self._quantile_starts[row : row + 2])
        named = slice(*self._share_starts[row : row + 2])
        reference = Reference(
            missing_share=float(self._missing_shares[row]),
            quantiles=tuple(self._quantiles[steps].tolist()),
            shares=dict(zip(self._categories[named], self._shares[named].tolist(), strict=True)),
        )
        return GroupReference(reference, int(self._subjects[row]))


def _starts(lists: pa.ListArray) -> npt.NDArray[np.int64]:
    """Return the start of each row's values in the flat array, and the end of the last."""
    starts = np.asarray(np.from_dlpack(lists.offsets), np.int64)
    return starts - starts[0]


def _rows(
    frame: "pd.DataFrame", groups: "pd.Series[str]", features: list[Feature]
) -> Iterator[dict[str, Any]]:
    groups = groups.astype("str")
    sizes = groups.value_counts()
    # By name before size, so that ties at the limit are resolved reproducibly.
    sizes = sizes[sizes >= MIN_SUBJECTS].sort_index().sort_values(ascending=False, kind="stable")
    numbers = {
        feature.name: np.asarray(frame[feature.name], np.float64)
        for feature in features
        if not feature.is_categorical
    }
    for group in sorted(sizes.index[:MAX_GROUPS]):
        members = np.flatnonzero(groups == group)
        for feature in features:
            if feature.is_categorical:
                reference = reference_of(frame[feature.name].iloc[members], feature)
            else:
                reference = reference_of_numbers(numbers[feature.name][members], feature)
            yield {
                "among": feature.among.value,
                "group": group,
                "subjects": len(members),
                "feature": feature.name,
                "missing_share": reference.missing_share,
                "quantiles": list(reference.quantiles),
                "shares": list(reference.shares.items()),
            }


def _check(table: pa.Table, inputs: ModelInputs | None) -> None:
    if not table.schema.equals(SCHEMA):
        raise ArtefactError("usual.parquet: has other columns than usual values of peers")
    if any(column.null_count for column in table.columns):
        raise ArtefactError("usual.parquet: holds a null")
    features = table["feature"].to_pylist()
    pairs = set(zip(features, table["group"].to_pylist(), strict=True))
    if len(pairs) < len(features):
        raise ArtefactError("usual.parquet: states a feature of one group twice")
    if inputs is not None:
        among = {feature.name: feature.among.value for feature in inputs.features}
        if list(map(among.get, features)) != table["among"].to_pylist():
            raise ArtefactError("usual.parquet: has a feature that is not compared with peers")
    _check_numbers(table)


def _check_numbers(table: pa.Table) -> None:
    lengths = pc.list_value_length(table["quantiles"]).unique().to_pylist()
    steps = _numbers(table["quantiles"].combine_chunks().flatten())
    by_row = steps.reshape(-1, len(STEPS)) if set(lengths) <= {0, len(STEPS)} else None
    if by_row is None or not np.isfinite(by_row).all() or (np.diff(by_row, axis=1) < 0).any():
        raise ArtefactError("usual.parquet: holds quantiles that do not rise")
    shares = _numbers(table["shares"].combine_chunks().items)
    for numbers in (shares, _numbers(table["missing_share"].combine_chunks())):
        if not ((numbers >= 0) & (numbers <= 1)).all():
            raise ArtefactError("usual.parquet: has a share outside 0 to 1")
    if not (_numbers(table["subjects"].combine_chunks()) >= MIN_SUBJECTS).all():
        raise ArtefactError("usual.parquet: has a group that is too small")


def _numbers(array: pa.Array) -> npt.NDArray[np.float64]:
    """Return the numbers of an array, without `to_numpy`, which loads pandas."""
    if array.null_count:
        raise ArtefactError("usual.parquet: holds a null")
    return np.asarray(np.from_dlpack(array), np.float64)
