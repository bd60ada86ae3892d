"""Which values lie outside what the training data reach, and how many is unusual."""

import numpy as np
import pandas as pd

from training.model.encoding import Encoding, ModelInput
from training.model.manifest import Reference
from training.model.training_support import TrainingSupport, most_outside

REFERENCES = {
    "mass_kg": Reference(missing_share=0.0, quantiles=tuple(np.linspace(1, 9, 21))),
    "mode": Reference(missing_share=0.1, shares={"sea": 0.5, "air": 0.4}),
    "paid_ratio": Reference(missing_share=0.5, quantiles=tuple(np.linspace(0, 1, 21))),
}
ENCODING = Encoding(
    (
        ModelInput(name="mass_kg"),
        ModelInput(name="mode", categories=("air", "sea")),
        ModelInput(name="paid_ratio"),
    )
)


def outside(**values: float | str | None) -> list[str]:
    row, unseen = ENCODING.encode({"mass_kg": 5.0, "mode": "sea", "paid_ratio": None} | values)
    return TrainingSupport.from_references(REFERENCES).outside(row, unseen)


def test_what_training_held_lies_inside() -> None:
    assert outside() == []
    assert outside(mass_kg=1.0, mode=None, paid_ratio=1.0) == []


def test_beyond_the_least_or_most_lies_outside() -> None:
    assert outside(mass_kg=0.5) == ["mass_kg"]
    assert outside(mass_kg=9.5, paid_ratio=1.1) == ["mass_kg", "paid_ratio"]


def test_a_gap_where_nothing_was_missing_and_an_unseen_category_lie_outside() -> None:
    assert outside(mass_kg=None) == ["mass_kg"]
    assert outside(mode="rail") == ["mode"]


def test_a_count_is_unusual_above_all_but_one_per_cent() -> None:
    frame = pd.DataFrame({"mass_kg": [5.0] * 1000, "mode": "sea", "paid_ratio": 0.5})
    frame.loc[:4, "mass_kg"] = 90.0
    assert most_outside(REFERENCES, [(ENCODING.encode_frame(frame), frame)]) == 0

    frame.loc[:50, ["mass_kg", "mode"]] = [90.0, "rail"]
    assert most_outside(REFERENCES, [(ENCODING.encode_frame(frame), frame)]) == 2
