"""What the digest of a function covers, and what it refuses to say."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.digests.code import code_digest, source_digest
from features.errors import TidegateError

FACTORS = {"a": 1.0, "b": 2.0}
FOLDER = Path("data")


@pytest.fixture(autouse=True)
def package_of_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions of this file count as those of the package."""
    monkeypatch.setattr("features.digests.code.PACKAGE", __name__.partition(".")[0])


def halved(text: str) -> float:
    """Half the length."""
    return len(text) / 2


def also_halved(word: str) -> float:
    # The same by other names.
    return len(word) / 2


def doubled(text: str) -> float:
    return len(text) * 2


def sum_of_halves(text: str) -> float:
    return sum(halved(part) for part in text.split())


def sum_of_other_halves(text: str) -> float:
    return sum(also_halved(each) for each in text.split())


def sum_of_doubles(text: str) -> float:
    return sum(doubled(part) for part in text.split())


def by_table(text: str) -> float:
    return FACTORS.get(text, math.nan)


def counted_down(text: str) -> str:
    return counted_down(text[1:]) if text else text


def hidden_by_an_argument(text: str) -> list[float]:
    return [each(text) for each in (lambda doubled: len(doubled) / 1, doubled)]


def read_from_a_file(name: str) -> str:
    return (FOLDER / name).read_text()


def rounded(text: str) -> float:
    return float(np.rint(len(text)))


def within(factor: int) -> Callable[[str], float]:
    def multiplied(text: str) -> float:
        return len(text) * factor

    return multiplied


def digest_anew(function: Any) -> str:
    """The digest without what is remembered of earlier ones."""
    return code_digest(function, (object(),))


def test_names_of_functions_and_of_their_variables_decide_nothing() -> None:
    assert code_digest(halved) == code_digest(also_halved)
    assert code_digest(sum_of_halves) == code_digest(sum_of_other_halves)


def test_what_a_function_calls_is_part_of_it() -> None:
    assert code_digest(halved) != code_digest(doubled)
    assert code_digest(sum_of_halves) != code_digest(sum_of_doubles)


def test_a_table_that_a_function_reads_is_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest_anew(by_table)
    monkeypatch.setitem(FACTORS, "b", 3.0)

    assert digest_anew(by_table) != before


def test_a_name_that_an_argument_hides_elsewhere_is_still_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = digest_anew(hidden_by_an_argument)
    monkeypatch.setitem(globals(), "doubled", halved)

    assert digest_anew(hidden_by_an_argument) != before


def test_a_function_that_calls_itself_has_a_digest() -> None:
    assert len(code_digest(counted_down)) == 64
    assert code_digest(counted_down) != code_digest(rounded)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (read_from_a_file, "no digest covers"),
        (within(2), "want a named function of a module"),
        (lambda text: text, "want a named function of a module"),
    ],
    ids=["a file", "a closure", "a lambda"],
)
def test_what_no_digest_can_cover_is_refused(function: Any, reason: str) -> None:
    with pytest.raises(TidegateError, match=reason):
        code_digest(function)


def test_a_rule_that_is_gone_from_its_file_is_missed() -> None:
    with pytest.raises(TidegateError, match="there is no function rule"):
        source_digest("engine/batch/shared_keys.py", "rule")
