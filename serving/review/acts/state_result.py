"""Result: state the finding of the ordered action, or the outcome of a rescue."""

from collections.abc import Callable, Mapping
from datetime import datetime

from pydantic import Field

from features.field_types import Code, Instant, Items, Kilograms, Persons
from features.offences import OffenceCodes
from features.records import Depth, Examination
from serving.access.actors import Actor
from serving.audit.decision import Decision
from serving.errors import Conflict
from serving.language import say
from serving.review.acts.act_declaration import ActInput, ActRequest, CaseAct, Stated, Words
from serving.review.acts.statements import apply_closing_rule, make_statement
from serving.review.cases.case_change import CaseChange, refuse_first, refuse_other
from serving.review.cases.case_records import CaseRow
from serving.review.cases.case_state import Case, Statement
from serving.review.cases.labels import (
    MAX_BEFORE_DECLARATION,
    label_of,
    require_plausible_start,
)
from serving.review.cases.results import (
    FOUND_BY_WORDS,
    RESULT_MEANING,
    CaseResult,
    Confidence,
    Finding,
    FoundBy,
    ReasonCode,
    ResultCode,
)
from serving.triage.life_at_risk import GRAVE

# Prefix of the names of check boxes, each for one class of offence.
OFFENCE_BOX = "offence_"


class ResultBody(ActInput):
    """The result of the ordered action, or the outcome of a rescue."""

    code: ResultCode
    reason: ReasonCode
    confidence: Confidence
    text: Words
    inspected_at: Stated[Instant] = Field(
        None,
        description="When the inspection began, at most "
        f"{MAX_BEFORE_DECLARATION.days} days before the declaration; if not stated, when the "
        "case ended.",
    )
    examination: Stated[Examination] = Field(
        None, description="How it was examined, by what went furthest."
    )
    depth: Stated[Depth] = Field(None, description="Whether all of it was examined, or a part.")
    offences: Stated[OffenceCodes] = Field(
        None, description="The classes of offence that were found, separated by a blank or `|`."
    )
    found_mass_kg: Stated[Kilograms] = Field(None, description="The mass of what was found.")
    found_items: Stated[Items] = Field(None, description="How many items were found.")
    found_persons: Stated[Persons] = Field(
        None, description="How many persons were found that were being smuggled or trafficked."
    )
    typology: Stated[Code] = Field(None, description="The way of smuggling that was found.")
    is_protection: bool = Field(
        False,
        description="Whether people were handed to those who protect them; whatever was found "
        "then teaches no model and stands in nobody's rate.",
    )

    def result(self, found_by: FoundBy) -> CaseResult:
        """Return the result of the body; raises Unprocessable."""
        stated = self.model_dump()
        finding = Finding(**{name: stated.pop(name) for name in Finding.__dataclass_fields__})
        return CaseResult(found_by, **stated, finding=finding)


def state_result(
    case: Case, actor: Actor, at: datetime, result: CaseResult, *, is_life_at_risk: bool = True
) -> CaseChange:
    """State the result of the ordered action: close the case, or propose its end.

    An adverse end takes two persons. So does "nobody in danger" or "nobody found" without a report
    from the scene, if records show a life at risk. From the second person, the result is their own
    view. Raises PersonNeeded, or Conflict, also if no action that yields such a result was ordered.
    """
    refuse_other(case, actor)
    refuse_first(case, actor)
    if result.found_by != "rescue" and not case.has_ordered(result.found_by):
        raise Conflict(
            say("order first {found_by}", found_by=say(FOUND_BY_WORDS[result.found_by])),
            code="no-action-ordered",
        )
    of_rescue = result.found_by == "rescue"
    statement = Statement(actor, at, result=result, is_life_at_risk=of_rescue and is_life_at_risk)
    return make_statement(case, statement, result.text)


def record_result(acting: ActRequest, state: Callable[[FoundBy], CaseResult]) -> Case:
    """State the result of an inspection, a check, a referral or a rescue.

    A result that closes the case becomes an outcome; for a reopened case it corrects the earlier
    outcome. Raises Unprocessable or Conflict before anything is stored.
    """
    cases, at = acting.cases, acting.at
    row, case = cases.case(acting.reviewer, acting.case_id)
    result = state(_found_by(row, case))
    decision = cases.unmasked_decision(acting.case_id)
    require_plausible_start(decision, result)
    # Only for its checks: a label that cannot be made must be refused before the act.
    label_of(decision, result, acting.actor.identity, at, case.newest_inspection)
    is_life_at_risk = row.lane == "rescue" and _is_life_at_risk(acting, row, case, decision)
    return apply_closing_rule(
        acting,
        lambda case: state_result(case, acting.actor, at, result, is_life_at_risk=is_life_at_risk),
    )


def _found_by(row: CaseRow, case: Case) -> FoundBy:
    """Return the source of a case's result; raises Conflict if no action was ordered."""
    if row.lane == "rescue":
        return "rescue"
    if case.status == "closed":
        raise Conflict("this case is closed; open it again first", code="case-closed")
    found_by = case.action.finds if case.action else None
    if found_by is None:
        raise Conflict(
            "first order the inspection or check that is to find it", code="no-action-ordered"
        )
    return found_by


def _is_life_at_risk(acting: ActRequest, row: CaseRow, case: Case, newest: Decision) -> bool:
    """Return whether a report, an officer or a later call shows danger to life.

    A report that was erased counts as one that does.
    """
    if case.action is not None and case.action.refer_to == "rescue":
        return True
    cases = acting.cases
    scored = {score.decision_id for score in cases.scores(row)} - {newest.decision_id}
    records = cases.decisions.records_of(scored)
    reports = [newest, *map(Decision.model_validate_json, records.values())]
    has_sign = any(sign.code in GRAVE for each in reports for sign in each.danger_signals)
    called = any(each.is_distress for each in cases.heard_by_now(newest.submission).positions)
    return has_sign or called or len(records) < len(scored)


def _result_of_form(form: Mapping[str, str], _: datetime) -> Mapping[str, str]:
    """Split the form's choice into result and reason, and collect the boxes of offences."""
    code, reason = _split(form.get("code", ""))
    boxes = [name.removeprefix(OFFENCE_BOX) for name in form if name.startswith(OFFENCE_BOX)]
    # A browser sends local time without a zone; the page asks for UTC.
    instant = {"inspected_at": f"{form['inspected_at']}:00Z"} if form.get("inspected_at") else {}
    return {**form, "code": code, "reason": reason, "offences": " ".join(boxes), **instant}


def _split(choice: str) -> tuple[str, str]:
    code, _, reason = choice.partition(" ")
    return code, reason


def _is_adverse(form: Mapping[str, str]) -> bool:
    code, _ = _split(form.get("code", ""))
    return any(code == known and meaning.is_adverse for known, meaning in RESULT_MEANING.items())


STATE_RESULT = CaseAct(
    name="results",
    operation="state_result",
    description="""State what the ordered action found; an adverse result waits for a second person.

So does `nobody_in_danger` of a rescue for any reason but `seen_on_scene`, where there were
signs of danger to life. Where a result was proposed, it is the second person's own view.""",
    perform=lambda acting, body: record_result(acting, body.result),
    records=("state_result", "state_view"),
    input=ResultBody,
    form_fields=_result_of_form,
    takes_two=_is_adverse,
    leads_to="next",
)
