"""What it costs a decision to be stored compressed and encrypted: CPU time beside one in the clear.

Rows are made as the writer makes them, of a record as large as one of a shipment, of names and
numbers; the digest that the chain takes of a row is part of either.
"""

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from sqlalchemy import Engine

from serving.audit.logged_decision import LoggedDecision, StoredAnswer
from serving.integrity.hash_chain import FIRST_LINK, next_link
from serving.storage.encrypted_decisions import EncryptedDecisions
from serving.storage.engine import open_database
from serving.storage.keys.data_keys import DataKeys

NUMBERS, ANSWER_BYTES, TIMES = 400, 600, 20_000
GOAL_US = 50.0


def main(times: int = TIMES) -> None:
    """Measure all three in one process."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(Path(folder) / "tidegate.db", is_service=False)
        decisions = EncryptedDecisions(DataKeys(engine))
        row, answer = _entry()
        clear = _us(lambda: next_link(FIRST_LINK, row.record) and {**vars(row)}, times)
        encrypted = _us(lambda: _made(decisions, row, answer), times)
        decisions.keys.forget()
        with patch("serving.crypto.encryption.AESGCM", ChaCha20Poly1305):  # a peer in its place
            other = EncryptedDecisions(DataKeys(_other(Path(folder))))
            chacha = _us(lambda: _made(other, row, answer), times)
    print(f"in the clear           {clear:7.1f} µs a decision")
    for name, taken in (("AES-256-GCM", encrypted), ("ChaCha20-Poly1305", chacha)):
        print(f"{name:<22} {taken:7.1f} µs, {taken - clear:+.1f} (goal {GOAL_US:+})")


def _entry() -> tuple[LoggedDecision, StoredAnswer]:
    at, model = "2026-11-24T12:00:00+00:00", {"name": "m", "version": "1", "digest": "d" * 71}
    lots = random.Random(7)
    said = {f"feature_{n:03}_ratio_90d": lots.gauss(0.0, 1.0) for n in range(NUMBERS)}
    row = LoggedDecision(
        *("d" * 36, at, "shipment", "S-1", "A", "c", "release", 0.1, json.dumps(said)),
        lasting={"lane_reason": "score", "selection_probability": 0.01, "model": model},
    )
    return row, StoredAnswer(
        "c", "k", "sha256:" + "0" * 64, row.decision_id, at, b"a" * ANSWER_BYTES
    )


def _other(folder: Path) -> Engine:
    home = folder / "other"  # a home has keys of its own, and one database
    home.mkdir()
    return open_database(home / "tidegate.db", is_service=False)


def _made(decisions: EncryptedDecisions, row: LoggedDecision, answer: StoredAnswer) -> bytes:
    made, _ = decisions.rows(row, answer)
    return next_link(FIRST_LINK, made["record"])


def _us(call: Callable[[], object], times: int) -> float:
    for _ in range(times // 10):
        call()
    began = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - began) / times * 1e6


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
