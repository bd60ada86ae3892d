"""Identity of an online feature store: its format and the computation of each column.

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
    """Fingerprint of the layouts, and a digest per column with the name `source.column`."""

    layouts: str
    columns: dict[str, str]

    @classmethod
    def from_layouts(cls, layouts: Iterable[Layout], digest: Callable[[str, str], str]) -> Self:
        """Return the format of these layouts as this release computes their columns.

        `digest` returns the digest of the computation of a source's column.
        """
        layouts = tuple(layouts)
        pairs = {(one.source, name) for one in layouts for name in (*one.columns, "known_at")}
        columns = {f"{source}.{name}": digest(source, name) for source, name in pairs}
        return cls(layout_fingerprint(layouts), columns)

    def as_bytes(self) -> bytes:
        """Return the format as the store keeps it."""
        return json.dumps(asdict(self), sort_keys=True).encode()

    def check(self, kept: bytes) -> None:
        """Raise OnlineStoreMismatch if the store that keeps these bytes has another format."""
        if kept == self.as_bytes():
            return
        try:
            then = type(self)(**json.loads(kept))
        # An unreadable format matches nothing, so the store is reported as made for other windows.
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
