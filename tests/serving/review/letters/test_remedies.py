"""Whom a letter names: every answer of the deployer is needed, and each fault is named."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from serving.cli.main import app
from serving.errors import Conflict
from serving.review.letters.remedies import TEMPLATE, Remedies, write_remedies_template
from tests.serving.review.letters.remedies import REMEDIES, lay_down_remedies

FIELDS = re.findall(r"^(\w+) = ", REMEDIES, re.MULTILINE)


def test_whole_answers_are_read(tmp_path: Path) -> None:
    remedies = Remedies.read(lay_down_remedies(tmp_path))

    assert remedies.court.name == "Finance Court Hamburg"
    assert remedies.appeal.law == "UCC Article 44(2)(a)"


def test_a_file_with_deadlines_of_an_earlier_release_is_read_without_them(tmp_path: Path) -> None:
    file = lay_down_remedies(tmp_path)
    now = Remedies.read(file)
    file.write_text(REMEDIES.replace("law = ", "deadline_days = 30\nlaw = "))

    earlier = Remedies.read(file)

    assert earlier.model_dump() == now.model_dump()
    assert "deadline" not in earlier.model_dump_json()


@pytest.mark.parametrize("line", [line for line in REMEDIES.splitlines() if " = " in line])
def test_any_answer_that_is_left_out_is_missed_by_its_name(tmp_path: Path, line: str) -> None:
    file = lay_down_remedies(tmp_path)
    before, _, after = REMEDIES.partition(f"{line}\n")
    file.write_text(before + after)

    with pytest.raises(Conflict, match=rf"{line.partition(' = ')[0]}: Field required"):
        Remedies.read(file)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('law = "UCC Article 44(2)(b)"', 'law = "-"', "court.law"),
        ('law = "UCC Article 44(2)(b)"', "law = 44", "court.law"),
        ('name = "Finance Court Hamburg"', 'name = "  "', "court.name"),
        ("[court]", "[courts]", "courts"),
        ("[court]", "[court", "TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, named: str) -> None:
    file = lay_down_remedies(tmp_path)
    file.write_text(REMEDIES.replace(old, new))

    with pytest.raises(Conflict, match=named):
        Remedies.read(file)


def test_without_a_file_it_is_said_how_to_lay_one_down(tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="tidegate init letters"):
        Remedies.read(tmp_path / "letters.toml")


def test_the_template_asks_for_everything_answers_nothing_and_is_written_once(
    tmp_path: Path,
) -> None:
    file = tmp_path / "home" / "letters.toml"
    write_remedies_template(file)

    with pytest.raises(Conflict) as refused:
        Remedies.read(file)
    asked = re.findall(r"^# (\w+) =", TEMPLATE, re.MULTILINE)
    assert sorted(asked) == sorted(FIELDS)
    for field in ("controller.name", "hearing.law", "court.law"):
        assert field in str(refused.value)
    file.write_text(REMEDIES)
    with pytest.raises(Conflict, match="already"):
        write_remedies_template(file)
    assert file.read_text() == REMEDIES


def test_the_command_lays_the_questions_down_and_says_what_is_missing(tmp_path: Path) -> None:
    run = CliRunner()
    home = ["--home", str(tmp_path)]

    assert run.invoke(app, ["init", "letters", *home]).exit_code == 0
    assert isinstance(run.invoke(app, ["doctor", "letters", *home]).exception, Conflict)
    lay_down_remedies(tmp_path)
    assert run.invoke(app, ["doctor", "letters", *home]).exit_code == 0
