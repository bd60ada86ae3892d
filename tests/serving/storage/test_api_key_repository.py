"""Keys of machines are read again after a second, once for all calls that come together."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from serving.access.api_keys import ApiKey, new_key
from serving.storage.repositories.api_key_repository import ApiKeyRepository
from tests.serving.access.trusted import NOW
from tests.serving.databases import database

CALLS = 8


def test_of_calls_that_come_together_with_a_key_the_first_finds_it_for_all(
    where: Path | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = database(where)
    keys = ApiKeyRepository(engine)
    key, _ = new_key("sender", ("score",), (), NOW)
    keys.add_key(key)
    keys.find_for_all(key.key_id)
    _forget(keys)
    asked, all_there, find = list[str](), threading.Barrier(CALLS), keys.find

    def find_slowly(key_id: str) -> ApiKey | None:
        asked.append(key_id)
        time.sleep(0.05)
        return find(key_id)

    def call() -> ApiKey | None:
        all_there.wait()
        return keys.find_for_all(key.key_id)

    monkeypatch.setattr(keys, "find", find_slowly)
    with ThreadPoolExecutor(CALLS) as threads:
        found = [each.result() for each in [threads.submit(call) for _ in range(CALLS)]]

    assert found == [key] * CALLS
    assert asked == [key.key_id]


def _forget(keys: ApiKeyRepository) -> None:
    """As if a second had gone by."""
    keys._remembered = {key_id: (key, 0.0) for key_id, (key, _) in keys._remembered.items()}
