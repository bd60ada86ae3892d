"""Compare the known history of a service with that of its models."""

from collections.abc import Mapping

from features.errors import TidegateError
from features.history.online_store import COUNTED_RECORD_TYPES

# The least share of a model's training records, by type, that a service must know: with fewer it
# computes other features than the model learnt from. Histories normally grow, so half is missing
# only if something was lost.
MIN_KNOWN_SHARE = 0.5


def missing_types(trained_on: Mapping[str, int], known: Mapping[str, int]) -> list[str]:
    """Return the types of records of which too few are known; none if the model has no counts."""
    return [
        name
        for name in COUNTED_RECORD_TYPES
        if known.get(name, 0) < MIN_KNOWN_SHARE * trained_on.get(name, 0)
    ]


def require_whole_history(known: Mapping[str, int], expected: Mapping[str, int]) -> None:
    """Raise TidegateError if too few records of any expected type are known."""
    for name in missing_types(expected, known):
        raise TidegateError(
            f"the new online feature store would know {known.get(name, 0):,} {name}, and there "
            f"ought to be {expected[name]:,}; the former one stays. Lay the record files in the "
            "folder of records, or let it forget them with --allow-fewer"
        )
