"""Define features: their computation and all that is documented about them.

A feature is a function of columns. Its name is the column, the model input, the key of its
contribution and the API key. Its docstring is its meaning, written for reviewers. Its parameters
are its inputs: a parameter without a default is a column of the subject; one with a `Window` as
default is that window over history or over the attached records.
"""

import inspect
import linecache
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import cache, partial
from pathlib import Path
from typing import Any

from features.engine.columns import Column
from features.engine.windows.window_declaration import Window
from features.errors import TidegateError
from features.indicators import CHECKS
from features.records import SubjectKind

ROOT = Path(__file__).resolve().parent.parent

_PLACEHOLDER = re.compile(r"\{(\w+)\}")

# The family and place of a feature without a file: of a cell, or of code executed as a string.
NOTEBOOK = "notebook"

# The history of an installation is finite: uncapped, the age of an old party would tell the date.
MAX_AGE_DAYS = 365.0


class Unit(StrEnum):
    """The unit of a feature's numbers, which also appears in the feature's name."""

    COUNT = "count"
    RATIO = "ratio"  # to a usual or possible value, which is 1
    SHARE = "share of 1"
    HOURS = "hours"
    HOURS_BEFORE = "hours before"  # an event; negative after it
    DAYS = "days"
    DAYS_UP_TO_YEAR = "days, 365 at most"  # the value 365 stands for a year or more
    KILOMETRES = "km"
    KNOTS = "kn"
    KILOGRAMS = "kg"
    KILOGRAMS_PER_M3 = "kg per m3"
    EURO = "EUR"
    EURO_PER_KG = "EUR per kg"
    PERCENT = "%"
    HOUR_OF_DAY = "hour of day"
    YES_NO = "0 or 1"
    CATEGORY = "category"


class MonotoneConstraint(Enum):
    """The only direction in which the risk may change as the value rises, if known for certain."""

    HIGHER_IS_RISKIER = 1
    LOWER_IS_RISKIER = -1
    EITHER = 0


class SuspiciousSide(StrEnum):
    """The side of the usual range on which a value is a sign of the feature's indicator."""

    HIGH = "high"
    LOW = "low"
    EITHER = "either"
    NEVER = "never"


class Peers(StrEnum):
    """The group in which a value counts as usual or unusual, by a column that all members share."""

    ALL = "all"
    GOODS = "goods_code"
    CORRIDOR = "corridor"


@dataclass(frozen=True)
class Feature:
    """One column of the matrix, with its documentation.

    `reads` lists subject columns and windows in words. `defined_at` is `path#Lline` from the
    project root, or from the folder of a file outside it, or `notebook#Lline`. `indicator` is the
    sign that a value on the side `warns` stands for; None for a scale or a description, which is no
    sign. `sentence` is the template of a reason, with `{value}` or, by parameter name, the number
    of a window (`said_with`). `sentence_of_one` applies to a count of one, `sentence_of_none` to 0,
    `sentence_below_zero` to a negative value, of which it states the size, `sentence_of_few` to a
    rate of fewer than five inspections. `among` is the peer group.

    `shows_from` is the value from which the feature is a sign by itself, on the side that warns:
    nine earlier journeys are fewer than usual, yet the operator is no newcomer. None if any unusual
    value is a sign; infinite if no value is. `known_by` names the feature that is 0 or missing if
    there is no data that this one could count, in which case its own 0 means nothing; its own name
    if there is no such feature.
    """

    name: str
    subjects: tuple[SubjectKind, ...]
    family: str
    meaning: str
    unit: Unit
    reads: tuple[str, ...]
    when_missing: str
    indicator: str | None
    warns: SuspiciousSide
    source: str
    direction: MonotoneConstraint
    sentence: str
    sentence_of_one: str | None
    sentence_below_zero: str | None
    sentence_of_none: str | None
    among: Peers
    known_by: str | None
    defined_at: str
    columns: tuple[str, ...]
    windows: dict[str, Window]
    compute: Callable[..., Column]
    shows_from: float | None = None
    sentence_of_few: str | None = None

    @property
    def is_categorical(self) -> bool:
        """Return whether values are texts from a closed list rather than numbers."""
        return self.unit is Unit.CATEGORY

    @property
    def said_with(self) -> tuple[str, ...]:
        """Return the parameters whose window numbers appear in the sentence next to the value."""
        return _placeholders(self.sentence)

    @property
    def check(self) -> str | None:
        """Return what to examine and what would clear it; None for a scale."""
        return None if self.indicator is None else CHECKS[self.indicator]

    def face(self) -> dict[str, str | list[str] | None]:
        """Return the documentation as plain JSON, as the catalogue shows it."""
        return {
            "name": self.name,
            "subjects": list(self.subjects),
            "family": self.family,
            "meaning": self.meaning,
            "unit": self.unit.value,
            "reads": list(self.reads),
            "when_missing": self.when_missing,
            "indicator": self.indicator,
            "warns": self.warns.value,
            "source": self.source,
            "direction": self.direction.name.lower(),
            "sentence": self.sentence,
            "check": self.check,
            "among": self.among.value,
            "known_by": self.known_by,
        }


BOTH: tuple[SubjectKind, ...] = ("route", "shipment")


def feature(
    computed: Window | Callable[..., Column] | None = None, /, **face: Any
) -> Callable[[Callable[..., Any]], Feature]:
    """Return a decorator that makes a `Feature` of a function of columns.

    The function takes one column per parameter and returns one: float64 with NaN for missing, or
    codes of texts with NO_TEXT if `unit` is CATEGORY. It is called once, with stand-ins, and
    compiled into a program (`features.engine.expressions`), so it may use only operations that can
    be traced. If the feature is a window, or shares its computation with others, `computed` is that
    window or function, and the decorated one only provides name, meaning and location. `face` is
    passed to `make_feature`.
    """

    def define(function: Callable[..., Any]) -> Feature:
        compute: Callable[..., Column] = (
            (lambda value=computed: value) if isinstance(computed, Window) else computed or function
        )
        # Name and location come from the function, so that they cannot diverge from the code.
        return make_feature(
            function.__name__,
            _meaning(function),
            compute,
            family=_family(function),
            defined_at=_place(function),
            **face,
        )

    return define


# Most features are of one kind of subject alone.
route_feature = partial(feature, subjects=("route",))
shipment_feature = partial(feature, subjects=("shipment",))


def make_feature(  # noqa: PLR0913  a face has this many sides
    name: str,
    meaning: str,
    computed: Callable[..., Column],
    *,
    family: str,
    defined_at: str,
    subjects: tuple[SubjectKind, ...],
    unit: Unit,
    when_missing: str,
    indicator: str | None,
    source: str,
    sentence: str,
    sentence_of_one: str | None = None,
    sentence_below_zero: str | None = None,
    sentence_of_none: str | None = None,
    sentence_of_few: str | None = None,
    warns: SuspiciousSide | None = None,
    among: Peers = Peers.ALL,
    known_by: str | None = None,
    shows_from: float | None = None,
    direction: MonotoneConstraint = MonotoneConstraint.EITHER,
) -> Feature:
    """Return a feature that `computed` makes from its parameters, columns and windows.

    `warns` follows from `direction` if that is given, and is EITHER if neither is. Raises
    TidegateError if a default is not a window, the sentence names an unknown window, or indicator,
    `warns` and `direction` contradict each other.
    """
    columns, windows = _parameters(computed)
    # A sentence may only show numbers of the feature's own windows.
    if strange := {*_placeholders(sentence)} - windows.keys():
        raise TidegateError(f"{name}: no window is called {sorted(strange)}")
    return Feature(
        name=name,
        subjects=subjects,
        family=family,
        meaning=meaning,
        unit=unit,
        reads=tuple(columns) + tuple(str(window) for window in windows.values()),
        when_missing=when_missing,
        indicator=indicator,
        warns=_warns(name, indicator, warns, direction),
        source=source,
        direction=direction,
        sentence=sentence,
        sentence_of_one=sentence_of_one,
        sentence_below_zero=sentence_below_zero,
        sentence_of_none=sentence_of_none,
        sentence_of_few=sentence_of_few,
        among=among,
        known_by=known_by,
        shows_from=shows_from,
        defined_at=defined_at,
        columns=columns,
        windows=windows,
        compute=computed,
    )


WARNS_BY_DIRECTION = {
    MonotoneConstraint.HIGHER_IS_RISKIER: SuspiciousSide.HIGH,
    MonotoneConstraint.LOWER_IS_RISKIER: SuspiciousSide.LOW,
    MonotoneConstraint.EITHER: SuspiciousSide.EITHER,
}


def _warns(
    name: str, indicator: str | None, given: SuspiciousSide | None, direction: MonotoneConstraint
) -> SuspiciousSide:
    if indicator is None:
        if given not in (None, SuspiciousSide.NEVER):
            raise TidegateError(f"{name}: without an indicator a value warns of nothing")
        return SuspiciousSide.NEVER
    warns = given or WARNS_BY_DIRECTION[direction]
    if warns is SuspiciousSide.NEVER:
        raise TidegateError(f"{name}: what is never a sign of {indicator} has no indicator")
    # Otherwise the model would raise the risk on one side and the reasons warn of the other.
    if direction is not MonotoneConstraint.EITHER and warns is not WARNS_BY_DIRECTION[direction]:
        raise TidegateError(f"{name}: warns {warns.value}, which contradicts its direction")
    return warns


def _parameters(function: Callable[..., Column]) -> tuple[tuple[str, ...], dict[str, Window]]:
    columns, windows = [], {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.default is inspect.Parameter.empty:
            columns.append(name)
        elif isinstance(parameter.default, Window):
            windows[name] = parameter.default
        else:
            raise TidegateError(f"{function.__name__}: the default of {name!r} is not a window")
    return tuple(columns), windows


@cache
def _placeholders(sentence: str) -> tuple[str, ...]:
    return tuple(name for name in _PLACEHOLDER.findall(sentence) if name != "value")


def _meaning(function: Callable[..., Column]) -> str:
    if not function.__doc__:
        raise TidegateError(f"{function.__name__}: a feature's docstring is its meaning")
    return " ".join(function.__doc__.split())


def line_of_caller(depth: int) -> str:
    """Return the location of the caller `depth` frames above, in the form of `defined_at`."""
    frame = sys._getframe(depth + 1)
    return _link(frame.f_code.co_filename, frame.f_lineno)


def _family(function: Callable[..., Any]) -> str:
    path = Path(inspect.getfile(function))
    return path.stem if path.is_file() else NOTEBOOK


def _place(function: Callable[..., Any]) -> str:
    file, first = inspect.getfile(function), function.__code__.co_firstlineno
    below = linecache.getlines(file)[first - 1 :]  # from the decorator's line on
    lines = (at for at, text in enumerate(below, first) if text.lstrip().startswith("def "))
    return _link(file, next(lines, first))  # code that was executed as a string has no source


def _link(file: str, line: int) -> str:
    path = Path(file).resolve()
    if not path.is_file():
        return f"{NOTEBOOK}#L{line}"
    # Of a file outside the project: answers need not say where this machine keeps it.
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else Path(*path.parts[-2:])
    return f"{shown.as_posix()}#L{line}"
