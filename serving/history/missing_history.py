"""Compare the history that a service knows with that of its models."""

from collections.abc import Mapping

from features.errors import TidegateError
from features.history.online_store import COUNTED_RECORD_TYPES

# Of the records that a model was trained on, by type: a service that knows fewer computes other
# features than the model learnt from. Models go on to age, and histories to grow; half is missing
# only where something was forgotten.
FEWEST_SHARE = 0.5


def missing_types(trained_on: Mapping[str, int], known: Mapping[str, int]) -> list[str]:
    """The types of records of which too few are known; none for a model that does not say."""
    return [
        name
        for name in COUNTED_RECORD_TYPES
        if known.get(name, 0) < FEWEST_SHARE * trained_on.get(name, 0)
    ]


def require_whole_history(known: Mapping[str, int], expected: Mapping[str, int]) -> None:
    """Raise TidegateError where too few of the records are known that there ought to be."""
    for name in missing_types(expected, known):
        raise TidegateError(
            f"the new online feature store would know {known.get(name, 0):,} {name}, and there "
            f"ought to be {expected[name]:,}; the former one stays. Lay the record files in the "
            "folder of records, or let it forget them with --allow-fewer"
        )
