"""Scores are not used in earnest before somebody answered for what they may do to people."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from features.errors import TidegateError
from serving.app import create_app, utc_now
from serving.audit.impact_assessment import (
    DAYS,
    NAMES,
    QUESTIONS,
    missing_from,
    require_assessment,
    template,
    write_template,
)
from serving.cli.main import app as commands
from serving.settings import Settings
from tests.serving.conftest import Service
from tests.serving.review.rescue.centres import CENTRES

TODAY = date(2026, 11, 24)
FIELDS = (*NAMES, *DAYS, *(f"answers.{name}" for name in QUESTIONS))


def answered(left_out: str = "", assessed_on: date = TODAY, review_by: date | None = None) -> str:
    """A whole assessment, but for one field."""
    review_by = review_by or assessed_on + timedelta(days=180)
    top = {name: f'"the {name}"' for name in NAMES}
    top |= {"assessed_on": f"{assessed_on}", "review_by": f"{review_by}"}
    answers = {f"answers.{name}": f'"""\n{"An answer in full. " * 3}"""' for name in QUESTIONS}
    return "\n".join(
        f"{name} = {value}" for name, value in {**top, **answers}.items() if name != left_out
    )


def lacking(folder: Path, text: str, today: date = TODAY) -> list[str]:
    return [*reasons(folder, text, today)]


def reasons(folder: Path, text: str, today: date = TODAY) -> dict[str, str]:
    file = folder / "impact.toml"
    file.write_text(text)
    return {lack.field: lack.reason for lack in missing_from(file, today)}


def test_a_whole_assessment_lacks_nothing(tmp_path: Path) -> None:
    assert lacking(tmp_path, answered()) == []


def test_the_bare_questions_lack_every_answer(tmp_path: Path) -> None:
    questions = template()

    assert lacking(tmp_path, questions) == list(FIELDS)
    for name, text in (NAMES | DAYS | QUESTIONS).items():
        assert f"# {text}\n" in questions
        assert f"{name} =" in questions


@pytest.mark.parametrize("field", FIELDS)
def test_each_thing_left_out_is_named(tmp_path: Path, field: str) -> None:
    assert lacking(tmp_path, answered(left_out=field)) == [field]


@pytest.mark.parametrize(("characters", "is_said"), [(39, False), (40, True)])
def test_an_answer_of_less_than_forty_characters_says_nothing(
    tmp_path: Path, characters: int, is_said: bool
) -> None:
    process = "answers.process"
    text = answered(left_out=process) + f'\n{process} = "{" " * 20}{"x" * characters}"\n'
    assert lacking(tmp_path, text) == ([] if is_said else [process])


@given(after=st.integers(-800, 800), review_after=st.integers(-400, 800))
def test_it_holds_from_its_day_until_its_review_and_for_a_year_at_most(
    tmp_path_factory: pytest.TempPathFactory, after: int, review_after: int
) -> None:
    assessed, review = TODAY, TODAY + timedelta(days=review_after)
    today = TODAY + timedelta(days=after)
    lacks = lacking(tmp_path_factory.mktemp("home"), answered("", assessed, review), today)
    assert (not lacks) == (0 <= after <= review_after and 0 < review_after <= 366)
    assert ("assessed_on" in lacks) == (after < 0)
    assert ("review_by" in lacks) == (not 0 < review_after <= 366 or review_after < after)


def test_nobody_approves_their_own_assessment(tmp_path: Path) -> None:
    text = answered().replace("the approved_by", " The Answered_by ")
    asked = {"approved_by": "want another role than the one that answered"}
    assert reasons(tmp_path, text) == asked


def test_what_is_no_toml_is_said_to_be_none(tmp_path: Path) -> None:
    assert "cannot be read as TOML" in reasons(tmp_path, "deployer = ")["file"]
    (tmp_path / "latin").write_bytes(b'deployer = "\xe9"')
    for name, said in {"latin": "cannot be read as TOML", "absent": "there is none"}.items():
        (lack,) = missing_from(tmp_path / name, TODAY)
        assert lack.field == "file"
        assert said in lack.reason


def test_answers_are_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "impact.toml"
    file.write_text(answered())
    with pytest.raises(TidegateError, match="left as it is"):
        write_template(file)
    assert file.read_text() == answered()


def test_live_use_does_not_begin_without_it(home: Path) -> None:
    settings = Settings(home=home, is_live=True)
    settings.rescue_centres.write_text(CENTRES)
    with pytest.raises(TidegateError, match=r"init impact"):
        create_app(settings)
    today = utc_now().date()
    for bad in (
        answered(left_out="answers.measures", assessed_on=today),
        answered(assessed_on=today - timedelta(days=200)),
        answered(assessed_on=today).replace("the approved_by", "the answered_by"),
    ):
        settings.impact.write_text(bad)
        with pytest.raises(TidegateError):
            create_app(settings)
    settings.impact.write_text(answered(assessed_on=today))
    assert create_app(settings).state.services.settings.is_live


def test_live_use_does_not_begin_without_somebody_to_call(home: Path) -> None:
    settings = Settings(home=home, is_live=True)
    settings.impact.write_text(answered(assessed_on=utc_now().date()))
    with pytest.raises(TidegateError, match="whom to call"):
        create_app(settings)
    settings.rescue_centres.write_text(CENTRES.replace("addresses", "# addresses"))
    with pytest.raises(TidegateError, match="'MRCC Piraeus' has no address"):
        create_app(settings)
    settings.rescue_centres.write_text(CENTRES)
    assert create_app(settings).state.services.settings.is_live


def test_the_refusal_names_all_that_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "impact.toml"
    file.write_text(template())
    with pytest.raises(TidegateError) as refused:
        require_assessment(file, TODAY)
    assert all(field in str(refused.value) for field in FIELDS)


def test_the_command_asks_and_then_says_what_is_missing(tmp_path: Path) -> None:
    runner = CliRunner()
    home = ["--home", str(tmp_path)]
    assert runner.invoke(commands, ["init", "impact", *home]).exit_code == 0
    assert runner.invoke(commands, ["doctor", "impact", *home]).exit_code == 1
    (tmp_path / "impact.toml").write_text(answered(assessed_on=utc_now().date()))
    assert runner.invoke(commands, ["doctor", "impact", *home]).exit_code == 0


def test_a_trial_says_on_its_pages_and_to_machines_that_it_is_one(service: Service) -> None:
    assert "Trial: nothing here may be used" in service.client.get("/console/sign-in").text
    assert service.client.get("/health/ready").json()["is_live"] is False
