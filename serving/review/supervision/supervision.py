"""Supervision of reviewing: load, ages, time per case, and signs of automation bias.

A reviewer who almost always orders what the lane proposes, and fast, may have stopped looking. The
indicators are agreement together with time per case, and how often a second reader, who does not
see the score, comes to the same end.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from features.indicators import INDICATORS
from serving.review.cases.case_records import ActOnCase, CaseAccess, StoredEvent
from serving.review.cases.results import RESULT_MEANING, ResultMeaning
from serving.review.supervision.first_judgements import FirstJudgements
from serving.triage.lane_declarations import QUEUE_RANK
from training.confidence_intervals import Estimate, proportion

if TYPE_CHECKING:
    from serving.storage.repositories.case_load_repository import CaseLoadRepository

WATCHED = timedelta(days=30)

# Above this agreement, and below this median time, the supervisor should talk to the reviewer.
BLIND_TRUST_SHARE, BLIND_TRUST_MINUTES, MIN_CASES = 0.95, 2.0, 20

# Actions that reject the proposal of the lane.
OVERRIDES: dict[str, frozenset[str]] = {
    "inspect": frozenset({"release", "check_documents"}),
    "control": frozenset({"release", "check_documents"}),
    "document_check": frozenset({"release"}),
}
RELEASED = ResultMeaning("it went on without a check", ())
_ASSIGNED = ("assign", "hand_over")
_DECIDED = ("order_action", "propose_action")
# Events that count as a first step with a case.
DECIDING = (*_DECIDED, "state_result", "close")
_ENDED = (*_DECIDED, "state_result", "agree", "disagree", "close")


@dataclass(frozen=True)
class LaneLoad:
    """The number of cases waiting in a lane, and the age of the oldest."""

    lane: str
    waiting: int
    oldest_hours: float


@dataclass(frozen=True)
class ReviewerFigures:
    """One reviewer's figures in the span; `agreement` is None if no lane proposed anything."""

    name: str
    decided: int
    median_minutes: float | None
    overrides: int
    agreement: float | None
    reread: int
    same_when_reread: int

    @property
    def may_trust_blindly(self) -> bool:
        """Return whether high agreement and short time together suggest automation bias."""
        return (
            self.decided >= MIN_CASES
            and (self.agreement or 0) > BLIND_TRUST_SHARE
            and self.median_minutes is not None
            and self.median_minutes < BLIND_TRUST_MINUTES
        )


@dataclass(frozen=True)
class MarkedReason:
    """An indicator whose reasons reviewers marked, with the counts of each verdict.

    `ended` are the cases with a known result in which it held, `found` those of them in which
    something was found; `people` marked it.
    """

    indicator: str
    right: int
    wrong: int
    unclear: int
    ended: int = 0
    found: int = 0
    people: int = 0

    @property
    def words(self) -> str:
        """Return the name of the indicator; its code if this release does not know it."""
        return INDICATORS.get(self.indicator, self.indicator)

    @property
    def held_share(self) -> Estimate:
        """Return the share of clear verdicts by which the reason held, with its 95 % interval."""
        return proportion(self.right, self.right + self.wrong)

    @property
    def found_share(self) -> Estimate:
        """Return the share of known results with a find where it held, with its interval."""
        return proportion(self.found, self.ended)


@dataclass(frozen=True)
class CaseEnd:
    """The result of a case after all necessary persons agreed; the last one counts."""

    case_id: str
    lane: str
    office_id: str | None
    code: str

    @property
    def is_find(self) -> bool | None:
        """Return whether something was found; None if unsettled or not examined."""
        meaning = RESULT_MEANING.get(self.code)  # type: ignore[call-overload]  # as it was stored
        if meaning is None or meaning.label in (None, "inconclusive"):
            return None
        return meaning.label not in ("not_confirmed", "documents_in_order")


@dataclass(frozen=True)
class Supervision:
    """The figures of people's acts in a period, for a supervisor."""

    lanes: tuple[LaneLoad, ...]
    reviewers: tuple[ReviewerFigures, ...]
    reasons: tuple[MarkedReason, ...]
    results: tuple[CaseEnd, ...] = ()
    judgements: FirstJudgements = field(default_factory=FirstJudgements)
    reread: frozenset[str] = frozenset()

    @classmethod
    def from_cases(
        cls,
        store: "CaseLoadRepository",
        access: CaseAccess,
        now: datetime,
        span: tuple[datetime, datetime] | None = None,
    ) -> "Supervision":
        """Return the figures of visible cases for acts in a span, or the last `WATCHED` days.

        Erased acts are left out, since their content is unknown.
        """
        # The end is exclusive, so move it past `now`.
        first, end = span or (now - WATCHED, now + timedelta(microseconds=1))

        def acts_of(*actions: str) -> list[ActOnCase]:
            acts = store.acts_between(actions, (first, end), access)
            return [act for act in acts if not act.event.is_erased]

        # One query: the tally depends on the common order of these acts.
        acts = acts_of(*_ASSIGNED, *_ENDED, "reread")
        results = tuple(_results(acts))
        counted = _Acts()
        for act in acts:
            counted.count(act.event, act.lane)
        return cls(
            tuple(_loads(store, access, now)),
            tuple(_reviewers(counted)),
            tuple(_marked((act.event for act in acts_of("mark_reason")), results)),
            results,
            FirstJudgements.from_acts(acts_of("judge_blind")),
            frozenset(act.event.case_id for act in acts if act.event.action == "reread"),
        )


def _loads(store: "CaseLoadRepository", access: CaseAccess, now: datetime) -> Iterator[LaneLoad]:
    oldest = store.oldest_waiting(access, now)
    for lane, waiting in store.count_waiting(QUEUE_RANK, access, now).items():
        if not waiting:
            continue
        age = (now - oldest[lane]) / timedelta(hours=1)
        yield LaneLoad(lane, waiting, age)


@dataclass
class _Tally:
    decided: int = 0
    proposed: int = 0
    overrides: int = 0
    reread: int = 0
    same: int = 0

    def count(self, lane: str, code: str) -> None:
        self.decided += 1
        self.proposed += lane in OVERRIDES
        self.overrides += code in OVERRIDES.get(lane, ())


@dataclass
class _Acts:
    """A tally of reviewers' acts; `ended` maps a case to its last author and end.

    `reread` holds who has reread a case since that end.
    """

    names: dict[str, str] = field(default_factory=dict)
    tallies: dict[str, _Tally] = field(default_factory=lambda: defaultdict(_Tally))
    minutes: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    assigned: dict[tuple[str, str], datetime] = field(default_factory=dict)
    ended: dict[str, tuple[str, str]] = field(default_factory=dict)
    reread: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def count(self, event: StoredEvent, lane: str) -> None:
        """Count the next act; acts must come in order."""
        changed = json.loads(event.changed)
        owner = _new(changed, "owner")
        # An owner of their own act claimed the case with it, which starts the clock as well.
        if owner is not None and (event.action in _ASSIGNED or owner["identity"] == event.actor):
            self.assigned[event.case_id, owner["identity"]] = event.at
        if event.action == "reread":
            self._add_reread(event)
        elif event.action not in _ASSIGNED:
            self._add_decision(event, lane, changed)

    def _add_reread(self, event: StoredEvent) -> None:
        is_first = event.actor not in self.reread[event.case_id]
        self.reread[event.case_id].add(event.actor)
        if event.case_id in self.ended and is_first:
            by, code = self.ended[event.case_id]
            self.tallies[by].reread += 1
            self.tallies[by].same += _is_same(code, event.text)

    def _add_decision(self, event: StoredEvent, lane: str, changed: dict[str, Any]) -> None:
        who, at = event.actor, event.at
        self.names[who] = event.by.shown
        if event.action in _DECIDED:
            self.tallies[who].count(lane, _action(changed))
            if (began := self.assigned.get((event.case_id, who))) is not None:
                self.minutes[who].append((at - began) / timedelta(minutes=1))
        if (end := _end(changed)) is not None:
            self.ended[event.case_id] = who, end
            # A new end needs new readings.
            self.reread.pop(event.case_id, None)


def _results(acts: Iterable[ActOnCase]) -> Iterable[CaseEnd]:
    """Return the newest result of each case that has one."""
    ends: dict[str, CaseEnd] = {}
    for act in acts:
        result = _new(json.loads(act.event.changed), "result")
        if result is not None:
            case_id = act.event.case_id
            ends[case_id] = CaseEnd(case_id, act.lane, act.office_id, str(result["code"]))
    return ends.values()


def _reviewers(acts: "_Acts") -> Iterator[ReviewerFigures]:
    for who, tally in sorted(acts.tallies.items(), key=lambda each: acts.names[each[0]]):
        yield _figures(acts.names[who], tally, acts.minutes[who])


def _figures(name: str, tally: _Tally, minutes: list[float]) -> ReviewerFigures:
    return ReviewerFigures(
        name=name,
        decided=tally.decided,
        median_minutes=median(minutes) if minutes else None,
        overrides=tally.overrides,
        agreement=1 - tally.overrides / tally.proposed if tally.proposed else None,
        reread=tally.reread,
        same_when_reread=tally.same,
    )


def _new(changed: dict[str, Any], field: str) -> Any:
    """Return the new value of a field; None if it did not change."""
    return (changed.get(field) or (None, None))[1]


def _action(changed: dict[str, Any]) -> str:
    """Return the kind of action that was ordered or proposed; empty if none."""
    said = _new(changed, "action") or (_new(changed, "proposal") or {}).get("action") or {}
    return str(said.get("kind", ""))


def _end(changed: dict[str, Any]) -> str | None:
    """Return the end that an act gives a case or proposes; None if it gives none."""
    result = _new(changed, "result") or (_new(changed, "proposal") or {}).get("result")
    if result is not None:
        return str(result["code"])
    return "release" if _new(changed, "status") == "closed" else None


def _is_same(code: str, other: str) -> bool:
    """Return whether two ends imply the same label, whatever their wording."""
    one, two = (RESULT_MEANING.get(end, RELEASED) for end in (code, other))  # type: ignore[call-overload]  # a code, as it was stored
    return bool((one.label, one.is_adverse) == (two.label, two.is_adverse))


def _marked(marks: Iterable[StoredEvent], results: Iterable[CaseEnd]) -> list[MarkedReason]:
    """Return indicators by how often they were marked wrong; a person's last mark counts."""
    is_find = {end.case_id: end.is_find for end in results}
    last = {
        (event.case_id, event.actor, indicator): verdict
        for event in marks
        for indicator, _, verdict in [event.text.partition(": ")]
    }
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    held: dict[str, set[str]] = defaultdict(set)
    people: dict[str, set[str]] = defaultdict(set)
    for (case_id, who, indicator), verdict in last.items():
        counts[indicator][verdict] += 1
        people[indicator].add(who)
        if verdict == "right" and is_find.get(case_id) is not None:
            held[indicator].add(case_id)
    marked = [
        MarkedReason(
            name,
            *(c["right"], c["wrong"], c["unclear"]),
            ended=len(held[name]),
            found=sum(bool(is_find[case_id]) for case_id in held[name]),
            people=len(people[name]),
        )
        for name, c in counts.items()
    ]
    return sorted(marked, key=lambda each: (-each.wrong, each.indicator))
