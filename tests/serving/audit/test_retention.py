"""Periods, proposals, certificates and commands: how data come to their end."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from features.home_keys import keys_in_lines
from features.ingest.record_files import read_records
from features.records import RECORD_FILES
from features.signed_documents import is_signed
from serving.audit.errors import RetentionRefused
from serving.audit.retention_periods import Periods, write_periods_template
from serving.integrity.checkpoints import public_key_of
from tests.serving.audit.installation import LATER, PERIODS, Installation, closed_case, command
from tests.serving.canaries import told_in_files
from tests.serving.conftest import NOW

TODAY = ("--today", f"{datetime.now(UTC).date()}")  # decisions of tests are of one day of 2026


def test_an_erasure_takes_two_and_is_followed_once(file_place: Installation) -> None:
    closed_case(file_place)
    retention = file_place.retention()
    number = retention.propose("ada", "the time is over", LATER)

    def refused(words: str, number: int = number, by: str = "grace", at: datetime = LATER) -> None:
        with pytest.raises(RetentionRefused, match=words):
            retention.erase(number, by, "as proposed", at)

    for nobody_else in ("ada", "Ada", " ada ", "", " "):
        refused("another person must erase", by=nobody_else)
    refused("there is no proposal 77", number=77)
    refused("propose anew", at=LATER + timedelta(days=30, seconds=1))
    retention.erase(number, "grace", "as proposed", LATER + timedelta(days=30))
    refused("was followed already")
    acts = [(act.action, act.by, act.because) for act in retention.acts.all()]
    assert acts == [
        ("propose", "ada", "the time is over"),
        ("erase", "grace", "as proposed"),
    ]


def test_a_certificate_states_what_was_erased_and_is_signed(file_place: Installation) -> None:
    closed_case(file_place)
    file_place.erased()

    (file,) = file_place.settings.erasures.glob("*.json")
    keys = keys_in_lines(public_key_of(file_place.settings.keys))
    told = json.loads(file.read_text())
    assert is_signed("certificate of erasure", told, keys)
    assert not is_signed("certificate of erasure", told | {"by": "mallory"}, keys)
    assert (told["by"], told["destroyed"]["decisions"]) == ("grace", 1)
    assert told["rows"]["records/shipments"] > 0
    home = file_place.settings.home
    assert not list((home / "training_sets").rglob("*.parquet"))
    for name in RECORD_FILES:
        assert read_records(home / "records", name).num_rows == 0, name
    assert set(told["rows"]) >= {"training_sets/route", "training_sets/shipment"}


def test_nothing_ends_before_its_time(file_place: Installation) -> None:
    case_id = closed_case(file_place)
    sooner = NOW + timedelta(days=1_800)
    rows = told_in_files(file_place.settings.home)

    certificate = file_place.erased(sooner)

    assert certificate["destroyed"] == {"decisions": 0, "records": 0, "keys": 0, "kept": 0}
    assert file_place.record(case_id)
    assert told_in_files(file_place.settings.home) == rows


@pytest.mark.parametrize(
    ("periods", "words"),
    [
        (None, "tidegate init retention"),
        ("[decisions", "is not TOML"),
        ("", "decisions: Field required"),
        (PERIODS.replace("180", "0"), "decisions.mask_after_days"),
        (PERIODS.replace("180", "1825"), "want mask_after_days below"),
        (PERIODS + "[others]\n", "others: Extra inputs"),
    ],
)
def test_periods_that_cannot_be_used_are_refused(
    file_place: Installation, periods: str | None, words: str
) -> None:
    file = file_place.settings.retention
    file.unlink() if periods is None else file.write_text(periods)

    with pytest.raises(RetentionRefused, match=words):
        file_place.retention().propose("ada", "the time is over", LATER)


def test_the_template_asks_for_every_period_and_is_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "retention.toml"
    write_periods_template(file)

    with pytest.raises(RetentionRefused, match="left as it is"):
        write_periods_template(file)
    file.write_text(file.read_text().replace("# mask", "mask").replace("# erase", "erase"))
    assert Periods.read(file).decisions.mask_after_days == 180


def test_the_commands_say_what_is_due_and_what_was_done(file_place: Installation) -> None:
    closed_case(file_place)

    due = command(file_place, "retention", "due", "--json")
    proposed = command(
        *(file_place, "retention", "erase", "--by", "ada", "--because", "daily", "--json"),
        *TODAY,
    )
    erased = command(
        *(file_place, "retention", "erase", str(json.loads(proposed.stdout)["proposal"])),
        *("--by", "grace", "--because", "as proposed", "--json", *TODAY),
    )
    held = command(
        *(file_place, "retention", "hold", "shipment", "canary-shipment"),
        *("--by", "ada", "--because", "a court asks", "--json"),
    )
    lifted = command(
        *(file_place, "retention", "hold", "--lift", str(json.loads(held.stdout)["hold"])),
        *("--by", "ada", "--because", "it has ended"),
    )
    acts = command(file_place, "retention", "due", "--acts", "--json")

    assert json.loads(due.stdout)["due"]["decisions"] == 0
    assert json.loads(erased.stdout)["destroyed"]["decisions"] == 0
    assert lifted.exit_code == 0
    told = json.loads(acts.stdout)
    assert [act["action"] for act in told] == ["propose", "erase", "hold", "lift"]
    assert "canary" not in acts.stdout
