"""What every gate said at the promotion of a model: `verdicts.json` beside its artefact."""

from pathlib import Path
from typing import Literal

import structlog
from pydantic import BaseModel, TypeAdapter, ValidationError

log = structlog.get_logger(__name__)


class GateVerdict(BaseModel):
    """One gate's verdict; `is_waived` where people answer for a gate that is not passed."""

    gate: str
    verdict: Literal["passed", "refused", "undecided"]
    reason: str
    is_waived: bool

    @property
    def answer(self) -> str:
        """The verdict, and whether it was waived: `undecided, waived`."""
        return f"{self.verdict}, waived" if self.is_waived else self.verdict


def gate_verdicts(folder: Path) -> tuple[GateVerdict, ...]:
    """The verdicts on the model in `folder`; empty where it was promoted without any, or never."""
    try:
        content = (folder / "verdicts.json").read_bytes()
        return TypeAdapter(tuple[GateVerdict, ...]).validate_json(content)
    except FileNotFoundError:
        return ()
    except (OSError, ValidationError) as error:
        log.warning("verdicts_unreadable", folder=str(folder), reason=str(error))
        return ()
