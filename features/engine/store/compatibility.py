"""The identity of an online feature store: its form, and what computes each of its columns.

A changed formula would mix old and new values under one key, and no window could tell them apart.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Self

from features.engine.store.layout import Layout, layout_fingerprint
from features.errors import OnlineStoreMismatch

_REMEDY = "make it anew with `tidegate state rebuild`"


@dataclass(frozen=True)
class StoreFormat:
    """The fingerprint of the layouts, and a digest for each column of a source, `source.column`."""

    layouts: str
    columns: dict[str, str]

    @classmethod
    def from_layouts(cls, layouts: Iterable[Layout], digest: Callable[[str, str], str]) -> Self:
        """Return what these layouts hold, as this release computes it.

        `digest` is that of what computes a column of a source.
        """
        layouts = tuple(layouts)
        pairs = {(one.source, name) for one in layouts for name in (*one.columns, "known_at")}
        columns = {f"{source}.{name}": digest(source, name) for source, name in pairs}
        return cls(layout_fingerprint(layouts), columns)

    def as_bytes(self) -> bytes:
        """As the store keeps it."""
        return json.dumps(asdict(self), sort_keys=True).encode()

    def check(self, kept: bytes) -> None:
        """Raise OnlineStoreMismatch where a store that keeps this was made for anything else."""
        if kept == self.as_bytes():
            return
        try:
            then = type(self)(**json.loads(kept))
        except (ValueError, TypeError):
            then = type(self)("", {})
        if then.layouts != self.layouts:
            raise OnlineStoreMismatch(
                "the online feature store was made for other windows than the catalogue has now, "
                f"or lies in another form; {_REMEDY}"
            )
        changed = sorted(n for n, now in self.columns.items() if then.columns.get(n) != now)
        raise OnlineStoreMismatch(
            f"the online feature store holds {', '.join(changed)} as computed before a change of "
            "the code; "
            f"going on would mix old and new values; {_REMEDY}"
        )
