"""The rooms have plain names, so another distribution could bring a room of the same name."""

import importlib
import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).resolve().parents[1]
PLACE = {
    "features": ROOT / "features",
    "training": ROOT / "training",
    "serving": ROOT / "serving",
    "synthetic": ROOT / "data" / "synthetic",
}


@pytest.mark.parametrize("room", PLACE)
def test_a_room_is_ours_and_nobody_else_brings_one_of_its_name(room: str) -> None:
    module = importlib.import_module(room)

    assert Path(str(module.__file__)).parent == PLACE[room]
    assert set(packages_distributions().get(room, ["tidegate"])) == {"tidegate"}


def test_the_wheel_brings_the_languages() -> None:
    files = {each.distribution_path for each in WheelBuilder(str(ROOT)).recurse_included_files()}

    assert files >= {"serving/languages/ar.po", "serving/languages/fr.po"}


def test_the_lock_names_a_hash_for_everything_and_no_place_to_get_it_from() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^[A-Za-z0-9._-]+==", lock, flags=re.MULTILINE)
    blocks = re.split(r"^(?=[A-Za-z0-9._-]+==)", lock, flags=re.MULTILINE)[1:]

    assert len(pins) > 100
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in lock
    assert "--index" not in lock
