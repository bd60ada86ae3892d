"""Which gates a waiver may name; alone, since a command offers them before it loads a model."""

from typing import Literal, get_args

# Gates that may be undecided, and the champion, which may be unreadable.
Waivable = Literal[
    "better than random",
    "calibration",
    "groups",
    "leakage",
    "proxies",
    "influence",
    "champion",
    "no worse than the champion",
    "canaries",
    "control lane",
    "live traffic",
]

WAIVABLE: frozenset[str] = frozenset(get_args(Waivable))
