"""Received messages, newest first, limited to what a reader may see of their cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serving.history.kept_messages import KeptMessage
from serving.review.cases.case_records import CaseRow
from serving.review.cases.message_evidence import MessageEvidence
from serving.review.cases.reviewer import Reviewer

if TYPE_CHECKING:
    from serving.storage.repositories.message_repository import MessageRepository


@dataclass(frozen=True)
class MessageFilter:
    """A filter of messages; None does not filter.

    `before` is the end of the page before: the time its last message was received, and its id.
    """

    format: str | None = None
    subject_id: str | None = None
    before: tuple[str, str] | None = None


@dataclass(frozen=True)
class MessagePage:
    """A page of stored messages without erased ones, and where the next page begins.

    A page may be empty without being the last.
    """

    messages: Sequence[KeptMessage]
    next: tuple[str, str] | None


@dataclass(frozen=True)
class ListedMessage:
    """The visible part of a message, with its cases, first opened first."""

    message: KeptMessage
    cases: Sequence[CaseRow]


@dataclass(frozen=True)
class MessageList:
    """The list of messages of one database."""

    pages: "MessageRepository"
    evidence: MessageEvidence

    def page(
        self, reviewer: Reviewer, wanted: MessageFilter, limit: int
    ) -> tuple[list[ListedMessage], tuple[str, str] | None]:
        """Return the messages that a reader may see, and where the next page begins.

        Messages whose cases are all masked are left out.
        """
        cases = self.evidence.cases
        cases.open_new()
        page = self.pages.page(wanted, reviewer.access, limit)
        decided = {
            each.message_id: self.evidence.store.decided_with(each.message_id)
            for each in page.messages
        }
        # One look-up for the whole page instead of one for each message.
        rows = cases.rows_of(reviewer, set().union(*decided.values()))
        listed = []
        for each in page.messages:
            own = [row for row in rows if row.case_id in decided[each.message_id]]
            if own and all(map(cases.is_masked, own)):
                continue
            shown = self.evidence.shown(reviewer, each, decided[each.message_id])
            listed.append(ListedMessage(shown.message, own))
        return listed, page.next
