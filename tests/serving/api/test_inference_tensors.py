"""Where the JSON of a body with tensors behind it ends."""

import pytest

from serving.api.inference_tensors import split_body
from serving.errors import BodyMalformed


def test_the_json_ends_where_the_header_says() -> None:
    assert split_body(b"{}12345678", None) == (b"{}12345678", b"")
    assert split_body(b"{}12345678", "2") == (b"{}", b"12345678")
    assert split_body(b"{}", "0" * 19 + "2") == (b"{}", b"")


@pytest.mark.parametrize("said", ["3", "-1", "", "2.0", "0" * 5_000, "0" * 20 + "2", "9" * 21])
def test_a_length_that_is_none_is_refused(said: str) -> None:
    with pytest.raises(BodyMalformed):
        split_body(b"{}", said)
