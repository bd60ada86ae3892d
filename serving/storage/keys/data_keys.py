"""Data keys: one for each day of decisions and one for each day of records, stored wrapped.

Processes cache keys for a minute. That bounds how long erased content stays readable elsewhere, and
saves most queries.
"""

import secrets
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, Engine, select

from features.errors import TidegateError
from serving.crypto.encryption import (
    KEY_BYTES,
    EncryptionUnit,
    as_text,
    decrypt,
    encrypt,
    encrypt_joined,
    of_text,
)
from serving.crypto.wrapping_keys import WrappingKeys
from serving.errors import Erased
from serving.storage.engine import database_errors_as_503
from serving.storage.keys.token_keys import TokenKeys
from serving.storage.tables.keys import data_keys
from serving.storage.write_lock import write_transaction

# Also the longest time for which another process can read a unit after its erasure.
REMEMBERED_S = 60.0
MAX_REMEMBERED = 400


class DataKeys:
    """The encryption of units of one database; the wrapping keys are files outside of it."""

    def __init__(self, engine: Engine):
        self._engine = engine
        options = engine.get_execution_options()
        self._folder: Path | None = options.get("keys")
        self._database_id: str = options.get("database_id") or ""
        self._remembered: dict[str, tuple[bytes, float]] = {}
        self.token_keys = TokenKeys.for_engine(engine)

    @property
    def wrapping(self) -> WrappingKeys:
        """Return the wrapping keys; raise TidegateError if the database was opened without them."""
        return WrappingKeys(self._keys_folder(), self._database_id)

    def prepare(self) -> None:
        """Load the token key at startup, so that no request pays for it."""
        self.token("", "")

    def token(self, kind: str, value: str) -> str:
        """Return the token of an id in searched columns, under the key in use."""
        return self.tokens(kind, value)[0]

    def tokens(self, kind: str, value: str) -> tuple[str, ...]:
        """Return the token of an id under the key in use, then under former keys, newest first."""
        return self.token_keys.tokens(kind, value)

    def subject_token(self, kind: str, subject_id: str) -> str:
        """Return the token of a subject in every table, under the key that first named it."""
        return self.token_keys.subject_token(kind, subject_id)

    def encrypt(
        self, unit: EncryptionUnit, part: str, content: bytes, within: Connection | None = None
    ) -> bytes:
        """Encrypt a part of a unit; raise Erased if the unit was erased.

        `within` is the transaction of a caller that is already writing.
        """
        return encrypt(self._key_to_add(unit, within), part, content)

    def encrypt_joined(
        self, unit: EncryptionUnit, part: str, contents: Sequence[bytes | memoryview]
    ) -> bytearray:
        """Encrypt contents as one, without copying them; raise Erased if the unit was erased."""
        return encrypt_joined(self._key_to_add(unit, None), part, contents)

    def _key_to_add(self, unit: EncryptionUnit, within: Connection | None) -> bytes:
        day_key = self._found(unit.day, within) or self._made(unit.day, within)
        # A unit that outlived its day has a key of its own; without either, it was erased.
        key = unit.key(day_key) if day_key else self._found(unit.key_id, within)
        if key is None:
            raise Erased("its time was over, and it was erased; nothing can be added to it")
        return key

    def decrypt(
        self, unit: EncryptionUnit, part: str, encrypted: bytes | bytearray
    ) -> bytes | None:
        """Decrypt a part of a unit; return None if it was erased.

        Raises Undecipherable if the content was altered.
        """
        key = self.unit_key(unit)
        return None if key is None else decrypt(key, part, encrypted)

    def unit_key(self, unit: EncryptionUnit, within: Connection | None = None) -> bytes | None:
        """Return the key of one unit, which opens no other; None if it was erased.

        `within` is the transaction of a caller that is already writing.
        """
        day_key = self._found(unit.day, within)
        return unit.key(day_key) if day_key else self._found(unit.key_id, within)

    def encrypt_text(
        self, unit: EncryptionUnit, part: str, text: str, within: Connection | None = None
    ) -> str:
        """Encrypt a part of a unit for a text column."""
        return as_text(unit, self.encrypt(unit, part, text.encode(), within))

    def decrypt_text(self, name: str, part: str, text: str) -> str | None:
        """Decrypt a text column of the unit with this name; return None if it was erased."""
        day, encrypted = of_text(text)
        content = self.decrypt(EncryptionUnit(day, name), part, encrypted)
        return None if content is None else content.decode()

    def probe(self, connection: Connection) -> None:
        """Raise Undecipherable if the newest data key cannot be unwrapped, or LogMoved."""
        self.token_keys.follow(connection)
        newest = select(data_keys).where(data_keys.c.wrapped.is_not(None))
        row = connection.execute(newest.order_by(data_keys.c.key_id.desc()).limit(1)).first()
        if row is not None:
            self.unwrapped(row.key_id, row.wrapping_id, row.wrapped)

    def forget(self) -> None:
        """Clear the cached keys."""
        self._remembered.clear()

    def wrapped(self, key_id: str, key: bytes, wrapping_id: str) -> dict[str, object]:
        """Return the row of a data key, wrapped under the given wrapping key."""
        content = encrypt(self.wrapping.key(wrapping_id), key_id, key)
        return {"key_id": key_id, "wrapping_id": wrapping_id, "wrapped": content}

    def unwrapped(self, key_id: str, wrapping_id: str, wrapped: bytes) -> bytes:
        """Return the data key of a row."""
        return decrypt(self.wrapping.key(wrapping_id), key_id, wrapped)

    def newest_wrapping(self, connection: Connection) -> str:
        """Return the id of the wrapping key in use, creating one if there is none."""
        in_use = select(data_keys.c.wrapping_id).where(data_keys.c.wrapped.is_not(None)).limit(1)
        found = connection.scalar(in_use)
        return found or self.first_wrapping()

    def first_wrapping(self) -> str:
        """Return the first wrapping key, creating it if there is none.

        It must exist before a home's keys are copied to other hosts: otherwise each host would
        create one that the others lack.
        """
        return next(iter(self.wrapping.ids()), None) or self.wrapping.made()

    def read(self, connection: Connection, key_id: str) -> bytes | None:
        """Read a data key; return None if it never existed or was destroyed."""
        query = select(data_keys).where(
            data_keys.c.key_id == key_id, data_keys.c.wrapped.is_not(None)
        )
        row = connection.execute(query).first()
        return self.unwrapped(key_id, row.wrapping_id, row.wrapped) if row else None

    def _keys_folder(self) -> Path:
        if self._folder is None:
            raise TidegateError("this database was opened without the folder of its keys")
        return self._folder

    def _found(self, key_id: str, within: Connection | None = None) -> bytes | None:
        key, found_at_s = self._remembered.get(key_id, (b"", 0.0))
        if key and time.monotonic() - found_at_s < REMEMBERED_S:
            return key
        # A key seen inside a transaction is not cached, since a rollback may undo it.
        if within is not None:
            return self.read(within, key_id)
        with database_errors_as_503(), self._engine.connect() as connection:
            found = self.read(connection, key_id)
        return self._remember(key_id, found) if found else None

    def _made(self, day: str, within: Connection | None) -> bytes | None:
        """Return the key of a day, created if it never existed; None if it was destroyed.

        A key created within a transaction is not cached, since a rollback may undo it.
        """
        if within is not None:
            return self._read_or_made(within, day)
        with database_errors_as_503(), write_transaction(self._engine) as connection:
            found = self._read_or_made(connection, day)
        return self._remember(day, found) if found else None

    # A destroyed key leaves its row behind, so that the day never gets a second key.
    def _read_or_made(self, connection: Connection, day: str) -> bytes | None:
        known = select(data_keys.c.key_id).where(data_keys.c.key_id == day)
        if connection.scalar(known) is None:
            fresh = self.wrapped(
                day, secrets.token_bytes(KEY_BYTES), self.newest_wrapping(connection)
            )
            connection.execute(data_keys.insert(), fresh)
        return self.read(connection, day)

    def _remember(self, key_id: str, key: bytes) -> bytes:
        # Cleared whole: a scan over many days is rare, and reading a key again is cheap.
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[key_id] = key, time.monotonic()
        return key
