"""Purpose limitation: a call acts for one purpose, which must be that of the installation.

Data stay with the purpose they were collected for: a database is bound to one purpose, and keys and
tokens list the purposes of their holders. A call for another purpose is refused and recorded.
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
    """A refused call for a purpose the data were not collected for; `use` is what was called."""

    at: datetime
    caller_id: str
    purpose: str
    use: str


@dataclass(frozen=True)
class PurposeGuard:
    """A guard that admits only calls for the purpose of the installation."""

    purpose: str
    refused_uses: "PurposeRepository"
    clock: Callable[[], datetime]
    _logged: set[tuple[str, str, str, str]] = field(default_factory=set)

    def require(self, caller: Caller, acts_for: str | None, use: str) -> None:
        """Raise Forbidden if a caller acts, or may only act, for another purpose.

        `acts_for` is the purpose the call names, if any; a key without purposes acts for this one.
        """
        # A key without purposes acts for that of the installation.
        may_act = not caller.purposes or self.purpose in caller.purposes
        if may_act and acts_for in (None, self.purpose):
            return
        self._log_refusal(caller, acts_for or ",".join(sorted(caller.purposes)), use)
        raise Forbidden(
            f"what is here came for {self.purpose} and is used for nothing else; "
            "that you asked was written down"
        )

    def _log_refusal(self, caller: Caller, purpose: str, use: str) -> None:
        """Record a refusal, at most once an hour for the same caller, purpose and use.

        A caller that retries over and over must not fill the table.
        """
        now = self.clock()
        hour = now.isoformat()[:13]
        refusal = (caller.key_id, purpose, use, hour)
        if refusal not in self._logged:
            self._logged.difference_update([logged for logged in self._logged if logged[3] != hour])
            # The purpose is text from a header, so its length is limited.
            self.refused_uses.append(RefusedUse(now, caller.key_id, purpose[:200], use))
            self._logged.add(refusal)
