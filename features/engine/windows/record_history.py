"""A number that a linked record has of history, by a key of its own and not of its subject.

Its windows end where those of the record's subject do: at the declaration, so that nothing counts
which became known since.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from features.engine.columns import Column
from features.engine.windows.window import Window


@dataclass(frozen=True, kw_only=True, eq=False)
class RecordHistory:
    """Windows over history for each record, and the function that makes one number of them.

    A record's key is `key_of` its text in `field`; `key` is what `by` of a window calls it. The
    function is given a column of numbers for each of `windows`, by its name, and may look at each
    record alone.
    """

    field: str
    key: str
    key_of: Callable[[str], str]
    windows: Mapping[str, Window]
    function: Callable[..., Column]
