"""Mark a reason of a case as right, wrong or unclear."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, get_args

from serving.access.actors import Actor
from serving.errors import Unprocessable
from serving.review.acts.act_declaration import ActInput, CaseAct
from serving.review.cases.case_change import CaseChange, acted
from serving.review.cases.case_state import Case

Verdict = Literal["right", "wrong", "unclear"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


class ReasonMark(ActInput):
    """A verdict on one reason, which is named by its indicator."""

    indicator: str
    verdict: Verdict


def mark_reason(case: Case, actor: Actor, at: datetime, indicator: str, verdict: str) -> CaseChange:
    """Record a verdict on a reason; the state of the case stays the same."""
    return acted(case, actor, at, "mark_reason", f"{indicator}: {verdict}")


def _mark_of_form(form: Mapping[str, str], _: datetime) -> Mapping[str, str]:
    verdict = form.get("verdict", "")
    if verdict not in VERDICTS:
        raise Unprocessable("say whether the reason is right, wrong or unclear")
    return {"indicator": form.get("indicator", "")[:64], "verdict": verdict}


MARK_REASON = CaseAct(
    name="marks",
    operation="mark_reason",
    description="Say whether a reason that a case gives is right, wrong or unclear.",
    perform=lambda acting, body: acting.change(mark_reason, body.indicator, body.verdict),
    records=("mark_reason",),
    input=ReasonMark,
    has_call=False,
    form_fields=_mark_of_form,
    revision="any",
)
