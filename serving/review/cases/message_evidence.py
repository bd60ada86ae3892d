"""Standard messages as evidence: who may read one, and where it says what a reason rests on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from features.messages.concerned_parts import Subject
from features.provenance import Provenance
from features.submission import Submission
from serving.access.acting import tell_audit
from serving.errors import Forbidden, NotFound
from serving.history.kept_messages import KeptMessage, PlacedRecord
from serving.review.acts.stored_acts import event_of_reading
from serving.review.cases.case_records import CaseAccess, CaseRecord
from serving.review.cases.cases import Cases
from serving.review.cases.reviewer import Reviewer
from serving.review.cases.shown_messages import ShownMessage, VisibleSubjects, shown_message

if TYPE_CHECKING:
    from serving.storage.repositories.message_repository import MessageRepository

MOST_OF_A_CASE = 20
# Places that are told of one fact.
MOST_PLACES = 3

_DECISIONS_AT_ONCE = 20
_OF_SUBJECTS = ("shipments", "journeys")
_UNSEEN = "no message with this id can be seen by you"


@dataclass(frozen=True)
class MessagePlace:
    """The location of a statement in a message: its place, and its line from 1."""

    message_id: str
    place: str
    line: int


@dataclass(frozen=True)
class MessagesOfCase:
    """The messages about the subjects of a case, itself and its journey, the newest first."""

    messages: Sequence[KeptMessage]
    subjects: Sequence[Subject]

    def places(self, provenance: Provenance) -> list[MessagePlace]:
        """Return the locations of a fact's sources: of each record and field the newest."""
        found = dict.fromkeys((*self._of_records(provenance), *self._of_fields(provenance)))
        of_lines = {(each.message_id, each.line): each for each in reversed(found)}
        return [*of_lines.values()][::-1][:MOST_PLACES]

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
        """The first place of which a text is kept."""
        for message, place in places:
            if (line := message.content.line_of(place)) is not None:
                yield MessagePlace(message.message_id, place, line)
                return


@dataclass(frozen=True)
class MessageEvidence:
    """The kept messages of one database, for those who may read cases."""

    store: "MessageRepository"
    cases: Cases

    def read(self, reviewer: Reviewer, message_id: str) -> ShownMessage:
        """A message about the subject of a case that the reviewer may see, as far as they may.

        One without any case is seen by who sees the cases of all offices. Raises NotFound, Erased,
        or Forbidden where those cases are masked by now.
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
        """A message as far as a reviewer may see it; `decided` are the decisions about it."""
        return shown_message(message, self._visible(reviewer, message, decided))

    def _visible(
        self, reviewer: Reviewer, message: KeptMessage, decided: set[str]
    ) -> VisibleSubjects:
        """The subjects of a message that a reviewer may see: by their cases, or all without one."""
        rows = self.cases.store.cases_of(decided, reviewer.access)
        readable = [row for row in rows if not self.cases.is_covered(row)]
        subjects = {(row.subject_kind, row.subject_id) for row in readable}
        others = set(message.content.subjects) - {
            (row.subject_kind, row.subject_id) for row in rows
        }
        if not reviewer.access.is_rescue:
            others -= self._rescued(decided) | self._alerted(message)
        sees_all = self._sees_all(reviewer)
        more = others if sees_all else self._journeys(readable, others)
        return VisibleSubjects(subjects | more, sees_rest=sees_all)

    def _journeys(self, rows: Sequence[CaseRecord], subjects: set[Subject]) -> set[Subject]:
        """Those of some subjects that are the journey of a case; few decisions are read."""
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
        """The subjects with a case of some decisions on the other side of the wall."""
        rows = self.cases.store.cases_of(decided, CaseAccess(frozenset(), is_rescue=True))
        return {(row.subject_kind, row.subject_id) for row in rows}

    def _alerted(self, message: KeptMessage) -> set[Subject]:
        """The subjects of a message of whose calls for help rescuers are told alone."""
        return self.store.alerted(message.content.subjects)

    def of_case(self, row: CaseRecord, submission: Submission) -> MessagesOfCase:
        """The messages about the subject of a case; none of a masked one."""
        if self.cases.is_masked(row):
            return MessagesOfCase((), ())
        subjects = subjects_of(submission)
        return MessagesOfCase(self.store.about(subjects, MOST_OF_A_CASE), subjects)

    def read_with_case(
        self,
        reviewer: Reviewer,
        row: CaseRecord,
        submission: Submission,
        message_id: str,
        at: datetime,
    ) -> ShownMessage:
        """A message about the subject of a case, as far as the reviewer may see it.

        That it was read is written down. Raises NotFound.
        """
        found = self.of_case(row, submission).messages
        is_of_case = any(each.message_id == message_id for each in found)
        message = self.store.message(message_id) if is_of_case else None
        if message is None:
            raise NotFound(_UNSEEN)
        tell_audit(message=message_id)
        event = event_of_reading(reviewer, row.case_id, at, "read_message", text=message_id)
        self.cases.store.append_event(event)
        return self.shown(reviewer, message, self.store.decided_with(message_id))


def subjects_of(submission: Submission) -> list[Subject]:
    """The subject of a submission, and the journey that brings it."""
    subjects: list[Subject] = [(str(submission.subject_kind), submission.subject_id)]
    shipment = submission.shipment
    if shipment is not None and shipment.journey_id is not None:
        subjects.append(("route", shipment.journey_id))
    return subjects
