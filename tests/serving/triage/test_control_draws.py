"""The draws of a subject: what an auditor draws again, and what they depend on."""

import hashlib
from pathlib import Path

import pytest

from serving.triage.control_draws import DrawGenerator
from serving.triage.lane_rule import Draws

SEED = b"a seed for this test"


def test_an_auditor_draws_a_lot_again_from_the_seed_and_the_subject() -> None:
    digest = hashlib.blake2b(b"shipment\0S-1", key=SEED, digest_size=16).digest()
    tie, control = (int.from_bytes(part, "big") // 2**11 for part in (digest[:8], digest[8:]))

    assert DrawGenerator(SEED).of_subject("shipment", "S-1") == Draws(
        tie=tie / 2**53, control=control / 2**53
    )


def test_the_lots_that_were_drawn_by_an_earlier_release_are_drawn_by_this_one() -> None:
    draws = DrawGenerator(SEED).of_subject("shipment", "S-1")

    assert draws == Draws(tie=0.8391617233654705, control=0.012789123873488295)


@pytest.mark.parametrize(("kind", "subject_id"), [("route", "S-1"), ("shipment", "S-2")])
def test_another_kind_or_subject_draws_both_lots_anew(kind: str, subject_id: str) -> None:
    one, other = (
        DrawGenerator(SEED).of_subject("shipment", "S-1"),
        DrawGenerator(SEED).of_subject(kind, subject_id),
    )  # type: ignore[arg-type]  # kinds

    assert one.tie != other.tie
    assert one.control != other.control


def test_kind_and_id_are_not_run_together() -> None:
    """An id can hold no NUL, so no two subjects are spelled alike."""
    assert DrawGenerator(SEED).of_subject("route", "shipment") != DrawGenerator(SEED).of_subject(
        "shipment", "route"
    )


def test_the_seed_is_the_secret_of_the_folder(tmp_path: Path) -> None:
    draw = DrawGenerator.from_folder(tmp_path / "keys")

    assert draw.seed == (tmp_path / "keys" / "draw.seed").read_bytes()
    assert len(draw.seed) == 32
    assert DrawGenerator.from_folder(tmp_path / "keys") == draw
