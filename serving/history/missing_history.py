"""Whether a service knows the history that its models were trained on."""

from collections.abc import Mapping

from features.history.online_store import COUNTED_RECORD_TYPES

FEWEST_SHARE = 0.5
"""Of the records that a model was trained on, by type: a service that knows fewer computes other
features than the model learnt from. Models go on to age, and histories to grow; half is missing
only where something was forgotten."""


def missing_types(trained_on: Mapping[str, int], known: Mapping[str, int]) -> list[str]:
    """The types of records of which too few are known; none for a model that does not say."""
    return [
        name
        for name in COUNTED_RECORD_TYPES
        if known.get(name, 0) < FEWEST_SHARE * trained_on.get(name, 0)
    ]
