"""Load while things change, load beyond what can be answered, and clients that send nothing."""

import asyncio
import json
import socket
import threading
import time
from pathlib import Path

import httpx2
import numpy as np
import pytest

from serving.access.api_keys import new_key
from serving.app import utc_now
from serving.decisions.decision import Decision
from serving.decisions.replay import replayed
from serving.scorer.champions import Champion
from serving.store.decision_log import DecisionLog
from serving.store.engine import open_database
from serving.store.key_register import KeyRegister
from tests.counts import count
from tests.faults.conftest import Serve
from tests.serving.world import promote, train_and_promote
from training.model_home import ModelHome
from training.risk_model import RiskModel

PROMOTIONS = count(2, 30)
STALLED = count(20, 200)
DEADLINE_S = count(1, 10)


@pytest.mark.faults
def test_promotions_under_load_fail_and_mix_nothing(serve: Serve, home: Path) -> None:
    folder = home / "models" / "tidegate-shipment"
    key = ModelHome(home).public_key
    models = {"1": RiskModel.read(folder / "1", key)}
    models["2"] = train_and_promote(home, "shipment", "2", seed=8)
    served = serve()
    served.start()
    is_over = threading.Event()

    def promoting() -> None:
        for number in range(PROMOTIONS):
            time.sleep(2)
            version = str(1 + number % 2)
            promote(home, "shipment", version, models[version])
        time.sleep(2)
        is_over.set()

    threading.Thread(target=promoting).start()
    told = served.load(8, "S", is_over.is_set)

    assert {each.status for each in told} == {200}
    answers = [json.loads(each.body) for each in told]
    assert {(a["model"]["version"], a["model"]["digest"]) for a in answers} == {
        (version, model.digest) for version, model in models.items()
    }
    log = DecisionLog(open_database(home / "tidegate.db", is_service=False))
    champions = {version: Champion.read(folder / version, key) for version in models}
    for record in log.records():
        decision = Decision.model_validate_json(record)
        assert replayed(decision, champions[decision.model.version]).is_identical


@pytest.mark.faults
def test_what_is_too_much_is_turned_away_at_once_and_the_rest_is_answered(serve: Serve) -> None:
    served = serve(most_in_flight=4)
    served.start()
    ends_at = time.monotonic() + count(2, 30)
    calm = served.load(2, "calm", lambda: time.monotonic() > ends_at)
    flood_ends_at = time.monotonic() + count(2, 30)

    async def flood() -> list[tuple[int, float, httpx2.Headers]]:
        told = []

        async def client(number: int) -> None:
            async with httpx2.AsyncClient(timeout=30) as connection:
                turn = 0
                while time.monotonic() < flood_ends_at:
                    turn += 1
                    each = await served.ask(connection, f"flood-{number}-{turn}")
                    told.append((each.status, each.seconds, each.headers))
                    await asyncio.sleep(0.05)

        await asyncio.gather(*(client(number) for number in range(count(16, 40))))
        return told

    told = asyncio.run(flood())
    shed = [each for each in told if each[0] == 503]
    accepted_s = [seconds for status, seconds, _ in told if status == 200]

    assert {status for status, _, _ in told} == {200, 503}
    assert all(headers["Retry-After"] == "1" for _, _, headers in shed)
    assert accepted_s
    print(
        f"accepted {len(accepted_s)} (p99 {np.percentile(accepted_s, 99) * 1e3:.0f} ms, calm "
        f"{np.percentile([each.seconds for each in calm], 99) * 1e3:.0f} ms), turned away "
        f"{len(shed)} (p99 {np.percentile([each[1] for each in shed], 99) * 1e3:.0f} ms)"
    )
    served.wait_until_ready(5)


@pytest.mark.faults
def test_stalled_connections_are_closed_and_keep_nobody_out(serve: Serve) -> None:
    served = serve(receive_deadline_s=DEADLINE_S)
    served.start()
    stalled = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(STALLED)]
    began = time.monotonic()
    for number, each in enumerate(stalled):
        each.sendall(b"POST /v1/scores HTTP/1.1\r\nContent-Length: 9\r\n\r\n"[: 10 + number % 40])

    told = served.load(4, "S", lambda: time.monotonic() > began + DEADLINE_S + 1)
    for each in stalled:
        assert is_closed(each)
    closed_s = time.monotonic() - began

    assert {each.status for each in told} == {200}
    assert closed_s < DEADLINE_S + 4


def is_closed(connection: socket.socket) -> bool:
    connection.settimeout(2)
    try:
        return connection.recv(1_000) == b""
    except ConnectionResetError:
        return True


@pytest.mark.faults
def test_a_machine_is_never_told_a_contribution(serve: Serve, home: Path) -> None:
    served = serve()
    kept, shown = new_key("machine", ("score", "ingest"), (), utc_now())
    engine = open_database(home / "tidegate.db", is_service=False)
    KeyRegister(engine).add(kept)
    engine.dispose()
    served.key = str(shown)
    served.start()
    answers = count(40, 10_000)

    told = served.load(8, "S", lambda: len(served.acknowledged) >= answers)

    assert len(told) >= answers
    for each in told:
        everything = each.body + repr(each.headers).encode()
        for word in (b"contribution", b"reasons", b"log_odds", b"remainder", b"evidence"):
            assert word not in everything
