"""Erasures that were proposed and are not carried out yet, for whoever may stop them."""

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
    """A proposal that may still be followed or cancelled, and who agreed to it, if anybody did."""

    proposal: RetentionAct
    agreed: RetentionAct | None

    @property
    def counts(self) -> Mapping[str, int]:
        """Return what was due when it was proposed, by kind."""
        due: Mapping[str, int] = self.proposal.details.get("due", {})
        return due

    @property
    def erases_from(self) -> str | None:
        """The instant (ISO) from which it may be carried out; None where nobody agreed."""
        return None if self.agreed is None else str(self.agreed.details["erases_from"])

    def days_left(self, at: datetime) -> int:
        """How many days it still waits, begun ones counted; 0 where it may be carried out."""
        if self.erases_from is None:
            return 0
        left = datetime.fromisoformat(self.erases_from) - at
        return max(0, -(-left // timedelta(days=1)))


def open_erasures(log: "RetentionRepository", at: datetime) -> list[OpenErasure]:
    """Every erasure that `tidegate retention cancel` would cancel, the newest first."""
    acts = log.all()
    found = []
    for number in [act.number for act in reversed(acts) if act.action == "propose"]:
        try:
            proposal = open_proposal(acts, number, at)
        except RetentionRefused:
            continue
        found.append(OpenErasure(proposal, agreement_to(acts, number)))
    return found
