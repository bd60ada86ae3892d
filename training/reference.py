"""What is usual for each feature: drift is measured against it, and reasons are told beside it."""

import numpy as np
import pandas as pd

from training.manifest import Reference
from training.model_inputs import ModelInputs

STEPS = np.linspace(0, 1, 21)


def references(frame: pd.DataFrame, inputs: ModelInputs) -> dict[str, Reference]:
    """One reference per feature over the rows of `frame`."""
    return {
        feature.name: (_shares if feature.is_categorical else _quantiles)(frame[feature.name])
        for feature in inputs.features
    }


def _quantiles(values: "pd.Series[float]") -> Reference:
    present = values.dropna().to_numpy(dtype=np.float64)
    quantiles = np.quantile(present, STEPS).tolist() if len(present) else ()
    return Reference(missing_share=float(values.isna().mean()), quantiles=tuple(quantiles))


def _shares(values: "pd.Series[str]") -> Reference:
    counts = values.value_counts(normalize=False).sort_index()
    return Reference(
        missing_share=float(values.isna().mean()),
        shares={str(name): float(count) / len(values) for name, count in counts.items()},
    )
