"""Whoever works on cases or reads them."""

from dataclasses import dataclass

from serving.access.actors import Actor
from serving.access.callers import Caller
from serving.review.cases.case_records import CaseAccess


@dataclass(frozen=True)
class Reviewer:
    """A reviewer: who stands in every event, and what may be seen.

    Whoever does not work on cases, as an auditor, reads none without saying why. Whoever supervises
    may take a case from its owner.
    """

    actor: Actor
    access: CaseAccess
    works_on_cases: bool = True
    supervises: bool = False

    @classmethod
    def from_caller(cls, caller: Caller) -> "Reviewer":
        """The reviewer that a caller is: cases of its offices, on its side of the wall."""
        access = CaseAccess(caller.offices, caller.may("rescue"))
        works = caller.may("review") or caller.may("rescue")
        return cls(caller.actor, access, works_on_cases=works, supervises=caller.may("supervise"))
