"""Value that a linked record takes from history, by its own key instead of its subject's.

Its windows end at the declaration of the record's subject, like those of the subject, so later
knowledge never counts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from features.engine.columns import Column
from features.engine.windows.window_declaration import Window


@dataclass(frozen=True, kw_only=True, eq=False)
class RecordHistory:
    """Windows over history for each record, and the function that combines them into one value.

    The key of a record is `key_of` its text in `field`; windows refer to it as `key` in `by`. The
    function gets a column of values for each of `windows`, by name, and must treat rows
    independently.
    """

    field: str
    key: str
    key_of: Callable[[str], str]
    windows: Mapping[str, Window]
    function: Callable[..., Column]
