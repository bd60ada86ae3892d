"""Records that came by themselves, each kept once under its id."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, select, tuple_

from serving.store.engine import failing_as_unavailable
from serving.store.tables import records
from serving.store.turns import writing

PAGE = 500


# Asked for every score; made once, since putting a statement together costs more than asking it.
_ABOUT = (
    select(records)
    .where(
        tuple_(records.c.subject_kind, records.c.subject_id).in_(
            bindparam("subjects", expanding=True)
        )
    )
    .order_by(records.c.kind, records.c.record_id)
)


@dataclass(frozen=True)
class RecordRow:
    """One record of one kind (`legs`, `documents` …) as JSON, with the subject it is about."""

    kind: str
    record_id: str
    subject_kind: str
    subject_id: str
    received_at: str
    caller_id: str
    body: str

    @property
    def key(self) -> tuple[str, str]:
        """What the record is known by."""
        return self.kind, self.record_id


class RecordStore:
    """The records of one database. Every method raises LogUnavailable where the database fails."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def add(self, rows: Sequence[RecordRow]) -> dict[tuple[str, str], str]:
        """Keep what is new, durably; of all that is not, by key, the body that was there before.

        No two rows may have one key.
        """
        with failing_as_unavailable(), writing(self._engine) as connection:
            before = _bodies(connection, rows)
            new = [vars(row) for row in rows if row.key not in before]
            if new:
                connection.execute(records.insert(), new)
        return before

    def about(self, subjects: Sequence[tuple[str, str]]) -> dict[tuple[str, str], list[RecordRow]]:
        """The records about each subject (kind, id), in order of their kinds and ids."""
        about: dict[tuple[str, str], list[RecordRow]] = {subject: [] for subject in subjects}
        if about:
            with failing_as_unavailable(), self._engine.connect() as connection:
                for row in map(_row, connection.execute(_ABOUT, {"subjects": [*about]})):
                    about[row.subject_kind, row.subject_id].append(row)
        return about

    def all(self, since: str = "") -> Iterator[RecordRow]:
        """Every record received since then, in order of arrival, read page by page."""
        order = (records.c.received_at, records.c.kind, records.c.record_id)
        last = (since, "", "")
        while True:
            wanted = select(records).where(tuple_(*order) > last).order_by(*order).limit(PAGE)
            with failing_as_unavailable(), self._engine.connect() as connection:
                page = [_row(row) for row in connection.execute(wanted)]
            yield from page
            if len(page) < PAGE:
                return
            last = (page[-1].received_at, page[-1].kind, page[-1].record_id)


def _bodies(connection: Connection, rows: Sequence[RecordRow]) -> dict[tuple[str, str], str]:
    """The bodies that are kept under the ids of these rows."""
    ids: dict[str, list[str]] = {}
    for row in rows:
        ids.setdefault(row.kind, []).append(row.record_id)
    found: dict[tuple[str, str], str] = {}
    for kind, of_kind in ids.items():
        wanted = select(records.c.record_id, records.c.body).where(
            records.c.kind == kind, records.c.record_id.in_(of_kind)
        )
        found |= {(kind, name): body for name, body in connection.execute(wanted)}
    return found


def _row(row: Row[Any]) -> RecordRow:
    return RecordRow(**row._mapping)
