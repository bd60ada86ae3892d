"""First judgement: a reviewer's view of a case by its evidence, before its score."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from serving.access.actors import Actor
from serving.errors import Conflict
from serving.review.acts.act_declaration import ActInput, ActRequest, CaseAct
from serving.review.cases.case_change import CaseChange, acted, refuse_closed
from serving.review.cases.case_records import StoredEvent
from serving.review.cases.case_state import Case
from serving.review.cases.event_kinds import EVENT_KINDS, JUDGEMENTS

if TYPE_CHECKING:
    from serving.review.cases.cases import Cases
    from serving.review.cases.reviewer import Reviewer

# A first judgement: look closer, let go, or neither.
JudgedAs = Literal["look", "let_go", "unsure"]


class FirstJudgement(ActInput):
    """An officer's view of a case by its evidence, before they see its score."""

    judged_as: JudgedAs


def judge(
    case: Case, actor: Actor, at: datetime, judged_as: JudgedAs, *, is_blind: bool = False
) -> CaseChange:
    """Record a view of a case by its evidence, before its score; raises Conflict."""
    refuse_closed(case)
    return acted(case, actor, at, "judge_blind" if is_blind else "judge", judged_as)


def judge_case(acting: ActRequest, judged_as: JudgedAs) -> Case:
    """Record a first judgement, once for each reviewer; raises Conflict the second time."""
    actor = acting.actor
    # A page hides what an API client may have read.
    was_blind = acting.takes and acting.cases.is_blind(acting.case_id)

    # Anyone who acted on the case has seen its score, so a judgement could not be independent.
    def require_no_view(events: Sequence[StoredEvent]) -> None:
        if _has_view(actor, events):
            raise Conflict(
                "you have given your view of this case already, and have seen its score since",
                code="already-judged",
            )

    return acting.cases.act(
        acting.reviewer,
        acting.case_id,
        lambda case: judge(case, actor, acting.at, judged_as, is_blind=was_blind),
        require_no_view,
    )


def has_said_a_view(cases: "Cases", reviewer: "Reviewer", case_id: str) -> bool:
    """Return whether a reviewer has expressed a view, by a first judgement or an act."""
    return _has_view(reviewer.actor, cases.events(case_id))


def _has_view(actor: Actor, events: Iterable[StoredEvent]) -> bool:
    return any(EVENT_KINDS[e.action].says_view and actor.is_holder(e.by) for e in events)


JUDGE = CaseAct(
    name="judgements",
    operation="judge_case",
    description=(
        "Say what one thinks of a case by its evidence, before its score; once for each reviewer."
    ),
    perform=lambda acting, body: judge_case(acting, body.judged_as),
    records=JUDGEMENTS,
    input=FirstJudgement,
    revision="if_shown",
)
