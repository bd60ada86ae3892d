"""Things that cases have in common, and their roles in each case."""

from dataclasses import dataclass

# Only the newest cases with a thing are examined; a count that reaches this is a lower bound.
MAX_LOOKED_AT = 500


@dataclass(frozen=True)
class Sharing:
    """Another case with the same thing, its roles there, and whether that case is closed."""

    case_id: str
    seq: int
    roles: tuple[str, ...]
    is_closed: bool


@dataclass(frozen=True)
class SharedThing:
    """One party, container or conveyance of a case, with the other cases that name it.

    `roles` are its roles in this case; `others` are the newest, MAX_LOOKED_AT at most.
    """

    kind: str
    value: str
    roles: tuple[str, ...]
    others: tuple[Sharing, ...]

    @property
    def is_counted(self) -> bool:
        """Return whether `others` is complete; if not, there are at least as many."""
        return len(self.others) < MAX_LOOKED_AT
