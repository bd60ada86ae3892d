"""In live use, accept a model pointer only with the approvals of two persons.

The home's key signs pointers, so anyone with that key could write one. The keys with which persons
approve are kept elsewhere. A pointer contains the signed approvals; the audit log proves whose keys
they are, that the approvals were used, and that no later act changed the slot.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from serving.access.approvals import GivenApproval, TwoPersons, agreed, require_others
from serving.access.errors import ApprovalRefused
from training.model.model_pointer import PASSED_GATES, ModelPointer

if TYPE_CHECKING:
    from serving.storage.repositories.approval_repository import ApprovalRepository

_KINDS = {"champion": ("promote", "roll_back"), "shadow": ("shadow",)}


@dataclass(frozen=True)
class SlotApprovals:
    """Checks pointers against the approval keys and acts in a database."""

    register: "ApprovalRepository"

    def require(self, pointer: ModelPointer) -> None:
        """Raise ApprovalRefused unless two persons put this version here, as the last act.

        A challenger never answers and passes no gate, so training alone may name it.
        ApprovalRefused may be temporary, until the act is recorded. Raises LogUnavailable too.
        """
        if pointer.role not in PASSED_GATES:
            return
        seat = f"{pointer.name}@{pointer.role}"
        if not pointer.approvals:
            raise ApprovalRefused(
                f"{seat} was promoted in a trial; live use needs two people: run `tidegate "
                "promote` again with their approvals"
            )
        if self.register.seated(pointer.name, pointer.role) != pointer.content_digest:
            raise ApprovalRefused(
                f"{seat}: the last act on record did not write this pointer; run `tidegate "
                "promote` again with the approvals of two persons"
            )
        documents = [GivenApproval.model_validate(each) for each in pointer.approvals]
        act = self._agreed(documents[:2])
        if act.act.kind not in _KINDS[pointer.role] or not _is_of(act, pointer):
            raise ApprovalRefused(f"{seat}: two persons agreed to {act.act.in_words}, not to it")
        self._require_waivers(documents[2:], act, pointer)

    def _require_waivers(
        self, documents: list[GivenApproval], act: TwoPersons, pointer: ModelPointer
    ) -> None:
        # A gate verdict that is marked as waived counts only with the signatures of two persons,
        # and for a promotion other persons than those who promote.
        waived: set[str] = set()
        for place in range(0, len(documents), 2):
            waiver = self._agreed(documents[place : place + 2])
            if waiver.act.kind == "waive" and _is_of(waiver, pointer):
                if act.act.kind != "roll_back":
                    require_others(waiver, act)
                waived |= {*waiver.act.gates}
        left = {verdict.gate for verdict in pointer.verdicts if verdict.is_waived} - waived
        if left:
            raise ApprovalRefused(
                f"{pointer.name}@{pointer.role}: nobody waived {', '.join(sorted(left))}"
            )

    def _agreed(self, documents: list[GivenApproval]) -> TwoPersons:
        return agreed(documents[0].act, documents, self.register)


def _is_of(found: TwoPersons, pointer: ModelPointer) -> bool:
    """Return True if the act is about exactly this model, version and digest."""
    named = (pointer.name, pointer.version, pointer.digest)
    return (found.act.object_id, found.act.version, found.act.digest) == named
