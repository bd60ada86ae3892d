"""The reviewers' desk: the queue, cases, and acts on them, each kept with who, when and what."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from pydantic import TypeAdapter

from features.records import Outcome
from features.submission import Submission
from serving.audit.decision import Decision
from serving.audit.masking import MASKED, MASKED_CASE, Masking
from serving.db.case_rows import CaseRow, EventRow, Linked, Place, Sight, Wanted
from serving.db.repositories.case_file_repository import CaseFiles, FileRow
from serving.db.repositories.case_repository import CaseBook
from serving.db.repositories.decision_repository import DecisionRepository
from serving.errors import Forbidden, NotFound
from serving.history.received_records import ReceivedRecord
from serving.request_parsing import read_submission
from serving.review import case as acts
from serving.review.attachments import MOST_TO_A_CASE, Attachment
from serving.review.case import Acted, Case, Event
from serving.review.dispositions import Disposition
from serving.review.labels import label_of
from serving.review.opening import CASE, RANK, opened

CHANGED = TypeAdapter(dict[str, tuple[object, object]])

Act = Callable[[Case], Acted]
Learnt = Callable[[Submission, Outcome], None]

# Acts whose text is no sentence of anyone's.
_WITHOUT_WORDS = frozenset({"read", "mark_reason", "reread"})


@dataclass(frozen=True)
class Reviewer:
    """Whoever reviews: a name that stands in every event, and what may be seen."""

    name: str
    sight: Sight


@dataclass(frozen=True)
class Reviewing:
    """What reviewers do, over one database.

    `learnt` hears of every outcome, and the subject it is about, once it is durable. What is masked
    by now is told as `masking` says.
    """

    book: CaseBook
    files: CaseFiles
    log: DecisionRepository
    learnt: Learnt
    masking: Masking

    def queue(
        self, reviewer: Reviewer, wanted: Wanted, after: Place | None, most: int
    ) -> list[CaseRow]:
        """The cases that wait, the most urgent first."""
        self.book.open_new(opened)
        return [self._shown(row) for row in self.book.page(reviewer.sight, wanted, after, most)]

    def counts(self, sight: Sight, at: datetime) -> dict[str, int]:
        """How many cases wait in each lane."""
        return self.book.counts(RANK, sight, at.isoformat())

    def case(self, reviewer: Reviewer, case_id: str) -> tuple[CaseRow, Case]:
        """A case; raises NotFound for one that does not exist or must not be seen."""
        self.book.open_new(opened)
        row = self.book.case(case_id, reviewer.sight)
        if row is None:
            raise NotFound("no case with this id can be seen by you")
        shown, case = self._shown(row), CASE.validate_json(row.state)
        return shown, _wordless(case) if self._is_masked(shown) else case

    def read(self, reviewer: Reviewer, case_id: str, at: datetime) -> tuple[CaseRow, Case]:
        """A case that a person looks at, which is written down."""
        found = self.case(reviewer, case_id)
        self.book.note(EventRow(case_id, at.isoformat(), reviewer.name, "read", "{}", ""))
        return found

    def linked(
        self, reviewer: Reviewer, case_id: str, kinds: tuple[str, ...], most: int
    ) -> list[Linked]:
        """Other cases that share something of these kinds, the newest first."""
        found = self.book.linked(case_id, kinds, reviewer.sight, most)
        return [self._shown_link(each) for each in found]

    @staticmethod
    def disposition_of(row: CaseRow) -> Disposition | None:
        """How a case ended; None while it has not."""
        return CASE.validate_json(row.state).disposition

    def decision(self, case_id: str) -> Decision:
        """The decision behind a case, as it may be seen; raises Erased where its time was over."""
        return self.masking.masked_view(self._decision(case_id))

    def events(self, case_id: str) -> list[EventRow]:
        """What happened to a case, in order."""
        return self.book.events(case_id)

    def history(self, row: CaseRow) -> list[EventRow]:
        """What happened to a case, as it may be seen: of a masked one without anyone's words."""
        events = self.events(row.case_id)
        if not self._is_masked(row):
            return events
        return [
            event if event.action in _WITHOUT_WORDS else replace(event, changed="{}", text=MASKED)
            for event in events
        ]

    def attached(self, row: CaseRow) -> list[FileRow]:
        """The files of a case, the first attached first."""
        files = self.files.of(row.case_id)
        return [replace(file, name=MASKED) for file in files] if self._is_masked(row) else files

    def act(self, reviewer: Reviewer, case_id: str, act: Act) -> Case:
        """Do something to a case, and return it as it is then.

        Raises NotFound, and the Conflict that the act meets where another was faster.
        """
        self.case(reviewer, case_id)
        return CASE.validate_json(self.book.change(case_id, partial(_changed, act)).state)

    def attach(
        self, reviewer: Reviewer, case_id: str, at: datetime, file: Attachment, content: bytes
    ) -> FileRow:
        """Put a file to a case; raises NotFound, AlreadyAttached or Unprocessable."""
        _, case = self.case(reviewer, case_id)
        _, event = acts.attach(case, reviewer.name, at, file)
        row = FileRow(
            **vars(file), case_id=case_id, attached_at=at.isoformat(), attached_by=reviewer.name
        )
        self.files.add(row, content, _event_row(event), MOST_TO_A_CASE)
        return row

    def download(
        self, reviewer: Reviewer, case_id: str, sha256: str, at: datetime
    ) -> tuple[FileRow, bytes]:
        """A file of a case with its content, which is written down.

        Raises NotFound, or Forbidden where the case is masked.
        """
        row, _ = self.case(reviewer, case_id)
        if self._is_masked(row):
            raise Forbidden("the case is masked by now, and its files are not handed out")
        found = self.files.content(case_id, sha256)
        if found is None:
            raise NotFound("the case has no such file, or its content is no longer kept")
        name = found[0].name
        self.book.note(EventRow(case_id, at.isoformat(), reviewer.name, "download", "{}", name))
        return found

    def dispose(
        self, reviewer: Reviewer, case_id: str, at: datetime, disposition: Disposition
    ) -> Case:
        """End a case, or propose its adverse end; what was found becomes an outcome with it."""
        self.case(reviewer, case_id)
        decision = self._decision(case_id)
        told: list[Outcome] = []

        def change(row: CaseRow) -> tuple[CaseRow, EventRow, ReceivedRecord | None]:
            after, event, _ = _changed(
                lambda case: acts.dispose(case, reviewer.name, at, disposition), row
            )
            if after.status != "closed" or not (
                label := label_of(decision, disposition, reviewer.name, at)
            ):
                return after, event, None
            told.append(label[0])
            return after, event, label[1]

        done = self.book.change(case_id, change)
        for outcome in told:
            self.learnt(read_submission(decision.request.encode()), outcome)
        return CASE.validate_json(done.state)

    def _is_masked(self, row: CaseRow) -> bool:
        return row.what == MASKED_CASE

    def _shown(self, row: CaseRow) -> CaseRow:
        if not self.masking.covers(row.subject_kind, row.subject_id, row.opened_at):
            return row
        name = self.masking.name(row.subject_id)
        return replace(row, subject_id=name, what=MASKED_CASE, why="")

    def _shown_link(self, each: Linked) -> Linked:
        row = self._shown(each.case)
        if not self._is_masked(row):
            return each
        named = tuple((kind, self.masking.name(value)) for kind, value in each.shared)
        return Linked(row, named)

    def _decision(self, case_id: str) -> Decision:
        record = self.log.record(case_id)
        if record is None:
            raise NotFound("the decision behind this case is gone")
        return Decision.model_validate_json(record)


def _wordless(case: Case) -> Case:
    """A case without what reviewers wrote at its end."""
    said = {name: getattr(case, name) for name in ("disposition", "proposed")}
    return replace(case, **{n: replace(d, text=MASKED) for n, d in said.items() if d})


def _changed(act: Act, row: CaseRow) -> tuple[CaseRow, EventRow, ReceivedRecord | None]:
    case, event = act(CASE.validate_json(row.state))
    after = replace(
        row,
        status=case.status,
        owner=case.owner,
        snoozed_until=case.snoozed_until.isoformat() if case.snoozed_until else None,
        state=CASE.dump_json(case).decode(),
    )
    return after, _event_row(event), None


def _event_row(event: Event) -> EventRow:
    changed = CHANGED.dump_json(event.changed).decode()
    return EventRow(
        event.case_id, event.at.isoformat(), event.actor, event.action, changed, event.text
    )
