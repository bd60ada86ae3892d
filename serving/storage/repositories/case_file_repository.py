"""Files of cases, encrypted with their case; attaching one is an event."""

from dataclasses import replace

from sqlalchemy import Connection, func, select

from serving.errors import Conflict, NotFound, ServingError, Unprocessable
from serving.language import say
from serving.review.acts.attachments import A_DAY, AttachmentQuota
from serving.review.cases.case_records import ERASED, UNSEEN, CaseAccess, CaseFile, StoredEvent
from serving.storage.encrypted_cases import unit_of
from serving.storage.repositories.case_events import insert_event
from serving.storage.repositories.visible_cases import is_visible
from serving.storage.repository import Repository
from serving.storage.tables.review import case_files, cases, contents

_CONTENT, _NAME = "file content", "file name"


class CaseFileRepository(Repository):
    """The files of one database."""

    def attach(
        self,
        file: CaseFile,
        content: bytes,
        event: StoredEvent,
        access: CaseAccess,
        limit: int,
        quota: AttachmentQuota,
    ) -> None:
        """Store a file with the event that records it.

        Raises NotFound for a case that is not visible, Conflict for a file that it has already,
        Unprocessable if it has `limit` files or too many bytes, or ServingError if the person
        attached too much within a day.
        """
        with self._writing() as connection:
            is_one = cases.c.case_id == file.case_id
            # Checked under the lock: the case may have moved to another office since it was opened.
            if connection.scalar(select(is_one).where(is_one, is_visible(access))) is None:
                raise NotFound(UNSEEN)
            _refuse_more(connection, file, limit)
            _refuse_beyond(connection, file, quota)
            unit = unit_of(connection, file.case_id)
            encrypted = self._keys.encrypt(unit, _CONTENT, content, connection)
            kept = {"sha256": f"{file.case_id}/{file.sha256}", "content": encrypted}
            connection.execute(contents.insert().values(kept))
            name = self._keys.encrypt_text(unit, _NAME, file.name, connection)
            connection.execute(case_files.insert().values(**vars(replace(file, name=name))))
            insert_event(connection, self._cases, event)

    def of_case(self, case_id: str) -> list[CaseFile]:
        """Return the files of a case in the order in which they were attached."""
        query = (
            select(case_files)
            .where(case_files.c.case_id == case_id)
            .order_by(case_files.c.attached_at, case_files.c.sha256)
        )
        rows = [CaseFile(**row._mapping) for row in self._rows(query)]
        return [self._named(row) for row in rows]

    def content(self, case_id: str, sha256: str) -> tuple[CaseFile, bytes] | None:
        """Return a file of a case; None if there is no such file or its content was deleted."""
        query = select(case_files).where(
            case_files.c.case_id == case_id, case_files.c.sha256 == sha256
        )
        is_it = contents.c.sha256 == f"{case_id}/{sha256}"
        with self._reading() as connection:
            found = connection.execute(query).first()
            encrypted = connection.scalar(select(contents.c.content).where(is_it))
            if found is None or encrypted is None:
                return None
            unit = unit_of(connection, case_id)
        content = self._keys.decrypt(unit, _CONTENT, encrypted)
        return None if content is None else (self._named(CaseFile(**found._mapping)), content)

    def _named(self, row: CaseFile) -> CaseFile:
        name = self._keys.decrypt_text(row.case_id, _NAME, row.name)
        return replace(row, name=ERASED if name is None else name)


def _refuse_more(connection: Connection, row: CaseFile, limit: int) -> None:
    there = case_files.c.case_id == row.case_id
    same = select(case_files.c.name).where(there, case_files.c.sha256 == row.sha256)
    if connection.scalar(same) is not None:
        raise Conflict("the case has a file with this very content", code="already-attached")
    if (connection.scalar(select(func.count()).select_from(case_files).where(there)) or 0) >= limit:
        raise Unprocessable(f"a case may have {limit} files")


def _refuse_beyond(connection: Connection, row: CaseFile, quota: AttachmentQuota) -> None:
    """Raise Unprocessable or ServingError if the quotas leave no room for a file."""
    size = select(func.coalesce(func.sum(case_files.c.size_bytes), 0))
    # Two limits: for the case, and for one person within a day, over all cases.
    of_case = connection.scalar(size.where(case_files.c.case_id == row.case_id)) or 0
    if of_case + row.size_bytes > quota.case_bytes:
        left = max(0, quota.case_bytes - of_case)
        raise Unprocessable(
            say(
                "the files of a case may have {most_bytes} bytes, and {left} are left",
                most_bytes=str(quota.case_bytes),
                left=str(left),
            )
        )
    since = row.attached_at - A_DAY
    by_one = case_files.c.attached_by == row.attached_by
    of_day = size.where(by_one, case_files.c.attached_at > since)
    if (connection.scalar(of_day) or 0) + row.size_bytes > quota.bytes_per_day:
        says = say(
            "{most_bytes} bytes of files may be attached within 24 hours",
            most_bytes=str(quota.bytes_per_day),
        )
        raise ServingError(says, code="too-often", retry_after_s=3_600)
