"""Validation of window declarations, before anything is computed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from features.engine.columns import Kind
from features.engine.windows.reducers import Reducer
from features.engine.windows.window_declaration import Window
from features.errors import TidegateError, nearest_of


@dataclass(frozen=True)
class EventSource:
    """Source of events: its columns, the reducers it allows, and its only key if it has one.

    `key_only` columns may be part of a key, but neither reduced nor used in `where`.
    """

    columns: Mapping[str, Kind]
    reducers: frozenset[Reducer] = frozenset(Reducer)
    by: tuple[str, ...] | None = None
    key_only: frozenset[str] = frozenset()


def check_window(
    owner: str, window: Window, subject: Mapping[str, Kind], sources: Mapping[str, EventSource]
) -> None:
    """Check that the window of a feature can be computed for subjects with these columns.

    Raises TidegateError with the owner, the mistake and the nearest valid name.
    """
    for mistake in _mistakes(window, subject, sources):
        raise TidegateError(f"{owner}: {window}: {mistake}")


def _mistakes(
    window: Window, subject: Mapping[str, Kind], sources: Mapping[str, EventSource]
) -> Iterator[str]:
    """Yield mistakes in order; later ones may follow from the first."""
    if window.source not in sources:
        yield f"there is no source {window.source!r}; {nearest_of(window.source, sources)}"
        return
    source = sources[window.source]
    if window.days is not None and window.days < 1:
        yield f"days is {window.days}; want 1 or more, or None for all of history"
    yield from _key_mistakes(window, subject, source)
    yield from _value_mistakes(window, source)
    if window.where is not None:
        yield from _column_mistakes("where", window.where, window, source, Kind.NUMBER)


def _key_mistakes(
    window: Window, subject: Mapping[str, Kind], source: EventSource
) -> Iterator[str]:
    if source.by is not None and (window.by != source.by or window.matching != source.by):
        yield f"linked records are keyed by their subject; want by={source.by[0]!r}"
    if len(window.by) != len(window.matching):
        yield f"by has {len(window.by)} columns and matching {len(window.matching)}; want as many"
    for by, matching in zip(window.by, window.matching, strict=False):
        if by not in subject:
            yield f"by={by!r} is no column of the subject; {nearest_of(by, subject)}"
        elif matching not in source.columns:
            nearest = nearest_of(matching, source.columns)
            yield f"matching={matching!r} is no column of {window.source}; {nearest}"
        elif subject[by] is not source.columns[matching]:
            kinds = f"{_words(subject[by])} and {_words(source.columns[matching])}"
            yield f"{by!r} of the subject and {matching!r} of the event hold {kinds}"


def _value_mistakes(window: Window, source: EventSource) -> Iterator[str]:
    reducer, value = window.reducer, window.value
    if reducer not in source.reducers:
        allowed = ", ".join(map(str, sorted(source.reducers)))
        yield f"no {reducer!s} value is kept of {window.source}; want {allowed}"
    if value is None and reducer.needs_value:
        yield f"{reducer!s} reduces a value; want value=, {_reducible(source, reducer)}"
    if value is None:
        return
    if not reducer.needs_value:
        yield f"{reducer!s} reduces no value, and has value={value!r}"
    yield from _column_mistakes("value", value, window, source, _kind_of_value(reducer))


def _column_mistakes(
    parameter: str, name: str, window: Window, source: EventSource, kind: Kind
) -> Iterator[str]:
    """Yield the mistakes of an event column that must be of some kind."""
    among = [column for column, column_kind in source.columns.items() if column_kind is kind]
    usable = [column for column in among if column not in source.key_only]
    if name in source.key_only:
        yield f"{parameter}={name!r} is of another record; it may only be part of the key"
    elif name not in source.columns:
        yield f"{parameter}={name!r} is no column of {window.source}; {nearest_of(name, usable)}"
    elif name not in usable:
        holds = f"holds {_words(source.columns[name])}, want {_words(kind)}"
        yield f"{parameter}={name!r} {holds}; {nearest_of(name, usable)}"


def _kind_of_value(reducer: Reducer) -> Kind:
    return Kind.TEXT if reducer is Reducer.DISTINCT else Kind.NUMBER


def _reducible(source: EventSource, reducer: Reducer) -> str:
    kind = _kind_of_value(reducer)
    names = (name for name, column_kind in source.columns.items() if column_kind is kind)
    return f"one of {', '.join(sorted(name for name in names if name not in source.key_only))}"


def _words(kind: Kind) -> str:
    return {Kind.NUMBER: "numbers", Kind.TEXT: "texts", Kind.WHOLE: "instants"}.get(kind, "flags")
