"""What a password must be: long, and not among the first that are tried; never a composition."""

import pytest

from serving.access.errors import PasswordRefused
from serving.access.passwords import (
    HASHER,
    MAX_PASSWORD,
    MIN_PASSWORD,
    common_passwords,
    refuse_weak_password,
)


@pytest.mark.parametrize(
    "password",
    [
        "harbour at four in the morning",
        "no digits and no marks",
        "583920174652",
        "ключ от старого дома",
        "8f3-kd9_Qpzv",
        "x y z and again x y z",
        " spaces around count ",
        "a" * 60 + "long enough to be remembered" + "b" * 40,
    ],
)
def test_any_characters_make_a_password(password: str) -> None:
    refuse_weak_password(password, "maria muster")


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "P@ssw0rd12345",
        "Drag0nDrag0n!!",
        "PASSWORDPASSWORD",
        "qwertyuiop12",
        "qwertyuiop[]",
        "123456789012",
        "210987654321",
        "abcdefghijklm",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "Tidegate2026!",
        "tidegatetidegate",
        "MariaMuster2026",
        "maria muster 99",
        "muster!!!!!!",
        "1q2w3e4r5t6y",
        "leavemealone",
        "ｐａｓｓｗｏｒｄ１２３４",
        "twelve chars\x00",
    ],
)
def test_what_is_tried_first_is_refused(password: str) -> None:
    with pytest.raises(PasswordRefused):
        refuse_weak_password(password, "maria muster")


def test_every_common_password_that_is_long_enough_is_refused() -> None:
    long_ones = [each for each in common_passwords() if len(each) >= MIN_PASSWORD]
    words = [each for each in common_passwords() if len(each) < MIN_PASSWORD]
    assert len(long_ones) >= 3_000  # OWASP ASVS 5.0, 6.2.4
    assert len(words) == 5_000

    for password in (*long_ones, *(f"{word}!2026 99" for word in words)):
        with pytest.raises(PasswordRefused):
            refuse_weak_password(password.upper())


def test_a_password_has_from_12_to_128_characters() -> None:
    assert (MIN_PASSWORD, MAX_PASSWORD) == (12, 128)
    long = ("harbour at four " * 9)[:-3] + "xyz"
    refuse_weak_password("harb at four")
    refuse_weak_password(long[:128])
    with pytest.raises(PasswordRefused, match="at least 12"):
        refuse_weak_password("harbatfour1")
    with pytest.raises(PasswordRefused, match="at most 128"):
        refuse_weak_password(long[:129])


def test_hashes_are_argon2id_with_at_least_what_owasp_asks() -> None:
    assert HASHER.type.name == "ID"
    assert HASHER.memory_cost >= 19 * 1024
    assert HASHER.time_cost >= 2
    assert HASHER.salt_len >= 16
