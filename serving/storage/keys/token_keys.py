"""Tokens: what stands for ids in columns that are searched, made with a key that can be rotated.

An id that was named under a former key keeps that token wherever tables are joined by it; every
other gets one of the key in use. Whoever writes tokens looks first, in its own transaction, which
key that is: so no process, however long ago it began, names one subject in two ways.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine, select, union_all

from features.home_keys import SUBJECTS, former_keys, key_fingerprint, keys_from, read_key
from serving.crypto.errors import KeysUnknown, TokensRotated
from serving.storage.engine import failing_as_unavailable
from serving.storage.tables.audit import retention_acts
from serving.storage.tables.scoring import decisions, records

# Tokens of subjects that a process remembers, once there are former keys.
MOST_SUBJECTS = 4_000

_OPTION = "token_keys"
_LOOKED_EVERY_S = 60.0
_TOKEN_BYTES = 16
_IN_USE = "SELECT fingerprint FROM installation_keys WHERE name = 'subjects' AND retires_at IS NULL"


@dataclass(frozen=True)
class TokenRing:
    """The key that tokens are made with, then those before it, the newest first."""

    keys: tuple[bytes, ...]
    subjects: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def in_use(self) -> str:
        """The fingerprint of the key that tokens are made with."""
        return key_fingerprint(SUBJECTS, self.keys[0])


class TokenKeys:
    """The keys of tokens of one database, one for all that a process does with it."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._ring: TokenRing | None = None
        self._looked_at_s = time.monotonic()

    @classmethod
    def for_engine(cls, engine: Engine) -> Self:
        """Those of an engine: every repository of a process has the same."""
        found: Self | None = engine.get_execution_options().get(_OPTION)
        if found is None:
            found = cls(engine)
            engine.update_execution_options(**{_OPTION: found})
        return found

    def ring(self) -> TokenRing:
        """The keys as they are known; raises KeysUnknown without the folder of keys."""
        if self._ring is None:
            folder = self._folder()
            if folder is None:
                raise KeysUnknown("this database was opened without the folder of its keys")
            self._ring = TokenRing((read_key(folder, SUBJECTS), *former_keys(folder, SUBJECTS)))
        return self._ring

    def tokens(self, kind: str, value: str) -> tuple[str, ...]:
        """What an id may be named by: its token of the key in use, then those of former keys."""
        return tuple(_token(key, kind, value) for key in self.ring().keys)

    def subject_token(self, kind: str, subject_id: str) -> str:
        """The one token of a subject, by which tables are joined: that it was first named by."""
        ring = self.ring()
        newest, *former = (_token(key, kind, subject_id) for key in ring.keys)
        if not former:
            return newest
        known = ring.subjects.get((kind, subject_id))
        if known is None:
            if len(ring.subjects) >= MOST_SUBJECTS:
                ring.subjects.clear()
            known = self._first_named(kind, former) or newest
            ring.subjects[kind, subject_id] = known
        return known

    def search_key(self, within: Connection) -> bytes:
        """What codes of searched identifiers are made with (`prefix_codes`), of the key in use."""
        self.follow(within)
        return search_key_of(self.ring().keys[0])

    def follow(self, connection: Connection) -> bool:
        """Whether another key is in use than the one that was known, which is then read.

        Raises TokensRotated where the folder of keys lacks it.
        """
        folder = self._folder()
        self._looked_at_s = time.monotonic()
        in_use = connection.exec_driver_sql(_IN_USE).scalar() if folder else None
        if folder is None or in_use is None or self.ring().in_use == in_use:
            return False
        keys = keys_from(folder, SUBJECTS, in_use)
        if not keys:
            raise TokensRotated(
                f"the subjects key was rotated, and the one in use ({in_use}) is not here: copy "
                "HOME/keys from where `tidegate rotate-key subjects` was run"
            )
        self._ring = TokenRing(keys)
        return True

    def follow_now_and_then(self) -> None:
        """Do so once a minute, for a process that writes nothing by which it would notice."""
        if time.monotonic() - self._looked_at_s > _LOOKED_EVERY_S:
            with failing_as_unavailable(), self._engine.connect() as connection:
                self.follow(connection)

    def require(self, ring: TokenRing, connection: Connection) -> None:
        """Raise TokensRotated where tokens that were made with a ring are not to be written."""
        if self.follow(connection) or self._ring is not ring:
            raise TokensRotated("the subjects key was rotated just now; ask again")

    def _folder(self) -> Path | None:
        folder: Path | None = self._engine.get_execution_options().get("keys")
        return folder

    def _first_named(self, kind: str, former: Sequence[str]) -> str | None:
        """Which of the tokens of former keys names a subject in a decision, a record or a hold."""
        of_kind = (
            select(table.c.subject_id).where(
                table.c.subject_kind == kind, table.c.subject_id.in_(former)
            )
            for table in (decisions, records)
        )
        holds = select(retention_acts.c.details).where(retention_acts.c.action == "hold")
        with failing_as_unavailable(), self._engine.connect() as connection:
            named = set(connection.scalars(union_all(*of_kind)))
            for details in () if named else connection.scalars(holds).all():
                named |= {json.loads(details)["subject"]} & {*former}
        return next(iter(named), None)


def search_key_of(token_key: bytes) -> bytes:
    """The key of codes of searched identifiers, of the one that tokens are made with."""
    return bytes.fromhex(_token(token_key, "search", ""))


def _token(key: bytes, kind: str, value: str) -> str:
    named = f"{kind}\0{value}".encode()
    return blake2b(named, key=key, digest_size=_TOKEN_BYTES).hexdigest()
