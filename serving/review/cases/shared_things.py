"""What cases share with each other, and as what they name it."""

from dataclasses import dataclass

# Of cases that share one thing, the newest that are looked at; a count of as many is no more.
MOST_LOOKED_AT = 500


@dataclass(frozen=True)
class Sharing:
    """That another case names the same thing, as what it names it, and whether it has ended."""

    case_id: str
    seq: int
    roles: tuple[str, ...]
    is_closed: bool


@dataclass(frozen=True)
class SharedThing:
    """One party, container or conveyance of a case, with the other cases that name it.

    `roles` are those that this case names it by; `others` are the newest, MOST_LOOKED_AT at most.
    """

    kind: str
    value: str
    roles: tuple[str, ...]
    others: tuple[Sharing, ...]

    @property
    def is_counted(self) -> bool:
        """Return whether `others` are all that may be seen; if not, there are at least as many."""
        return len(self.others) < MOST_LOOKED_AT
