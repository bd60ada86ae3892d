"""When the newest entries of a database and its witness were written, in the order of writing."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, select

from serving.db.engine import failing_as_unavailable
from serving.db.tables import audit_events, checkpoints, decisions

_SIGNED_AT = re.compile(rb'"signed_at": ?"([^"]{10,40})"')
_END_OF_FILE = 4_096  # bytes that hold the last line of a witness


def newest_instants(engine: Engine, witness: Path) -> Mapping[str, datetime]:
    """The instants of the newest entries, by what they are; what was never written is left out.

    The newest is what was written last, not what has the latest date: an entry that a wrong clock
    dated counts until the next one. What commands did is left out, since they have this clock too.
    """
    newest = {
        "decision": select(decisions.c.scored_at).order_by(decisions.c.seq.desc()),
        "checkpoint": select(checkpoints.c.signed_at).order_by(checkpoints.c.size.desc()),
        "audit event": select(audit_events.c.at)
        .where(audit_events.c.actor.not_like("cli:%"))
        .order_by(audit_events.c.seq.desc()),
    }
    with failing_as_unavailable(), engine.connect() as connection:
        found = {what: connection.scalar(query.limit(1)) for what, query in newest.items()}
    found["witness's checkpoint"] = _last_signed_at(witness)
    return {what: _instant(text) for what, text in found.items() if text is not None}


def _last_signed_at(witness: Path) -> str | None:
    if not witness.exists():
        return None
    with witness.open("rb") as lines:
        lines.seek(max(0, witness.stat().st_size - _END_OF_FILE))
        signed = _SIGNED_AT.findall(lines.read())
    return signed[-1].decode() if signed else None


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
