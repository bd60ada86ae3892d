"""Whether the score of a case is shown yet: officers say first what they think of it."""

from serving.access.callers import Caller
from serving.container import Services
from serving.review.cases.case_state import Case
from serving.review.cases.reviewer import Reviewer


def is_score_shown(services: Services, caller: Caller, case: Case) -> bool:
    """Whether the reader sees the score: they judge nothing, or have said what they think."""
    if not services.settings.is_score_after_judgement or not caller.may("review"):
        return True
    if case.status == "closed":
        return True
    return services.cases.has_said_a_view(Reviewer.from_caller(caller), case.case_id)
