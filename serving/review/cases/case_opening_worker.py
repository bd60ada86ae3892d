"""Background opening of cases, whether or not anybody looks at the queue.

Every worker tries. The write lock lets one of them through; the next finds nothing left to open.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial

from features.records import Journey
from features.submission import Submission
from serving.audit.decision import Decision
from serving.crypto.prefix_codes import MIN_SYMBOLS
from serving.errors import Conflict, Erased, Unprocessable
from serving.process.background_threads import PollingThread
from serving.review.cases.case_news import changes_by_journey, changes_of
from serving.review.cases.case_of_decision import case_of_decision
from serving.review.cases.case_records import (
    CaseAccess,
    CaseFilter,
    CaseNews,
    CaseSearch,
    ChangeRow,
    OpenedCase,
)
from serving.review.cases.cases import Cases
from serving.review.errors import NothingToTell
from serving.review.search.search_terms import normalised

POLL_INTERVAL_S = 0.5
NEWS_TOGETHER = 64
# Older cases that are indexed for search in one batch.
OLDER_TOGETHER = 50


class CaseOpening:
    """A thread that opens cases of new decisions and applies news to cases."""

    def __init__(self, cases: Cases, clock: Callable[[], datetime]):
        self.polling = PollingThread(
            "case-opening", lambda: open_due(cases, clock()), waits="cases_wait_to_be_opened"
        )

    def start(self) -> None:
        """Start the thread."""
        self.polling.start(POLL_INTERVAL_S)

    def stop(self) -> None:
        """Finish the current batch; the rest is opened after a restart."""
        self.polling.stop()


EVERYWHERE = CaseAccess(frozenset(), is_rescue=False)


def open_due(cases: Cases, at: datetime) -> int:
    """Open cases of new decisions, apply news to cases, and return the number of news items.

    Readers of the queue also call `open_new`, so they see new cases sooner than by polling.
    """
    cases.open_new()
    if cases.store.lacks_terms():
        cases.masking.read_again()  # masks may have changed since the last round
        cases.store.index_older(partial(_unmasked_case, cases), OLDER_TOGETHER)
    taken = 0
    while waiting := cases.store.pending_news(NEWS_TOGETHER):
        for news in waiting:
            _tell(cases, news, at)
            taken += 1
    return taken


def _unmasked_case(cases: Cases, seq: int, record: str) -> OpenedCase | None:
    opened = case_of_decision(seq, record, cases.office_of_place)
    return None if opened is None or cases.is_covered(opened.case) else opened


def _tell(cases: Cases, news: CaseNews, at: datetime) -> None:
    """Apply one news item to its cases, each by an act of its own."""
    for case_id in news.case_ids:
        # One case that cannot be changed must not keep the others from the news.
        with suppress(Erased):
            _change(cases, case_id, changes_of(news, _first(cases, case_id), at))
    if news.kind == "journeys" and news.body is not None and not news.is_superseded:
        journey = Journey.model_validate_json(news.body)
        for case_id in _brought_by(cases, journey.journey_id):
            _change(cases, case_id, changes_by_journey(journey, _first(cases, case_id), at))
    cases.store.remove_news(news.record_id)


def _change(cases: Cases, case_id: str, changes: Iterable[ChangeRow]) -> None:
    row = cases.store.case(case_id, EVERYWHERE)
    if row is None:
        return
    for change in changes:
        # Judged meanwhile, or nothing new.
        with suppress(Conflict, NothingToTell):
            try:
                change(row)  # outside the write lock first: most news changes nothing
                cases.store.change(case_id, change)
            except Unprocessable as refusal:
                # Any other refusal is a fault of the news, which must not be dropped.
                if refusal.problem.code != "contradictory-finding":
                    raise


def _brought_by(cases: Cases, journey_id: str) -> Iterator[str]:
    """Yield the ids of shipments' cases that travel by a journey."""
    asked, after = CaseSearch(normalised(journey_id), CaseFilter(subject_kind="shipment")), None
    # Searches need a minimum length, so the cases of a very short id are not found.
    is_next = len(asked.symbols) >= MIN_SYMBOLS
    while is_next:
        page = cases.store.search(EVERYWHERE, asked, after, NEWS_TOGETHER)
        for found in page.found:
            terms = (term for term in found.matched if "journey" in term.names)
            if any(term.value == journey_id for term in terms):
                yield found.case.case_id
        is_next, after = page.next is not None, page.next


def _first(cases: Cases, case_id: str) -> Submission | None:
    record = cases.decisions.record(case_id)
    return Decision.model_validate_json(record).submission if record else None
