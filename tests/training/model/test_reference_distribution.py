"""What is usual, as a manifest keeps it: of the rows that it was taken of, and of no others."""

import pandas as pd
import pytest

from features.catalogue import features_of
from training.model.reference_distribution import reference_of

CATEGORY = next(feature for feature in features_of("shipment") if feature.is_categorical)


@pytest.mark.parametrize("known", [["air", "sea"], ["sea", "road", "air"]])
def test_categories_that_no_row_holds_have_no_share_and_the_others_are_in_order(
    known: list[str],
) -> None:
    """Rows of a part of a table still know the categories of all of it."""
    values = pd.Series(pd.Categorical(["sea", None, "air", "sea"], categories=known))

    told = reference_of(values, CATEGORY)

    assert [*told.shares.items()] == [("air", 0.25), ("sea", 0.5)]
    assert told.missing_share == 0.25
