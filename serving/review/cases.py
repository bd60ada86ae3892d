"""Cases as reviewers use them: the queue, one case, and acts, each stored with who, when, what."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from pydantic import TypeAdapter

from features.records import Outcome
from features.submission import Submission
from serving.access.acting import tell_audit
from serving.access.actors import Actor
from serving.access.callers import Caller
from serving.audit.decision import Decision
from serving.audit.logged_decision import DecisionReader
from serving.audit.masking import MASKED, MASKED_CASE, Masking
from serving.errors import Forbidden, JustificationNeeded, NotFound, Unprocessable
from serving.history.received_records import ReceivedRecord
from serving.request_parsing import read_submission
from serving.review import case_rules as acts
from serving.review.attachments import MOST_TO_A_CASE, AttachedFile
from serving.review.case_graph import (
    MOST_ENDED,
    MOST_NEIGHBOURS,
    CaseGraph,
    Neighbour,
    closeness,
    shares_of,
)
from serving.review.case_records import (
    CaseAccess,
    CaseFile,
    CaseFileStore,
    CaseRecord,
    CaseStore,
    LinkedCase,
    QueueFilter,
    QueuePosition,
    StoredEvent,
)
from serving.review.case_rules import Case, CaseChange, CaseEvent
from serving.review.dispositions import (
    MEANING,
    OF_RESCUE,
    ONLY_OF_RESCUE,
    Disposition,
    DispositionCode,
)
from serving.review.justifications import JUSTIFIED_FOR, EvidentPurpose, StatedPurpose
from serving.review.labels import inspection_of, label_of, withdrawal_of
from serving.review.opening import CASE, case_of_decision
from serving.review.queue_rank import QUEUE_RANK

CHANGED = TypeAdapter(dict[str, tuple[object, object]])

CaseAct = Callable[[Case], CaseChange]
OnOutcome = Callable[[Submission, Outcome], None]

# Acts whose text is no sentence of anyone's.
_WITHOUT_WORDS = frozenset({"read", "mark_reason", "reread", "score_again"})


@dataclass(frozen=True)
class Reviewer:
    """A reviewer: who stands in every event, and what may be seen.

    Whoever does not work on cases, as an auditor, reads none without saying why. Whoever supervises
    may take a case from its owner.
    """

    actor: Actor
    access: CaseAccess
    works_on_cases: bool = True
    supervises: bool = False

    @classmethod
    def from_caller(cls, caller: Caller) -> "Reviewer":
        """The reviewer that a caller is: cases of its offices, on its side of the wall."""
        access = CaseAccess(caller.offices, caller.may("rescue"))
        works = caller.may("review") or caller.may("rescue")
        return cls(caller.actor, access, works_on_cases=works, supervises=caller.may("supervise"))


@dataclass(frozen=True)
class Cases:
    """What reviewers do with the cases of one database.

    `on_outcome` is called with every outcome and its subject, once it is durable. Masked cases are
    shown as `masking` says.
    """

    store: CaseStore
    files: CaseFileStore
    decisions: DecisionReader
    on_outcome: OnOutcome
    masking: Masking

    def queue(
        self, reviewer: Reviewer, queue: QueueFilter, after: QueuePosition | None, limit: int
    ) -> list[CaseRecord]:
        """The cases that wait, the most urgent first."""
        self.store.open_new(case_of_decision)
        rows = self.store.page(reviewer.access, queue, after, limit)
        tell_audit(cases=[row.case_id for row in rows])
        return [self._shown(row) for row in rows]

    def counts(self, access: CaseAccess, at: datetime) -> dict[str, int]:
        """How many cases wait in each lane."""
        return self.store.count_waiting(QUEUE_RANK, access, at.isoformat())

    def case(self, reviewer: Reviewer, case_id: str) -> tuple[CaseRecord, Case]:
        """A case; raises NotFound for one that does not exist or must not be seen."""
        self.store.open_new(case_of_decision)
        row = self.store.case(case_id, reviewer.access)
        if row is None:
            raise NotFound("no case with this id can be seen by you")
        shown, case = self._shown(row), CASE.validate_json(row.state)
        return shown, _without_words(case) if self.is_masked(shown) else case

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
        self.store.append_event(_stored_event(reviewer, case_id, at, "read", text=why))
        return found

    def justify(
        self, reviewer: Reviewer, case_id: str, at: datetime, code: StatedPurpose, words: str
    ) -> None:
        """State why a case is read that the reader's work did not bring; raises NotFound."""
        self.case(reviewer, case_id)
        changed = CHANGED.dump_json({"purpose": (None, code)}).decode()
        self.store.append_event(_stored_event(reviewer, case_id, at, "justify", changed, words))

    def linked(
        self, reviewer: Reviewer, case_id: str, kinds: tuple[str, ...], limit: int
    ) -> list[LinkedCase]:
        """Other cases that share something of these kinds, the newest first."""
        found = self.store.linked(case_id, kinds, reviewer.access, limit)
        return [self._shown_link(link) for link in found]

    def graph(self, reviewer: Reviewer, case_id: str, most: int = MOST_NEIGHBOURS) -> CaseGraph:
        """What a case shares with which others: confirmed ones first, then the closest.

        Confirmed ones are looked for among the MOST_ENDED closest of those that have ended. Masked
        ones are counted and not named. Raises NotFound.
        """
        own, _ = self.case(reviewer, case_id)
        things = self.store.shared_things(case_id, reviewer.access)
        close = closeness(things)
        order = sorted(close, key=close.__getitem__, reverse=True)
        closed = {o.case_id for thing in things for o in thing.others if o.is_closed}
        ended = [each for each in order if each in closed][:MOST_ENDED]
        looked_at = dict.fromkeys([*ended, *order[:most]])
        found = map(self._shown, self.store.cases_of(looked_at, reviewer.access))
        rows = {row.case_id: row for row in found if not self.is_masked(row)}
        confirmed = {each for each in ended if each in rows and self._is_confirmed(rows[each])}
        named = sorted(rows, key=lambda each: (each in confirmed, close[each]), reverse=True)[:most]
        neighbours = tuple(
            Neighbour(rows[each], shares_of(each, things), each in confirmed) for each in named
        )
        is_known = all(thing.is_counted for thing in things)
        tell_audit(cases=named)
        if self.is_masked(own):
            things = tuple(replace(t, value=self.masking.name(t.value)) for t in things)
        return CaseGraph(case_id, things, neighbours, len(close), is_known)

    @staticmethod
    def disposition_of(row: CaseRecord) -> Disposition | None:
        """How a case ended; None while it has not."""
        return CASE.validate_json(row.state).disposition

    def decision(self, case_id: str) -> Decision:
        """The decision behind a case, as it may be seen; raises Erased where its time was over.

        Of a subject that was scored again, the newest that counts for the case.
        """
        return self.masking.masked_view(self._decision(case_id))

    def events(self, case_id: str) -> list[StoredEvent]:
        """What happened to a case, in order."""
        return self.store.events(case_id)

    def history(self, row: CaseRecord) -> list[StoredEvent]:
        """The events of a case as they may be seen: of a masked one without anyone's text."""
        events = self.events(row.case_id)
        if not self.is_masked(row):
            return events
        return [
            event if event.action in _WITHOUT_WORDS else replace(event, changed="{}", text=MASKED)
            for event in events
        ]

    def attached(self, row: CaseRecord) -> list[CaseFile]:
        """The files of a case, the first attached first."""
        files = self.files.of_case(row.case_id)
        return [replace(file, name=MASKED) for file in files] if self.is_masked(row) else files

    def act(self, reviewer: Reviewer, case_id: str, act: CaseAct) -> Case:
        """Do something to a case, and return it as it is then.

        Raises NotFound, and the Conflict that the act meets where another was faster.
        """
        self.case(reviewer, case_id)
        return CASE.validate_json(self.store.change(case_id, partial(_changed, act)).state)

    def assign(self, reviewer: Reviewer, case_id: str, at: datetime, to: Reviewer | None) -> Case:
        """Give a case to somebody who may work on it; None stands for whom nobody knows.

        Raises NotFound, Unprocessable, or the Conflict that the act meets.
        """
        self.case(reviewer, case_id)
        if to is None or not to.works_on_cases or self.store.case(case_id, to.access) is None:
            raise Unprocessable(
                "nobody with this name may work on the case: want a live account that reviews "
                "cases of its office"
            )
        holder = to.actor
        return self.act(
            reviewer,
            case_id,
            lambda case: acts.assign(
                case, reviewer.actor, at, holder, may_take=reviewer.supervises
            ),
        )

    def attach(
        self, reviewer: Reviewer, case_id: str, at: datetime, file: AttachedFile, content: bytes
    ) -> CaseFile:
        """Put a file to a case; raises NotFound, AlreadyAttached or Unprocessable."""
        _, case = self.case(reviewer, case_id)
        _, event = acts.attach(case, reviewer.actor, at, file)
        row = CaseFile(
            **vars(file),
            case_id=case_id,
            attached_at=at.isoformat(),
            attached_by=reviewer.actor.identity,
            attached_by_name=reviewer.actor.name,
        )
        self.files.attach(row, content, _event_row(event), MOST_TO_A_CASE)
        return row

    def download(
        self, reviewer: Reviewer, case_id: str, sha256: str, at: datetime
    ) -> tuple[CaseFile, bytes]:
        """A file of a case with its content, which is written down.

        Raises NotFound, or Forbidden where the case is masked.
        """
        row, _ = self.case(reviewer, case_id)
        if self.is_masked(row):
            raise Forbidden("the case is masked by now, and its files are not handed out")
        found = self.files.content(case_id, sha256)
        if found is None:
            raise NotFound("the case has no such file, or its content is no longer kept")
        name = found[0].name
        self.store.append_event(_stored_event(reviewer, case_id, at, "download", text=name))
        return found

    def dispose(
        self, reviewer: Reviewer, case_id: str, at: datetime, disposition: Disposition
    ) -> Case:
        """End a case, or propose its adverse end; what was found becomes an outcome with it.

        At another end of a case that was opened again, it corrects the outcome of the earlier one.
        Raises ContradictoryFinding before anything is kept, also of what is only proposed.
        """
        row, _ = self.case(reviewer, case_id)
        _refuse_other_side(row.lane, disposition.code)
        decision = self._decision(case_id)
        author = reviewer.actor.identity
        outcomes: list[Outcome] = []

        def change(row: CaseRecord) -> tuple[CaseRecord, StoredEvent, tuple[ReceivedRecord, ...]]:
            before = CASE.validate_json(row.state)
            stated, earlier = disposition.after(before.proposed), before.inspection
            label = label_of(decision, stated, author, at, earlier)
            told = inspection_of(label[0]) if label else None

            def dispose(case: Case) -> CaseChange:
                after, event = acts.dispose(case, reviewer.actor, at, stated)
                is_closed = after.status == "closed"
                return replace(after, inspection=told) if is_closed else after, event

            after, event, _ = _changed(dispose, row)
            if after.status != "closed":
                return after, event, ()
            labels = [label] if label else []
            if earlier and (label is None or label[0].inspected_at != earlier.inspected_at):
                labels.insert(0, withdrawal_of(decision, earlier, author, at))
            outcomes.extend(outcome for outcome, _ in labels)
            return after, event, tuple(row for _, row in labels)

        changed = self.store.change(case_id, change)
        for outcome in outcomes:
            self.on_outcome(read_submission(decision.request.encode()), outcome)
        return CASE.validate_json(changed.state)

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
                _, code = CHANGED.validate_json(event.changed).get("purpose", (None, "stated"))
                return str(code)  # of an erased case nothing but that it was stated
        raise JustificationNeeded("say why you read a case that ended or that you do not work on")

    @staticmethod
    def is_masked(row: CaseRecord) -> bool:
        """Whether a case that is shown is masked by now."""
        return row.what == MASKED_CASE

    def _shown(self, row: CaseRecord) -> CaseRecord:
        if not self.masking.covers(row.subject_kind, row.subject_id, row.opened_at):
            return row
        name = self.masking.name(row.subject_id)
        return replace(row, subject_id=name, what=MASKED_CASE, why="")

    def _shown_link(self, link: LinkedCase) -> LinkedCase:
        row = self._shown(link.case)
        if not self.is_masked(row):
            return link
        named = tuple((kind, self.masking.name(value)) for kind, value in link.shared)
        return LinkedCase(row, named)

    def _is_confirmed(self, row: CaseRecord) -> bool:
        """Whether a case ended with a find of smuggling."""
        end = self.disposition_of(row)
        return end is not None and MEANING[end.code].result == "confirmed"

    def _decision(self, case_id: str) -> Decision:
        record = self.decisions.record(self.store.decision_of(case_id))
        if record is None:
            raise NotFound("the decision behind this case is gone")
        return Decision.model_validate_json(record)


def _refuse_other_side(lane: str, code: DispositionCode) -> None:
    """Raise Unprocessable for an end of enforcement to a rescue, or the other way round."""
    if lane == "rescue" and code not in OF_RESCUE:
        raise Unprocessable(f"a rescue ends in one of: {', '.join(sorted(OF_RESCUE))}")
    if lane != "rescue" and code in ONLY_OF_RESCUE:
        raise Unprocessable("only a rescue ends in what became of people in danger")


def _without_words(case: Case) -> Case:
    """A case without what reviewers wrote at its end and to anyone."""
    ends = {name: getattr(case, name) for name in ("disposition", "proposed")}
    masked = {name: replace(end, text=MASKED) for name, end in ends.items() if end}
    return replace(case, letters=(), deferral=None, reopening=None, **masked)


def _changed(
    act: CaseAct, row: CaseRecord
) -> tuple[CaseRecord, StoredEvent, tuple[ReceivedRecord, ...]]:
    case, event = act(CASE.validate_json(row.state))
    after = replace(
        row,
        status=case.status,
        owner=case.owner.identity if case.owner else None,
        owner_name=case.owner.name if case.owner else None,
        snoozed_until=case.snoozed_until.isoformat() if case.snoozed_until else None,
        state=CASE.dump_json(case).decode(),
    )
    return after, _event_row(event), ()


def _event_row(event: CaseEvent) -> StoredEvent:
    changed = CHANGED.dump_json(event.changed).decode()
    return StoredEvent(
        event.case_id,
        event.at.isoformat(),
        event.actor.identity,
        event.action,
        changed,
        event.text,
        event.actor.name,
    )


def _stored_event(
    reviewer: Reviewer,
    case_id: str,
    at: datetime,
    action: str,
    changed: str = "{}",
    text: str = "",
) -> StoredEvent:
    """An event that changes no case."""
    who = reviewer.actor
    return StoredEvent(case_id, at.isoformat(), who.identity, action, changed, text, who.name)
