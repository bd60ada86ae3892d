"""Standard messages as evidence: who may read one, and where it states a reason's sources."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from features.messages.concerned_parts import Subject
from features.provenance import Provenance
from features.submission import Submission
from serving.access.acting import add_audit_details
from serving.errors import Forbidden, NotFound
from serving.history.kept_messages import KeptMessage, PlacedRecord
from serving.review.acts.stored_acts import event_of_reading
from serving.review.cases.case_records import CaseAccess, CaseRow
from serving.review.cases.cases import Cases
from serving.review.cases.message_redaction import ShownMessage, VisibleSubjects, shown_message
from serving.review.cases.reviewer import Reviewer

if TYPE_CHECKING:
    from serving.storage.repositories.message_repository import MessageRepository

MAX_OF_A_CASE = 20
# Locations shown for one fact.
MAX_PLACES = 3

_DECISIONS_AT_ONCE = 20
_OF_SUBJECTS = ("shipments", "journeys")
_UNSEEN = "no message with this id can be seen by you"


@dataclass(frozen=True)
class MessagePlace:
    """The location of a statement in a message: its path, and its line counted from 1."""

    message_id: str
    place: str
    line: int


@dataclass(frozen=True)
class MessagesOfCase:
    """Messages about a case's subject and its journey, newest first."""

    messages: Sequence[KeptMessage]
    subjects: Sequence[Subject]

    def places(self, provenance: Provenance) -> list[MessagePlace]:
        """Return the locations of a fact's sources, the newest for each record and field."""
        found = dict.fromkeys((*self._of_records(provenance), *self._of_fields(provenance)))
        # Two statements on one line would be shown twice; keep the first.
        of_lines = {(each.message_id, each.line): each for each in reversed(found)}
        return [*of_lines.values()][::-1][:MAX_PLACES]

    def _of_records(self, provenance: Provenance) -> Iterator[MessagePlace]:
        for record_type, ids in provenance.records.items():
            for cited in ids:
                yield from self._first(
                    (message, place)
                    for message, record in self._records()
                    if (record.record_type, record.cited_as) == (record_type, cited)
                    for place in record.places.values()
                )

    def _of_fields(self, provenance: Provenance) -> Iterator[MessagePlace]:
        for field in provenance.declared:
            yield from self._first(
                (message, record.places[field])
                for message, record in self._records()
                if record.record_type in _OF_SUBJECTS and field in record.places
            )

    def _records(self) -> Iterator[tuple[KeptMessage, PlacedRecord]]:
        return (
            (each, record)
            for each in self.messages
            for record in each.content.records
            if (record.subject_kind, record.subject_id) in self.subjects
        )

    @staticmethod
    def _first(places: Iterator[tuple[KeptMessage, str]]) -> Iterator[MessagePlace]:
        """Yield the first location whose text is still stored."""
        for message, place in places:
            if (line := message.content.line_of(place)) is not None:
                yield MessagePlace(message.message_id, place, line)
                return


@dataclass(frozen=True)
class MessageEvidence:
    """The stored messages of one database, for reviewers of cases."""

    store: "MessageRepository"
    cases: Cases

    def read(self, reviewer: Reviewer, message_id: str) -> ShownMessage:
        """Return the part of a message that a reviewer may see, by its subjects' cases.

        A message without a case is visible only to readers of all offices. Raises NotFound, Erased,
        or Forbidden if all its cases are masked.
        """
        message = self.store.message(message_id)
        if message is None:
            raise NotFound(_UNSEEN)
        self.cases.open_new()
        decided = self.store.decided_with(message_id)
        rows = self.cases.rows_of(reviewer, decided)
        if not rows and (not self._sees_all(reviewer) or self._rescued(decided)):
            raise NotFound(_UNSEEN)
        alerted = self._alerted(message)
        if not rows and alerted and alerted == {*message.content.subjects}:
            raise NotFound(_UNSEEN)
        if rows and all(map(self.cases.is_masked, rows)):
            raise Forbidden("its cases are masked by now, and their messages are not shown")
        return self.shown(reviewer, message, decided)

    def shown(self, reviewer: Reviewer, message: KeptMessage, decided: set[str]) -> ShownMessage:
        """Return the visible part of a message; `decided` are the ids of decisions about it."""
        return shown_message(message, self._visible(reviewer, message, decided))

    def _visible(
        self, reviewer: Reviewer, message: KeptMessage, decided: set[str]
    ) -> VisibleSubjects:
        """Return the subjects of a message that a reviewer may see."""
        rows = self.cases.store.cases_of(decided, reviewer.access)
        readable = [row for row in rows if not self.cases.is_covered(row)]
        subjects = {(row.subject_kind, row.subject_id) for row in readable}
        others = set(message.content.subjects) - {
            (row.subject_kind, row.subject_id) for row in rows
        }
        # Enforcement must not learn of rescues and distress calls from a message either.
        if not reviewer.access.is_rescue:
            others -= self._rescued(decided) | self._alerted(message)
        sees_all = self._sees_all(reviewer)
        more = others if sees_all else self._journeys(readable, others)
        return VisibleSubjects(subjects | more, sees_rest=sees_all)

    def _journeys(self, rows: Sequence[CaseRow], subjects: set[Subject]) -> set[Subject]:
        """Return the routes among the subjects that are journeys of a case."""
        # Only a route can be a journey; stop as soon as all are found, since each decision is
        # decrypted.
        wanted = {each for each in subjects if each[0] == "route"}
        found: set[Subject] = set()
        for start in range(0, len(rows), _DECISIONS_AT_ONCE):
            if found == wanted:
                break
            some = rows[start : start + _DECISIONS_AT_ONCE]
            for decision in self.cases.decisions_of(some).values():
                found |= wanted & set(subjects_of(decision.submission))
        return found

    @staticmethod
    def _sees_all(reviewer: Reviewer) -> bool:
        return not reviewer.access.offices and not reviewer.access.is_rescue

    def _rescued(self, decided: set[str]) -> set[Subject]:
        """Return the subjects of these decisions that have a rescue case."""
        rows = self.cases.store.cases_of(decided, CaseAccess(frozenset(), is_rescue=True))
        return {(row.subject_kind, row.subject_id) for row in rows}

    def _alerted(self, message: KeptMessage) -> set[Subject]:
        """Return the subjects of a message about whose distress calls only rescuers know."""
        return self.store.alerted(message.content.subjects)

    def of_case(self, row: CaseRow, submission: Submission) -> MessagesOfCase:
        """Return the messages about the subject of a case; none for a masked one."""
        if self.cases.is_masked(row):
            return MessagesOfCase((), ())
        subjects = subjects_of(submission)
        return MessagesOfCase(self.store.about(subjects, MAX_OF_A_CASE), subjects)

    def read_with_case(
        self,
        reviewer: Reviewer,
        row: CaseRow,
        submission: Submission,
        message_id: str,
        at: datetime,
    ) -> ShownMessage:
        """Return the visible part of a message about a case's subject, and record the read.

        Raises NotFound.
        """
        found = self.of_case(row, submission).messages
        is_of_case = any(each.message_id == message_id for each in found)
        message = self.store.message(message_id) if is_of_case else None
        if message is None:
            raise NotFound(_UNSEEN)
        add_audit_details(message=message_id)
        event = event_of_reading(reviewer, row.case_id, at, "read_message", text=message_id)
        self.cases.store.append_event(event)
        return self.shown(reviewer, message, self.store.decided_with(message_id))


def subjects_of(submission: Submission) -> list[Subject]:
    """Return the subject of a submission, and the journey that carries it."""
    subjects: list[Subject] = [(str(submission.subject_kind), submission.subject_id)]
    shipment = submission.shipment
    if shipment is not None and shipment.journey_id is not None:
        subjects.append(("route", shipment.journey_id))
    return subjects
