"""One gate's answer about a model: passed, refused, or undecided.

verdicts.json   beside a model that was promoted: what every gate said of it then
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from features.errors import in_own_words
from training.errors import ArtefactError

Answer = Literal["passed", "refused", "undecided"]
VERDICTS = "verdicts.json"


@dataclass(frozen=True)
class Verdict:
    """One gate's answer; `reason` says what was measured and what was asked.

    An undecided gate measured too little to say; its reason says what would be enough, and it lets
    nothing through. A waived gate is not passed, but stops nothing; `reason` then ends with who
    answers for it.
    """

    gate: str
    verdict: Answer
    reason: str
    is_waived: bool = False

    @property
    def is_open(self) -> bool:
        """Return whether a model may go through."""
        return self.verdict == "passed" or self.is_waived

    @property
    def answer(self) -> str:
        """The verdict, and whether it was waived: `undecided, waived`."""
        return f"{self.verdict}, waived" if self.is_waived else self.verdict

    def waived(self, in_words: str) -> "Verdict":
        """The same, left open on purpose; a gate that is passed needs no waiver."""
        if self.verdict == "passed":
            return self
        return replace(self, is_waived=True, reason=f"{self.reason}; {in_words}")


def passed_if(is_met: bool) -> Answer:
    """Passed where what a gate asks is met, and refused otherwise."""
    return "passed" if is_met else "refused"


def write_verdicts(folder: Path, verdicts: Iterable["Verdict"]) -> None:
    """Lay what every gate said beside the model in `folder`."""
    content = json.dumps([asdict(verdict) for verdict in verdicts], indent=1)
    (folder / VERDICTS).write_text(content + "\n", encoding="utf-8")


def read_verdicts(folder: Path) -> tuple[Verdict, ...]:
    """Return what every gate said at the promotion of a model; empty where it was never promoted.

    Raises ArtefactError.
    """
    file = folder / VERDICTS
    if not file.is_file():
        return ()
    try:
        return TypeAdapter(tuple[Verdict, ...]).validate_json(file.read_bytes())
    except ValidationError as error:
        raise ArtefactError(f"{file}: {in_own_words(error.errors()[0]['msg'])}") from None
