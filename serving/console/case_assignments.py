"""Forms that give a case to a colleague or put it into an inbox: one choice says which."""

from serving.console.forms import read_form
from serving.container import Services
from serving.review.cases.reviewer import Reviewer
from serving.web.assignments import assign_as_asked
from serving.web.case_bodies import Assignment

INBOX = "inbox:"
"""What a choice begins with that is an inbox; no name of an account has a colon."""


def assign_as_written(
    services: Services, reviewer: Reviewer, case_id: str, form: dict[str, str]
) -> None:
    """Do what the choice `to` of a form says; raises Unprocessable or the Conflict it meets."""
    to = form.get("to", "")
    named = {"inbox": to.removeprefix(INBOX)} if to.startswith(INBOX) else {"to": to}
    chosen = read_form(Assignment, named)
    assign_as_asked(services, reviewer, case_id, services.clock(), chosen)
