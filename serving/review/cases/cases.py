"""Cases as reviewers use them: the queue, one case, and acts, each stored with who, when, what."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import get_args

from features.records import Outcome
from features.submission import Submission
from serving.access.acting import tell_audit
from serving.access.actors import Actor
from serving.access.office_ids import require_known_office
from serving.audit.decision import Decision
from serving.audit.logged_decision import DecisionReader
from serving.audit.masking import MASKED, MASKED_CASE, Masking
from serving.errors import Forbidden, NotFound, RequestFault, Unprocessable
from serving.history.received_records import ReceivedRecord
from serving.language import say
from serving.review.acts import owner_rules, remark_rules, statement_rules, undo_rules
from serving.review.acts.attachments import MOST_TO_A_CASE, AttachedFile, AttachmentQuota
from serving.review.acts.justifications import JUSTIFIED_FOR, EvidentPurpose, StatedPurpose
from serving.review.acts.mentions import find_mentions
from serving.review.acts.remark_rules import JudgedAs
from serving.review.acts.stored_acts import (
    CHANGED_FIELDS,
    OF_READING,
    case_before,
    event_of,
    event_of_reading,
    event_row,
    stored_change,
)
from serving.review.cases.actions import CaseAction
from serving.review.cases.case_change import CaseAct, CaseChange
from serving.review.cases.case_records import (
    UNSEEN,
    CaseAccess,
    CaseFile,
    CaseFileStore,
    CaseFilter,
    CaseRecord,
    CaseScore,
    CaseSearch,
    CaseStore,
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
from serving.review.cases.labels import (
    inspection_of,
    label_of,
    require_plausible_start,
    withdrawal_of,
)
from serving.review.cases.opening import CASE, case_of_decision
from serving.review.cases.results import CaseResult, FoundBy
from serving.review.cases.reviewer import Reviewer
from serving.review.cases.seen_cases import (
    as_seen_by,
    masked_events,
    without_proposal,
    without_words,
)
from serving.review.cases.teams import Inboxes, Team
from serving.review.errors import (
    AlreadyJudged,
    CaseClosed,
    JustificationNeeded,
    NoActionOrdered,
    UndoRefused,
)
from serving.triage.life_at_risk import GRAVE

StateResult = Callable[[FoundBy], CaseResult]
"""A result of what found it; raises ImpossibleResult or ContradictoryFinding."""

OnOutcome = Callable[[Submission, Outcome], None]

MAX_NOTES = 200  # of one person or key on one case
_SAYS_A_VIEW = frozenset(
    {"judge", "propose_action", "order_action", "state_view", "state_result", "agree", "disagree"}
)
"""Events by which somebody has said what they think of a case, so that its score sways no more."""


@dataclass(frozen=True)
class Cases:
    """What reviewers do with the cases of one database.

    `on_outcome` is called with every outcome and its subject, once it is durable. Masked cases are
    shown as `masking` says. What names no office belongs to that of its place of entry. `teams`
    are those that there are now, `colleagues` the holders of live accounts that review. A case is
    referred to one of `known_offices`, to any where none is known. `heard_by_now` adds to a
    submission the positions that came since. Whoever acts on a case of another revision than
    `revision_read` is refused with CaseChanged.
    """

    store: CaseStore
    files: CaseFileStore
    decisions: DecisionReader
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
        """What is in the inbox of a team, or else of an office, of this name.

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
        """How many cases are in each tab of a filter, the closed ones last."""
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
        """How many cases a filter lets through that came after its place in the log."""
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
        """What was found of a case that is closed; None while it is not, or nobody looked."""
        return CASE.validate_json(row.state).result

    def decision(self, case_id: str) -> Decision:
        """The decision behind a case, as it may be seen; raises Erased where its time was over.

        Of a subject that was scored again, the newest that counts for the case.
        """
        return self.masking.masked_view(self._decision(case_id))

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
        """What happened to a case, in order."""
        return self.store.events(case_id)

    def revision(self, case_id: str) -> int:
        """How many events changed a case or told something new of it: what `revision_read` says."""
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
        act: CaseAct,
        require: RequireOfEvents | None = None,
    ) -> Case:
        """Do something to a case, and return it as it is then.

        Raises NotFound, what `require` raises, and the Conflict that the act meets where another
        was faster.
        """
        return self._act_on_row(reviewer, case_id, lambda _: act, require)

    def _act_on_row(
        self,
        reviewer: Reviewer,
        case_id: str,
        act_on: Callable[[CaseRecord], CaseAct],
        require: RequireOfEvents | None = None,
    ) -> Case:
        """Do what follows from where a case is in that very turn: its office, and its lane."""
        self.case(reviewer, case_id)

        def change(row: CaseRecord) -> StoredChange:
            _require_shown(row, reviewer)
            return stored_change(act_on(row), row)

        changed = self.store.change(case_id, change, self.revision_read, require)
        return self.state_of(reviewer, self.shown(changed))

    def note(self, reviewer: Reviewer, case_id: str, at: datetime, text: str) -> Case:
        """Write something down; who is mentioned in it with `@name` is told.

        Raises Unprocessable for a name of nobody who may see the case, or one note too many.
        """
        colleagues = self.colleagues() if "@" in text else ()

        def note(row: CaseRecord) -> CaseAct:
            named = {each.actor.name: each.actor for each in colleagues if each.access.shows(row)}
            mentioned = [named[name] for name in find_mentions(text, named)]
            return lambda case: remark_rules.note(case, reviewer.actor, at, text, mentioned)

        def require_room(events: Sequence[StoredEvent]) -> None:
            own = [e for e in events if e.action == "note" and reviewer.actor.is_holder(e.by)]
            if len(own) >= MAX_NOTES:
                raise Unprocessable(
                    say("one may write {most} notes on a case: attach a file", most=MAX_NOTES)
                )

        return self._act_on_row(reviewer, case_id, note, require_room)

    def judge(self, reviewer: Reviewer, case_id: str, at: datetime, judged_as: JudgedAs) -> Case:
        """Say what one thinks of a case before its score; raises AlreadyJudged the second time."""
        actor = reviewer.actor

        def require_no_view(events: Sequence[StoredEvent]) -> None:
            if _has_view_of(actor, events):
                raise AlreadyJudged(
                    "you have said what you think of this case, and saw its score since"
                )

        return self.act(
            reviewer,
            case_id,
            lambda case: remark_rules.judge(case, actor, at, judged_as),
            require_no_view,
        )

    def has_said_a_view(self, reviewer: Reviewer, case_id: str) -> bool:
        """Whether a reviewer has said what they think of a case: by a first judgement or an act."""
        return _has_view_of(reviewer.actor, self.events(case_id))

    def assign(self, reviewer: Reviewer, case_id: str, at: datetime, to: Reviewer | None) -> Case:
        """Give a case to somebody who may work on it; None stands for whom nobody knows.

        Raises NotFound or Unprocessable, or the Conflict that the act meets.
        """

        def assign(row: CaseRecord) -> CaseAct:
            if to is None or not to.works_on_cases or not to.access.shows(row):
                raise Unprocessable(
                    "nobody with this name may work on the case: want a live account that reviews "
                    "cases of its office"
                )
            return lambda case: owner_rules.assign(
                case, reviewer.actor, at, to.actor, may_take=reviewer.supervises
            )

        return self._act_on_row(reviewer, case_id, assign)

    def put_into_inbox(self, reviewer: Reviewer, case_id: str, at: datetime, inbox: str) -> Case:
        """Put a case into the inbox of a team of its office, or that of the office itself.

        Raises NotFound or Unprocessable, or the Conflict that the act meets.
        """
        inboxes = self.inboxes()
        team = inbox if inbox in inboxes.names else None

        def put(row: CaseRecord) -> CaseAct:
            offered = inboxes.for_office(row.office_id) if row.lane != "rescue" else []
            if inbox not in offered:
                raise Unprocessable(
                    "the case cannot be in this inbox: want that of a team of its office, or its "
                    "office"
                )
            return lambda case: owner_rules.put_into_inbox(
                case, reviewer.actor, at, team, may_take=reviewer.supervises
            )

        return self._act_on_row(reviewer, case_id, put)

    def attach(
        self,
        reviewer: Reviewer,
        case_id: str,
        at: datetime,
        file: AttachedFile,
        content: bytes,
        quota: AttachmentQuota = AttachmentQuota(),  # noqa: B008  # it is frozen
    ) -> CaseFile:
        """Put a file to a case; raises NotFound, AlreadyAttached, Unprocessable or ServingError."""
        _, case = self.case(reviewer, case_id)
        _, event = remark_rules.attach(case, reviewer.actor, at, file)
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

    def order(
        self,
        reviewer: Reviewer,
        case_id: str,
        at: datetime,
        action: CaseAction,
        *,
        takes: bool = False,
    ) -> Case:
        """Order or propose an action; as a second person, say what one would do.

        With `takes`, a case that nobody has is the reviewer's by it. Raises Unprocessable of a
        rescue, which has no actions of enforcement, and OfficeUnknown.
        """
        row, _ = self.case(reviewer, case_id)
        if row.lane == "rescue":
            raise Unprocessable("a rescue has no actions of enforcement: state what became of it")
        if action.refer_to == "rescue" and row.mode is None:
            raise Unprocessable(
                "nothing is known of a journey to search for: call the rescue by telephone"
            )
        if action.refer_to == "office":
            require_known_office(action.destination or "", self.known_offices(), "destination")
            if action.destination == row.office_id:
                says = say("the case is at this office already: refer it to another one")
                raise Unprocessable(says, (RequestFault("/destination", "same_office", says),))

        def order(case: Case) -> CaseChange:
            return statement_rules.order(case, reviewer.actor, at, action)

        return self._judge(reviewer, case_id, at, _taking(order, reviewer, at) if takes else order)

    def state_result(
        self,
        reviewer: Reviewer,
        case_id: str,
        at: datetime,
        state: StateResult,
        *,
        takes: bool = False,
    ) -> Case:
        """State what the ordered action found, or what became of a rescue.

        What ends the case becomes an outcome with it; at another end of a case that was opened
        again, it corrects the outcome of the earlier one. With `takes`, a case that nobody has is
        the reviewer's by it. Raises ImpossibleResult, ContradictoryFinding or NoActionOrdered
        before anything is kept.
        """
        row, case = self.case(reviewer, case_id)
        result = state(_found_by(row, case))
        decision = self._decision(case_id)
        require_plausible_start(decision, result)
        label_of(decision, result, reviewer.actor.identity, at, case.newest_inspection)
        is_life_at_risk = row.lane == "rescue" and self._is_life_at_risk(row, case, decision)

        def end(case: Case) -> CaseChange:
            return statement_rules.state_result(
                case, reviewer.actor, at, result, is_life_at_risk=is_life_at_risk
            )

        return self._judge(reviewer, case_id, at, _taking(end, reviewer, at) if takes else end)

    def undo(self, reviewer: Reviewer, case_id: str, at: datetime) -> Case:
        """Take back what the reviewer did last, within ten seconds and before anybody else acts.

        Raises UndoRefused.
        """
        self.case(reviewer, case_id)
        acted = self.store.newest_event(case_id, OF_READING)
        if acted is None:
            raise UndoRefused("nothing was done that could be undone")

        def require_newest(events: Sequence[StoredEvent]) -> None:
            if acted != [event for event in events if event.action not in OF_READING][-1]:
                raise UndoRefused("somebody else has acted on this case since")

        return self.act(
            reviewer,
            case_id,
            lambda case: undo_rules.undo(
                case, reviewer.actor, at, event_of(acted), case_before(case, acted)
            ),
            require_newest,
        )

    def given_away(
        self, reviewer: Reviewer, case_id: str, at: datetime
    ) -> tuple[CaseRecord, Case, StoredEvent] | None:
        """A case that the reviewer has just referred to others, with that act; None of any other.

        Whoever gave it away may see it no more, and is told for as long as acts are undone that it
        went through; nothing of what others do with it.
        """
        last = self.store.newest_event(case_id, OF_READING)
        if last is None or not reviewer.actor.is_holder(last.by):
            return None
        changed = CHANGED_FIELDS.validate_json(last.changed)
        age = at - datetime.fromisoformat(last.at)
        if not changed.keys() & {"office_id", "lane"} or age > undo_rules.UNDO_WITHIN:
            return None
        its_side = CaseAccess(frozenset(), is_rescue="lane" in changed)  # only to rescue it changes
        row = self.store.case(case_id, its_side)
        if row is None:
            return None
        shown = self.shown(row)
        return shown, self.state_of(reviewer, shown), last

    def agree(self, reviewer: Reviewer, case_id: str, at: datetime, text: str) -> Case:
        """Agree, as a second person, with what was proposed; an adverse result becomes a label."""
        return self._judge(
            reviewer,
            case_id,
            at,
            lambda case: statement_rules.agree(case, reviewer.actor, at, text),
        )

    def disagree(self, reviewer: Reviewer, case_id: str, at: datetime, text: str) -> Case:
        """Disagree, as a second person: their own view takes the place of what was proposed."""
        return self._judge(
            reviewer,
            case_id,
            at,
            lambda case: statement_rules.disagree(case, reviewer.actor, at, text),
        )

    def _judge(self, reviewer: Reviewer, case_id: str, at: datetime, act: CaseAct) -> Case:
        """Do what may end a case; what was found becomes an outcome with its end."""
        self.case(reviewer, case_id)
        decision = self._decision(case_id)
        author = reviewer.actor.identity
        outcomes: list[Outcome] = []

        def change(row: CaseRecord) -> StoredChange:
            _require_shown(row, reviewer)
            earlier = CASE.validate_json(row.state).newest_inspection
            labels: list[tuple[Outcome, ReceivedRecord]] = []

            def judge(case: Case) -> CaseChange:
                after, event = act(case)
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

    def _is_life_at_risk(self, row: CaseRecord, case: Case, newest: Decision) -> bool:
        """Whether any report of a rescue, an officer or a later call shows danger to life.

        A report that can be read no more counts as if it did.
        """
        if case.action is not None and case.action.refer_to == "rescue":
            return True
        scored = {score.decision_id for score in self.scores(row)} - {newest.decision_id}
        records = self.decisions.records_of(scored)
        reports = [newest, *map(Decision.model_validate_json, records.values())]
        has_sign = any(sign.code in GRAVE for each in reports for sign in each.danger_signals)
        called = any(each.is_distress for each in self.heard_by_now(newest.submission).positions)
        return has_sign or called or len(records) < len(scored)

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
        """Whether a case that is shown is masked by now."""
        return row.what == MASKED_CASE

    def _findable(self, rows: list[CaseRecord], named: str | None) -> list[CaseRecord]:
        """What was found; by an id or a tag that was named, no case that shows it no more."""
        return [row for row in rows if named is None or not self.is_covered(row)]

    def is_covered(self, row: CaseRecord) -> bool:
        """Whether a case as it is stored is to be masked by now."""
        return self.masking.covers(row.subject_kind, row.subject_id, row.opened_at)

    def shown(self, row: CaseRecord) -> CaseRecord:
        """A case as it may be seen by now: a masked one by a short name."""
        if not self.is_covered(row):
            return row
        name = self.masking.name(row.subject_id)
        return replace(row, subject_id=name, what=MASKED_CASE, why="")

    def _decision(self, case_id: str) -> Decision:
        record = self.decisions.record(self.store.decision_of(case_id))
        if record is None:
            raise NotFound("the decision behind this case is gone")
        return Decision.model_validate_json(record)


def _require_shown(row: CaseRecord, reviewer: Reviewer) -> None:
    """Raise NotFound for a case that has come to others, as to rescuers, since it was read."""
    if not reviewer.access.shows(row):
        raise NotFound(UNSEEN)


def _taking(act: CaseAct, reviewer: Reviewer, at: datetime) -> CaseAct:
    return lambda case: owner_rules.take_and(case, reviewer.actor, at, act)


def _has_view_of(actor: Actor, events: Iterable[StoredEvent]) -> bool:
    return any(event.action in _SAYS_A_VIEW and actor.is_holder(event.by) for event in events)


def _found_by(row: CaseRecord, case: Case) -> FoundBy:
    """What a result of a case comes from; raises NoActionOrdered where nothing was ordered."""
    if row.lane == "rescue":
        return "rescue"
    if case.status == "closed":
        raise CaseClosed("this case is closed; open it again first")
    found_by = case.action.finds if case.action else None
    if found_by is None:
        raise NoActionOrdered("order first what is to find it: an inspection or a check")
    return found_by
