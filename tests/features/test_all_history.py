"""A window over the history of anyone ends, unless somebody said why it does not."""

from features.catalogue import features_by_name
from features.history.online_store import HISTORY_SOURCES
from tests.features.all_history import reasons_for_all_history


def test_every_feature_that_counts_all_history_has_a_reason_for_it() -> None:
    named = [name for group in reasons_for_all_history().values() for name in group["features"]]

    assert sorted(named) == sorted(
        name
        for name, feature in features_by_name().items()
        if any(w.days is None and w.source in HISTORY_SOURCES for w in feature.windows.values())
    )
