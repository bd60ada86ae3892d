"""Messages as others publish them, read one by one: what becomes of each, counted by standard.

A sample whose name says so is meant to be refused. Samples of our own are in `samples`; those that
somebody laid beside the project are tried too.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from features.errors import MessageRefused
from features.messages.conversion import Conversion
from features.messages.formats import FORMATS, convert_message
from features.messages.id_templates import IdTemplate
from features.messages.options import Options

ROOT = Path(__file__).parents[2]
OWN = Path(__file__).parent / "samples"
BESIDE = ROOT.parent / "shared" / "data" / "messages"

MEANT_TO_BE_REFUSED = re.compile(r"wrong|invalid|noModeCode|Mismatch")
NO_SAMPLES = re.compile(r"(README|LICENSE|COPYING)\b.*", re.IGNORECASE)
WHEN = datetime(2026, 12, 1, tzinfo=UTC)


class AnyReference(IdTemplate):
    """Finds an id in any reference, so that all fields of a payment are tried."""

    def find(self, reference: str) -> str | None:
        """Return the first word that may be an id."""
        found = re.search(r"AC\d+|[A-Za-z0-9][A-Za-z0-9._:/-]*", reference)
        return found[0] if found else None


OPTIONS = Options(
    key=b"conformance" * 3,
    received_at=WHEN,
    heard_at=WHEN,
    shipment_pattern=AnyReference("any"),
)


@dataclass(frozen=True)
class Tried:
    """One sample, and what became of it."""

    file: Path
    standard: str
    outcome: Conversion | MessageRefused

    @property
    def is_meant_to_be_refused(self) -> bool:
        """Whether its name says that it is wrong."""
        return bool(MEANT_TO_BE_REFUSED.search(self.file.name))

    @property
    def is_as_meant(self) -> bool:
        """Whether it was read or refused as it was meant to be."""
        return self.is_meant_to_be_refused == isinstance(self.outcome, MessageRefused)


@dataclass
class Row:
    """The figures of one standard."""

    valid: int = 0
    read: int = 0
    wrong: int = 0
    refused: int = 0
    records: Counter[str] = field(default_factory=Counter)
    fields_used: int = 0
    left_over: int = 0
    withheld: int = 0
    records_refused: Counter[str] = field(default_factory=Counter)

    def add(self, tried: Tried) -> None:
        """Count one sample."""
        self.wrong += tried.is_meant_to_be_refused
        self.valid += not tried.is_meant_to_be_refused
        if isinstance(tried.outcome, MessageRefused):
            self.refused += tried.is_meant_to_be_refused
            return
        self.read += not tried.is_meant_to_be_refused
        self.records.update(tried.outcome.count_of_records())
        self.fields_used += sum(len(each.fields) for each in tried.outcome.records)
        self.left_over += len(tried.outcome.left_over)
        self.withheld += len(tried.outcome.withheld)
        for each in tried.outcome.refused:
            self.records_refused.update(f"{each.record_type}: {why}" for why in each.reasons)


def samples(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every sample below a folder, by the standard whose folder it is in."""
    for name in FORMATS:
        files = sorted((folder / name).glob("*"))
        yield from ((name, file) for file in files if not NO_SAMPLES.fullmatch(file.name))


def tried(folder: Path) -> Iterator[Tried]:
    """Every sample, tried."""
    for name, file in samples(folder):
        try:
            outcome: Conversion | MessageRefused = convert_message(name, file.read_bytes(), OPTIONS)
        except MessageRefused as refusal:
            outcome = refusal
        yield Tried(file, name, outcome)
