"""Codes of a second factor: RFC 6238's own values, each once, and codes to recover with."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import log2

import pyotp
import pytest

from serving.access.second_factor import (
    SecondFactor,
    new_factor_secret,
    new_recovery_codes,
    recovery_hash,
)
from tests.serving.access.trusted import NOW

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
OF_RFC = SecondFactor(RFC_SECRET, None, 0, 0)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
    ],
)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)

    assert OF_RFC.step_of(code, at) == seconds // 30
    assert OF_RFC.step_of(f" {code[:3]} {code[3:]} ", at) == seconds // 30


def test_a_code_counts_for_the_half_minute_around_its_own_and_no_longer() -> None:
    code = pyotp.TOTP(RFC_SECRET).at(NOW)

    for apart in (-30, 0, 30):
        assert OF_RFC.step_of(code, NOW + timedelta(seconds=apart)) is not None
    for apart in (-90, -60, 60, 90):
        assert OF_RFC.step_of(code, NOW + timedelta(seconds=apart)) is None
    for wrong in ("", "000000", code[:5], code + "0", "é" * 6):
        assert OF_RFC.step_of(wrong, NOW) is None


def test_a_code_that_was_used_and_those_before_it_count_no_more() -> None:
    maker = pyotp.TOTP(RFC_SECRET)
    step = OF_RFC.step_of(maker.at(NOW), NOW)
    assert step is not None
    used = replace(OF_RFC, last_step=step)

    assert used.step_of(maker.at(NOW), NOW) is None
    assert used.step_of(maker.at(NOW - timedelta(seconds=30)), NOW) is None
    assert used.step_of(maker.at(NOW + timedelta(seconds=30)), NOW) == step + 1


def test_secrets_and_recovery_codes_cannot_be_guessed() -> None:
    secrets, codes = {new_factor_secret() for _ in range(50)}, new_recovery_codes()

    assert len(secrets) == 50
    assert all(len(base64.b32decode(secret)) == 20 for secret in secrets)
    assert len({*codes}) == len(codes) == 10
    assert all(len(code.replace("-", "")) * log2(31) >= 128 for code in codes)
    assert recovery_hash(codes[0]) == recovery_hash(codes[0].replace("-", " ").lower())
    assert recovery_hash(codes[0]) != recovery_hash(codes[1])


def test_the_picture_is_svg_that_needs_no_style_and_no_script() -> None:
    drawn = OF_RFC.picture('maria "<script>" müller')

    assert drawn.startswith("<svg ")
    for what in ("style", "script", "class", "href", "http"):
        assert what not in drawn
    assert OF_RFC.address("maria muster").startswith("otpauth://totp/Tidegate:maria%20muster?")
    assert RFC_SECRET in OF_RFC.address("maria")
