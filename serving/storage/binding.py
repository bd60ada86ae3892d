"""The binding of a home, its database and every host to each other.

A database has an identity and stores the fingerprints of its home's keys; a home stores the
identity of its database. A mismatch is refused before anything is written.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, func, inspect, make_url, select

from features.atomic_dir import write_durably
from features.errors import KeyMissing, TidegateError
from features.home_keys import (
    DATABASE_FILE,
    DRAWS,
    FORMER,
    KEPT_WHEN_ROTATED,
    KEY_FILES,
    LOG,
    PSEUDONYMS,
    PUBLIC_FILES,
    SIGNING,
    SUBJECTS,
    add_key,
    former_keys,
    has_models,
    key_fingerprint,
    public_file_of,
    public_half,
    read_key,
    read_secret,
    take_the_next_key,
)
from serving.storage.tables.audit import chain_checkpoints, retention_acts
from serving.storage.tables.keys import installation, installation_keys
from serving.storage.tables.scoring import answers, decisions, records

# Tables whose rows show that a key was used. For the signing key, models show it.
_HANGING_ON = {
    LOG: (chain_checkpoints, retention_acts),
    SUBJECTS: (decisions, records, answers),
    DRAWS: (decisions,),
    PSEUDONYMS: (decisions,),
}


@dataclass(frozen=True)
class HomeBinding:
    """The database that a home belongs to and its address, without a password."""

    database_id: str
    where: str

    @classmethod
    def read(cls, keys: Path) -> Self | None:
        """Read the binding of a home from the folder above `keys`; None if there is none yet."""
        file = keys.parent / DATABASE_FILE
        try:
            return cls(**json.loads(file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            raise TidegateError(
                f"{file} cannot be read; put it back from a copy of the home, or remove it: the "
                "keys of the home say then whether the database is its own"
            ) from None

    def write(self, keys: Path) -> None:
        """Store the binding in the home."""
        content = json.dumps(asdict(self), indent=1).encode()
        write_durably(keys.parent / DATABASE_FILE, content + b"\n")


@dataclass(frozen=True)
class BoundKey:
    """A key that belongs to a database; `retires_at` is None for the one in use."""

    name: str
    fingerprint: str
    public_key: str
    adopted_at: str
    retires_at: str | None = None
    adopted_by: str | None = None
    adoption: str | None = None

    @classmethod
    def of_content(cls, name: str, content: bytes) -> Self:
        """Return the key with this content, adopted now."""
        return cls(name, key_fingerprint(name, content), public_half(name, content), _now())


def former_public_keys(known: Iterable[BoundKey], name: str) -> list[tuple[str, str]]:
    """Return the public halves of rotated keys with the end of each, newest first."""
    former = [each for each in known if each.name == name and each.retires_at and each.public_key]
    return [(each.public_key, str(each.retires_at)) for each in reversed(former)]


def home_location(where: Path | str) -> str:
    """Return the address of a database without user and password."""
    if isinstance(where, Path):
        return str(where.name)
    url = make_url(where)
    host = url.host or url.query.get("host") or "localhost"
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{host}{port}/{url.database}"


def identity_of(connection: Connection) -> str | None:
    """Return the identity of a database; None if it is not bound to a home."""
    if not inspect(connection).has_table(installation.name):
        return None
    return connection.scalar(select(installation.c.database_id))


def bound_keys(connection: Connection) -> list[BoundKey]:
    """Return every current and former key of a database, by name, the oldest first."""
    found = [BoundKey(**row._mapping) for row in connection.execute(select(installation_keys))]
    return sorted(found, key=lambda each: (each.name, each.retires_at is None, each.retires_at))


def require_bound(
    connection: Connection,
    home: HomeBinding | None,
    place: str,
    keys: Path,
    *,
    is_moving: bool = False,
) -> str:
    """Return the identity of a database once home, keys and database belong together.

    Raises KeyMissing or another TidegateError; the message names what is
    expected.
    """
    row = connection.execute(select(installation)).one()
    if home is not None and home.database_id != row.database_id:
        raise TidegateError(
            f"{keys.parent} belongs to the database {home.database_id} ({home.where}), and "
            f"{place} is the database {row.database_id}: give --database-url of the right one, "
            "or the home of this one"
        )
    if row.moving_to and not is_moving:
        raise TidegateError(
            f"{place} was moved to {row.moving_to}: give --database-url of that"
            if row.moved_at
            else f"the move of {place} to {row.moving_to} was not finished: run `tidegate "
            "upgrade --move` again, with the same --database-url, or with --abandon"
        )
    known = bound_keys(connection)
    for each in known:
        if each.retires_at is None:
            # First, because a rotation cut short leaves the former key in place of the adopted one.
            _finish_rotation(each, keys, known)
            _require_same(each, keys, row.database_id, known)
            _require_former(each.name, keys, known)
            _require_public(each, keys, known)
    return str(row.database_id)


def bind_database(connection: Connection, keys: Path) -> str:
    """Give a database an identity and the fingerprints of its home's keys; return the identity.

    Missing keys that nothing depends on yet are created. A database of an older release adopts the
    keys that wrap its data keys.
    """
    database_id = str(uuid.uuid4())
    # A missing key that was used must be put back: a new one could not read what it protects.
    for name in KEY_FILES:
        if not (keys / KEY_FILES[name]).exists() and _is_unused(connection, keys, name):
            add_key(keys, name)
    connection.execute(installation.insert(), {"database_id": database_id, "created_at": _now()})
    bind_present_keys(connection, keys)
    return database_id


def bind_present_keys(connection: Connection, keys: Path) -> None:
    """Bind the keys of the home that the database does not know yet.

    A lost key is bound when it is put back.
    """
    known = {each.name for each in bound_keys(connection)}
    for name in _present(keys):
        if name not in known:
            bound = BoundKey.of_content(name, read_key(keys, name))
            connection.execute(installation_keys.insert(), asdict(bound))


def lacks_a_binding(connection: Connection, keys: Path) -> bool:
    """Return whether the home has a key that the database does not know."""
    known = set(connection.scalars(select(installation_keys.c.name)))
    return not set(_present(keys)) <= known


def refuse_unbound(home: HomeBinding | None, place: str, keys: Path) -> None:
    """Raise TidegateError if the home has a database and this one is not bound to any."""
    if home is not None:
        raise TidegateError(
            f"{keys.parent} belongs to the database {home.database_id} ({home.where}), and {place} "
            "is none or another: set TIDEGATE_DATABASE_URL, or give --database-url, of the right "
            "one, or put it back from a copy. `tidegate upgrade --move --database-url URL` moves "
            "a database"
        )


def is_database_missing(where: Path | str, keys: Path) -> bool:
    """Return whether a database is a file that does not exist yet.

    Raises TidegateError if the home is bound to another database: an empty one would answer as if
    nothing had happened.
    """
    # An empty file counts as missing: an interrupted creation leaves one.
    if isinstance(where, str) or (where.exists() and where.stat().st_size):
        return False
    refuse_unbound(HomeBinding.read(keys), home_location(where), keys)
    return True


def _present(keys: Path) -> Iterator[str]:
    return (name for name, file in KEY_FILES.items() if (keys / file).exists())


def _finish_rotation(bound: BoundKey, keys: Path, known: Sequence[BoundKey]) -> None:
    """Put an adopted key in place if its rotation was interrupted."""
    following = f"{KEY_FILES[bound.name]}.next"
    if (keys / following).exists():
        is_adopted = key_fingerprint(bound.name, read_secret(keys, following)) == bound.fingerprint
        if is_adopted:
            take_the_next_key(keys, bound.name, former_public_keys(known, bound.name))


def _require_public(bound: BoundKey, keys: Path, known: Sequence[BoundKey]) -> None:
    """Rewrite the file of public keys if it differs from what the database states.

    A verifier trusts this file, so an edited one must not stay.
    """
    if bound.name not in PUBLIC_FILES:
        return
    content = read_key(keys, bound.name)
    expected = public_file_of(bound.name, content, former_public_keys(known, bound.name))
    try:
        found = (keys / PUBLIC_FILES[bound.name]).read_bytes()
    except OSError:
        found = b""
    if found != expected:
        write_durably(keys / PUBLIC_FILES[bound.name], expected)


def _require_same(bound: BoundKey, keys: Path, database_id: str, known: Sequence[BoundKey]) -> None:
    file = KEY_FILES[bound.name]
    if not (keys / file).exists():
        raise KeyMissing(
            f"{file} is missing from {keys}, and nothing makes it anew: put back the key with the "
            f"fingerprint {bound.fingerprint} (database {database_id}), from a copy of HOME/keys "
            "or from another host"
        )
    # A rotated key has a message of its own, because its remedy differs.
    found = key_fingerprint(bound.name, read_key(keys, bound.name))
    if found in {each.fingerprint for each in known if each.name == bound.name} - {
        bound.fingerprint
    }:
        raise TidegateError(
            f"{file} in {keys} is a former key ({found}), which was rotated away; the one in use "
            f"has the fingerprint {bound.fingerprint}. Copy HOME/keys anew, from where `tidegate "
            f"rotate-key {bound.name}` was run"
        )
    if found != bound.fingerprint:
        raise TidegateError(
            f"{file} in {keys} is another key ({found}): the database {database_id} belongs with "
            f"the one of the fingerprint {bound.fingerprint}. Put that back, from a copy of "
            "HOME/keys or from another host, or give this home a database of its own"
        )


def _require_former(name: str, keys: Path, known: Sequence[BoundKey]) -> None:
    """Raise KeyMissing if a rotated key that is still needed is absent."""
    former = {each.fingerprint for each in known if each.name == name and each.retires_at}
    if name not in KEPT_WHEN_ROTATED or not former:
        return
    kept = {key_fingerprint(name, content) for content in former_keys(keys, name)}
    if lacking := sorted(former - kept):
        raise KeyMissing(
            f"{keys / FORMER} lacks the former {name} key {', '.join(lacking)}, and what was made "
            "with it needs just that key: put the folder back, from a copy of HOME/keys or from "
            "another host"
        )


def _is_unused(connection: Connection, keys: Path, name: str) -> bool:
    if name == SIGNING:
        return not has_models(keys)
    count = func.count()
    return not any(
        connection.scalar(select(count).select_from(table)) for table in _HANGING_ON[name]
    )


def _now() -> str:
    return datetime.now(UTC).isoformat()
