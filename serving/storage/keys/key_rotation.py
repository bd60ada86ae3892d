"""Rotates a home's keys: the former key adopts the next one and is kept for verification.

The next key is stored next to the former one, then the database adopts it, then it replaces the
former one. If the process is killed in between, the next opening completes the rotation.
"""

import json
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, update

from features.home_keys import (
    DRAWS,
    KEY_FILES,
    LOG,
    PSEUDONYMS,
    SIGNING,
    SUBJECTS,
    fresh_key,
    key_fingerprint,
    key_pair,
    keys_in_lines,
    public_half,
    read_key,
    read_secret,
    sweep_secrets,
    take_the_next_key,
    write_secret,
)
from features.signed_documents import SIGNATURE, is_signed, sign
from serving.access.actors import Actor
from serving.integrity.audit_log import AuditEvent
from serving.storage.binding import BoundKey, bound_keys, former_public_keys
from serving.storage.engine import database_errors_as_503
from serving.storage.keys.data_keys import DataKeys
from serving.storage.keys.token_keys import search_key_of
from serving.storage.noted_journeys import note_again
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repositories.saved_view_repository import recode_views
from serving.storage.search_index import recode
from serving.storage.tables.keys import installation_keys
from serving.storage.write_lock import write_transaction

# Keys that are created with the home. `key_destruction` replaces wrapping keys instead.
ROTATED = (SIGNING, LOG, PSEUDONYMS, DRAWS, SUBJECTS)

_ADOPTION = "key adoption"


def rotate_key(
    engine: Engine, keys: Path, name: str, actor: Actor, *, at: datetime, overlap: timedelta
) -> BoundKey:
    """Replace one of the home's keys; return the key now in use.

    Signatures of the former key count until `overlap` has passed, for hosts and processes that
    still use it.
    """
    following = f"{KEY_FILES[name]}.next"
    # Remains of an interrupted rotation go first; the new key is on disk before any row names it.
    sweep_secrets(keys)
    write_secret(keys, following, fresh_key(name), replace=True)
    former, content = read_key(keys, name), read_secret(keys, following)
    fresh = replace(
        BoundKey.of_content(name, content),
        adopted_at=at.isoformat(),
        adopted_by=key_fingerprint(name, former),
        adoption=_adoption(name, former, content, at.isoformat()),
    )
    with database_errors_as_503(), write_transaction(engine) as connection:
        _adopt(connection, fresh, (at + overlap).isoformat())
        details = {"name": name, "fingerprint": fresh.fingerprint, "former": fresh.adopted_by}
        event = AuditEvent(at, actor, "rotate_key", "key", name, details)
        append_audit_events(connection, [event])
        if name == SUBJECTS:
            _recode_searches(connection, DataKeys(engine), content)
        known = bound_keys(connection)
    take_the_next_key(keys, name, former_public_keys(known, name))
    return fresh


def _recode_searches(connection: Connection, keys: DataKeys, token_key: bytes) -> None:
    """Rewrite search codes and views, so that the former key finds nothing in them."""
    search_key = search_key_of(token_key)
    recode(connection, keys, search_key)
    recode_views(connection, keys, search_key)
    note_again(connection)


def trusted_log_keys(engine: Engine, given: str) -> str:
    """Return a trusted log key with every key linked to it by adoptions.

    The result has one key a line, like `log.pub`. An adoption counts only if both keys signed it.
    """
    with database_errors_as_503(), engine.connect() as connection:
        known = {each.public_key: each for each in bound_keys(connection) if each.name == LOG}
    links = [(key, _adopted_from(each)) for key, each in known.items()]
    trusted = {given.strip()}
    # Each pass extends the chain by at least one key, so as many passes as links suffice.
    for _ in links:
        for following, former in links:
            if former and trusted & {former, following}:
                trusted |= {former, following}
    ends = {key: each.retires_at for key, each in known.items()}
    return "\n".join(f"{key} {ends.get(key) or ''}".strip() for key in sorted(trusted))


def _adopted_from(bound: BoundKey) -> str | None:
    """Return the key that adopted this one, or None unless both signed the adoption."""
    if bound.adoption is None:
        return None
    stated = json.loads(bound.adoption)
    former, signatures = str(stated["former"]), stated["signatures"]
    said = adoption_statement(bound.name, former, bound.public_key, str(stated["at"]))
    for public, signature in zip((former, bound.public_key), signatures, strict=True):
        if not is_signed(_ADOPTION, said | {SIGNATURE: signature}, keys_in_lines(public)):
            return None
    return former


def adoption_statement(name: str, former: str, following: str, at: str) -> dict[str, str]:
    """Return the statement that the former and the next key both sign, by their public keys."""
    return {"name": name, "former": former, "following": following, "at": at}


def _adoption(name: str, former: bytes, following: bytes, at: str) -> str | None:
    public = [public_half(name, content) for content in (former, following)]
    if not all(public):
        return None
    said = adoption_statement(name, public[0], public[1], at)
    signatures = [sign(_ADOPTION, said, key_pair(name, key)) for key in (former, following)]
    return json.dumps({"former": public[0], "at": at, "signatures": signatures})


def _adopt(connection: Connection, fresh: BoundKey, former_retires_at: str) -> None:
    in_use = installation_keys.c.retires_at.is_(None)
    connection.execute(
        update(installation_keys)
        .where(installation_keys.c.name == fresh.name, in_use)
        .values(retires_at=former_retires_at)
    )
    connection.execute(installation_keys.insert(), asdict(fresh))
