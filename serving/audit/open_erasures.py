"""Proposed erasures that were not carried out yet, for people who may stop them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from serving.audit.errors import RetentionRefused
from serving.audit.retention import agreement_to, open_proposal
from serving.audit.retention_log import RetentionAct

if TYPE_CHECKING:
    from serving.storage.repositories.retention_repository import RetentionRepository


@dataclass(frozen=True)
class OpenErasure:
    """A proposal that may still be carried out or cancelled, and the agreement, if any."""

    proposal: RetentionAct
    agreed: RetentionAct | None

    @property
    def counts(self) -> Mapping[str, int]:
        """Return the counts due at the time of the proposal, by kind."""
        due: Mapping[str, int] = self.proposal.details.get("due", {})
        return due

    @property
    def erases_from(self) -> str | None:
        """Return the instant (ISO) from which it may be carried out; None without an agreement."""
        return None if self.agreed is None else str(self.agreed.details["erases_from"])

    def days_left(self, at: datetime) -> int:
        """Return the days it still waits, rounded up; 0 if it may be carried out."""
        if self.erases_from is None:
            return 0
        left = datetime.fromisoformat(self.erases_from) - at
        # Negated twice, integer division rounds up.
        return max(0, -(-left // timedelta(days=1)))


def open_erasures(log: "RetentionRepository", at: datetime) -> list[OpenErasure]:
    """Return every erasure that `tidegate retention cancel` could cancel, newest first."""
    acts = log.all()
    found = []
    for number in [act.number for act in reversed(acts) if act.action == "propose"]:
        try:
            proposal = open_proposal(acts, number, at)
        except RetentionRefused:
            continue
        found.append(OpenErasure(proposal, agreement_to(acts, number)))
    return found
