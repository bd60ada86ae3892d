"""Tokens that replace ids in searched columns, made with a key that can be rotated.

An id first named under a former key keeps that token wherever tables are joined by it; any other id
gets a token under the key in use. A writer checks the key in use within its own transaction, so no
process names one subject in two ways, however old its cache.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine, select, union_all

from features.errors import TidegateError
from features.home_keys import SUBJECTS, former_keys, key_fingerprint, keys_from, read_key
from serving.crypto.errors import LogMoved
from serving.storage.engine import database_errors_as_503
from serving.storage.tables.audit import retention_acts
from serving.storage.tables.scoring import decisions, records

# Subject tokens that a process caches once there are former keys.
MAX_SUBJECTS = 4_000

_OPTION = "token_keys"
_LOOKED_EVERY_S = 60.0
_TOKEN_BYTES = 16
_IN_USE = "SELECT fingerprint FROM installation_keys WHERE name = 'subjects' AND retires_at IS NULL"


@dataclass(frozen=True)
class TokenRing:
    """The key that makes tokens, then its predecessors, newest first."""

    keys: tuple[bytes, ...]
    subjects: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def in_use(self) -> str:
        """The fingerprint of the key that tokens are made with."""
        return key_fingerprint(SUBJECTS, self.keys[0])


class TokenKeys:
    """The token keys of one database, shared by everything in a process that uses it."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._ring: TokenRing | None = None
        self._looked_at_s = time.monotonic()

    @classmethod
    def for_engine(cls, engine: Engine) -> Self:
        """Return the token keys of an engine, one instance for all repositories of a process."""
        found: Self | None = engine.get_execution_options().get(_OPTION)
        if found is None:
            found = cls(engine)
            engine.update_execution_options(**{_OPTION: found})
        return found

    def ring(self) -> TokenRing:
        """Return the keys as last read; raise TidegateError without the folder of keys."""
        if self._ring is None:
            folder = self._folder()
            if folder is None:
                raise TidegateError("this database was opened without the folder of its keys")
            self._ring = TokenRing((read_key(folder, SUBJECTS), *former_keys(folder, SUBJECTS)))
        return self._ring

    def tokens(self, kind: str, value: str) -> tuple[str, ...]:
        """Return the tokens of an id under the key in use and former keys, newest first."""
        return tuple(_token(key, kind, value) for key in self.ring().keys)

    def subject_token(self, kind: str, subject_id: str) -> str:
        """Return the token that first named a subject, which every table uses for joins."""
        ring = self.ring()
        newest, *former = (_token(key, kind, subject_id) for key in ring.keys)
        # Without a former key there is only one possible token, and no query is needed.
        if not former:
            return newest
        known = ring.subjects.get((kind, subject_id))
        if known is None:
            if len(ring.subjects) >= MAX_SUBJECTS:
                ring.subjects.clear()
            known = self._first_named(kind, former) or newest
            ring.subjects[kind, subject_id] = known
        return known

    def search_key(self, within: Connection) -> bytes:
        """Return the key for codes of searched identifiers (see `prefix_codes`)."""
        self.follow(within)
        return search_key_of(self.ring().keys[0])

    def follow(self, connection: Connection) -> bool:
        """Read the keys again if another one is in use; return whether that was so.

        Raises LogMoved if the folder of keys lacks it.
        """
        folder = self._folder()
        self._looked_at_s = time.monotonic()
        in_use = connection.exec_driver_sql(_IN_USE).scalar() if folder else None
        if folder is None or in_use is None or self.ring().in_use == in_use:
            return False
        keys = keys_from(folder, SUBJECTS, in_use)
        if not keys:
            raise LogMoved(
                f"the subjects key was rotated, and the one in use ({in_use}) is not here: copy "
                "HOME/keys from where `tidegate rotate-key subjects` was run",
                code="tokens-rotated",
            )
        self._ring = TokenRing(keys)
        return True

    def follow_now_and_then(self) -> None:
        """Follow rotations once a minute, for a process that never writes and would miss them."""
        if time.monotonic() - self._looked_at_s > _LOOKED_EVERY_S:
            with database_errors_as_503(), self._engine.connect() as connection:
                self.follow(connection)

    def require(self, ring: TokenRing, connection: Connection) -> None:
        """Raise LogMoved if tokens made with `ring` must not be written any more."""
        if self.follow(connection) or self._ring is not ring:
            raise LogMoved(
                "the subjects key was rotated just now; ask again", code="tokens-rotated"
            )

    def _folder(self) -> Path | None:
        folder: Path | None = self._engine.get_execution_options().get("keys")
        return folder

    def _first_named(self, kind: str, former: Sequence[str]) -> str | None:
        """Return the former token that a decision, a record or a hold has for a subject, if any."""
        of_kind = (
            select(table.c.subject_id).where(
                table.c.subject_kind == kind, table.c.subject_id.in_(former)
            )
            for table in (decisions, records)
        )
        holds = select(retention_acts.c.details).where(retention_acts.c.action == "hold")
        with database_errors_as_503(), self._engine.connect() as connection:
            named = set(connection.scalars(union_all(*of_kind)))
            # Holds are read only if no row names the subject: their details must be parsed one by
            # one.
            for details in () if named else connection.scalars(holds).all():
                named |= {details["subject"]} & {*former}
        return next(iter(named), None)


def search_key_of(token_key: bytes) -> bytes:
    """Derive the search key from the token key."""
    return bytes.fromhex(_token(token_key, "search", ""))


def _token(key: bytes, kind: str, value: str) -> str:
    # The separator keeps "ab" + "c" apart from "a" + "bc".
    named = f"{kind}\0{value}".encode()
    return blake2b(named, key=key, digest_size=_TOKEN_BYTES).hexdigest()
