"""Opens cases on a thread of its own, whether or not anybody looks at the queue.

Of several workers each tries, and a turn of writing makes sure that one does: the next one finds
nothing left to open.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import structlog

from features.records import Outcome
from serving.access.actors import SERVICE
from serving.errors import Conflict, Erased
from serving.polling import PollingThread
from serving.review import case_rules as acts
from serving.review.case_records import OpenedCase, WaitingOutcome
from serving.review.case_rules import Case
from serving.review.cases import Cases
from serving.review.errors import ContradictoryFinding
from serving.review.labels import inspection_of
from serving.review.opening import case_of_decision
from serving.review.results import reported_result
from serving.review.stored_acts import changed_case

log = structlog.get_logger()

POLL_INTERVAL_S = 0.5
CLOCKS_DIFFER = timedelta(minutes=5)
OUTCOMES_TOGETHER = 64
OLDER_TOGETHER = 50
"""Older cases that are made searchable at a time."""


class CaseOpening:
    """Opens the cases of new decisions, and gives outcomes that came by record to theirs."""

    def __init__(self, cases: Cases, clock: Callable[[], datetime]):
        self._polling = PollingThread(
            "case-opening", lambda: open_due(cases, clock()), waits="cases_wait_to_be_opened"
        )

    def start(self) -> None:
        """Start to open cases."""
        self._polling.start(POLL_INTERVAL_S)

    def stop(self) -> None:
        """Finish what was begun; the rest is opened when the service is back."""
        self._polling.stop()


def open_due(cases: Cases, at: datetime) -> int:
    """Open the cases that decisions wait for, and let outcomes that came by record end them.

    How many outcomes were taken. Whoever works on cases sees the same, sooner.
    """
    cases.open_new()
    if cases.store.lacks_terms():
        cases.masking.read_again()  # somebody may just have unmasked what is looked at now
        cases.store.index_older(partial(_unmasked_case, cases), OLDER_TOGETHER)
    taken = 0
    while waiting := cases.store.waiting_outcomes(OUTCOMES_TOGETHER):
        for outcome in waiting:
            _take(cases, outcome, at)
            taken += 1
    return taken


def _unmasked_case(cases: Cases, seq: int, record: str) -> OpenedCase | None:
    opened = case_of_decision(seq, record, cases.office_of_place)
    return None if opened is None or cases.is_covered(opened.case) else opened


def _take(cases: Cases, waiting: WaitingOutcome, at: datetime) -> None:
    """Let an outcome end the cases of its subject, or wait there for two persons."""
    outcome = None if waiting.body is None else Outcome.model_validate_json(waiting.body)
    if outcome is not None and outcome.known_at > at + CLOCKS_DIFFER:
        log.warning("outcome_of_the_future", cases=waiting.case_ids)  # nobody can have found that
    elif outcome is not None:
        for case_id in waiting.case_ids:
            with suppress(Conflict, ContradictoryFinding, Erased):  # closed, or judged meanwhile
                cases.store.change(case_id, partial(changed_case, _taking(outcome, at)))
    cases.store.remove_outcome(waiting.record_id)


def _taking(outcome: Outcome, at: datetime) -> Callable[[Case], acts.CaseChange]:
    """The act by which a case takes an outcome, or loses one that was withdrawn."""
    if outcome.withdrawn:
        return partial(acts.withdraw_outcome, actor=SERVICE, at=at)
    result, inspection = reported_result(outcome), inspection_of(outcome)
    return partial(acts.take_outcome, actor=SERVICE, at=at, result=result, inspection=inspection)
