"""Files of cases, encrypted with their case; that one was attached is an event."""

from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, Engine, func, select

from serving.db.case_rows import EventRow
from serving.db.data_keys import DataKeys
from serving.db.encrypted_cases import ERASED, EncryptedCases, unit_of
from serving.db.engine import failing_as_unavailable
from serving.db.repositories.case_repository import append_event
from serving.db.tables import case_files, contents
from serving.db.write_lock import writing
from serving.errors import AlreadyAttached, Unprocessable

_CONTENT, _NAME = "file content", "file name"


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
        self._keys = DataKeys(engine)
        self._cases = EncryptedCases(self._keys)

    def add(self, row: FileRow, content: bytes, event: EventRow, most: int) -> None:
        """Keep a file with the event that tells of it.

        Raises AlreadyAttached, or Unprocessable for a case that has `most` files.
        """
        with failing_as_unavailable(), writing(self._engine) as connection:
            _refuse_more(connection, row, most)
            unit = unit_of(connection, row.case_id)
            encrypted = self._keys.encrypt(unit, _CONTENT, content, connection)
            kept = {"sha256": _place(row.case_id, row.sha256), "content": encrypted}
            connection.execute(contents.insert().values(kept))
            name = self._keys.encrypt_text(unit, _NAME, row.name, connection)
            connection.execute(case_files.insert().values(**asdict(replace(row, name=name))))
            append_event(connection, self._cases, event)

    def of(self, case_id: str) -> list[FileRow]:
        """The files of a case, the first attached first."""
        wanted = (
            select(case_files)
            .where(case_files.c.case_id == case_id)
            .order_by(case_files.c.attached_at, case_files.c.sha256)
        )
        with failing_as_unavailable(), self._engine.connect() as connection:
            rows = [FileRow(**row._mapping) for row in connection.execute(wanted)]
        return [self._named(row) for row in rows]

    def content(self, case_id: str, sha256: str) -> tuple[FileRow, bytes] | None:
        """A file of a case; None where the case has none such, or its content was deleted."""
        wanted = select(case_files).where(
            case_files.c.case_id == case_id, case_files.c.sha256 == sha256
        )
        places = contents.c.sha256.in_((_place(case_id, sha256), sha256))
        with failing_as_unavailable(), self._engine.connect() as connection:
            found = connection.execute(wanted).first()
            kept = connection.execute(select(contents).where(places)).first()
            if found is None or kept is None:
                return None
            unit = unit_of(connection, case_id)
        content = kept.content
        if kept.sha256 != sha256:
            content = self._keys.decrypt(unit, _CONTENT, content)
        return None if content is None else (self._named(FileRow(**found._mapping)), content)

    def _named(self, row: FileRow) -> FileRow:
        name = self._keys.decrypt_text(row.case_id, _NAME, row.name)
        return replace(row, name=ERASED if name is None else name)


def _place(case_id: str, sha256: str) -> str:
    """What a content is kept under; an older release kept one by its digest for all cases."""
    return f"{case_id}/{sha256}"


def _refuse_more(connection: Connection, row: FileRow, most: int) -> None:
    there = case_files.c.case_id == row.case_id
    same = select(case_files.c.name).where(there, case_files.c.sha256 == row.sha256)
    if connection.scalar(same) is not None:
        raise AlreadyAttached("the case has a file with this very content")
    if (connection.scalar(select(func.count()).select_from(case_files).where(there)) or 0) >= most:
        raise Unprocessable(f"a case may have {most} files")
