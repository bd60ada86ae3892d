"""Records by column: dataclasses of equally long arrays, of dicts of arrays, or nested ones."""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np

from synthetic.chance import Flags, Ints

Columns = TypeVar("Columns")


def select_rows(columns: Columns, which: Ints | Flags) -> Columns:
    """Return the rows selected by an index or a mask, in its order."""
    return _mapped(lambda column: column[which], [columns])


def stacked(parts: Sequence[Columns]) -> Columns:
    """Return the rows of all parts, one part after the other."""
    return _mapped(lambda *same: np.concatenate(same), parts)


def _mapped(change: Any, parts: Sequence[Any]) -> Any:
    first: Any = parts[0]
    if is_dataclass(first) and not isinstance(first, type):
        names = [field.name for field in fields(first)]
        columns = {name: _mapped(change, [getattr(p, name) for p in parts]) for name in names}
        return replace(first, **columns)
    if isinstance(first, dict):
        return {name: _mapped(change, [part[name] for part in parts]) for name in first}
    return change(*parts)
