"""Reviewers: people who work on cases or read them."""

from dataclasses import dataclass

from serving.access.actors import Actor
from serving.access.callers import Caller
from serving.review.cases.case_records import CaseAccess


@dataclass(frozen=True)
class Reviewer:
    """A reviewer: the author of events, and the cases that may be seen.

    A reader who does not work on cases, such as an auditor, must state a purpose for each. A
    supervisor may take a case from its owner.
    """

    actor: Actor
    access: CaseAccess
    works_on_cases: bool = True
    supervises: bool = False

    @classmethod
    def from_caller(cls, caller: Caller) -> "Reviewer":
        """Return a caller as a reviewer: cases of its offices, either rescues or all others."""
        access = CaseAccess(caller.offices, caller.may("rescue"))
        works = caller.may("review") or caller.may("rescue")
        return cls(caller.actor, access, works_on_cases=works, supervises=caller.may("supervise"))
