"""Reference distributions of features, with which reasons compare a case."""

from typing import TYPE_CHECKING

import numpy as np

from features.definition import Feature, Unit
from training.model.manifest import Reference
from training.model.model_inputs import ModelInputs
from training.ranking import Floats

if TYPE_CHECKING:
    import pandas as pd

STEPS = np.linspace(0, 1, 21)


def references(frame: "pd.DataFrame", inputs: ModelInputs) -> dict[str, Reference]:
    """Return one reference per feature over the rows of `frame`."""
    return {feature.name: reference_of(frame[feature.name], feature) for feature in inputs.features}


def reference_of(values: "pd.Series[float] | pd.Series[str]", feature: Feature) -> Reference:
    """Return the reference of one feature from its column."""
    if feature.is_categorical:
        counts = values.astype("str").value_counts().sort_index()
        shares = {str(name): float(count) / len(values) for name, count in counts.items()}
        return Reference(missing_share=float(values.isna().mean()), shares=shares)
    return reference_of_numbers(np.asarray(values, np.float64), feature)


def reference_of_numbers(values: Floats, feature: Feature) -> Reference:
    """Return the reference of a numeric feature; missing values are NaN."""
    is_missing = np.isnan(values)
    missing_share = float(is_missing.mean())
    present = values[~is_missing]
    if not len(present):
        return Reference(missing_share=missing_share)
    quantiles = tuple(np.quantile(present, STEPS).tolist())
    shares = {}
    # Shares are of all subjects, so that they add up to 1 with the missing ones.
    if feature.unit is Unit.YES_NO:
        yes = float(present.sum()) / len(values)
        shares = {"yes": yes, "no": len(present) / len(values) - yes}
    return Reference(missing_share=missing_share, quantiles=quantiles, shares=shares)
