"""Compare tables, triggers and functions of a database with what the migrations create.

A trigger or a rule runs inside the service's own transactions, and a missing one permits changes to
append-only rows; no row would show either. `schema.json` has a digest of every object that the
migrations create, for each engine: `python -m tests.serving.storage.make_schema` writes it, from
empty databases. A start therefore only reads the catalogue, which takes milliseconds.

What a server adds itself is left out: other schemas, extensions and what belongs to them,
statistics, and event triggers of other owners.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from features.errors import TidegateError
from serving.storage.engine import database_errors_as_503

EXPECTED = Path(__file__).with_name("schema.json")
# Bounds the length of the message; `schema_faults` returns every difference.
MAX_NAMED = 5

_SQLITE = text(
    "SELECT type AS kind, name, sql AS definition FROM sqlite_master "
    "WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
)

# `:schema` is the one of the decisions table. Definitions are as PostgreSQL prints them, without
# the name of the schema.
_POSTGRESQL = """
WITH ours AS (
    SELECT c.* FROM pg_class AS c
    WHERE c.relnamespace = :schema AND NOT EXISTS (
        SELECT 1 FROM pg_depend AS d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
)
SELECT CASE relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
        WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table' WHEN 'S' THEN 'sequence'
        ELSE 'relation' END AS kind,
    relname AS name,
    concat_ws(' ', relkind, relpersistence, relrowsecurity, relforcerowsecurity, (
        SELECT string_agg(i.inhparent::regclass::text, ',') FROM pg_inherits AS i
        WHERE i.inhrelid = ours.oid
    ), CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(ours.oid) END) AS definition
FROM ours WHERE relkind IN ('r', 'v', 'm', 'f', 'p', 'S')
UNION ALL
SELECT 'column', ours.relname || '.' || a.attname,
    concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated,
        a.attidentity, pg_get_expr(d.adbin, d.adrelid))
FROM pg_attribute AS a JOIN ours ON ours.oid = a.attrelid
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE ours.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'constraint', ours.relname || '.' || k.conname, pg_get_constraintdef(k.oid)
FROM pg_constraint AS k JOIN ours ON ours.oid = k.conrelid
WHERE k.contype <> 'n'  -- a column says so itself; before PostgreSQL 18 nothing else does
UNION ALL
SELECT 'index', ours.relname, concat_ws(' ', pg_get_indexdef(i.indexrelid), i.indisvalid)
FROM pg_index AS i JOIN ours ON ours.oid = i.indexrelid
UNION ALL
SELECT 'trigger', t.tgname || ' on ' || ours.relname,
    concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
FROM pg_trigger AS t JOIN ours ON ours.oid = t.tgrelid WHERE NOT t.tgisinternal
UNION ALL
SELECT 'trigger', 'of a foreign key on ' || ours.relname, 'switched off'
FROM pg_trigger AS t JOIN ours ON ours.oid = t.tgrelid
WHERE t.tgisinternal AND t.tgenabled <> 'O'
UNION ALL
SELECT 'rule', r.rulename || ' on ' || ours.relname, pg_get_ruledef(r.oid)
FROM pg_rewrite AS r JOIN ours ON ours.oid = r.ev_class WHERE r.rulename <> '_RETURN'
UNION ALL
SELECT 'policy', p.polname || ' on ' || ours.relname,
    concat_ws(' ', p.polcmd, p.polpermissive, pg_get_expr(p.polqual, p.polrelid),
        pg_get_expr(p.polwithcheck, p.polrelid))
FROM pg_policy AS p JOIN ours ON ours.oid = p.polrelid
UNION ALL
SELECT 'function', f.oid::regprocedure::text,
    CASE WHEN f.prokind IN ('f', 'p') THEN pg_get_functiondef(f.oid) ELSE f.prosrc END
FROM pg_proc AS f WHERE f.pronamespace = :schema AND NOT EXISTS (
    SELECT 1 FROM pg_depend AS d
    WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e'
)
UNION ALL
SELECT 'event trigger', e.evtname, e.evtfoid::regprocedure::text
FROM pg_event_trigger AS e JOIN pg_proc AS f ON f.oid = e.evtfoid
WHERE f.pronamespace = :schema OR e.evtowner = (
    SELECT relowner FROM ours WHERE relname = 'decisions'
) AND NOT (SELECT rolsuper FROM pg_roles WHERE oid = e.evtowner)
UNION ALL
SELECT 'setting', 'session_replication_role', setting
FROM pg_settings WHERE name = 'session_replication_role' AND setting <> 'origin'
UNION ALL
SELECT 'setting', 'session_replication_role of a role or a database', given
FROM pg_db_role_setting AS s, unnest(s.setconfig) AS given
WHERE given LIKE 'session_replication_role=%' AND given NOT LIKE '%=origin'
    AND s.setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = current_user))
    AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
_SCHEMA = text(
    "SELECT relnamespace, relnamespace::regnamespace::text FROM pg_class "
    "WHERE oid = to_regclass('decisions')"
)


@dataclass(frozen=True)
class SchemaFault:
    """An object that differs from the migrations: missing, changed or unknown to them."""

    kind: str
    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.why}"


def schema_faults(engine: Engine) -> list[SchemaFault]:
    """Return the differences from the schema of this release; raise LogUnavailable."""
    with database_errors_as_503(), engine.connect() as connection:
        found = digests(connection)
    expected = _expected()[engine.dialect.name]
    faults = [
        SchemaFault(*_named(each), _why(found.get(each), expected.get(each)))
        for each in sorted(found.keys() | expected.keys())
        if found.get(each) != expected.get(each)
    ]
    # A missing table is reported once, and not again for each of its columns and indexes.
    gone = {each.name for each in faults if each.kind == "table" and each.why == _MISSING}
    return [
        each for each in faults if each.name.partition(".")[0] not in gone or each.kind == "table"
    ]


def require_schema(engine: Engine) -> None:
    """Raise TidegateError with the differences if the schema is not that of the migrations."""
    faults = schema_faults(engine)
    if not faults:
        return
    named = "; ".join(map(str, faults[:MAX_NAMED]))
    more = f" and {len(faults) - MAX_NAMED} more" if len(faults) > MAX_NAMED else ""
    raise TidegateError(
        f"the database differs from what this release makes: {named}{more}. Somebody who may "
        "change its tables did so. Find out who, prove the log (`tidegate verify-log`), then undo "
        "it: drop what does not belong there, and restore the rest from a backup or an empty home"
    )


def digests(connection: Connection) -> dict[str, str]:
    """Return a short digest of every object, by its kind and name."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(_SQLITE).all()
        return {f"{row.kind} {row.name}": _digest(row.definition or "") for row in rows}
    schema = connection.execute(_SCHEMA).first()
    if schema is None:
        return {}
    oid, name = schema
    rows = connection.execute(text(_POSTGRESQL), {"schema": oid}).all()
    return {
        f"{row.kind} {row.name.removeprefix(f'{name}.')}": _digest(
            row.definition.replace(f"{name}.", "")
        )
        for row in rows
    }


_MISSING = "it is missing"


def _why(found: str | None, expected: str | None) -> str:
    if found is None:
        return _MISSING
    return "it is none of this release" if expected is None else "it was changed"


def _named(key: str) -> tuple[str, str]:
    kinds = ("materialized view", "foreign table", "partitioned table", "event trigger")
    kind = next((each for each in kinds if key.startswith(f"{each} ")), key.partition(" ")[0])
    return kind, key.removeprefix(f"{kind} ")


def _digest(definition: str) -> str:
    return hashlib.sha256(" ".join(definition.split()).encode()).hexdigest()[:16]


@cache
def _expected() -> Mapping[str, Mapping[str, str]]:
    found: Mapping[str, Mapping[str, str]] = json.loads(EXPECTED.read_text())
    return found
