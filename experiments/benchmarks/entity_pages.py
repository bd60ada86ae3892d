"""How long the page of an entity takes among many cases.

    python -m experiments.benchmarks.entity_pages [CASES]

Time to read what CASES (100,000) tell of an entity and to render its page, in one process on
SQLite: p50 and p95 of repeated calls of each kind, and the mean of CPU time. Each case names a
container, a vessel and six parties. Rows are inserted in bulk and not encrypted; what it takes to
decrypt those that a page reads is measured by itself and added.
"""

import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from serving.access.pseudonyms import Pseudonyms
from serving.audit.masking import Masking
from serving.console.charts.month_bars import MonthBars
from serving.console.entities import EntityCaseRow, called_by_kind
from serving.console.pages import templates
from serving.crypto.encryption import EncryptionUnit
from serving.crypto.prefix_codes import prefix_code
from serving.review.cases.case_of_decision import CASE
from serving.review.cases.case_records import CaseAccess
from serving.review.cases.case_state import Case
from serving.review.cases.results import CaseResult
from serving.review.cases.reviewer import Reviewer
from serving.review.search.entities import MAX_SHOWN, Entities, EntityKind, EntityReference
from serving.review.search.search_terms import normalised
from serving.storage.keys.data_keys import DataKeys
from serving.storage.keys.token_keys import search_key_of
from serving.storage.repositories.entity_repository import EntityRepository
from serving.storage.repositories.retention_repository import RetentionRepository
from tests.serving.databases import database
from tests.serving.people import person

CALLS, GOAL_MS, TOGETHER = 60, 150.0, 2_000
OFFICES = [f"XX{number:04}" for number in range(40)]
TEXTS_OF_A_CASE = 4 + 1 + 1
"""What is decrypted of each case that is looked at: itself, its term, and what it names with it."""
COLUMNS = {
    "decisions": "seq decision_id scored_at subject_kind subject_id caller_id lane record chain",
    "cases": "case_id seq subject_kind subject_id office_id lane rank due_at opened_at status what "
    "why state",
    "case_links": "case_id kind value seq encrypted_value roles",
    "case_terms": "case_id code minus_seq is_rescue office_id names encrypted_value",
}
NOW = datetime(2026, 11, 28, tzinfo=UTC)
PAYER = "party-of-one-case-in-twenty"
Row = tuple[Any, ...]

FOUND = CaseResult("inspect", "goods_found", "hidden_space", "high", "behind a false wall")


def main(many: int = 100_000) -> None:
    """Print what the page of each kind of entity takes, and the goal."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        engine = database(Path(folder) / "tidegate.db")
        keys = DataKeys(engine)
        keys.prepare()
        connection = sqlite3.connect(Path(folder) / "tidegate.db")
        connection.execute("PRAGMA synchronous=OFF")
        for first in range(0, many, TOGETHER):
            _insert(connection, keys, range(first, min(first + TOGETHER, many)))
        connection.close()
        print(f"{many:,} cases loaded in {time.perf_counter() - began:.0f} s", flush=True)
        masking = Masking(RetentionRepository(engine), keys, Pseudonyms(b"a key"))
        entities = Entities(EntityRepository(engine), masking)
        for name, (kind, linked, value, offices) in _asked().items():
            key = EntityReference(kind, keys.token(linked, value))
            access = CaseAccess(frozenset(OFFICES[:offices]), is_rescue=False)
            _measure(entities, Reviewer(person("one"), access), key, name, _decrypting_us(keys))
        engine.dispose()


def _asked() -> dict[str, tuple[EntityKind, str, str, int]]:
    """What is asked for: a kind, the kind of its links, what it is called, and from how many."""
    named = _named(7)
    return {
        "a payer of one case in twenty": ("party", "party", PAYER, 0),
        "the same, for one office": ("party", "party", PAYER, 1),
        "the same, for ten offices": ("party", "party", PAYER, 10),
        "a carrier of one case in 300": ("party", "agent", named["carrier"], 0),
        "a vessel": ("conveyance", "conveyance", named["vessel"], 0),
        "a container": ("container", "container", named["container"], 0),
    }


def _measure(
    entities: Entities,
    reviewer: Reviewer,
    reference: EntityReference,
    name: str,
    decrypting_us: float,
) -> None:
    taken, cpu_s = [], time.process_time()
    for _ in range(CALLS):
        before = time.perf_counter()
        history = entities.history(reviewer, reference)
        templates.get_template("entity.html").render(
            reader=None,
            session=None,
            page_at=NOW,
            is_live=True,
            switched_off=(),
            is_history_missing=False,
            history=history,
            sort="",
            called=called_by_kind(history),
            rows=[EntityCaseRow.from_case(each, None) for each in history.cases[:MAX_SHOWN]],
            months=MonthBars.from_months(history.months),
        )
        taken.append(1000 * (time.perf_counter() - before))
    cpu_s = time.process_time() - cpu_s
    companions = len(history.companions) + history.more_companions
    read = len(history.cases) * TEXTS_OF_A_CASE
    p50, p95 = np.quantile(taken, [0.5, 0.95]) + read * decrypting_us / 1000
    print(
        f"{name}: p50 {p50:.1f} ms, p95 {p95:.1f} ms (want <= {GOAL_MS:.0f}), "
        f"CPU {1000 * cpu_s / CALLS + read * decrypting_us / 1000:.1f} ms, "
        f"{len(history.cases)} cases, with {companions} others",
        flush=True,
    )


def _named(number: int) -> dict[str, str]:
    """What a case names, and as what."""
    chance = random.Random(number)
    return {
        "container": f"MSCU{chance.randrange(10**7):07}",
        "vessel": f"vessel-{chance.randrange(5_000):04}",
        "payer": PAYER if number % 20 == 0 else f"party-{chance.randrange(50_000):05}",
        "payee": f"party-{chance.randrange(50_000):05}",
        "consignor": f"party-{chance.randrange(50_000):05}",
        "consignee": f"party-{chance.randrange(50_000):05}",
        "carrier": f"carrier-{number % 300:03}",
        "declarant": f"agent-{chance.randrange(2_000):04}",
    }


_LINKED_AS = {"container": "container", "vessel": "conveyance", "carrier": "agent"} | {
    "declarant": "agent"
}


def _insert(connection: sqlite3.Connection, keys: DataKeys, numbers: range) -> None:
    """Add cases, with their decisions, links and terms."""
    search_key = search_key_of(keys.token_keys.ring().keys[0])
    for table, rows in {
        "decisions": [_decided(number) for number in numbers],
        "cases": [_case(number) for number in numbers],
        "case_links": [link for number in numbers for link in _links(keys, number)],
        "case_terms": [term for number in numbers for term in _terms(search_key, number)],
    }.items():
        names = COLUMNS[table].split()
        places = ",".join("?" * len(names))
        connection.executemany(
            f"INSERT OR IGNORE INTO {table} ({','.join(names)}) VALUES ({places})", rows
        )
    connection.commit()


def _case(number: int) -> Row:
    opened_at, case_id = _opened_at(number), _case_id(number)
    is_closed = number % 3 == 0
    state = Case(case_id, status="closed", result=FOUND) if is_closed else Case(case_id)
    return (
        *(case_id, number, "shipment", f"S-{number}", _office(number), "inspect", 1),
        *(opened_at, opened_at, state.status, "what it is " * 12, "why it is here"),
        CASE.dump_json(state).decode(),
    )


def _decided(number: int) -> Row:
    """The decision of a case, as far as its case must have one."""
    case_id = _case_id(number)
    of_case = (number + 1, case_id, _opened_at(number), "shipment", f"S-{number}")
    return (*of_case, "c", "inspect", "", b"")


def _links(keys: DataKeys, number: int) -> Iterator[Row]:
    for role, value in _named(number).items():
        kind = _LINKED_AS.get(role, "party")
        yield _case_id(number), kind, keys.token(kind, value), number, value, role


def _terms(search_key: bytes, number: int) -> Iterator[Row]:
    for role, value in _named(number).items():
        code = _code(search_key, value)
        yield _case_id(number), code, -number, 0, _office(number), role, value


@cache
def _code(search_key: bytes, value: str) -> bytes:
    return prefix_code(search_key, normalised(value))


def _case_id(number: int) -> str:
    return f"{number:08x}-case"


def _office(number: int) -> str:
    return OFFICES[number // 20 % len(OFFICES)]


def _opened_at(number: int) -> str:
    return (NOW - timedelta(hours=number % 20_000)).isoformat()


def _decrypting_us(keys: DataKeys) -> float:
    """What it takes to decrypt one text."""
    unit = EncryptionUnit.of_decision("case", _opened_at(0))
    text = keys.encrypt_text(unit, "part", "x" * 200)
    began = time.perf_counter()
    for _ in range(TOGETHER):
        keys.decrypt_text("case", "part", text)
    return 1e6 * (time.perf_counter() - began) / TOGETHER


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
