"""The times of the newest entries of a database and its witnesses, in the order of writing."""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import partial

from sqlalchemy import Engine, Text, func, select, type_coerce

from features.errors import TidegateError
from serving.audit.clock_check import ClockCheck
from serving.integrity.witness_lines import read_witness_lines
from serving.integrity.witnesses import Witness, witnesses_of
from serving.settings import Settings
from serving.storage.engine import database_errors_as_503
from serving.storage.log_times import instant
from serving.storage.repositories.checkpoint_repository import CheckpointRepository
from serving.storage.repositories.retention_repository import stored_acts
from serving.storage.tables.audit import audit_events
from serving.storage.tables.scoring import decisions


def clock_check(engine: Engine, settings: Settings, stated: date | None = None) -> ClockCheck:
    """Return the check of the clock against the newest entries.

    `stated` is the day that a person states as today.
    """
    return ClockCheck(partial(newest_instants, engine, witnesses_of(settings)), stated)


def newest_instants(engine: Engine, witnesses: Iterable[Witness]) -> Mapping[str, datetime]:
    """Return the instants of the newest entries by kind; kinds without entries are absent.

    The newest entry is the last written, not the latest dated: an entry of a wrong clock counts
    until the next one. Entries of commands are excluded, since commands use the very clock to be
    checked, and with them the first checkpoint of an epoch. Entries that persons overruled are
    excluded too; the overruling itself counts, since those persons vouched for its day.
    """
    newest = {
        "decision": select(func.coalesce(decisions.c.logged_at, decisions.c.scored_at)).order_by(
            decisions.c.seq.desc()
        ),
        "audit event": select(type_coerce(audit_events.c.at, Text))
        .where(audit_events.c.actor.not_like("cli:%"))
        .order_by(audit_events.c.seq.desc()),
    }
    with database_errors_as_503(), engine.connect() as connection:
        found = {what: connection.scalar(query.limit(1)) for what, query in newest.items()}
        overruling = stored_acts(connection, "overrule")
    found["checkpoint"] = _last_signed_at(CheckpointRepository(engine).newest_lines())
    found["witness's checkpoint"] = max(filter(None, map(_last_heard, witnesses)), default=None)
    found["overruling"] = overruling[-1].at if overruling else None
    instants = {what: instant(text) for what, text in found.items() if text is not None}
    overruled = {each for act in overruling for each in act.details["overruled"].items()}
    return {what: at for what, at in instants.items() if (what, at.isoformat()) not in overruled}


def _last_heard(witness: Witness) -> str | None:
    """Return the time of a witness's last checkpoint; None if it cannot be asked."""
    with suppress(OSError, TidegateError):
        # An unreachable witness must not stop retention, and is no evidence of the time.
        return _last_signed_at(read_witness_lines(witness.newest() or b"").lines)
    return None


def _last_signed_at(lines: Sequence[str]) -> str | None:
    # The first checkpoint of an epoch is signed by a command, with the clock to be checked.
    told = [stated for stated in map(json.loads, lines) if not stated.get("begun")]
    return str(told[-1]["signed_at"]) if told else None
