"""Compile the whole catalogue of one kind of subject into one program."""

from collections.abc import Sequence
from functools import cache

from features.catalogue import features_of
from features.definition import Feature
from features.derived.subject import subject_kinds
from features.engine.columns import Kind
from features.engine.expressions.program import Function, Key, Program, traced
from features.errors import TidegateError
from features.records import SubjectKind
from features.window_checks import check_windows


@cache
def computation(kind: SubjectKind) -> Program:
    """Return a program of every feature, by name, from the subject's columns and windows.

    Raises TidegateError, naming the feature, if one cannot be traced, has an invalid window, or
    yields neither a number nor, as a category, a text.
    """
    check_windows(kind)
    return program_of(kind, features_of(kind))


def program_of(kind: SubjectKind, features: Sequence[Feature]) -> Program:
    """Return a program of features whose windows are valid; raises TidegateError as above."""
    kinds: dict[Key, Kind] = {**subject_kinds(kind)}
    windows = (window for feature in features for window in feature.windows.values())
    kinds |= dict.fromkeys(windows, Kind.NUMBER)
    program = traced({feature.name: _function(feature) for feature in features}, kinds)
    for feature in features:
        _check(feature, program.outputs[feature.name].kind)
    return program


def _function(feature: Feature) -> Function:
    reads = {**{name: name for name in feature.columns}, **feature.windows}
    return Function(f"feature {feature.name}", feature.compute, reads)


def _check(feature: Feature, kind: Kind) -> None:
    want = Kind.TEXT if feature.is_categorical else Kind.NUMBER
    if kind is not want:
        raise TidegateError(
            f"feature {feature.name}: makes {kind.name.lower()}, want {want.name.lower()}"
        )
