"""Release: give a case back, so that others may claim it."""

from dataclasses import replace
from datetime import datetime

from serving.access.actors import Actor
from serving.review.acts.act_declaration import CaseAct
from serving.review.cases.case_change import CaseChange, acted, awake, refuse_other
from serving.review.cases.case_state import Case


def give_back(case: Case, actor: Actor, at: datetime) -> CaseChange:
    """Give a case back for others to claim; raises Conflict."""
    refuse_other(case, actor)
    return acted(case, actor, at, "give_back", **awake(replace(case, owner=None)), owner=None)


GIVE_BACK = CaseAct(
    name="release",
    operation="give_case_back",
    description="Give a case back for others. To let the goods go is an action, `release`.",
    perform=lambda acting, _: acting.change(give_back),
    records=("give_back",),
    leads_to="next",
)
