"""How often a test repeats what it does: seldom in every run, in full under `make faults`."""

import os
from typing import TypeVar

import pytest

Number = TypeVar("Number", int, float)


def count(usual: Number, full: Number) -> Number:
    """The full count where TIDEGATE_FAULTS is `full`; mark such a test with `faults`."""
    return full if os.environ.get("TIDEGATE_FAULTS") == "full" else usual


in_full_alone = pytest.mark.skipif(
    not count(0, 1), reason="takes long, and small tests cover most of it: run by `make faults`"
)
"""Marks a test that `make faults` runs and no other run does."""
