"""Whether a demonstration says only what is true: 520 decisions and all letters about them.

    python -m tests.true_decisions HOME

HOME is what `tidegate demo --once` left; the decisions are made in a copy, under a plan with rules
and a watch-list. It prints how many came to each lane and why, and how many slips were found.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any

from serving.app import utc_now
from serving.audit.decision import Decision
from serving.container import Clock
from serving.review.cases.case_summary import SELECTED_AT_RANDOM, describe_lane
from serving.review.letters.letter import Letter
from serving.triage.triage_plan import TriagePlan
from tests.demo_decisions import explained_decisions, lay_down_plan, serving
from tests.true_letters import letters_about, untrue_in_letter
from tests.true_reasons import LABEL, RATE, untrue_reasons
from tests.true_words import (
    COMMON,
    DIGITS,
    FEW,
    LEADS,
    NOT_SHOWN,
    OUTWEIGHS,
    RANGE,
    UNCHECKED,
    untrue_words,
)

AFTER = timedelta(hours=1)
KINDS = (NOT_SHOWN, LEADS, OUTWEIGHS, DIGITS, RANGE, COMMON, FEW, UNCHECKED)


@dataclass(frozen=True)
class Said:
    """What was said of the decisions: answers, the decisions as logged, and their letters."""

    answers: list[dict[str, Any]]
    letters: list[tuple[Decision, Letter]]
    lanes: Counter[str] = field(default_factory=Counter)
    published: Mapping[str, str | None] = field(default_factory=dict)
    reasons_in_queue: list[tuple[Decision, str]] = field(default_factory=list)

    def untrue_reasons(self) -> Iterator[str]:
        """What is untrue in reasons, whatever it is."""
        for answer in self.answers:
            yield from untrue_reasons(answer)

    def untrue_words(self) -> Iterator[str]:
        """What is said wrongly of signs, leads, rests, digits and estimates."""
        for answer in self.answers:
            yield from untrue_words(answer)

    def invented_reasons(self) -> Iterator[str]:
        """Cases that were selected at random and are given another reason in the queue."""
        for decision, why in self.reasons_in_queue:
            if (decision.lane_reason == "random") != (why == SELECTED_AT_RANDOM):
                yield f"{decision.subject_id}, selected by {decision.lane_reason}: {why}"

    def untrue_letters(self) -> Iterator[str]:
        """What letters say that did not select."""
        for decision, letter in self.letters:
            for fault in untrue_in_letter(decision, letter, self.published):
                yield f"{decision.subject_id}, to the {letter.audience}: {fault}"


def said_of(home: Path, clock: Clock = utc_now) -> Said:
    """Score the newest subjects of a home by a clock, end all cases, and write every letter.

    The home is changed: give a copy.
    """
    lay_down_plan(home)
    with serving(home, clock) as service:
        answers = [*explained_decisions(home, service)]
        letters, lanes, queued = [], Counter[str](), []
        for answer in answers:
            record = service.services.decisions.record(answer["decision_id"])
            decision = Decision.model_validate_json(record or "")
            about = letters_about(service.services, decision, decision.scored_at + AFTER)
            queued.append((decision, describe_lane(decision)))
            letters += [(decision, letter) for letter in about]
            lanes[f"{decision.subject_kind} {decision.lane} {decision.lane_reason}"] += 1
    plan = TriagePlan.read(home / "lanes.toml")
    published = {f"rule “{rule.name}”: {rule.reason}": rule.published for rule in plan.rules}
    return Said(answers, letters, lanes, published, queued)


def figures(said: Said) -> dict[str, int]:
    """The figures, in words."""
    reasons = [*said.untrue_reasons()]
    labels = [fault for fault in reasons if LABEL in fault]
    rates = [fault for fault in reasons if RATE in fault]
    words = [*said.untrue_words()]
    return {
        "decisions": len(said.answers),
        "reasons": sum(len(answer["reasons"]) for answer in said.answers),
        "reasons that are missing, on the harmless side or of nothing known": len(reasons)
        - len(labels)
        - len(rates),
        "labels that do not fit": len(labels),
        "rates of keys that were never inspected": len(rates),
        "cards called a sign that their value does not show": _count(words, NOT_SHOWN),
        "cards headed by what is missing": _count(words, LEADS),
        "rests larger than a named part": _count(words, OUTWEIGHS),
        "sentences with more than two digits": _count(words, DIGITS),
        "estimates outside of their range": _count(words, RANGE),
        "reasons as common as one in ten": _count(words, COMMON),
        "reasons of fewer than five events": _count(words, FEW),
        "reasons without a check": _count(words, UNCHECKED),
        "other slips of words": len([w for w in words if not any(k in w for k in KINDS)]),
        "random selections with another reason": len([*said.invented_reasons()]),
        "letters": len(said.letters),
        "letters with a reason that did not select": len([*said.untrue_letters()]),
    }


def _count(faults: list[str], kind: str) -> int:
    return sum(kind in fault for fault in faults)


def main() -> None:
    """Print the figures, and how many decisions came to each lane and why."""
    with TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        copytree(sys.argv[1], home)
        said = said_of(home)
    said_wrongly = (*said.untrue_words(), *said.invented_reasons())
    for fault in (*said.untrue_reasons(), *said_wrongly, *said.untrue_letters()):
        sys.stderr.write(f"{fault}\n")
    for what, count in (*sorted(said.lanes.items()), *figures(said).items()):
        sys.stdout.write(f"{count:>7,}  {what}\n")


if __name__ == "__main__":
    main()
