"""Checks the log against the newest checkpoint of every source, before serving and on demand.

A log that was rolled back, cut off or rewritten is not served as whole. There are two remedies: the
newer copy is found and installed, or this copy is a lawful restore, which begins an epoch.
"""

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from features.errors import TidegateError
from serving.access.actors import Actor
from serving.integrity.audit_log import AuditEvent
from serving.integrity.checkpoints import Checkpoint, EpochBeginning
from serving.integrity.hash_chain import CHAINS, EMPTY, ChainHeads, LogHead
from serving.integrity.witness_comparison import (
    DATABASE,
    CheckpointVerdict,
    DatabaseView,
    WitnessReadings,
    judge,
)
from serving.integrity.witness_lines import WitnessLines, read_witness_lines
from serving.integrity.witnesses import Witness

if TYPE_CHECKING:
    from serving.storage.repositories.checkpoint_repository import CheckpointRepository

# The time a start waits for all witnesses together; `verify-log` waits for each.
WAITED_S = 3.0

WAYS_ON = (
    "Find the newer copy of the database and put it in its place. Where this copy was restored on "
    "purpose, say so: `tidegate verify-log --begin-epoch --because WHY` begins an epoch that names "
    "what is lost. Where this home served another database before, carry its log over"
)


@dataclass(frozen=True)
class WitnessReport:
    """The findings about a witness: the number of its newest checkpoint, None if unknown.

    `failure` is the reason it could not be asked; empty if it was, or if it cannot be read at all.
    """

    name: str
    newest: int | None = None
    torn: int = 0
    failure: str = ""


@dataclass(frozen=True)
class LogCheck:
    """The result of checking a database against its checkpoints and witnesses.

    `heads` are the ends of its chains at the time of the check.
    """

    verdict: CheckpointVerdict
    witnesses: tuple[WitnessReport, ...]
    newest_number: int
    heads: ChainHeads

    @property
    def why(self) -> str | None:
        """Return the first contradiction, or None."""
        found = self.verdict.contradictions
        return found[0].why if found else None

    def require_whole(self) -> None:
        """Raise TidegateError with the contradiction and the remedies."""
        if self.why is not None:
            raise TidegateError(f"the log is not what its checkpoints say: {self.why}. {WAYS_ON}")


def check_log(
    store: "CheckpointRepository",
    witnesses: Sequence[Witness],
    public_keys: Mapping[str, str],
    *,
    by_newest: bool,
) -> LogCheck:
    """Check a log against its checkpoints: all, or with `by_newest` the newest of each source.

    Only the links that checkpoints name are read, not the records in between. A witness that cannot
    be asked is reported and contradicts nothing; with `by_newest` so is a slow one.
    """
    view = store.view()
    heads = view.chains.heads()
    testimonies = WitnessReadings(public_keys)
    reports = []
    for witness, (report, found) in zip(witnesses, _all_asked(witnesses, by_newest), strict=True):
        lines = found.lines[-1:] if by_newest else found.lines
        testimonies.add(f"the witness {witness.name}", lines, [] if by_newest else found.damaged)
        reports.append(report)
    stored = store.newest_lines() if by_newest else store.lines()
    # The database must have what a witness has, line by line.
    if by_newest:
        numbers = {each.checkpoint.number for each in testimonies.signed if each.checkpoint.number}
        stored += [line for number in sorted(numbers) if (line := store.line(number))]
    testimonies.add(DATABASE, dict.fromkeys(stored))
    verdict = judge(view, testimonies)
    return LogCheck(verdict, tuple(reports), view.newest_number, heads)


def _all_asked(
    witnesses: Sequence[Witness], by_newest: bool
) -> list[tuple[WitnessReport, WitnessLines]]:
    """Return the reports of all witnesses, asked in parallel.

    With `by_newest`, slow witnesses are waited for only briefly.
    """
    answers: list[Future[tuple[WitnessReport, WitnessLines]]] = [Future() for _ in witnesses]
    for answer, witness in zip(answers, witnesses, strict=True):
        given = (answer, witness, by_newest)
        # A daemon thread: a witness that hangs must not keep the process from ending.
        threading.Thread(target=_answer, args=given, daemon=True).start()
    heard, _ = wait(answers, WAITED_S if by_newest else None)
    return [
        answer.result() if answer in heard else (_unheard(witness), WitnessLines())
        for answer, witness in zip(answers, witnesses, strict=True)
    ]


def _answer(
    answer: Future[tuple[WitnessReport, WitnessLines]], witness: Witness, by_newest: bool
) -> None:
    try:
        answer.set_result(_asked(witness, by_newest))
    # Raised to the caller of `result`.
    except Exception as failure:
        answer.set_exception(failure)


def _unheard(witness: Witness) -> WitnessReport:
    return WitnessReport(witness.name, failure=f"did not answer within {WAITED_S:g} seconds")


def _asked(witness: Witness, by_newest: bool) -> tuple[WitnessReport, WitnessLines]:
    try:
        content = witness.newest() if by_newest else witness.everything()
        found = None if content is None else read_witness_lines(content)
    except OSError as failure:
        why = failure.strerror or type(failure).__name__
        return WitnessReport(witness.name, failure=f"cannot be asked ({why})"), WitnessLines()
    if found is None:
        return WitnessReport(witness.name), WitnessLines()
    return WitnessReport(witness.name, _newest_number(found.lines), found.torn), found


def _newest_number(lines: Sequence[str]) -> int:
    """Return the number of the last line, unverified; 0 if there is none."""
    return max(_numbers(lines[-1:]), default=0)


def _numbers(lines: Iterable[str]) -> Iterable[int]:
    for line in lines:
        try:
            yield Checkpoint.from_json(line).number
        except ValueError:
            continue


@dataclass(frozen=True)
class EpochRequest:
    """The person who installs an older copy, the reason and the time."""

    actor: Actor
    because: str
    at: datetime


def begin_epoch(
    store: "CheckpointRepository", check: LogCheck, key: Ed25519PrivateKey, request: EpochRequest
) -> Checkpoint:
    """Begin the next epoch after a restore, recorded and signed; return its first checkpoint.

    It names the last heads of the former epoch, and so the lost entries. `check` must cover the
    checkpoints of every witness: one that could not be asked may know of more, and contradicts the
    log later. Entries written after the check belong to the new epoch. The caller delivers the
    checkpoint to the witnesses.
    """
    view = store.view()
    begun = _beginning(view, check, request)
    # Above every epoch known to a witness, which may have seen one that this copy lacks.
    epoch = 1 + max((each.checkpoint.epoch for each in check.verdict.own), default=1)
    first = Checkpoint(
        number=begun.former_number + 1,
        epoch=epoch,
        heads={},
        database_id=view.database_id,
        signed_at=request.at.isoformat(),
        key_id="",
        begun=begun,
    )
    told = {
        "because": begun.because,
        "lost": {chain: list(rows) for chain, rows in begun.lost.items()},
    }
    event = AuditEvent(request.at, request.actor, "begin_epoch", "log", str(epoch), told)
    return store.begin(first, event, key)


def _beginning(view: DatabaseView, check: LogCheck, request: EpochRequest) -> EpochBeginning:
    former: dict[str, LogHead] = {}
    kept: dict[str, int] = {}
    for chain in CHAINS:
        marks = check.verdict.marks.get(chain, ())
        kept[chain] = _kept(view, chain, check.heads, marks)
        ends = [*marks, LogHead(kept[chain], check.heads.get(chain, EMPTY).head)]
        former[chain] = max(ends, key=lambda head: head.size)
    numbers = [each.checkpoint.number for each in check.verdict.own]
    return EpochBeginning(
        by=request.actor.identity,
        because=request.because,
        kept=kept,
        former=former,
        kept_number=view.newest_number,
        former_number=max([view.newest_number, view.handed_over, *numbers]),
        kept_epoch=_kept_epoch(check.verdict.beginnings),
    )


def _kept_epoch(beginnings: Collection[int]) -> int:
    """Return the last epoch of the copy that no gap precedes."""
    return next(epoch for epoch in count(1) if epoch + 1 not in beginnings)


def _kept(view: DatabaseView, chain: str, heads: ChainHeads, marks: Sequence[LogHead]) -> int:
    """Return the last unchanged row: the chain's end, or the mark before the first wrong one."""
    size, verified = heads.get(chain, EMPTY).size, 0
    links = view.chains.links(chain, {mark.size for mark in marks})
    for mark in sorted(marks, key=lambda mark: mark.size):
        if mark.size > size:
            break
        if links.get(mark.size) != mark.head:
            return verified
        verified = mark.size
    return size
