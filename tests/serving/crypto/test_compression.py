"""A decision is stored compressed."""

import zlib

from hypothesis import given
from hypothesis import strategies as some

from serving.crypto.compression import compressed, decompressed
from tests.serving.bodies import route
from tests.serving.conftest import Service


@given(some.binary(max_size=4_000))
def test_what_is_compressed_comes_back_here_and_with_what_every_python_has(content: bytes) -> None:
    assert decompressed(compressed(content)) == content
    assert zlib.decompress(compressed(content)) == content


def test_a_decision_takes_less_than_half_of_what_it_says(service: Service) -> None:
    decision_id = service.score(route(), service.key("score")).json()["decision_id"]
    chained = service.services.decisions.chained(decision_id)

    assert chained is not None
    assert len(chained.encrypted) < len(chained.record) / 2
