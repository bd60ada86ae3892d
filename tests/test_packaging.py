"""The rooms have plain names, so another distribution could bring a room of the same name."""

import importlib
import re
import subprocess
import sys
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

import tidegate
from serving.extras import Requirement

ROOT = Path(__file__).resolve().parents[1]
MAX_NAMES = 25
PLACE = {
    "tidegate": ROOT / "tidegate",
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


def test_the_wheel_contains_the_facade_and_the_languages() -> None:
    files = {each.distribution_path for each in WheelBuilder(str(ROOT)).recurse_included_files()}

    assert files >= {"serving/languages/ar.po", "serving/languages/fr.po"}
    assert files >= {"tidegate/__init__.py", "tidegate/py.typed"}


def test_every_name_of_the_facade_is_the_one_of_its_module() -> None:
    for name in set(tidegate.__all__) - {"__version__"}:
        module, attribute = tidegate._PLACES[name]
        assert getattr(tidegate, name) is getattr(importlib.import_module(module), attribute)

    assert tidegate.__version__ == version("tidegate")
    assert dir(tidegate) == sorted(tidegate.__all__)
    assert len(tidegate.__all__) <= MAX_NAMES
    assert not hasattr(tidegate, "scores")


def test_a_name_whose_extra_is_missing_says_which_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacks(name: str) -> None:
        raise ModuleNotFoundError(name="lightgbm")

    monkeypatch.delitem(vars(tidegate), "RiskClassifier", raising=False)
    monkeypatch.setattr(Requirement, "is_installed", False)
    monkeypatch.setattr(tidegate, "_load", lacks)

    with pytest.raises(tidegate.TidegateError, match=r"RiskClassifier needs tidegate\[train\]:"):
        _ = tidegate.RiskClassifier


def test_importing_the_facade_loads_nothing_that_takes_long() -> None:
    code = "import sys, tidegate; print({'mlflow', 'lightgbm', 'numpy'} & {*sys.modules})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout == "set()\n"


def test_the_lock_names_a_hash_for_everything_and_no_place_to_get_it_from() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^[A-Za-z0-9._-]+==", lock, flags=re.MULTILINE)
    blocks = re.split(r"^(?=[A-Za-z0-9._-]+==)", lock, flags=re.MULTILINE)[1:]

    assert len(pins) > 100
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in lock
    assert "--index" not in lock
