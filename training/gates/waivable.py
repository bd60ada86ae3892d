"""The gates that a waiver may name; a module of its own, to load without a model's libraries."""

from typing import Literal, get_args

# Gates that can be undecided, and the champion, which may be unreadable.
Waivable = Literal[
    "better than random",
    "calibration",
    "groups",
    "leakage",
    "proxies",
    "influence",
    "champion",
    "no worse than the champion",
    "recalibration",
    "canaries",
    "control lane",
    "live traffic",
]

WAIVABLE: frozenset[str] = frozenset(get_args(Waivable))
