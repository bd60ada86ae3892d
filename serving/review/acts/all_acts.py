"""All acts on a case by call or form, in the order of the OpenAPI document."""

from serving.review.acts.act_declaration import CaseAct
from serving.review.acts.agree import AGREE
from serving.review.acts.assign import ASSIGN
from serving.review.acts.claim import CLAIM
from serving.review.acts.disagree import DISAGREE
from serving.review.acts.escalate import ESCALATE
from serving.review.acts.give_back import GIVE_BACK
from serving.review.acts.judge import JUDGE
from serving.review.acts.mark_reason import MARK_REASON
from serving.review.acts.note import NOTE
from serving.review.acts.order import ORDER
from serving.review.acts.reopen import REOPEN
from serving.review.acts.state_result import STATE_RESULT
from serving.review.acts.tag import TAG
from serving.review.acts.undo import UNDO
from serving.review.acts.wait import WAIT

ACTS: dict[str, CaseAct] = {
    act.name: act
    for act in (
        CLAIM,
        GIVE_BACK,
        ASSIGN,
        WAIT,
        ESCALATE,
        NOTE,
        JUDGE,
        ORDER,
        STATE_RESULT,
        AGREE,
        DISAGREE,
        UNDO,
        REOPEN,
        TAG,
        MARK_REASON,
    )
}
