"""A decision is kept compressed; what an older release kept as it was is read."""

import zlib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import literal, select

from serving.crypto.compression import compressed, decompressed
from serving.crypto.encryption import EncryptionUnit
from serving.storage.encrypted_decisions import EncryptedDecisions
from serving.storage.keys.data_keys import DataKeys
from tests.serving.bodies import route
from tests.serving.conftest import Service
from tests.serving.databases import database
from tests.serving.storage.test_decision_log import entry


@given(some.binary(max_size=4_000))
def test_what_is_compressed_comes_back_here_and_with_what_every_python_has(content: bytes) -> None:
    assert decompressed(compressed(content)) == content
    assert zlib.decompress(compressed(content)) == content


def test_a_decision_takes_less_than_half_of_what_it_says(service: Service) -> None:
    decision_id = service.score(route(), service.key("score")).json()["decision_id"]
    chained = service.services.decisions.chained(decision_id)

    assert chained is not None
    assert len(chained.encrypted) < len(chained.record) / 2


def test_what_an_older_release_kept_as_it_was_is_read(where: Path | str) -> None:
    engine = database(where)
    keys = DataKeys(engine)
    decisions = EncryptedDecisions(keys)
    row, _ = entry(1)
    unit = EncryptionUnit.of_decision(row.decision_id, row.scored_at)
    columns = {
        "decision_id": row.decision_id,
        "scored_at": row.scored_at,
        "logged_at": None,
        "record": "{}",
        "encrypted": keys.encrypt(unit, "record", row.record.encode()),
    }
    with engine.connect() as connection:
        kept = connection.execute(select(*(literal(v).label(n) for n, v in columns.items()))).one()

    assert decisions.record(kept) == row.record
