"""Whoever misspells a setting is told, and nobody else is."""

import re
from pathlib import Path

import pytest

from serving.cli.doctor import _findings
from serving.cli.opened_home import OpenedHome
from serving.cli.unread_variables import unread_variables

ROOT = Path(__file__).parents[3]


def test_a_misspelt_setting_is_named_with_the_nearest_one() -> None:
    said = [*unread_variables(["TIDEGATE_Q", "TIDEGATE_IS_LIFE", "PATH"])]

    assert said == [
        "nothing reads TIDEGATE_IS_LIFE; is TIDEGATE_IS_LIVE meant?",
        "nothing reads TIDEGATE_Q",
    ]


def test_every_variable_that_the_code_names_is_known() -> None:
    files = [
        file for room in ("features", "training", "serving") for file in (ROOT / room).rglob("*.py")
    ]
    named = {
        name for file in files for name in re.findall(r"TIDEGATE_[A-Z_]*[A-Z]\b", file.read_text())
    }

    assert len(named) > 30
    assert [*unread_variables(named)] == []
    assert [*unread_variables(f"TIDEGATE_{name[9:].lower()}" for name in named)] == []


def test_doctor_doubts_a_variable_that_nothing_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEGATE_WITNES", "https://witness.example")

    found = [each for each in _findings(OpenedHome(tmp_path)) if each.what == "settings"]

    assert [(each.grade, each.says) for each in found] == [
        ("doubtful", "nothing reads TIDEGATE_WITNES; is TIDEGATE_WITNESS meant?")
    ]
