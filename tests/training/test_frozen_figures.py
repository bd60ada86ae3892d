"""What an estimate or a gate says cannot be changed after it was said."""

from dataclasses import is_dataclass
from importlib import import_module
from inspect import getmembers
from pkgutil import iter_modules
from typing import Any

import pytest

from training import estimation, gates


def values() -> list[Any]:
    modules = [
        import_module(f"{room.__name__}.{found.name}")
        for room in (estimation, gates)
        for found in iter_modules(room.__path__)
    ]
    own = {
        each
        for module in modules
        for _, each in getmembers(module, is_dataclass)
        if getattr(each, "__module__", "") == module.__name__
    }
    return sorted(own, key=lambda each: (each.__module__, each.__name__))


@pytest.mark.parametrize("value", values(), ids=lambda value: value.__name__)
def test_a_figure_or_a_verdict_is_frozen(value: Any) -> None:
    assert value.__dataclass_params__.frozen


def test_values_of_both_rooms_are_looked_at() -> None:
    assert {"Verdict", "WaiverRequest", "CanaryShift", "PopulationFigures", "InspectedSample"} <= {
        value.__name__ for value in values()
    }
