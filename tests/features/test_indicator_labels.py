"""Every feature is a sign of what it was read to be a sign of."""

import tomllib

from features.catalogue import features_by_name
from features.indicators import INDICATORS
from tests.features.indicator_labels import TABLE, reviewed_labels


def test_every_feature_has_the_label_that_was_reviewed() -> None:
    assert reviewed_labels() == {
        name: feature.indicator for name, feature in features_by_name().items()
    }


def test_every_label_says_what_the_list_of_indicators_says() -> None:
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))

    assert {number: row["sign"] for number, row in table.items() if number != "none"} == {
        number: INDICATORS[number] for number in table if number != "none"
    }


def test_no_feature_is_read_twice() -> None:
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    named = [name for row in table.values() for name in row["features"]]

    assert len(named) == len(set(named))
