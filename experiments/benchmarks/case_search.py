"""How long a search takes among a million cases, on either engine.

    python -m experiments.benchmarks.case_search [CASES] [sqlite|postgresql]

Time of a page of 50 of CASES (100,000) in one process, p50 and p95 of repeated calls of each kind,
and the mean of CPU time, that of the database's processes with it: whole identifiers, beginnings
that few or very many cases share, filters that let few through; readers of all, of one and of ten
offices. Rows are inserted in bulk, as long as encrypted ones and not encrypted; what it takes to
decrypt a page is measured by itself and added.
"""

import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from serving.crypto.encryption import EncryptionUnit
from serving.crypto.prefix_codes import prefix_code
from serving.review.cases.case_of_decision import CASE
from serving.review.cases.case_records import CaseAccess, CaseFilter, CaseSearch
from serving.review.cases.case_state import Case
from serving.review.search.search_terms import normalised
from serving.storage.keys.data_keys import DataKeys
from serving.storage.keys.token_keys import search_key_of
from serving.storage.repositories.case_repository import CaseRepository
from tests.serving.databases import database
from tests.serving.postgres import postgresql

CALLS, GOAL_MS, PAGE, TOGETHER = 200, 100.0, 50, 20_000
OFFICES = [f"XX{number:04}" for number in range(40)]
OPENED_AT = "2026-11-24T12:00:00+00:00"
COLUMNS = {
    "cases": "case_id seq subject_kind subject_id office_id lane rank due_at opened_at status what "
    "why state risk",
    "case_terms": "case_id code minus_seq is_rescue office_id names encrypted_value",
}
INDEXES = {
    "case_terms_by_code": "is_rescue, code, minus_seq",
    "case_terms_by_office": "is_rescue, office_id, code, minus_seq",
}
_PADDING = "-" * 90  # as long as what encryption adds; separators count for nothing

Row = tuple[Any, ...]


def main(many: int, *engines: str) -> None:
    """Print what searches take on each engine, and the goal."""
    for engine in engines or ("sqlite", "postgresql"):
        began = time.perf_counter()
        if engine == "sqlite":
            with tempfile.TemporaryDirectory() as folder:
                _measure(Path(folder) / "tidegate.db", engine, many, began, lambda: 0.0)
        else:
            with postgresql() as server:
                cpu_s = partial(_cpu_s, server.folder / "data" / "postmaster.pid")
                _measure(server.new_database(), engine, many, began, cpu_s)


def _measure(
    where: Path | str, engine: str, many: int, began: float, server_cpu_s: Callable[[], float]
) -> None:
    opened = database(where)
    key = search_key_of(DataKeys(opened).token_keys.ring().keys[0])
    load = _into_file if isinstance(where, Path) else _into_server
    load(str(where), key, many)
    print(f"{engine}: {many:,} cases loaded in {time.perf_counter() - began:.0f} s", flush=True)
    decrypting_ms = _decrypting_ms(DataKeys(opened))
    repository = CaseRepository(opened)
    for name, (access, some, wanted) in _kinds(many).items():
        taken, found, cpu_s = [], 0, time.process_time() + server_cpu_s()
        for call in range(CALLS):
            asked = CaseSearch(normalised(some(random.Random(call))), wanted)
            before = time.perf_counter()
            page = repository.search(access, asked, None, PAGE)
            taken.append(1000 * (time.perf_counter() - before) + decrypting_ms)
            found += len(page.found)
        cpu_s = time.process_time() + server_cpu_s() - cpu_s
        p50, p95 = np.quantile(taken, [0.5, 0.95])
        print(
            f"{engine}: {name}: p50 {p50:.1f} ms, p95 {p95:.1f} ms (want <= {GOAL_MS:.0f}), "
            f"CPU {1000 * cpu_s / CALLS:.1f} ms, {found / CALLS:.1f} cases a page",
            flush=True,
        )
    opened.dispose()


def _kinds(
    many: int,
) -> dict[str, tuple[CaseAccess, Callable[[random.Random], str], CaseFilter]]:
    """Each kind of search: who searches, for what, and which cases are wanted."""
    everywhere, here, ten = (
        CaseAccess(frozenset(OFFICES[:offices]), is_rescue=False) for offices in (0, 1, 10)
    )
    every, assigned = CaseFilter(), CaseFilter(statuses=("assigned",))

    def container(chance: random.Random) -> str:
        return _named(chance.randrange(many))["container"]

    return {
        "a whole container": (everywhere, container, every),
        "a container's first 8": (everywhere, lambda c: container(c)[:8], every),
        "a shipping line's every container (MSCU)": (everywhere, lambda _: "MSCU", every),
        "the beginning of every party": (everywhere, lambda _: "party-", every),
        "a payer": (everywhere, lambda c: f"party-{_digest(c.randrange(50_000))}", every),
        "a payer, at one office": (here, lambda c: f"party-{c.randrange(16):x}", every),
        "MSCU, at ten offices": (ten, lambda _: "MSCU", every),
        "MSCU, of those that one in a thousand is": (everywhere, lambda _: "MSCU", assigned),
        "nothing": (everywhere, lambda c: f"nobody{c.random()}", every),
    }


@cache
def _digest(number: int) -> str:
    return f"{random.Random(number).getrandbits(48):012x}"


def _named(number: int) -> dict[str, str]:
    """What a case names, and as what: one in four containers is of one line."""
    chance = random.Random(number)
    line = chance.choice(["MSCU", "MAEU", "CMAU", "HLXU"])
    consignee = f"party-{_digest(2 * chance.randrange(25_000))}"
    return {
        "case": _case_id(number),
        "shipment": f"S-2026-{number:07}",
        "journey": f"J-2026-{number // 8:06}",
        "container": f"{line}{chance.randrange(10**7):07}",
        "document_number": f"INV {chance.randrange(10**6):06}/26",
        "vessel": f"vessel-{_digest(chance.randrange(5_000))[:4]}",
        "imo_number": f"9{chance.randrange(10**6):06}",
        "consignee,payer": consignee,
        "consignor,payee": f"party-{_digest(2 * chance.randrange(25_000) + 1)}",
        "carrier": f"carrier-{chance.randrange(300):03}",
    }


def _case_id(number: int) -> str:
    return f"{number:08x}-{_digest(number % 1_000)}"


def _rows(key: bytes, numbers: range) -> Iterator[tuple[Row, list[Row]]]:
    """A case and its terms, each as their tables have them."""
    for number in numbers:
        case_id, office = _case_id(number), OFFICES[number % len(OFFICES)]
        status = "assigned" if number % 1_000 == 0 else ("open", "closed")[number % 2]
        state = CASE.dump_json(Case(case_id)).decode()
        case = (
            *(case_id, number, "shipment", f"S-{number}", office, "inspect", 1, OPENED_AT),
            *(OPENED_AT, status, "what it is", "why it is here", state, 0.5),
        )
        yield (
            case,
            [
                (case_id, _code(key, value), -number, 0, office, names, value + _PADDING)
                for names, value in _named(number).items()
            ],
        )


def _code(key: bytes, value: str) -> bytes:
    return _shared_code(key, value) if value.startswith("party") else _own_code(key, value)


def _own_code(key: bytes, value: str) -> bytes:
    return prefix_code(key, normalised(value))


_shared_code = cache(_own_code)


def _into_file(where: str, key: bytes, many: int) -> None:
    connection = sqlite3.connect(where)
    for pragma in ("foreign_keys=OFF", "synchronous=OFF", "cache_size=-200000"):
        connection.execute(f"PRAGMA {pragma}")
    for name in INDEXES:
        connection.execute(f"DROP INDEX {name}")
    for first in range(0, many, TOGETHER):
        rows = list(_rows(key, range(first, min(first + TOGETHER, many))))
        for table, new in _by_table(rows).items():
            columns = COLUMNS[table].split()
            places = ",".join("?" * len(columns))
            into = f"INSERT INTO {table} ({','.join(columns)}) VALUES ({places})"
            connection.executemany(into, new)
        connection.commit()
    for name, indexed in INDEXES.items():
        connection.execute(f"CREATE INDEX {name} ON case_terms ({indexed})")
    connection.commit()
    connection.close()


def _into_server(where: str, key: bytes, many: int) -> None:
    with psycopg.connect(where) as connection:
        connection.execute("SET session_replication_role = replica")
        for name in INDEXES:
            connection.execute(f"DROP INDEX {name}")
        for first in range(0, many, TOGETHER):
            rows = list(_rows(key, range(first, min(first + TOGETHER, many))))
            for table, new in _by_table(rows).items():
                columns = ",".join(COLUMNS[table].split())
                with connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copied:
                    for row in new:
                        copied.write_row(row)
        for name, columns in INDEXES.items():
            connection.execute(f"CREATE INDEX {name} ON case_terms ({columns})")
    with psycopg.connect(where, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE cases")
        connection.execute("VACUUM ANALYZE case_terms")


def _by_table(rows: list[tuple[Row, list[Row]]]) -> dict[str, list[Row]]:
    return {
        "cases": [case for case, _ in rows],
        "case_terms": [term for _, terms in rows for term in terms],
    }


def _decrypting_ms(keys: DataKeys) -> float:
    """What it takes to decrypt a page: four texts of each case and one identifier."""
    unit = EncryptionUnit.of_decision("case", OPENED_AT)
    text = keys.encrypt_text(unit, "part", "x" * 200)
    began = time.perf_counter()
    for _ in range(5 * PAGE):
        keys.decrypt_text("case", "part", text)
    return 1000 * (time.perf_counter() - began)


def _cpu_s(pid_file: Path) -> float:
    """CPU seconds of all processes of a server that are alive."""
    parent = int(pid_file.read_text().split()[0])
    of_server = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    fields = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2] for pid in of_server)
    ticks = sum(int(ticks) for each in fields for ticks in each.split()[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    many, *engines = sys.argv[1:] or ["100000"]
    main(int(many), *engines)
