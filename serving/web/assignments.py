"""Giving a case to a colleague or to an inbox, as a call or a form asks for it."""

from datetime import datetime

from serving.container import Services
from serving.review.cases.case_state import Case
from serving.review.cases.reviewer import Reviewer
from serving.web.case_bodies import Assignment


def assign_as_asked(
    services: Services, reviewer: Reviewer, case_id: str, at: datetime, asked: Assignment
) -> Case:
    """Give a case to whom is named, or put it into the inbox that is.

    Raises NotFound, Unprocessable, or the Conflict that the act meets.
    """
    if asked.inbox is not None:
        return services.cases.put_into_inbox(reviewer, case_id, at, asked.inbox)
    return services.cases.assign(reviewer, case_id, at, reviewer_named(services, asked.to or ""))


def reviewer_named(services: Services, name: str) -> Reviewer | None:
    """The holder of a live account; None where nobody has it."""
    account = services.accounts.find(name)
    is_live = account is not None and account.disabled_at is None
    return Reviewer.from_caller(account.caller()) if account is not None and is_live else None
