"""How reviewing goes: load, ages, time on cases, and whether people still think for themselves.

A reviewer who nearly always does what the lane proposes, and fast, may have stopped looking. What
tells is agreement beside time on the case, and how often a second reader, who does not see the
score, comes to the same end.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from serving.review.case_records import CaseAccess, CaseStore, StoredEvent
from serving.review.dispositions import MEANING
from serving.review.queue_rank import QUEUE_RANK

WATCHED = timedelta(days=30)

# Agreement this high in less than this time on half of the cases calls for a talk.
BLIND_TRUST_SHARE, BLIND_TRUST_MINUTES, FEWEST_CASES = 0.95, 2.0, 20

# Ends that leave undone what the lane proposed.
OVERRIDES: dict[str, frozenset[str]] = {
    "inspect": frozenset({"released_without_check", "no_finding_after_document_check"}),
    "control": frozenset({"released_without_check", "no_finding_after_document_check"}),
    "document_check": frozenset({"released_without_check"}),
}


@dataclass(frozen=True)
class LaneLoad:
    """What waits in a lane, and since when the oldest does."""

    lane: str
    waiting: int
    oldest_hours: float


@dataclass(frozen=True)
class ReviewerFigures:
    """One reviewer in the time watched; `agreement` is None where no lane proposed anything."""

    name: str
    disposed: int
    median_minutes: float | None
    overrides: int
    agreement: float | None
    reread: int
    same_when_reread: int

    @property
    def may_trust_blindly(self) -> bool:
        """Whether agreement and haste together call for a talk."""
        return (
            self.disposed >= FEWEST_CASES
            and (self.agreement or 0) > BLIND_TRUST_SHARE
            and self.median_minutes is not None
            and self.median_minutes < BLIND_TRUST_MINUTES
        )


@dataclass(frozen=True)
class MarkedReason:
    """An indicator whose reasons reviewers judged."""

    indicator: str
    right: int
    wrong: int
    unclear: int


@dataclass(frozen=True)
class Supervision:
    """Everything a supervisor sees of the last thirty days."""

    lanes: tuple[LaneLoad, ...]
    reviewers: tuple[ReviewerFigures, ...]
    reasons: tuple[MarkedReason, ...]

    @classmethod
    def from_cases(cls, store: CaseStore, access: CaseAccess, now: datetime) -> "Supervision":
        """The figures of the cases that may be seen."""
        since = (now - WATCHED).isoformat()
        acts = store.events_since(("claim", "dispose", "reread"), since, access)
        marks = (event for event, _ in store.events_since(("mark_reason",), since, access))
        return cls(
            tuple(_loads(store, access, now)), tuple(_reviewers(acts)), tuple(_marked(marks))
        )


def _loads(store: CaseStore, access: CaseAccess, now: datetime) -> Iterator[LaneLoad]:
    oldest = store.oldest_waiting(access, now.isoformat())
    for lane, waiting in store.count_waiting(QUEUE_RANK, access, now.isoformat()).items():
        if not waiting:
            continue
        age = (now - datetime.fromisoformat(oldest[lane])) / timedelta(hours=1)
        yield LaneLoad(lane, waiting, age)


@dataclass
class _Tally:
    disposed: int = 0
    proposed: int = 0
    overrides: int = 0
    reread: int = 0
    same: int = 0

    def add(self, lane: str, code: str) -> None:
        self.disposed += 1
        self.proposed += lane in OVERRIDES
        self.overrides += code in OVERRIDES.get(lane, ())


def _reviewers(acts: list[tuple[StoredEvent, str]]) -> Iterator[ReviewerFigures]:
    names: dict[str, str] = {}
    tallies: dict[str, _Tally] = defaultdict(_Tally)
    minutes: dict[str, list[float]] = defaultdict(list)
    claimed: dict[tuple[str, str], datetime] = {}
    ended: dict[str, tuple[str, str]] = {}
    for event, lane in acts:
        at = datetime.fromisoformat(event.at)
        names[event.actor] = event.by.shown
        if event.action == "claim":
            claimed[event.case_id, event.actor] = at
        elif event.action == "dispose":
            code = _code(json.loads(event.changed))
            tallies[event.actor].add(lane, code)
            ended[event.case_id] = event.actor, code
            if (began := claimed.get((event.case_id, event.actor))) is not None:
                minutes[event.actor].append((at - began) / timedelta(minutes=1))
        elif event.case_id in ended:
            by, code = ended[event.case_id]
            tallies[by].reread += 1
            tallies[by].same += _is_same(code, event.text)
    for who, tally in sorted(tallies.items(), key=lambda each: names[each[0]]):
        yield _figures(names[who], tally, minutes[who])


def _figures(name: str, tally: _Tally, minutes: list[float]) -> ReviewerFigures:
    return ReviewerFigures(
        name=name,
        disposed=tally.disposed,
        median_minutes=median(minutes) if minutes else None,
        overrides=tally.overrides,
        agreement=1 - tally.overrides / tally.proposed if tally.proposed else None,
        reread=tally.reread,
        same_when_reread=tally.same,
    )


def _code(changed: dict[str, Any]) -> str:
    """What a disposition said, whether it ended the case or was proposed."""
    change = changed.get("disposition") or changed["proposed"]
    return str(change[1]["code"])


def _is_same(code: str, other: str) -> bool:
    """Whether two ends say the same of the subject, whatever their words."""
    one, two = MEANING[code], MEANING[other]  # type: ignore[index]  # a code, as it was stored
    return (one.result, one.is_adverse) == (two.result, two.is_adverse)


def _marked(marks: Iterable[StoredEvent]) -> list[MarkedReason]:
    """Indicators by how often their reasons were judged wrong; the last word of each counts."""
    last = {
        (event.case_id, event.actor, indicator): verdict
        for event in marks
        for indicator, _, verdict in [event.text.partition(": ")]
    }
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for (_, _, indicator), verdict in last.items():
        counts[indicator][verdict] += 1
    marked = [
        MarkedReason(name, c["right"], c["wrong"], c["unclear"]) for name, c in counts.items()
    ]
    return sorted(marked, key=lambda each: (-each.wrong, each.indicator))
