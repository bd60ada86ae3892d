"""Encoding of values as the numbers a model reads, in its own order.

LightGBM silently scores reordered, renamed and unseen inputs; this module takes columns by name and
refuses to go without one. Columns that a model does not read are left out: a later catalogue has
more features than the one it was trained with.
"""

from collections.abc import Container, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from features.errors import CatalogueMismatch
from training.model.model_inputs import ModelInputs

if TYPE_CHECKING:
    import pandas as pd

_NO_TEXTS = frozenset({float, int, bool, type(None)})

Floats = npt.NDArray[np.float64]
Value = float | str | None


class ModelInput(BaseModel):
    """One column of the model; `categories` is None for a number.

    `computation` is the digest of what computed it; None in a model from before there were any.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str
    categories: tuple[str, ...] | None = None
    computation: str | None = None

    @cached_property
    def codes(self) -> dict[str, float]:
        """The code of each category: its index in the list."""
        return {category: float(code) for code, category in enumerate(self.categories or ())}


class Encoding:
    """The columns of one model in order; a category's code is its index in the column's list."""

    def __init__(self, inputs: tuple[ModelInput, ...]):
        self.inputs = inputs
        self.names = [column.name for column in inputs]
        self._categories = [
            (place, column) for place, column in enumerate(inputs) if column.categories is not None
        ]

    @classmethod
    def learnt(cls, frame: "pd.DataFrame", inputs: ModelInputs, *, fewest: int) -> Self:
        """Learn category lists from `frame`; a category on fewer than `fewest` rows is left out."""
        return cls(
            tuple(
                ModelInput(
                    name=feature.name,
                    categories=_categories(frame[feature.name], fewest)
                    if feature.is_categorical
                    else None,
                    computation=inputs.computations[feature.name],
                )
                for feature in inputs.features
            )
        )

    def encode(self, vector: Mapping[str, Value]) -> tuple[Floats, list[str]]:
        """Encode one row; return it with the names of features whose category is unknown.

        Missing values (None) and unknown categories become NaN. Raises CatalogueMismatch if a
        feature is missing, or is text for a number or a number for a category.
        """
        row, unseen = [*self.own(vector).values()], list[str]()
        for place, column in self._categories:
            value = row[place]
            if isinstance(value, str):
                row[place] = column.codes.get(value)
                if value not in column.codes:
                    unseen.append(column.name)
            elif value is not None:
                _refuse_kind(column)
        # One check over all types: looking at each value would slow down every request.
        if not _NO_TEXTS.issuperset(map(type, row)):
            for column, value in zip(self.inputs, row, strict=True):
                if isinstance(value, str):
                    _refuse_kind(column)
        return np.array(row, np.float64), unseen  # NumPy turns None into NaN

    def own(self, vector: Mapping[str, Value]) -> Mapping[str, Value]:
        """Return the values of the model's features alone, in its order; raises as `encode`."""
        # Of the catalogue that the model was trained with, which is the usual case.
        if [*vector] == self.names:
            return vector
        self._require(vector)
        return {name: vector[name] for name in self.names}

    def encode_frame(self, frame: "pd.DataFrame") -> Floats:
        """Encode all rows of `frame` as float64 [rows, columns], with the rules of `encode`."""
        rows = np.empty((len(frame), len(self.inputs)))
        for place, column in enumerate(self.encode_columns(frame)):
            rows[:, place] = column
        return rows

    def encode_columns(self, frame: "pd.DataFrame") -> list[Floats]:
        """Encode `frame` as a list of columns; columns of numbers are not copied."""
        self._require(frame.columns)
        return [_encoded(column, frame[column.name]) for column in self.inputs]

    def unseen(self, frame: "pd.DataFrame") -> dict[str, int]:
        """Return the number of rows with an unknown category, per categorical feature."""
        return {
            column.name: int((frame[column.name].notna() & np.isnan(codes)).sum())
            for column in self.inputs
            if column.categories is not None
            for codes in (_encoded(column, frame[column.name]),)
        }

    @property
    def categorical_places(self) -> list[int]:
        """Indices of the columns that hold category codes."""
        return [i for i, column in enumerate(self.inputs) if column.categories is not None]

    def _require(self, given: Container[str]) -> None:
        if missing := [repr(name) for name in self.names if name not in given]:
            are = ("feature", "it is") if len(missing) == 1 else ("features", "they are")
            raise CatalogueMismatch(
                f"the model needs the {are[0]} {', '.join(missing)}; {are[1]} missing"
            )


def _categories(values: "pd.Series[str]", fewest: int) -> tuple[str, ...]:
    counts = values.value_counts()
    # Sorted, so that codes do not depend on the order of rows.
    return tuple(sorted(str(value) for value in counts.index[counts >= fewest]))


def _refuse_kind(column: ModelInput) -> NoReturn:
    if column.categories is not None:
        raise CatalogueMismatch(
            f"feature {column.name!r} is a category in the model, here it is a number"
        )
    raise CatalogueMismatch(f"feature {column.name!r} is a number in the model, here it is text")


def _encoded(column: ModelInput, values: "pd.Series[float] | pd.Series[str]") -> Floats:
    import pandas as pd  # noqa: PLC0415 - what answers requests has no frames, and starts sooner

    if column.categories is not None:
        if pd.api.types.is_numeric_dtype(values.dtype) and values.notna().any():
            _refuse_kind(column)
        numbers, distinct = pd.factorize(values)
        listed = pd.Index(column.categories, dtype=object)
        # Missing values have the number −1, which selects the −1 appended at the end.
        codes = np.append(listed.get_indexer(pd.Index(distinct, dtype=object)), -1)[numbers]
        return np.where(codes < 0, np.nan, codes).astype(np.float64)
    if not pd.api.types.is_numeric_dtype(values.dtype):
        _refuse_kind(column)
    return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
