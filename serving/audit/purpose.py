"""For what data are used: a call acts for one purpose, which must be that of this installation.

What came for a purpose stays with it: a database is bound to one, keys and tokens name those that
their holder may act for, and whoever acts for another is refused, which is written down.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from serving.access.callers import Caller
from serving.errors import Forbidden

if TYPE_CHECKING:
    from serving.storage.repositories.purpose_repository import PurposeRepository

HEADER = "Tidegate-Purpose"


@dataclass(frozen=True)
class RefusedUse:
    """A call that acted for a purpose that the data did not come for; `use` is what was called."""

    at: str
    caller_id: str
    purpose: str
    use: str


@dataclass(frozen=True)
class PurposeGuard:
    """Lets calls act for the purpose of an installation only."""

    purpose: str
    refused_uses: "PurposeRepository"
    clock: Callable[[], datetime]
    _logged: set[tuple[str, str, str, str]] = field(default_factory=set)

    def require(self, caller: Caller, acts_for: str | None, use: str) -> None:
        """Raise Forbidden for a caller that acts, or may only act, for something else.

        `acts_for` is what the call names, if it does; whose key names none acts for this one.
        """
        may_act = not caller.purposes or self.purpose in caller.purposes
        if may_act and acts_for in (None, self.purpose):
            return
        self._log_refusal(caller, acts_for or ",".join(sorted(caller.purposes)), use)
        raise Forbidden(
            f"what is here came for {self.purpose} and is used for nothing else; "
            "that you asked was written down"
        )

    def _log_refusal(self, caller: Caller, purpose: str, use: str) -> None:
        """Once an hour for the same: a caller that tries again and again fills no table."""
        now = self.clock().isoformat()
        refusal = (caller.key_id, purpose, use, now[:13])
        if refusal not in self._logged:
            self._logged.difference_update(
                [logged for logged in self._logged if logged[3] != now[:13]]
            )
            self.refused_uses.append(RefusedUse(now, caller.key_id, purpose[:200], use))
            self._logged.add(refusal)
