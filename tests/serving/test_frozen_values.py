"""What places a subject or ends a case cannot be changed after it was made."""

from dataclasses import is_dataclass
from importlib import import_module
from inspect import getmembers, isclass
from pkgutil import walk_packages
from typing import Any

from serving import review, triage

# Memories, which count on, and no values.
COUNTING = {"_OfficeLoad", "_Day", "_Learnt", "_Tally", "_Acts"}


def values() -> list[Any]:
    modules = [
        import_module(found.name)
        for room in (triage, review)
        for found in walk_packages(room.__path__, f"{room.__name__}.")
    ]
    own = {
        each
        for module in modules
        for _, each in getmembers(module, isclass)
        if is_dataclass(each)
        and getattr(each, "__module__", "") == module.__name__
        and each.__name__ not in COUNTING
    }
    return sorted(own, key=lambda each: (each.__module__, each.__name__))


def test_values_of_lanes_and_review_are_frozen() -> None:
    assert [value for value in values() if not value.__dataclass_params__.frozen] == []


def test_values_of_both_rooms_are_looked_at() -> None:
    known = {
        "Placement",
        "Cutoff",
        "DrawGenerator",
        "Case",
        "CaseEvent",
        "CaseAction",
        "CaseResult",
    }
    assert known <= {value.__name__ for value in values()}
