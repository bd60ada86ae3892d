"""Compares the chains of a database with its checkpoints, wherever those are stored.

Every checkpoint is a mark: at that size the chain had that link. A chain shorter than a mark was
cut off or is an older copy; one with another link was rewritten. A lawful restore begins an epoch
whose first checkpoint names the entries lost. Marks of earlier epochs beyond that point are
explained by it; all others are contradictions.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from serving.integrity.checkpoints import Checkpoint, EpochBeginning
from serving.integrity.hash_chain import AUDIT_EVENTS, CHAINS, DECISIONS, LogHead

if TYPE_CHECKING:
    from serving.storage.repositories.checkpoint_repository import CheckpointRepository

DATABASE = "the database"


@dataclass(frozen=True)
class WitnessReading:
    """A checkpoint signed by this log's key, and its source."""

    checkpoint: Checkpoint
    source: str


@dataclass(frozen=True)
class Mismatch:
    """A contradiction to a checkpoint; `record` is the first wrong row, if known."""

    why: str
    chain: str | None = None
    record: int | None = None


@dataclass(frozen=True)
class CheckpointVerdict:
    """The result; `beginnings` are the first checkpoints of epochs after the first.

    `own` are the checkpoints of this database, `foreign` counts those of others. `marks` are the
    heads that the chains must have had; `explained` counts those lost by a lawful restore.
    """

    contradictions: tuple[Mismatch, ...]
    own: tuple[WitnessReading, ...]
    marks: Mapping[str, Sequence[LogHead]]
    epoch: int
    beginnings: Mapping[int, Checkpoint]
    explained: int = 0
    foreign: int = 0

    @property
    def checked(self) -> int:
        """Return the number of distinct checkpoints that were checked."""
        return len({each.checkpoint.signature for each in self.own})


@dataclass(frozen=True)
class DatabaseView:
    """The state of the database that its checkpoints are compared with.

    `newest_number` is that of its last checkpoint, 0 without one; `gaps` are the numbers before and
    after each run of missing rows; `handed_over` is the last checkpoint known to be delivered to a
    witness, -1 without one.
    """

    chains: "CheckpointRepository"
    database_id: str
    newest_number: int
    gaps: Sequence[tuple[int, int]] = ()
    handed_over: int = -1


@dataclass
class WitnessReadings:
    """Checkpoints by source, with those of an invalid signature reported separately.

    `public_keys` are the lines of `log.pub` by key id.
    """

    public_keys: Mapping[str, str]
    signed: list[WitnessReading] = field(default_factory=list)
    contradictions: list[Mismatch] = field(default_factory=list)
    _known: dict[str, Checkpoint] = field(default_factory=dict)

    def add(self, source: str, lines: Iterable[str], damaged: Sequence[int] = ()) -> None:
        """Add the lines of a source; `damaged` numbers the lines whose checksum is wrong."""
        for number, line in enumerate(lines, start=1):
            try:
                # Sources mostly hold the same lines, so each signature is verified once.
                if line not in self._known:
                    self._known[line] = self._verified(line)
                self.signed.append(WitnessReading(self._known[line], source))
            except ValueError as refusal:
                self.contradictions.append(Mismatch(f"{source}: line {number} {refusal}"))
        for number in damaged:
            why = f"{source}: line {number} was changed: its checksum does not hold"
            self.contradictions.append(Mismatch(why))

    def _verified(self, line: str) -> Checkpoint:
        changed = "was not signed by this log's key, or was changed"
        if not self.public_keys:
            raise ValueError("is a checkpoint, and there is no key to verify it with")
        try:
            checkpoint = Checkpoint.from_json(line)
            public = self.public_keys[checkpoint.key_id]
            if not checkpoint.is_signed_by(public):
                raise ValueError("another key, or another checkpoint")
        except (KeyError, TypeError, ValueError):
            raise ValueError(changed) from None
        return checkpoint


def judge(view: DatabaseView, testimonies: WitnessReadings) -> CheckpointVerdict:
    """Compare the chains of a database with all known checkpoints."""
    own, foreign = _of_this_database(view, testimonies.signed)
    stored = [each.checkpoint for each in own if each.source == DATABASE]
    epoch = max((each.epoch for each in stored), default=1)
    beginnings = {each.epoch: each for each in stored if each.begun}
    found = [*testimonies.contradictions, *_epochs(own, epoch, beginnings)]
    marks = _Marks(view.chains, beginnings, epoch)
    for chain in CHAINS:
        found += marks.contradictions(chain, own)
    found += _numbers(view, own, stored, beginnings)
    # Deleting every checkpoint must not look like a database that never had any.
    if not own and _had_checkpoints(view, foreign):
        found.append(Mismatch("there are decisions, and no checkpoint is left of any"))
    return CheckpointVerdict(
        tuple(found),
        tuple(own),
        marks.counting,
        epoch,
        dict(sorted(beginnings.items())),
        marks.explained,
        foreign,
    )


def _had_checkpoints(view: DatabaseView, foreign: int) -> bool:
    """Return whether the database has decisions and ran under a release that seals them."""
    heads = view.chains.heads()
    was_sealed = heads[AUDIT_EVENTS].size or foreign or view.handed_over >= 0
    return bool(heads[DECISIONS].size and was_sealed)


def _of_this_database(
    view: DatabaseView, signed: Sequence[WitnessReading]
) -> tuple[list[WitnessReading], int]:
    """Return the checkpoints of this database, and the number of others.

    A database keeps the identities that its own checkpoints give it. Checkpoints without an
    identity could belong to any database, and count.
    """
    names = {each.checkpoint.database_id for each in signed if each.source == DATABASE}
    names |= {"", view.database_id}
    own = [each for each in signed if each.checkpoint.database_id in names]
    return own, len(signed) - len(own)


def _epochs(
    own: Sequence[WitnessReading], epoch: int, beginnings: Mapping[int, Checkpoint]
) -> Iterable[Mismatch]:
    explained = beginnings.keys() | _passed_over(beginnings)
    for missing in sorted({*range(2, epoch + 1)} - explained):
        yield Mismatch(f"the checkpoint that began epoch {missing} is missing")
    later = {each.checkpoint.epoch: each.source for each in own if each.checkpoint.epoch > epoch}
    if later:
        last = max(later)
        yield Mismatch(
            f"{later[last]} knows of epoch {last}, and this database of {epoch}: it is an older "
            "copy"
        )


def _passed_over(beginnings: Mapping[int, Checkpoint]) -> frozenset[int]:
    """Return the epochs begun over other copies, according to the restores of this one."""
    return frozenset(
        epoch
        for begun_at, each in beginnings.items()
        if each.begun and each.begun.kept_epoch is not None
        for epoch in range(each.begun.kept_epoch + 1, begun_at)
    )


def _numbers(
    view: DatabaseView,
    own: Sequence[WitnessReading],
    stored: Sequence[Checkpoint],
    beginnings: Mapping[int, Checkpoint],
) -> Iterable[Mismatch]:
    """Yield checkpoints that the database must have and lacks, or has with other content."""
    explained = {each.begun.kept_number: each.number for each in beginnings.values() if each.begun}
    for before, after in view.gaps:
        if explained.get(before) != after:
            # Numbers may skip where a restore lost checkpoints: the beginning of its epoch says so.
            yield Mismatch(f"checkpoints {before + 1} to {after - 1} are missing")
    passed_over = _passed_over(beginnings)
    known = {
        each.checkpoint.number: each
        for each in own
        # Epochs of other copies reuse numbers, which must not count against this database.
        if each.source != DATABASE and each.checkpoint.epoch not in passed_over
    }
    newest, last = view.newest_number, max([view.handed_over, *known])
    if last > newest:
        who = known[last].source if last in known else "a witness"
        yield Mismatch(f"the last checkpoint is number {newest}, and {who} has number {last}")
    others = {each.number: each for each in stored}
    for number, each in known.items():
        if number in others and each.checkpoint != others[number]:
            yield Mismatch(f"{each.source} has another checkpoint {number} than the database")


class _Marks:
    """Compares chains with marks, and counts the marks that a restore explains."""

    def __init__(
        self, chains: "CheckpointRepository", beginnings: Mapping[int, Checkpoint], epoch: int
    ):
        self._chains = chains
        self._heads = chains.heads()
        self._begun = {number: each.begun for number, each in beginnings.items() if each.begun}
        self._epoch = epoch
        self.counting: dict[str, list[LogHead]] = {}
        self.explained = 0

    def contradictions(self, chain: str, own: Sequence[WitnessReading]) -> Iterable[Mismatch]:
        """Yield marks that a restore lost without saying so, and the first mark a chain lacks."""
        marks: dict[tuple[int, str], str] = {}
        for each in own:
            head = each.checkpoint.heads.get(chain)
            if head is None:
                continue
            restore = self._restore_before(chain, head.size, each.checkpoint.epoch)
            if restore is None:
                marks.setdefault((head.size, head.head), each.source)
            # A witness knows of more entries than the restore stated as lost.
            elif head.size > (last := restore.former[chain].size):
                why = f"a restore said that {last} records were known, and it had {head.size}"
                yield Mismatch(_named(chain, why, each.source), chain, last + 1)
            else:
                self.explained += 1
        yield from self._first_wrong(chain, marks)

    def _restore_before(self, chain: str, size: int, epoch: int) -> EpochBeginning | None:
        """Return the restore that lost the row of a mark; None if all of them kept it."""
        for later in range(epoch + 1, self._epoch + 1):
            begun = self._begun.get(later)
            if begun and size > begun.kept.get(chain, size):
                return begun
        return None

    def _first_wrong(self, chain: str, marks: Mapping[tuple[int, str], str]) -> Iterable[Mismatch]:
        self.counting[chain] = [LogHead(size, head) for size, head in sorted(marks)]
        # Links are read for the marked sizes only; `verify-log` recomputes those in between.
        links = self._chains.links(chain, {size for size, _ in marks})
        for (size, head), source in sorted(marks.items()):
            if size not in links:
                why = f"the log ends here; it had {max(marks)[0]} records"
                record = self._heads[chain].size + 1
            elif links[size] != head:
                verified = max((before for before, _ in marks if before < size), default=0)
                why = f"the log was another: something after record {verified} was changed"
                record = verified + 1
            else:
                continue
            yield Mismatch(_named(chain, why, source), chain, record)
            return


def _named(chain: str, why: str, source: str) -> str:
    return f"{chain.replace('_', ' ')}: {why} (so says {source})"
