"""Cases in the states from which tests act on them, and the events of acts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from serving.access.actors import Actor
from serving.review.cases.actions import CaseAction
from serving.review.cases.case_change import CaseEvent
from serving.review.cases.case_state import Case, Reopening, Statement
from tests.serving.people import ONE, TWO, machine
from tests.serving.review.cases.stated import FOUND, HOLD, INSPECT, NOTHING

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=2)
TICK = timedelta(microseconds=1)
TO_OFFICE = CaseAction("refer", "it arrives there", "office", "DE004600")

OPEN = Case("c")
MINE = Case("c", "assigned", ONE)
ASIDE = Case("c", "waiting", ONE, waiting_until=LATER, waiting_for="documents")
ORDERED = Case("c", "action_ordered", ONE, action=INSPECT)
HOLDING = Case("c", "action_proposed", proposal=Statement(ONE, AT, HOLD))
PROPOSED = Case("c", "result_in", action=INSPECT, proposal=Statement(ONE, AT, result=FOUND))
SECOND = replace(PROPOSED, owner=TWO)
JUDGING = replace(SECOND, second_view=Statement(TWO, AT, result=FOUND))
HELD = replace(HOLDING, owner=TWO, second_view=Statement(TWO, AT, INSPECT))
CLOSED = Case("c", "closed", ONE, action=INSPECT, result=NOTHING, ended_by=(ONE,))
CONFIRMED = Case("c", "closed", TWO, action=INSPECT, result=FOUND, ended_by=(ONE, TWO))
TO_REOPEN = replace(CONFIRMED, reopening=Reopening(ONE, AT, "new facts"))
KEY = machine("desk")


def event(kind: Any, text: str = "", /, actor: Actor = ONE, **changed: Any) -> CaseEvent:
    return CaseEvent("c", AT, actor, kind, changed, text)
