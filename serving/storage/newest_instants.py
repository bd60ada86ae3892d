"""When the newest entries of a database and its witness were written, in the order of writing."""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import partial

from sqlalchemy import Engine, func, select

from features.errors import TidegateError
from serving.audit.clock_check import ClockCheck
from serving.integrity.witness_delivery import Witness
from serving.integrity.witness_lines import read_witness_lines
from serving.integrity.witnesses import witnesses_of
from serving.settings import Settings
from serving.storage.engine import failing_as_unavailable
from serving.storage.log_times import instant
from serving.storage.repositories.checkpoint_repository import CheckpointRepository
from serving.storage.repositories.retention_repository import stored_acts
from serving.storage.tables.audit import audit_events
from serving.storage.tables.scoring import decisions


def clock_check(engine: Engine, settings: Settings, stated: date | None = None) -> ClockCheck:
    """What holds the clock to the newest entries; `stated` is the day that a person says it is."""
    return ClockCheck(partial(newest_instants, engine, witnesses_of(settings)), stated)


def newest_instants(engine: Engine, witnesses: Iterable[Witness]) -> Mapping[str, datetime]:
    """The instants of the newest entries, by what they are; what was never written is left out.

    The newest is what was written last, not what has the latest date: an entry that a wrong clock
    dated counts until the next one. What commands did is left out, since they have this clock too:
    with that, the first checkpoint of an epoch. Left out too is what persons said a wrong clock
    dated; that they said so counts as an entry itself, since they vouched for its day.
    """
    newest = {
        "decision": select(func.coalesce(decisions.c.logged_at, decisions.c.scored_at)).order_by(
            decisions.c.seq.desc()
        ),
        "audit event": select(audit_events.c.at)
        .where(audit_events.c.actor.not_like("cli:%"))
        .order_by(audit_events.c.seq.desc()),
    }
    with failing_as_unavailable(), engine.connect() as connection:
        found = {what: connection.scalar(query.limit(1)) for what, query in newest.items()}
        overruling = stored_acts(connection, "overrule")
    found["checkpoint"] = _last_signed_at(CheckpointRepository(engine).newest_lines())
    found["witness's checkpoint"] = max(filter(None, map(_last_heard, witnesses)), default=None)
    found["overruling"] = overruling[-1].at if overruling else None
    instants = {what: instant(text) for what, text in found.items() if text is not None}
    overruled = {each for act in overruling for each in act.details["overruled"].items()}
    return {what: at for what, at in instants.items() if (what, at.isoformat()) not in overruled}


def _last_heard(witness: Witness) -> str | None:
    """What a witness was told last; nothing of one that cannot be asked."""
    with suppress(OSError, TidegateError):
        return _last_signed_at(read_witness_lines(witness.newest() or b"").lines)
    return None


def _last_signed_at(lines: Sequence[str]) -> str | None:
    told = [stated for stated in map(json.loads, lines) if not stated.get("begun")]
    return str(told[-1]["signed_at"]) if told else None
