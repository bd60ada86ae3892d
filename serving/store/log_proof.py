"""Whether the decision log is whole, by code that shares nothing with the code that writes it.

The chain shows any change, removal, insertion or exchange of records. It cannot show that the end
was cut off, or an older copy of the file put in its place: for that, keep what `prove` said
elsewhere, and hand it back as a `Mark`.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, text

from serving.store.engine import failing_as_unavailable

_COLUMNS = ("decision_id", "scored_at", "subject_kind", "subject_id", "office_id", "caller_id")


@dataclass(frozen=True)
class Mark:
    """How many records a log had, and its head at that size (hexadecimal)."""

    size: int
    head: str


@dataclass(frozen=True)
class Proof:
    """What was found: the log's mark, and the first record that is wrong, with why."""

    mark: Mark
    first_bad: int | None = None
    why: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.why is None


class _Broken(Exception):
    pass


def prove(engine: Engine, earlier: Mark | None = None) -> Proof:
    """Check every record of the log, and that it still begins as `earlier` says."""
    head, size = "00" * 32, 0
    try:
        for size, row in enumerate(_rows(engine), start=1):
            head = _checked(row, size, head)
            if earlier and size == earlier.size and head != earlier.head:
                raise _Broken("the log up to here is not the one that the mark was taken of")
    except _Broken as broken:
        return Proof(Mark(size - 1, head), size, str(broken))
    if earlier and size < earlier.size:
        return Proof(Mark(size, head), size + 1, f"the log ends here; it had {earlier.size}")
    return Proof(Mark(size, head))


def _checked(row: dict[str, Any], expected_seq: int, before: str) -> str:
    """The head after this row; raises _Broken with what is wrong about it."""
    if row["seq"] != expected_seq:
        raise _Broken(f"record {expected_seq} is missing; record {row['seq']} follows")
    content = row["record"].encode("utf-8", "surrogateescape")
    head = hashlib.new("sha256", bytes.fromhex(before) + content).hexdigest()
    if row["chain"].hex() != head:
        raise _Broken("the chain breaks: this record, or its place, was changed")
    decision = json.loads(content)
    for name in _COLUMNS:
        if _plain(decision[name]) != _plain(row[name]):
            raise _Broken(f"the column {name} does not repeat the record")
    if (decision["lane"], decision["score"]["probability"]) != (row["lane"], row["probability"]):
        raise _Broken("the columns lane and probability do not repeat the record")
    if hashlib.sha256(decision["request"].encode()).hexdigest() != decision["request_digest"][7:]:
        raise _Broken("the stored request is not the one that its digest was taken of")
    return head


def _plain(value: str | None) -> str | None:
    """A text as it compares: the two spellings of UTC are one."""
    return value.replace("+00:00", "Z") if isinstance(value, str) else value


def _rows(engine: Engine) -> Iterator[dict[str, Any]]:
    query = text("SELECT * FROM decisions ORDER BY seq")
    with failing_as_unavailable(), engine.connect() as connection:
        for row in connection.execution_options(yield_per=500).execute(query):
            yield dict(row._mapping)
