"""Find the watch-list entries and rules of a plan that match a subject."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from features.identities import declarations, identifiers_of, parties_of
from features.submission import Submission
from serving.triage.lane_declarations import HitLane
from serving.triage.triage_plan import TriagePlan, TriageRule, WatchListEntry


@dataclass(frozen=True)
class Hit:
    """One reason to look other than the score; `words` names the list or rule and its reason."""

    source: Literal["watch_list", "rule"]
    lane: HitLane
    words: str


def find_hits(
    plan: TriagePlan, submission: Submission, vector: Mapping[str, object], at: datetime
) -> list[Hit]:
    """Return every hit, watch-lists first. A rule on a missing value does not match."""
    return [*_watched(plan, submission, at), *_ruled(plan, vector)]


def _watched(plan: TriagePlan, submission: Submission, at: datetime) -> Iterator[Hit]:
    if not plan.watched:
        return
    named = _named_by(submission)
    for entry in plan.watched:
        if (entry.kind, entry.value) in named and (entry.until is None or at < entry.until):
            yield Hit("watch_list", "inspect", _words_of(entry))


def _words_of(entry: WatchListEntry) -> str:
    return f"{entry.kind} {entry.value} is on the list “{entry.list}”: {entry.reason}"


def _named_by(submission: Submission) -> set[tuple[str, str]]:
    """Return the containers, conveyances and companies that a submission names."""
    declared = declarations(submission)
    # Documents name containers too, which the declaration may lack.
    filed = [*declared, *submission.documents]
    return {
        *(("company", party) for party in parties_of(declared)),
        *(("conveyance", conveyance) for conveyance in identifiers_of(declared, "conveyance")),
        *(("container", container) for container in identifiers_of(filed, "container")),
    }


def _ruled(plan: TriagePlan, vector: Mapping[str, object]) -> Iterator[Hit]:
    for rule in plan.rules:
        value = vector.get(rule.feature)
        if isinstance(value, float) and _holds(rule, value):
            yield Hit("rule", rule.lane, f"rule “{rule.name}”: {rule.reason}")


def _holds(rule: TriageRule, value: float) -> bool:
    if rule.above is not None:
        return value > rule.above
    return rule.below is not None and value < rule.below
