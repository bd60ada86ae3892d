"""Labels of subjects, with their way of selection and the time they were known.

`confirmed` is 1 and `not_confirmed` is 0. An inconclusive outcome, a check of documents alone and
an uninspected subject have no label: no figure, gate or calibration counts them as negative. Trees
may be fitted against them as traffic of unknown result (`fit.sample_weights`).
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.records import OF_DOCUMENTS
from training.inverse_probability import inverse_probability_weight
from training.ranking import Floats, Ints

Bools = npt.NDArray[np.bool_]
Instants = npt.NDArray[np.datetime64]
Texts = npt.NDArray[np.object_]

OUTCOME_COLUMNS = ("result", "known_at", "selected_by", "selection_probability", "typology")
# A column of training sets only, in which labels can be traced to their author.
AUTHOR = "author"
# Optional statements of outcomes; older training sets lack them.
STATED = ("offences", "examination")
# False if `inspected_at` is only the time of the report.
AT_STATED = "is_inspected_at_stated"

LABELS = {"confirmed": 1.0, "not_confirmed": 0.0}


@dataclass(frozen=True)
class Outcomes:
    """One row per subject of a training set; NaN, NaT and None without an outcome.

    A check of documents alone does not count: nobody inspected, so the subject was not selected
    either. `author` is a keyed pseudonym of the person who reported the outcome, if known;
    `offences` and `examination` are None if not stated, and `inspected_at` is NaT.
    """

    label: Floats
    known_at: Instants
    selected_by: Texts
    selection_probability: Floats
    typology: Texts
    author: Texts
    offences: Texts
    examination: Texts
    inspected_at: Instants

    @classmethod
    def from_table(cls, table: pd.DataFrame, places: Ints, subjects: int) -> Self:
        """Align outcome records with subjects; `places` are the indices of their subjects."""
        is_visit = ~table["result"].isin(OF_DOCUMENTS).to_numpy()
        table, places = table[is_visit], places[is_visit]

        def placed(values: npt.NDArray[Any], nothing: Any) -> npt.NDArray[Any]:
            laid = np.full_like(values, nothing, shape=subjects)
            laid[places] = values
            return laid

        is_at_report = table[AT_STATED].eq(False)
        return cls(
            label=placed(_numbers(table["result"].map(LABELS)), np.nan),
            known_at=placed(as_instants(table["known_at"]), "NaT"),
            selected_by=placed(_texts(table["selected_by"]), None),
            selection_probability=placed(_numbers(table["selection_probability"]), np.nan),
            typology=placed(_texts(table["typology"]), None),
            inspected_at=placed(as_instants(table["inspected_at"].mask(is_at_report)), "NaT"),
            **{name: placed(_texts(table[name]), None) for name in (AUTHOR, *STATED)},
        )

    @property
    def is_inspected(self) -> Bools:
        """Mask of inspected subjects, whatever the result."""
        return np.not_equal(self.selected_by, None)  # type: ignore[call-overload]  # an object column

    @property
    def is_labelled(self) -> Bools:
        """Mask of subjects with a label, known at any time."""
        return ~np.isnan(self.label)

    def is_labelled_by(self, instant: np.datetime64) -> Bools:
        """Return a mask of subjects whose label was known before `instant`."""
        return self.is_labelled & (self.known_at < instant)

    @property
    def in_random_lane(self) -> Bools:
        """Mask of subjects that were inspected because of a random draw."""
        return self.selected_by == "random"

    def weights(self, *, clip: float) -> Floats:
        """Return how many subjects each inspected one represents: 1 / selection probability.

        Weights are at most `clip`. A subject without a probability, such as a tip, represents
        itself only; one selected at an officer's discretion has weight 0, because the draws
        represent it too.
        """
        is_discretion = self.selected_by == "discretion"
        return np.where(
            is_discretion, 0.0, inverse_probability_weight(self.selection_probability, clip=clip)
        )


def as_instants(values: "pd.Series[pd.Timestamp]") -> Instants:
    """Return instants in UTC as datetime64[us]; missing ones are NaT."""
    in_utc = pd.to_datetime(values, utc=True).dt.tz_convert(None)
    return in_utc.to_numpy(dtype="datetime64[us]")


def _numbers(values: "pd.Series[float]") -> Floats:
    return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)


def _texts(values: "pd.Series[str]") -> Texts:
    """Return texts as objects, equal ones shared: few are distinct, and rows are many."""
    numbers, distinct = pd.factorize(values)
    return np.array([*distinct, None], dtype=object)[numbers]
