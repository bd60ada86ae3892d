"""Data keys: one for each day of decisions and of records, stored wrapped.

Readers and writers remember keys for a minute: so soon is what was erased unreadable in every
process, and so seldom is the database asked.
"""

import secrets
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, Engine, select

from serving.crypto.encryption import (
    KEY_BYTES,
    EncryptionUnit,
    as_text,
    decrypt,
    encrypt,
    encrypt_joined,
    of_text,
)
from serving.crypto.errors import KeysUnknown
from serving.crypto.wrapping_keys import WrappingKeys
from serving.errors import Erased
from serving.storage.engine import failing_as_unavailable
from serving.storage.keys.token_keys import TokenKeys
from serving.storage.tables.keys import data_keys
from serving.storage.write_lock import writing

REMEMBERED_S = 60.0
MOST_REMEMBERED = 400


class DataKeys:
    """Encrypts and decrypts units of one database; what wraps their keys is not in it."""

    def __init__(self, engine: Engine):
        self._engine = engine
        options = engine.get_execution_options()
        self._folder: Path | None = options.get("keys")
        self._database_id: str = options.get("database_id") or ""
        self._remembered: dict[str, tuple[bytes, float]] = {}
        self.token_keys = TokenKeys.for_engine(engine)

    @property
    def wrapping(self) -> WrappingKeys:
        """The keys that wrap; raises KeysUnknown where the database was opened without any."""
        return WrappingKeys(self._keys_folder(), self._database_id)

    def prepare(self) -> None:
        """Read what tokens are made with, so that no request is the first to need it."""
        self.token("", "")

    def token(self, kind: str, value: str) -> str:
        """What stands for an id in columns that are searched, by the key in use."""
        return self.tokens(kind, value)[0]

    def tokens(self, kind: str, value: str) -> tuple[str, ...]:
        """The same, then what stood for it under former keys, the newest first."""
        return self.token_keys.tokens(kind, value)

    def subject_token(self, kind: str, subject_id: str) -> str:
        """What stands for a subject in every table, by the key under which it was first named."""
        return self.token_keys.subject_token(kind, subject_id)

    def encrypt(
        self, unit: EncryptionUnit, part: str, content: bytes, within: Connection | None = None
    ) -> bytes:
        """A part of a unit, encrypted; raises Erased where the unit is no more.

        `within` is the transaction of whoever is writing already.
        """
        return encrypt(self._key_to_add(unit, within), part, content)

    def encrypt_joined(
        self, unit: EncryptionUnit, part: str, contents: Sequence[bytes | memoryview]
    ) -> bytearray:
        """Encrypt contents as one, without a copy of them; raises Erased likewise."""
        return encrypt_joined(self._key_to_add(unit, None), part, contents)

    def _key_to_add(self, unit: EncryptionUnit, within: Connection | None) -> bytes:
        day_key = self._found(unit.day, within) or self._made(unit.day, within)
        key = unit.key(day_key) if day_key else self._found(unit.key_id, within)
        if key is None:
            raise Erased("its time was over, and it was erased; nothing can be added to it")
        return key

    def decrypt(
        self, unit: EncryptionUnit, part: str, encrypted: bytes | bytearray
    ) -> bytes | None:
        """A part of a unit; None where it was erased. Raises Undecipherable where changed."""
        key = self.unit_key(unit)
        return None if key is None else decrypt(key, part, encrypted)

    def unit_key(self, unit: EncryptionUnit, within: Connection | None = None) -> bytes | None:
        """The key of one unit alone, which opens no other; None where it was erased.

        `within` is the transaction of whoever is writing already.
        """
        day_key = self._found(unit.day, within)
        return unit.key(day_key) if day_key else self._found(unit.key_id, within)

    def encrypt_text(
        self, unit: EncryptionUnit, part: str, text: str, within: Connection | None = None
    ) -> str:
        """The same for a column of text."""
        return as_text(unit, self.encrypt(unit, part, text.encode(), within))

    def decrypt_text(self, name: str, part: str, text: str) -> str | None:
        """The same for the unit of this name."""
        day, encrypted = of_text(text)
        content = self.decrypt(EncryptionUnit(day, name), part, encrypted)
        return None if content is None else content.decode()

    def probe(self, connection: Connection) -> None:
        """Raise Undecipherable where the newest data key cannot be unwrapped, or TokensRotated."""
        self.token_keys.follow(connection)
        newest = select(data_keys).where(data_keys.c.wrapped.is_not(None))
        row = connection.execute(newest.order_by(data_keys.c.key_id.desc()).limit(1)).first()
        if row is not None:
            self.unwrapped(row.key_id, row.wrapping_id, row.wrapped)

    def forget(self) -> None:
        """Remember none any more."""
        self._remembered.clear()

    def wrapped(self, key_id: str, key: bytes, wrapping_id: str) -> dict[str, object]:
        """The row of a data key."""
        content = encrypt(self.wrapping.key(wrapping_id), key_id, key)
        return {"key_id": key_id, "wrapping_id": wrapping_id, "wrapped": content}

    def unwrapped(self, key_id: str, wrapping_id: str, wrapped: bytes) -> bytes:
        """The data key of a row."""
        return decrypt(self.wrapping.key(wrapping_id), key_id, wrapped)

    def newest_wrapping(self, connection: Connection) -> str:
        """The wrapping key in use."""
        in_use = select(data_keys.c.wrapping_id).where(data_keys.c.wrapped.is_not(None)).limit(1)
        found = connection.scalar(in_use)
        return found or self.first_wrapping()

    def first_wrapping(self) -> str:
        """The wrapping key to begin with, which is made where there is none yet.

        It is to be there before the keys of a home are copied to other hosts: each would make one
        of its own, which no other can read.
        """
        return next(iter(self.wrapping.ids()), None) or self.wrapping.made()

    def read(self, connection: Connection, key_id: str) -> bytes | None:
        """A data key as it is kept; None where there is none, or it was destroyed."""
        query = select(data_keys).where(
            data_keys.c.key_id == key_id, data_keys.c.wrapped.is_not(None)
        )
        row = connection.execute(query).first()
        return self.unwrapped(key_id, row.wrapping_id, row.wrapped) if row else None

    def _keys_folder(self) -> Path:
        if self._folder is None:
            raise KeysUnknown("this database was opened without the folder of its keys")
        return self._folder

    def _found(self, key_id: str, within: Connection | None = None) -> bytes | None:
        key, found_at_s = self._remembered.get(key_id, (b"", 0.0))
        if key and time.monotonic() - found_at_s < REMEMBERED_S:
            return key
        if within is not None:
            return self.read(within, key_id)
        with failing_as_unavailable(), self._engine.connect() as connection:
            found = self.read(connection, key_id)
        return self._remember(key_id, found) if found else None

    def _made(self, day: str, within: Connection | None) -> bytes | None:
        """The key of a day, made where it never had one; None where it was destroyed.

        One that is made within a transaction is not remembered: that may yet be undone.
        """
        if within is not None:
            return self._read_or_made(within, day)
        with failing_as_unavailable(), writing(self._engine) as connection:
            found = self._read_or_made(connection, day)
        return self._remember(day, found) if found else None

    def _read_or_made(self, connection: Connection, day: str) -> bytes | None:
        known = select(data_keys.c.key_id).where(data_keys.c.key_id == day)
        if connection.scalar(known) is None:
            fresh = self.wrapped(
                day, secrets.token_bytes(KEY_BYTES), self.newest_wrapping(connection)
            )
            connection.execute(data_keys.insert(), fresh)
        return self.read(connection, day)

    def _remember(self, key_id: str, key: bytes) -> bytes:
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[key_id] = key, time.monotonic()
        return key
