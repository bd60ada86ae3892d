"""Computation digest of every feature, and fingerprint of the catalogue."""

from collections.abc import Mapping
from functools import cache, partial

from features.catalogue import features_of
from features.compiled_catalogue import computation
from features.definition import Feature
from features.digests.code import combined
from features.digests.column_digests import (
    event_column,
    input_digest,
    subject_column,
    window_digest,
)
from features.digests.program_digests import output_digests
from features.engine.expressions.program import Key
from features.engine.windows.window_declaration import Window
from features.records import SubjectKind


@cache
def computation_digests(kind: SubjectKind) -> Mapping[str, str]:
    """Return the computation digest of each feature of one kind, by name in catalogue order.

    Raises TidegateError if a feature reads something that no digest covers.
    """

    def of_input(key: Key) -> str:
        if isinstance(key, Window):
            event = partial(event_column, kind, key.source)
            return window_digest(key, event, partial(subject_column, kind))
        return input_digest(partial(subject_column, kind), key)

    digests = output_digests(computation(kind), of_input)
    return {feature.name: f"sha256:{digests[feature.name]}" for feature in features_of(kind)}


def digests_of(feature: Feature) -> dict[SubjectKind, str]:
    """Return a feature's digest for every kind of subject it has; each kind reads other records."""
    return {kind: computation_digests(kind)[feature.name] for kind in feature.subjects}


@cache
def catalogue_fingerprint(kind: SubjectKind) -> str:
    """Return a digest that is equal if a model may rely on the same columns.

    It covers, for every feature in order, its name, whether it is a category, and its computation
    digest. Labels are left out, so that a better text takes no model out of service.
    """
    digests = computation_digests(kind)
    columns = (
        combined(feature.name, str(feature.is_categorical), digests[feature.name])
        for feature in features_of(kind)
    )
    return f"sha256:{combined(*columns)}"
