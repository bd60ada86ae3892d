"""Verdicts of gates on a model: passed, refused, or undecided.

verdicts.json   next to a promoted model: the verdicts of all gates at its promotion
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from features.errors import in_own_words
from training.errors import ArtefactError
from training.model.counted_cases import CountedCases
from training.model.model_pointer import marked

Answer = Literal["passed", "refused", "undecided"]
VERDICTS = "verdicts.json"


@dataclass(frozen=True)
class Verdict:
    """A gate's answer; `reason` states what was measured and what was required.

    An undecided gate measured too little; its reason states what would be enough, and it lets
    nothing through unless the profile in `not_required_in` does without it. A waived gate has not
    passed, but stops nothing; `reason` then ends with the person accountable. `cases` are those
    that the gate decides from, if it counts any.
    """

    gate: str
    verdict: Answer
    reason: str
    is_waived: bool = False
    not_required_in: str | None = None
    cases: CountedCases | None = None

    @property
    def is_open(self) -> bool:
        """True if a model may pass."""
        is_excused = self.verdict == "undecided" and self.not_required_in is not None
        return self.verdict == "passed" or self.is_waived or is_excused

    @property
    def answer(self) -> str:
        """The verdict with a mark, such as `undecided, waived` or `…, not required in a trial`."""
        return marked(self.verdict, self.not_required_in, is_waived=self.is_waived)

    @property
    def as_json(self) -> dict[str, Any]:
        """The verdict as JSON values."""
        values: dict[str, Any] = TypeAdapter(Verdict).dump_python(self, mode="json")
        return values

    def in_words(self, at: datetime) -> str:
        """Return the reason, with the cases that are known and needed as of `at`."""
        if self.cases is None:
            return self.reason
        return f"{self.reason}; {self.cases.in_words(self.verdict, at)}"

    def waived(self, in_words: str) -> "Verdict":
        """Return the verdict as waived; a gate that passed needs no waiver."""
        if self.verdict == "passed":
            return self
        return replace(self, is_waived=True, reason=f"{self.reason}; {in_words}")


def passed_if(is_met: bool) -> Answer:
    """Return passed if a gate's condition is met, else refused."""
    return "passed" if is_met else "refused"


def write_verdicts(folder: Path, verdicts: Iterable["Verdict"]) -> None:
    """Store all verdicts next to the model in `folder`."""
    content = json.dumps([verdict.as_json for verdict in verdicts], indent=1)
    (folder / VERDICTS).write_text(content + "\n", encoding="utf-8")


def read_verdicts(folder: Path) -> tuple[Verdict, ...]:
    """Return the verdicts at a model's promotion; empty if it was never promoted.

    Raises ArtefactError.
    """
    file = folder / VERDICTS
    if not file.is_file():
        return ()
    try:
        return TypeAdapter(tuple[Verdict, ...]).validate_json(file.read_bytes())
    except ValidationError as error:
        raise ArtefactError(f"{file}: {in_own_words(error.errors()[0]['msg'])}") from None
