"""Cases as reviewers use them: the queue, one case, and acts, each stored with who, when, what."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, get_args

from features.records import Outcome
from features.submission import Submission
from serving.access.acting import tell_audit
from serving.audit.decision import Decision
from serving.audit.masking import MASKED, MASKED_CASE, Masking
from serving.errors import Forbidden, NotFound
from serving.history.received_records import ReceivedRecord
from serving.review.acts.attachments import MOST_TO_A_CASE, AttachedFile, AttachmentQuota
from serving.review.acts.justifications import JUSTIFIED_FOR, EvidentPurpose, StatedPurpose
from serving.review.acts.stored_acts import (
    CHANGED_FIELDS,
    event_of_reading,
    event_row,
    stored_change,
)
from serving.review.acts.undo import UNDO_WITHIN
from serving.review.cases.case_change import CaseChange, CaseEvent, CaseRule
from serving.review.cases.case_records import (
    UNSEEN,
    CaseAccess,
    CaseFile,
    CaseFilter,
    CaseRecord,
    CaseScore,
    CaseSearch,
    InboxFilter,
    ListedCases,
    OpenedCase,
    QueueFilter,
    QueuePosition,
    QueueTab,
    RequireOfEvents,
    SearchPage,
    StoredChange,
    StoredEvent,
)
from serving.review.cases.case_state import Case
from serving.review.cases.event_kinds import READING_EVENTS
from serving.review.cases.labels import (
    inspection_of,
    label_of,
    withdrawal_of,
)
from serving.review.cases.opening import CASE, case_of_decision
from serving.review.cases.results import CaseResult
from serving.review.cases.reviewer import Reviewer
from serving.review.cases.seen_cases import (
    as_seen_by,
    masked_events,
    without_proposal,
    without_words,
)
from serving.review.cases.teams import Inboxes, Team
from serving.review.errors import (
    JustificationNeeded,
)

if TYPE_CHECKING:
    from serving.storage.repositories.case_file_repository import CaseFileRepository
    from serving.storage.repositories.case_repository import CaseRepository
    from serving.storage.repositories.decision_repository import DecisionRepository

OnOutcome = Callable[[Submission, Outcome], None]


@dataclass(frozen=True)
class Cases:
    """The cases of one database, as reviewers read and change them.

    `on_outcome` is called with every outcome and its subject, once it is durable. Masked cases are
    shown as `masking` says. What names no office belongs to that of its place of entry. `teams`
    are those that there are now, `colleagues` the holders of live accounts that review. A case is
    referred to one of `known_offices`, to any where none is known. `heard_by_now` adds to a
    submission the positions that came since. Whoever acts on a case of another revision than
    `revision_read` is refused with Conflict.
    """

    store: "CaseRepository"
    files: "CaseFileRepository"
    decisions: "DecisionRepository"
    on_outcome: OnOutcome
    masking: Masking
    office_of_place: Mapping[str, str] = field(default_factory=dict)
    teams: Callable[[], Sequence[Team]] = tuple
    colleagues: Callable[[], Sequence[Reviewer]] = tuple
    known_offices: Callable[[], Collection[str]] = tuple
    heard_by_now: Callable[[Submission], Submission] = lambda submission: submission
    revision_read: int | None = None

    def open_new(self) -> None:
        """Open cases for all decisions that were logged since the last time."""
        teams = cache(self.teams)  # read once, where there is anything to open

        def open_case(seq: int, record: str) -> OpenedCase | None:
            return case_of_decision(seq, record, self.office_of_place, teams())

        self.store.open_new(open_case)

    def inboxes(self) -> Inboxes:
        """The inboxes that there are now."""
        return Inboxes(self.teams())

    def in_inbox(self, name: str) -> InboxFilter:
        """Return what is in the inbox of a team, or else of an office, of this name.

        Raises InboxUnknown, since what is in none looks like an inbox that was emptied.
        """
        inboxes = self.inboxes()
        inboxes.require(name, self.known_offices)
        return inboxes.named(name)

    def queue(
        self, reviewer: Reviewer, queue: QueueFilter, after: QueuePosition | None, limit: int
    ) -> list[CaseRecord]:
        """The cases that wait, the most urgent first."""
        self.open_new()
        rows = self._findable(self.store.page(reviewer.access, queue, after, limit), queue.tag)
        tell_audit(cases=[row.case_id for row in rows])
        return [self.shown(row) for row in rows]

    def list_cases(self, reviewer: Reviewer, wanted: CaseFilter, limit: int) -> ListedCases:
        """The cases that a filter lets through, closed ones too, the newest first.

        Of one subject, or with one tag, those are left out that are masked by now.
        """
        self.open_new()
        listed = self.store.list_cases(reviewer.access, wanted, limit)
        rows = self._findable(listed, wanted.subject_id or wanted.tag)
        tell_audit(cases=[row.case_id for row in rows])
        is_full = len(listed) == limit
        following = (-listed[-1].seq, listed[-1].case_id) if is_full else None
        return ListedCases(tuple(self.shown(row) for row in rows), following)

    def rows_of(self, reviewer: Reviewer, case_ids: Iterable[str]) -> list[CaseRecord]:
        """The cases with these ids that may be seen, the one opened first before the others."""
        rows = sorted(self.store.cases_of(case_ids, reviewer.access), key=lambda row: row.seq)
        tell_audit(cases=[row.case_id for row in rows])
        return [self.shown(row) for row in rows]

    def search(
        self, reviewer: Reviewer, asked: CaseSearch, after: str | None, limit: int
    ) -> SearchPage:
        """Cases that name what was asked for, closed ones too; masked ones are not found.

        The audit event tells a token of what was asked for, which is the same for the same.
        """
        self.open_new()
        searched = self.store.search(reviewer.access, asked, after, limit)
        found = tuple(each for each in searched.found if not self.is_covered(each.case))
        tell_audit(
            cases=[each.case.case_id for each in found],
            search=self.masking.tokens.token("search term", asked.symbols),
        )
        return replace(searched, found=found)

    def scores(self, row: CaseRecord) -> list[CaseScore]:
        """Every score of the subject of a case, in order: of a rescue those of danger alone."""
        scores = self.store.scores(row.case_id)
        is_rescue = row.lane == "rescue"
        return [score for score in scores if (score.lane == "rescue") == is_rescue]

    def count_tabs(self, reviewer: Reviewer, queue: QueueFilter) -> dict[str, int]:
        """Return how many cases are in each tab of a filter, the closed ones last."""
        own = self.as_read_by(reviewer, queue)
        counts: dict[str, int] = {
            tab: self.store.count_queue(reviewer.access, replace(own, tab=tab))
            for tab in get_args(QueueTab)
        }
        closed = CaseFilter(("closed",), office_id=queue.office_id, mode=queue.mode, tag=queue.tag)
        return counts | {"closed": self.store.count_cases(reviewer.access, closed)}

    def as_read_by(self, reviewer: Reviewer, queue: QueueFilter) -> QueueFilter:
        """A filter whose tab is the reader's own."""
        inbox = self.inboxes().of_reader(reviewer.actor, reviewer.access)
        return replace(queue, reader=reviewer.actor.identity, own_inbox=inbox)

    def count_new(self, reviewer: Reviewer, queue: QueueFilter) -> int:
        """Return how many cases a filter lets through that came after its place in the log."""
        return self.store.count_queue(reviewer.access, queue)

    def opened_to(self) -> int:
        """The place in the log up to which cases were opened."""
        return self.store.opened_to()

    def case(self, reviewer: Reviewer, case_id: str) -> tuple[CaseRecord, Case]:
        """A case; raises NotFound for one that does not exist or must not be seen."""
        self.open_new()
        row = self.store.case(case_id, reviewer.access)
        if row is None:
            raise NotFound(UNSEEN)
        shown = self.shown(row)
        return shown, self.state_of(reviewer, shown)

    def read(
        self,
        reviewer: Reviewer,
        case_id: str,
        at: datetime,
        purpose: EvidentPurpose | None = None,
    ) -> tuple[CaseRecord, Case]:
        """A case that a person looks at, which is written down with why.

        Raises JustificationNeeded where neither `purpose` nor the case shows why, and the reader
        has not stated it.
        """
        found = self.case(reviewer, case_id)
        why = purpose or self._why(reviewer, found[1], at)
        self.store.append_event(event_of_reading(reviewer, case_id, at, "read", text=why))
        return found

    def justify(
        self, reviewer: Reviewer, case_id: str, at: datetime, code: StatedPurpose, words: str
    ) -> None:
        """State why a case is read that the reader's work did not bring; raises NotFound."""
        self.case(reviewer, case_id)
        changed = CHANGED_FIELDS.dump_json({"purpose": (None, code)}).decode()
        self.store.append_event(event_of_reading(reviewer, case_id, at, "justify", changed, words))

    @staticmethod
    def result_of(row: CaseRecord) -> CaseResult | None:
        """Return the result of a closed case; None while it is open, or if nobody looked."""
        return CASE.validate_json(row.state).result

    def decision(self, case_id: str) -> Decision:
        """The decision behind a case, as it may be seen; raises Erased where its time was over.

        Of a subject that was scored again, the newest that counts for the case.
        """
        return self.masking.masked_view(self.unmasked_decision(case_id))

    def decisions_of(self, rows: Sequence[CaseRecord]) -> dict[str, Decision]:
        """The decisions behind several cases, as they may be seen; without those unreadable."""
        behind = {row.case_id: row.decision_id or row.case_id for row in rows}
        records = self.decisions.records_of(behind.values())
        return {
            case_id: self.masking.masked_view(Decision.model_validate_json(records[decision_id]))
            for case_id, decision_id in behind.items()
            if decision_id in records
        }

    def events(self, case_id: str) -> list[StoredEvent]:
        """Return what happened to a case, in order."""
        return self.store.events(case_id)

    def revision(self, case_id: str) -> int:
        """Count the events that changed a case or its news; `revision_read` holds this number."""
        return self.store.revision(case_id)

    def history(self, reviewer: Reviewer, row: CaseRecord) -> list[StoredEvent]:
        """The events of a case as a reviewer may see them.

        Of a masked one without anyone's text; whoever may be the second person sees that something
        was proposed, and not what.
        """
        events = self.events(row.case_id)
        if CASE.validate_json(row.state).hides_proposal_from(reviewer.actor):
            events = without_proposal(events)
        return masked_events(events) if self.is_masked(row) else events

    def attached(self, row: CaseRecord) -> list[CaseFile]:
        """The files of a case, the first attached first."""
        files = self.files.of_case(row.case_id)
        return [replace(file, name=MASKED) for file in files] if self.is_masked(row) else files

    def state_of(self, reviewer: Reviewer, row: CaseRecord) -> Case:
        """The state of a case that was found, as a reviewer may see it."""
        case = as_seen_by(CASE.validate_json(row.state), reviewer.actor)
        return without_words(case) if self.is_masked(row) else case

    def act(
        self,
        reviewer: Reviewer,
        case_id: str,
        act: CaseRule,
        require: RequireOfEvents | None = None,
    ) -> Case:
        """Do something to a case, and return it as it is then.

        Raises NotFound, what `require` raises, and the Conflict that the act meets where another
        was faster.
        """
        return self.act_on_row(reviewer, case_id, lambda _: act, require)

    def act_on_row(
        self,
        reviewer: Reviewer,
        case_id: str,
        act_on: Callable[[CaseRecord], CaseRule],
        require: RequireOfEvents | None = None,
    ) -> Case:
        """Do what follows from where a case is in that very turn: its office, and its lane."""
        self.case(reviewer, case_id)

        def change(row: CaseRecord) -> StoredChange:
            _require_shown(row, reviewer)
            return stored_change(act_on(row), row)

        changed = self.store.change(case_id, change, self.revision_read, require)
        return self.state_of(reviewer, self.shown(changed))

    def attach(
        self,
        reviewer: Reviewer,
        case_id: str,
        at: datetime,
        file: AttachedFile,
        content: bytes,
        quota: AttachmentQuota = AttachmentQuota(),  # noqa: B008  # it is frozen
    ) -> CaseFile:
        """Put a file to a case; raises NotFound, Conflict or Unprocessable."""
        self.case(reviewer, case_id)
        changed: dict[str, tuple[object, object]] = {"attachment": (None, vars(file))}
        event = CaseEvent(case_id, at, reviewer.actor, "attach", changed, file.name)
        row = CaseFile(
            **vars(file),
            case_id=case_id,
            attached_at=at.isoformat(),
            attached_by=reviewer.actor.identity,
            attached_by_name=reviewer.actor.name,
        )
        self.files.attach(row, content, event_row(event), reviewer.access, MOST_TO_A_CASE, quota)
        return row

    def download(
        self, reviewer: Reviewer, case_id: str, sha256: str, at: datetime
    ) -> tuple[CaseFile, bytes]:
        """A file of a case with its content, which is written down.

        Raises NotFound or Forbidden where the case is masked.
        """
        row, _ = self.case(reviewer, case_id)
        if self.is_masked(row):
            raise Forbidden("the case is masked by now, and its files are not handed out")
        found = self.files.content(case_id, sha256)
        if found is None:
            raise NotFound("the case has no such file, or its content is no longer kept")
        name = found[0].name
        self.store.append_event(event_of_reading(reviewer, case_id, at, "download", text=name))
        return found

    def given_away(
        self, reviewer: Reviewer, case_id: str, at: datetime
    ) -> tuple[CaseRecord, Case, StoredEvent] | None:
        """A case that the reviewer has just referred to others, with that act; None of any other.

        Whoever gave it away may see it no more, and is told for as long as acts are undone that it
        went through; nothing of what others do with it.
        """
        last = self.store.newest_event(case_id, READING_EVENTS)
        if last is None or not reviewer.actor.is_holder(last.by):
            return None
        changed = CHANGED_FIELDS.validate_json(last.changed)
        age = at - datetime.fromisoformat(last.at)
        if not changed.keys() & {"office_id", "lane"} or age > UNDO_WITHIN:
            return None
        its_side = CaseAccess(frozenset(), is_rescue="lane" in changed)  # only to rescue it changes
        row = self.store.case(case_id, its_side)
        if row is None:
            return None
        shown = self.shown(row)
        return shown, self.state_of(reviewer, shown), last

    def conclude(self, reviewer: Reviewer, case_id: str, at: datetime, rule: CaseRule) -> Case:
        """Do what may end a case; what was found becomes an outcome with its end."""
        self.case(reviewer, case_id)
        decision = self.unmasked_decision(case_id)
        author = reviewer.actor.identity
        outcomes: list[Outcome] = []

        def change(row: CaseRecord) -> StoredChange:
            _require_shown(row, reviewer)
            earlier = CASE.validate_json(row.state).newest_inspection
            labels: list[tuple[Outcome, ReceivedRecord]] = []

            def judge(case: Case) -> CaseChange:
                after, event = rule(case)
                if after.status != "closed" or case.status == "closed":
                    return after, event
                result = after.result if row.lane != "rescue" else None
                label = label_of(decision, result, author, at, earlier) if result else None
                labels.extend([label] if label else [])
                if earlier and (label is None or label[0].inspected_at != earlier.inspected_at):
                    labels.insert(0, withdrawal_of(decision, earlier, author, at))
                told = inspection_of(label[0]) if label else None
                return replace(after, inspection=told, reported_inspection=None), event

            after, event, _ = stored_change(judge, row)
            outcomes.extend(outcome for outcome, _ in labels)
            return after, event, tuple(row for _, row in labels)

        changed = self.store.change(case_id, change, self.revision_read)
        for outcome in outcomes:
            self.on_outcome(decision.submission, outcome)
        return as_seen_by(CASE.validate_json(changed.state), reviewer.actor)

    def _why(self, reviewer: Reviewer, case: Case, at: datetime) -> str:
        """Why a reader reads: it is theirs, it waits, or what they stated not long ago."""
        if reviewer.actor.is_holder(case.owner):
            return "own_case"
        if reviewer.works_on_cases and case.status != "closed":
            return "queue"
        since = (at - JUSTIFIED_FOR).isoformat()
        for event in reversed(self.events(case.case_id)):
            is_own = event.action == "justify" and reviewer.actor.is_holder(event.by)
            if is_own and event.at >= since:
                _, code = CHANGED_FIELDS.validate_json(event.changed).get(
                    "purpose", (None, "stated")
                )
                return str(code)  # of an erased case nothing but that it was stated
        raise JustificationNeeded("say why you read a case that ended or that you do not work on")

    @staticmethod
    def is_masked(row: CaseRecord) -> bool:
        """Return whether a case that is shown is masked by now."""
        return row.what == MASKED_CASE

    def _findable(self, rows: list[CaseRecord], named: str | None) -> list[CaseRecord]:
        """Return the rows without cases that are masked by now, if an id or a tag was asked for."""
        return [row for row in rows if named is None or not self.is_covered(row)]

    def is_covered(self, row: CaseRecord) -> bool:
        """Return whether a case as it is stored is to be masked by now."""
        return self.masking.covers(row.subject_kind, row.subject_id, row.opened_at)

    def shown(self, row: CaseRecord) -> CaseRecord:
        """A case as it may be seen by now: a masked one by a short name."""
        if not self.is_covered(row):
            return row
        name = self.masking.name(row.subject_id)
        return replace(row, subject_id=name, what=MASKED_CASE, why="")

    def unmasked_decision(self, case_id: str) -> Decision:
        """Return the decision behind a case as it was made, for rules; no page shows it."""
        record = self.decisions.record(self.store.decision_of(case_id))
        if record is None:
            raise NotFound("the decision behind this case is gone")
        return Decision.model_validate_json(record)


def _require_shown(row: CaseRecord, reviewer: Reviewer) -> None:
    """Raise NotFound for a case that has come to others, as to rescuers, since it was read."""
    if not reviewer.access.shows(row):
        raise NotFound(UNSEEN)
