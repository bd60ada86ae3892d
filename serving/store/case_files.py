"""Files of cases. A content is kept once, by its digest; that it was attached is an event."""

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Engine, func, select

from serving.errors import AlreadyAttached, Unprocessable
from serving.store.case_book import append_event
from serving.store.case_rows import EventRow
from serving.store.engine import failing_as_unavailable
from serving.store.tables import case_files, contents
from serving.store.turns import writing


@dataclass(frozen=True)
class FileRow:
    """A file of a case, without its content; `sha256` is that of the content, hexadecimal."""

    case_id: str
    sha256: str
    name: str
    media_type: str
    size_bytes: int
    attached_at: str
    attached_by: str


class CaseFiles:
    """The files of one database. Every method raises LogUnavailable where the database fails."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def add(self, row: FileRow, content: bytes, event: EventRow, most: int) -> None:
        """Keep a file with the event that tells of it.

        Raises AlreadyAttached, or Unprocessable for a case that has `most` files.
        """
        with failing_as_unavailable(), writing(self._engine) as connection:
            _refuse_more(connection, row, most)
            known = select(contents.c.sha256).where(contents.c.sha256 == row.sha256)
            if connection.scalar(known) is None:
                connection.execute(contents.insert().values(sha256=row.sha256, content=content))
            connection.execute(case_files.insert().values(**asdict(row)))
            append_event(connection, event)

    def of(self, case_id: str) -> list[FileRow]:
        """The files of a case, the first attached first."""
        wanted = (
            select(case_files)
            .where(case_files.c.case_id == case_id)
            .order_by(case_files.c.attached_at, case_files.c.sha256)
        )
        with failing_as_unavailable(), self._engine.connect() as connection:
            return [FileRow(**row._mapping) for row in connection.execute(wanted)]

    def content(self, case_id: str, sha256: str) -> tuple[FileRow, bytes] | None:
        """A file of a case; None where the case has none such, or its content was deleted."""
        wanted = (
            select(case_files, contents.c.content)
            .join(contents, contents.c.sha256 == case_files.c.sha256)
            .where(case_files.c.case_id == case_id, case_files.c.sha256 == sha256)
        )
        with failing_as_unavailable(), self._engine.connect() as connection:
            found = connection.execute(wanted).first()
        if found is None:
            return None
        told = dict(found._mapping)
        content = told.pop("content")
        return FileRow(**told), content


def _refuse_more(connection: Connection, row: FileRow, most: int) -> None:
    there = case_files.c.case_id == row.case_id
    same = select(case_files.c.name).where(there, case_files.c.sha256 == row.sha256)
    if connection.scalar(same) is not None:
        raise AlreadyAttached("the case has a file with this very content")
    if (connection.scalar(select(func.count()).select_from(case_files).where(there)) or 0) >= most:
        raise Unprocessable(f"a case may have {most} files")
