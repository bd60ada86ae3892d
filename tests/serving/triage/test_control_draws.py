"""The draws of a subject: what an auditor draws again, and what they depend on."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from features.home_keys import DRAWS, key_fingerprint
from serving.app import create_app
from serving.audit.decision import Decision
from serving.cli.main import app as tidegate
from serving.settings import Settings
from serving.triage.control_draws import DrawGenerator
from serving.triage.lane_choice import Draws
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service

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


FORMER, FIRST = b"a seed of before", b"the first seed of all"


def test_a_subject_keeps_the_seed_of_its_first_decision() -> None:
    drawn_by = {"S-old": key_fingerprint(DRAWS, FORMER), "S-oldest": "", "S-new": None}
    draws = DrawGenerator(SEED, (FORMER, FIRST), lambda _, subject_id: drawn_by[subject_id])

    for subject_id, seed in {"S-old": FORMER, "S-oldest": FIRST, "S-new": SEED}.items():
        alone = DrawGenerator(seed).of_subject("shipment", subject_id)
        again = draws.of_subject("shipment", subject_id)
        assert (again.tie, again.control) == (alone.tie, alone.control)
        assert again.drawn_with == key_fingerprint(DRAWS, seed)


@contextmanager
def served(home: Path, posted: int) -> Iterator[Service]:
    app = create_app(Settings(home=home), clock=lambda: NOW)
    with TestClient(app) as client:
        yield Service(client, app.state.services, home, posted)


def test_decisions_say_by_which_seed_they_were_drawn_once_it_was_rotated(home: Path) -> None:
    with served(home, posted=0) as before:
        caller = before.key("score")
        given = [before.score(shipment(shipment_id="S-old"), caller).json()["decision_id"]]
    first = (home / "keys" / "draw.seed").read_bytes()
    rotation = ["rotate-key", "draws", "--home", str(home)]
    assert CliRunner().invoke(tidegate, rotation).exit_code == 0

    with served(home, posted=10) as after:
        given += [
            after.score(shipment(shipment_id=subject_id), caller).json()["decision_id"]
            for subject_id in ("S-old", "S-new")
        ]
        records = [after.services.decisions.record(each) for each in given]

    seeds = [None, first, (home / "keys" / "draw.seed").read_bytes()]
    said = [Decision.model_validate_json(record or "").drawn_with for record in records]
    assert said == [seed and key_fingerprint(DRAWS, seed) for seed in seeds]
    assert first != seeds[-1]
