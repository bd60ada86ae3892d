"""The month before a demonstration: its declarations, and people's work on their cases.

It runs the parts of the service over a clock that starts a month ago and is set from act to act.
Decisions, acts and outcomes come from the functions behind calls and pages, and are stored and
chained in the same way; nothing is written directly.
"""

import asyncio
import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count, product
from random import Random

from features.submission import Submission
from serving.access.acting import begin_acting, identify
from serving.access.api_keys import new_key
from serving.access.callers import Caller
from serving.audit.decision import Decision
from serving.cli.demo_people import COLLEAGUE, RESCUER, REVIEWER, SECOND, make_accounts
from serving.cli.demo_world import Month
from serving.container import Services, build_services
from serving.errors import ServingError
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.agree import AGREE, Judgement
from serving.review.acts.claim import CLAIM
from serving.review.acts.judge import JudgedAs, judge_case
from serving.review.acts.mark_reason import MARK_REASON, ReasonMark
from serving.review.acts.order import order_action
from serving.review.acts.rereadings import reread
from serving.review.acts.state_result import record_result
from serving.review.cases.actions import CaseAction
from serving.review.cases.case_of_decision import opens_case
from serving.review.cases.results import CaseResult
from serving.review.cases.reviewer import Reviewer
from serving.scoring.batcher import BATCH_SIZE, ScoreRequest
from serving.settings import Settings

SEED = 7
OFFICERS = (REVIEWER, SECOND, COLLEAGUE)

# In their first month offices inspect more than the default plan, in order to learn.
LOOKED_AT = {
    "inspect_share": 0.12,
    "document_check_share": 0.03,
    "post_review_share": 0.01,
    "control_probability": 0.1,
}

# Hours (UTC) in which officers record findings and read others' work.
SITTINGS = ((8, 10), (14, 16))

# Declarations within this time are scored together, if nobody acts in between.
GATHERED_FOR = timedelta(hours=6)

# Share of cases that wait for a day or more.
LEFT_LYING = 0.08

# Shares of cases: let go without signs, leading reason judged, read again, same result then.
LET_GO, MARKED, REREAD, SAME_WHEN_REREAD = 0.25, 0.4, 0.25, 0.85

# Typologies that smuggle people, not goods.
OF_PERSONS = frozenset({"small_craft_crossing", "lorry_concealment", "hired_van_run"})

# Work on one case: an iterator that yields the time until the next step, then performs it.
Work = Iterator[timedelta]


@dataclass
class SetClock:
    """Clock that is set explicitly."""

    now: datetime

    def __call__(self) -> datetime:
        """Return the time that was set."""
        return self.now


def play_month(settings: Settings, month: Month, until: datetime) -> dict[str, str]:
    """Score the submissions of a month in order, and let people work on their cases.

    Steps due at `until` or later are not taken. Returns the passwords of the people, who have
    accounts from then on.
    """
    return copy_context().run(_played, settings, month, until)


def _played(settings: Settings, month: Month, until: datetime) -> dict[str, str]:
    begin_acting()
    clock = SetClock(month.submissions[0].declared_at - timedelta(hours=1))
    services = build_services(settings.model_copy(update=LOOKED_AT), clock)
    services.batcher.open()
    try:
        passwords = make_accounts(services.accounts, clock.now)
        people = _People(services, clock, _reviewers(services))
        _Player(services, clock, people, month).play(until)
    finally:
        # Events of shutting down must not be dated into the month.
        clock.now = until
        services.stop()
    return passwords


def _reviewers(services: Services) -> dict[str, Reviewer]:
    found = {name: services.accounts.find(name) for name in (*OFFICERS, RESCUER)}
    return {name: Reviewer.from_caller(one.caller()) for name, one in found.items() if one}


@dataclass
class _Player:
    """Scheduler of scores to come and of work in progress."""

    services: Services
    clock: SetClock
    people: "_People"
    month: Month
    begun: list[tuple[datetime, int, Work]] = field(default_factory=list)
    turns: Iterator[int] = field(default_factory=count)

    def play(self, until: datetime) -> None:
        """Score and work in chronological order."""
        callers, to_come = self._border_systems(until), [*self.month.submissions]
        while True:
            next_step = min(self.begun[0][0] if self.begun else until, until)
            if together := _declared_together(to_come[:BATCH_SIZE], next_step):
                del to_come[: len(together)]
                self._score(callers, together)
            elif next_step < until:
                self._go_on()
            else:
                return

    def _border_systems(self, until: datetime) -> dict[str, Caller]:
        """Return a caller for each office, with keys that expire with the month."""
        purposes, keys = (self.services.settings.purpose,), self.services.api_keys
        callers = {}
        for office in sorted({*self.month.offices.values()}):
            key, _ = new_key(
                f"demo-{office}", ("score",), (office,), self.clock.now, until, purposes
            )
            keys.add_key(key)
            callers[office] = Caller.from_api_key(key)
        return callers

    def _score(self, callers: Mapping[str, Caller], submissions: Sequence[Submission]) -> None:
        requests = [
            ScoreRequest(
                caller=callers[self.month.offices[each.subject_id]],
                idempotency_key=f"{each.subject_kind} {each.subject_id}",
                body=each.model_dump_json(exclude_none=True).encode(),
                at=each.declared_at + timedelta(seconds=1),
                answer_format=_as_id,
            )
            for each in submissions
        ]
        self.clock.now = requests[-1].at
        for answer in asyncio.run(self.services.batcher.answer_all(requests)):
            if isinstance(answer, ServingError):
                raise answer
            if answer.decision is not None and opens_case(answer.decision):
                self._begin(answer.decision)

    def _begin(self, decision: Decision) -> None:
        if decision.lane == "rescue":
            work = self.people.rescue(decision)
        elif decision.lane in ("inspect", "control"):
            work = self.people.inspect(decision, self.month.ways.get(decision.subject_id))
        else:
            work = self.people.check_documents(decision)
        self._take_step(work)

    def _go_on(self) -> None:
        self.clock.now, _, work = heapq.heappop(self.begun)
        self._take_step(work)

    def _take_step(self, work: Work) -> None:
        """Perform the next step of some work, and schedule the one after it."""
        if (wait := next(work, None)) is not None:
            heapq.heappush(self.begun, (self.clock.now + wait, next(self.turns), work))


@dataclass
class _People:
    """The people who work on cases."""

    services: Services
    clock: SetClock
    reviewers: Mapping[str, Reviewer]
    rng: Random = field(default_factory=lambda: Random(SEED))  # noqa: S311 - a story, no secret

    def inspect(self, decision: Decision, way: str | None) -> Work:
        """Judge a case, inspect it and record the result; a second person confirms a finding."""
        case_id, (first, second, third) = decision.case_id, self._drawn()
        yield self._until_first_step()
        self._claim(first, case_id)
        judged = self._first_judgement(decision, way)
        self._do(first, case_id, lambda acting: judge_case(acting, judged))
        yield timedelta(minutes=self.rng.uniform(3, 25))
        if judged == "let_go" and decision.lane == "inspect" and self.rng.random() < LET_GO:
            self._order(first, case_id, CaseAction("release", "Its carrier explained all of it."))
            return
        self._order(first, case_id, CaseAction("inspect"))
        self._mark_reasons(first, decision, way)
        yield self._at_work(self.rng.uniform(1.5, 20))
        found = _found(way, self.rng)
        self._state(first, case_id, found)
        if found.is_adverse:
            yield self._at_work(self.rng.uniform(0.5, 6))
            self._claim(second, case_id)
            self._state(second, case_id, found)
            agreed = Judgement(text="I saw it too.")
            self._do(second, case_id, lambda acting: AGREE.perform(acting, agreed))
        if self.rng.random() < REREAD:
            yield self._at_work(self.rng.uniform(24, 120))
            code = found.code if self.rng.random() < SAME_WHEN_REREAD else "inconclusive"
            self._do(third, case_id, lambda acting: acting.change(reread, code))

    def check_documents(self, decision: Decision) -> Work:
        """Check the documents of a case and record the result."""
        case_id, (officer, _, _) = decision.case_id, self._drawn()
        yield self._until_first_step()
        self._claim(officer, case_id)
        yield timedelta(minutes=self.rng.uniform(2, 15))
        self._order(officer, case_id, CaseAction("check_documents"))
        yield self._at_work(self.rng.uniform(1, 30))
        self._state(officer, case_id, _of_documents(self.rng))

    def rescue(self, decision: Decision) -> Work:
        """Acknowledge the call, and record the outcome for the people."""
        case_id, rescuer = decision.case_id, self.reviewers[RESCUER]
        yield timedelta(minutes=self.rng.uniform(2, 9))
        self.services.rescue_outbox.acknowledge(case_id, rescuer.actor, self.clock.now)
        self._claim(RESCUER, case_id)
        yield timedelta(hours=self.rng.uniform(1, 8))
        self._state(RESCUER, case_id, _became(self.rng))

    def _order(self, who: str, case_id: str, action: CaseAction) -> None:
        self._do(who, case_id, lambda acting: order_action(acting, action))

    def _state(self, who: str, case_id: str, result: CaseResult) -> None:
        self._do(who, case_id, lambda acting: record_result(acting, lambda _: result))

    def _claim(self, who: str, case_id: str) -> None:
        self._do(who, case_id, lambda acting: CLAIM.perform(acting, None))

    def _do(self, who: str, case_id: str, act: Callable[[ActRequest], object]) -> None:
        reviewer = self.reviewers[who]
        # Audit events take their actor from here, as in a call by a signed-in person.
        identify(reviewer.actor)
        act(ActRequest(self.services.cases, reviewer, case_id, self.clock.now))

    def _mark_reasons(self, who: str, decision: Decision, way: str | None) -> None:
        """Judge the leading reason of a decision, in some of the cases."""
        indicators = decision.reasons.indicators if decision.reasons else {}
        if not indicators or self.rng.random() > MARKED:
            return
        leading = max(indicators, key=indicators.__getitem__)
        verdict = "right" if way else self.rng.choice(("right", "wrong", "unclear"))
        mark = ReasonMark.model_validate({"indicator": leading, "verdict": verdict})
        self._do(who, decision.case_id, lambda acting: MARK_REASON.perform(acting, mark))

    def _first_judgement(self, decision: Decision, way: str | None) -> JudgedAs:
        """Return an officer's first judgement: better than chance, but not always right."""
        look = 0.75 if way else 0.2 + 0.5 * min((decision.probability or 0.0) * 4, 1.0)
        draw = self.rng.random()
        if draw < look:
            return "look"
        return "unsure" if draw > 0.9 else "let_go"

    def _drawn(self) -> tuple[str, str, str]:
        first, second, third = self.rng.sample(OFFICERS, 3)
        return first, second, third

    def _until_first_step(self) -> timedelta:
        """Return the time until a first step, day or night; a few cases wait for long."""
        is_left = self.rng.random() < LEFT_LYING
        return timedelta(hours=self.rng.uniform(20, 60) if is_left else self.rng.uniform(0.1, 2))

    def _at_work(self, hours: float) -> timedelta:
        """Return the time for so many hours of work plus the wait for the next office hours."""
        now = self.clock.now
        at = now + timedelta(hours=hours)
        for day, (begins, ends) in product((0, 1), SITTINGS):
            midnight = at.replace(hour=0, minute=0) + timedelta(days=day)
            if at < midnight + timedelta(hours=ends):
                sat_down = max(at, midnight + timedelta(hours=begins))
                return sat_down + timedelta(minutes=self.rng.uniform(0, 60)) - now
        raise AssertionError("somebody sits down on every day")


def _declared_together(to_come: Sequence[Submission], before: datetime) -> list[Submission]:
    """Return the first submissions that can be scored together, because nobody acts in between."""
    until = min(before, to_come[0].declared_at + GATHERED_FOR) if to_come else before
    return [each for each in to_come if each.declared_at < until]


def _found(way: str | None, rng: Random) -> CaseResult:
    """Return the finding of an inspection: most of what is there, never more."""
    state = partial(CaseResult, "inspect", confidence="high")
    if rng.random() < 0.04:
        return state("inconclusive", "could_not_open", text="The seal could not be broken here.")
    if way is None or rng.random() < 0.15:
        return state("nothing_found", "as_declared", text="We opened it: all was as declared.")
    if way in OF_PERSONS:
        return state("persons_found", "persons_hidden", text="People were hidden behind the load.")
    return state("goods_found", "hidden_space", text="Undeclared goods behind a false wall.")


def _of_documents(rng: Random) -> CaseResult:
    """Return the finding of a document check."""
    state = partial(CaseResult, "check_documents", confidence="medium")
    if rng.random() < 0.15:
        return state("documents_irregular", "documents_disagree", text="The weights do not agree.")
    return state("documents_in_order", "documents_complete", text="All came, and they agree.")


def _became(rng: Random) -> CaseResult:
    """Return the outcome of a rescue, reported from the scene."""
    state = partial(CaseResult, "rescue", reason="seen_on_scene", confidence="high")
    if rng.random() < 0.5:
        return state("people_helped", text="All are on shore and cared for.")
    return state(
        "nobody_in_danger",
        text="We went there and counted: fewer were there than declared, and all are well.",
    )


def _as_id(decision: Decision) -> bytes:
    """Return the id, as the answer to a border system."""
    return decision.decision_id.encode()
