"""Cases as reviewers use them: the queue, one case, and acts with author and time."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, get_args

from features.records import Outcome
from features.submission import Submission
from serving.access.acting import add_audit_details
from serving.audit.decision import Decision
from serving.audit.masking import MASKED, MASKED_CASE, Masking
from serving.errors import Forbidden, NotFound
from serving.history.received_records import ReceivedRecord
from serving.review.acts.attachments import MAX_TO_A_CASE, AttachedFile, AttachmentQuota
from serving.review.acts.justifications import JUSTIFIED_FOR, EvidentPurpose, StatedPurpose
from serving.review.acts.stored_acts import (
    CHANGED_FIELDS,
    event_of_reading,
    event_row,
    stored_change,
)
from serving.review.acts.undo import UNDO_WITHIN
from serving.review.cases.blind_cases import is_blind
from serving.review.cases.case_change import CaseChange, CaseEvent, CaseRule
from serving.review.cases.case_of_decision import CASE, case_of_decision
from serving.review.cases.case_records import (
    UNSEEN,
    CaseAccess,
    CaseFile,
    CaseFilter,
    CaseRow,
    CaseScore,
    CaseSearch,
    InboxFilter,
    ListedCases,
    OpenedCase,
    QueueFilter,
    QueueOrder,
    QueuePosition,
    QueueTab,
    RequireOfEvents,
    SearchPage,
    StoredChange,
    StoredEvent,
)
from serving.review.cases.case_redaction import (
    masked_events,
    redact_for,
    without_proposal,
    without_words,
)
from serving.review.cases.case_state import Case
from serving.review.cases.event_kinds import READING_EVENTS
from serving.review.cases.labels import (
    inspection_of,
    label_of,
    withdrawal_of,
)
from serving.review.cases.results import CaseResult
from serving.review.cases.reviewer import Reviewer
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

    `on_outcome` is called with each outcome and its subject once it is durable. `masking` decides
    how masked cases appear. A case without an office belongs to that of its place of entry. `teams`
    returns the current teams, `colleagues` the holders of live accounts that review. Cases are
    referred to one of `known_offices`, or to any if none is known. `heard_by_now` adds positions
    that arrived later to a submission. The `blind_share` of cases is judged first without lane and
    reasons. An act on a case whose revision is not `revision_read` raises Conflict.
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
    blind_share: float = 0.0
    revision_read: int | None = None

    def open_new(self) -> None:
        """Open cases for all decisions logged since the last call."""
        teams = cache(self.teams)  # read once, and only if there is a case to open

        def open_case(seq: int, record: str) -> OpenedCase | None:
            return case_of_decision(seq, record, self.office_of_place, teams(), self.blind_share)

        self.store.open_new(open_case)

    def is_blind(self, case_id: str) -> bool:
        """Return whether the first judgement of a case is made without lane and reasons."""
        return is_blind(case_id, self.blind_share)

    def inboxes(self) -> Inboxes:
        """Return the current inboxes."""
        return Inboxes(self.teams())

    def in_inbox(self, name: str) -> InboxFilter:
        """Return the filter for the inbox of a team, or else an office.

        Raises Unprocessable, since the contents of an unknown inbox would look like an empty one.
        """
        inboxes = self.inboxes()
        inboxes.require(name, self.known_offices)
        return inboxes.named(name)

    def queue(
        self, reviewer: Reviewer, queue: QueueFilter, after: QueuePosition | None, limit: int
    ) -> list[CaseRow]:
        """Return a page of waiting cases, most urgent first."""
        # A decision may have been logged since the opening thread last looked.
        self.open_new()
        return self._read(self.store.page(reviewer.access, queue, after, limit), queue)

    def queue_in_order(
        self,
        reviewer: Reviewer,
        queue: QueueFilter,
        order: QueueOrder,
        after: str | None,
        limit: int,
    ) -> list[CaseRow]:
        """Return a page of waiting cases in the order of a column, after the case `after`."""
        self.open_new()
        return self._read(
            self.store.page_in_order(reviewer.access, queue, order, after, limit), queue
        )

    def _read(self, page: list[CaseRow], queue: QueueFilter) -> list[CaseRow]:
        """Return the cases of a page as they may be shown, and record that they were read."""
        rows = self._findable(page, queue.tag)
        add_audit_details(cases=[row.case_id for row in rows])
        return [self.shown(row) for row in rows]

    def list_cases(self, reviewer: Reviewer, wanted: CaseFilter, limit: int) -> ListedCases:
        """Return the cases that match a filter, including closed ones, newest first.

        If the filter names a subject or a tag, masked cases are left out.
        """
        self.open_new()
        listed = self.store.list_cases(reviewer.access, wanted, limit)
        rows = self._findable(listed, wanted.subject_id or wanted.tag)
        add_audit_details(cases=[row.case_id for row in rows])
        is_full = len(listed) == limit
        # From the unfiltered rows, so that masked ones are not read again on the next page.
        following = (-listed[-1].seq, listed[-1].case_id) if is_full else None
        return ListedCases(tuple(self.shown(row) for row in rows), following)

    def rows_of(self, reviewer: Reviewer, case_ids: Iterable[str]) -> list[CaseRow]:
        """Return the visible cases with these ids, in the order in which they were opened."""
        rows = sorted(self.store.cases_of(case_ids, reviewer.access), key=lambda row: row.seq)
        add_audit_details(cases=[row.case_id for row in rows])
        return [self.shown(row) for row in rows]

    def search(
        self, reviewer: Reviewer, asked: CaseSearch, after: str | None, limit: int
    ) -> SearchPage:
        """Return cases with an identifier that matches, including closed but not masked ones.

        The audit event holds a token of the search term, which is the same for equal terms.
        """
        self.open_new()
        searched = self.store.search(reviewer.access, asked, after, limit)
        found = tuple(each for each in searched.found if not self.is_covered(each.case))
        add_audit_details(
            cases=[each.case.case_id for each in found],
            search=self.masking.tokens.token("search term", asked.symbols),
        )
        return replace(searched, found=found)

    def scores(self, row: CaseRow) -> list[CaseScore]:
        """Return the scores of a case's subject in order; for a rescue, only those of danger."""
        scores = self.store.scores(row.case_id)
        is_rescue = row.lane == "rescue"
        return [score for score in scores if (score.lane == "rescue") == is_rescue]

    def count_tabs(self, reviewer: Reviewer, queue: QueueFilter) -> dict[str, int]:
        """Count the cases in each tab of a filter, the closed ones last."""
        own = self.as_read_by(reviewer, queue)
        counts: dict[str, int] = {
            tab: self.store.count_queue(reviewer.access, replace(own, tab=tab))
            for tab in get_args(QueueTab)
        }
        closed = CaseFilter(("closed",), office_id=queue.office_id, mode=queue.mode, tag=queue.tag)
        return counts | {"closed": self.store.count_cases(reviewer.access, closed)}

    def as_read_by(self, reviewer: Reviewer, queue: QueueFilter) -> QueueFilter:
        """Return a filter with the reader and the reader's own inbox filled in."""
        inbox = self.inboxes().of_reader(reviewer.actor, reviewer.access)
        return replace(queue, reader=reviewer.actor.identity, own_inbox=inbox)

    def count_new(self, reviewer: Reviewer, queue: QueueFilter) -> int:
        """Count the cases that match a filter and were logged after its `after_seq`."""
        return self.store.count_queue(reviewer.access, queue)

    def opened_to(self) -> int:
        """Return the sequence number of the log up to which cases have been opened."""
        return self.store.opened_to()

    def case(self, reviewer: Reviewer, case_id: str) -> tuple[CaseRow, Case]:
        """Return a case; raises NotFound if it does not exist or must not be seen."""
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
    ) -> tuple[CaseRow, Case]:
        """Return a case that a person opens, and record the read with its purpose.

        Raises JustificationNeeded if neither `purpose` nor the case nor an earlier statement of the
        reader gives a purpose.
        """
        found = self.case(reviewer, case_id)
        # LED 25(2): the log of a consultation shows its justification.
        why = purpose or self._why(reviewer, found[1], at)
        self.store.append_event(event_of_reading(reviewer, case_id, at, "read", text=why))
        return found

    def justify(
        self, reviewer: Reviewer, case_id: str, at: datetime, code: StatedPurpose, words: str
    ) -> None:
        """Record why a reader opens a case outside their own work; raises NotFound."""
        self.case(reviewer, case_id)
        changed = CHANGED_FIELDS.dump_json({"purpose": (None, code)}).decode()
        self.store.append_event(event_of_reading(reviewer, case_id, at, "justify", changed, words))

    @staticmethod
    def result_of(row: CaseRow) -> CaseResult | None:
        """Return the result of a closed case; None while open or without an examination."""
        return CASE.validate_json(row.state).result

    def decision(self, case_id: str) -> Decision:
        """Return the decision of a case as it may be seen; raises Erased after its retention.

        For a rescored subject this is the newest decision that counts for the case.
        """
        return self.masking.masked_view(self.unmasked_decision(case_id))

    def decisions_of(self, rows: Sequence[CaseRow]) -> dict[str, Decision]:
        """Return the readable decisions of several cases, masked where necessary."""
        behind = {row.case_id: row.decision_id or row.case_id for row in rows}
        records = self.decisions.records_of(behind.values())
        return {
            case_id: self.masking.masked_view(Decision.model_validate_json(records[decision_id]))
            for case_id, decision_id in behind.items()
            if decision_id in records
        }

    def events(self, case_id: str) -> list[StoredEvent]:
        """Return the events of a case, in order."""
        return self.store.events(case_id)

    def revision(self, case_id: str) -> int:
        """Count the events that changed a case or its news; `revision_read` is this number."""
        return self.store.revision(case_id)

    def history(self, reviewer: Reviewer, row: CaseRow) -> list[StoredEvent]:
        """Return the events of a case as a reviewer may see them.

        Events of a masked case come without anyone's text. A possible second person sees that there
        is a proposal, but not its content.
        """
        events = self.events(row.case_id)
        if CASE.validate_json(row.state).hides_proposal_from(reviewer.actor):
            events = without_proposal(events)
        return masked_events(events) if self.is_masked(row) else events

    def attached(self, row: CaseRow) -> list[CaseFile]:
        """Return the files of a case, in the order of attachment."""
        files = self.files.of_case(row.case_id)
        return [replace(file, name=MASKED) for file in files] if self.is_masked(row) else files

    def state_of(self, reviewer: Reviewer, row: CaseRow) -> Case:
        """Return the state of a found case, as a reviewer may see it."""
        case = redact_for(CASE.validate_json(row.state), reviewer.actor)
        return without_words(case) if self.is_masked(row) else case

    def act(
        self,
        reviewer: Reviewer,
        case_id: str,
        act: CaseRule,
        require: RequireOfEvents | None = None,
    ) -> Case:
        """Apply an act to a case and return the new state.

        Raises NotFound, the errors of `require`, and the act's own Conflict if someone else acted
        first.
        """
        return self.act_on_row(reviewer, case_id, lambda _: act, require)

    def act_on_row(
        self,
        reviewer: Reviewer,
        case_id: str,
        act_on: Callable[[CaseRow], CaseRule],
        require: RequireOfEvents | None = None,
    ) -> Case:
        """Apply an act that depends on the stored row, such as its office or lane."""
        self.case(reviewer, case_id)

        # Runs under the write lock, so the act is based on the row that it changes.
        def change(row: CaseRow) -> StoredChange:
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
        """Attach a file to a case; raises NotFound, Conflict or Unprocessable."""
        self.case(reviewer, case_id)
        changed: dict[str, tuple[object, object]] = {"attachment": (None, vars(file))}
        event = CaseEvent(case_id, at, reviewer.actor, "attach", changed, file.name)
        row = CaseFile(
            **vars(file),
            case_id=case_id,
            attached_at=at,
            attached_by=reviewer.actor.identity,
            attached_by_name=reviewer.actor.name,
        )
        self.files.attach(row, content, event_row(event), reviewer.access, MAX_TO_A_CASE, quota)
        return row

    def download(
        self, reviewer: Reviewer, case_id: str, sha256: str, at: datetime
    ) -> tuple[CaseFile, bytes]:
        """Return a file of a case with its content, and record the download.

        Raises NotFound, or Forbidden if the case is masked.
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
    ) -> tuple[CaseRow, Case, StoredEvent] | None:
        """Return a case that the reviewer just referred to others, with that act; else None.

        A referral can end one's own access. For as long as acts can be undone, its author still
        sees that it went through, but nothing of what others do with the case.
        """
        last = self.store.newest_event(case_id, READING_EVENTS)
        if last is None or not reviewer.actor.is_holder(last.by):
            return None
        changed = CHANGED_FIELDS.validate_json(last.changed)
        age = at - last.at
        if not changed.keys() & {"office_id", "lane"} or age > UNDO_WITHIN:
            return None
        its_side = CaseAccess(frozenset(), is_rescue="lane" in changed)  # only to rescue
        row = self.store.case(case_id, its_side)
        if row is None:
            return None
        shown = self.shown(row)
        return shown, self.state_of(reviewer, shown), last

    def conclude(self, reviewer: Reviewer, case_id: str, at: datetime, rule: CaseRule) -> Case:
        """Apply a rule that may close a case, storing a finding as an outcome."""
        self.case(reviewer, case_id)
        decision = self.unmasked_decision(case_id)
        author = reviewer.actor.identity
        outcomes: list[Outcome] = []

        def change(row: CaseRow) -> StoredChange:
            _require_shown(row, reviewer)
            earlier = CASE.validate_json(row.state).newest_inspection
            labels: list[tuple[Outcome, ReceivedRecord]] = []

            def judge(case: Case) -> CaseChange:
                after, event = rule(case)
                # A rescue teaches nothing: its result must never become a label of smuggling.
                if after.status != "closed" or case.status == "closed":
                    return after, event
                result = after.result if row.lane != "rescue" else None
                label = label_of(decision, result, author, at, earlier) if result else None
                labels.extend([label] if label else [])
                if earlier and (label is None or label[0].inspected_at != earlier.inspected_at):
                    # Withdraw first, so that the new outcome is the latest.
                    labels.insert(0, withdrawal_of(decision, earlier, author, at))
                told = inspection_of(label[0]) if label else None
                return replace(after, inspection=told, reported_inspection=None), event

            after, event, _ = stored_change(judge, row)
            outcomes.extend(outcome for outcome, _ in labels)
            return after, event, tuple(row for _, row in labels)

        changed = self.store.change(case_id, change, self.revision_read)
        # Only now are the outcomes durable, as `on_outcome` promises.
        for outcome in outcomes:
            self.on_outcome(decision.submission, outcome)
        return redact_for(CASE.validate_json(changed.state), reviewer.actor)

    def _why(self, reviewer: Reviewer, case: Case, at: datetime) -> str:
        """Return the purpose of a read: own case, queue, or one stated recently."""
        if reviewer.actor.is_holder(case.owner):
            return "own_case"
        if reviewer.works_on_cases and case.status != "closed":
            return "queue"
        since = at - JUSTIFIED_FOR
        for event in reversed(self.events(case.case_id)):
            is_own = event.action == "justify" and reviewer.actor.is_holder(event.by)
            if is_own and event.at >= since:
                _, code = CHANGED_FIELDS.validate_json(event.changed).get(
                    "purpose", (None, "stated")
                )
                return str(code)  # an erased event only shows that a purpose was stated
        raise JustificationNeeded("say why you read a case that ended or that you do not work on")

    @staticmethod
    def is_masked(row: CaseRow) -> bool:
        """Return whether a shown case is masked."""
        return row.what == MASKED_CASE

    def _findable(self, rows: list[CaseRow], named: str | None) -> list[CaseRow]:
        """Return the rows, without masked cases if the list is for an id or a tag."""
        # Otherwise a search for an id would reveal which masked case it belongs to.
        return [row for row in rows if named is None or not self.is_covered(row)]

    def is_covered(self, row: CaseRow) -> bool:
        """Return whether a stored case must be masked now."""
        return self.masking.covers(row.subject_kind, row.subject_id, row.opened_at)

    def shown(self, row: CaseRow) -> CaseRow:
        """Return a case as it may be seen now: a masked one under a short name."""
        if not self.is_covered(row):
            return row
        name = self.masking.name(row.subject_id)
        return replace(row, subject_id=name, what=MASKED_CASE, why="")

    def unmasked_decision(self, case_id: str) -> Decision:
        """Return the unmasked decision, for rules only; no page may show it."""
        record = self.decisions.record(self.store.decision_of(case_id))
        if record is None:
            raise NotFound("the decision behind this case is gone")
        return Decision.model_validate_json(record)


def _require_shown(row: CaseRow, reviewer: Reviewer) -> None:
    """Raise NotFound for a case that moved out of the reviewer's sight since it was read."""
    if not reviewer.access.shows(row):
        raise NotFound(UNSEEN)
