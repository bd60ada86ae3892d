"""The file of an office's plan: what it may say, and how it is refused."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from features.errors import TidegateError
from serving.triage.triage_plan import OfficeCapacity, TriagePlan, TriageRule, WatchListEntry
from tests.serving.triage.plan_file import PLAN, read_plan

ZONE = 'time_zone = "Asia/Singapore"'
ANOTHER = "[offices.XX0002]\ninspect_per_day = 1\ndocument_check_per_day = 1"


def test_a_plan_is_what_its_file_says(tmp_path: Path) -> None:
    assert read_plan(tmp_path, PLAN) == TriagePlan(
        edition="2026-11",
        offices={
            "XX0001": OfficeCapacity(
                inspect_per_day=20, document_check_per_day=60, control_per_day=3
            )
        },
        watched=(
            WatchListEntry(
                kind="container",
                value="CSQU3054383",
                list="stolen containers",
                reason="reported stolen",
                until=datetime(2027, 2, 1, tzinfo=UTC),
            ),
        ),
        rules=(
            TriageRule(
                name="heavy",
                feature="mass_kg",
                above=20_000.0,
                lane="document_check",
                reason="heavier than the ramp allows",
            ),
        ),
        harm={"drugs": 5.0},
        digest="sha256:" + hashlib.sha256(PLAN.encode()).hexdigest(),
    )


def test_without_a_file_no_office_has_a_capacity_and_nothing_is_watched(tmp_path: Path) -> None:
    plan = TriagePlan.read(tmp_path / "none.toml")

    assert (plan.edition, plan.offices, plan.watched, plan.rules) == ("none", {}, (), ())
    assert plan.digest is None


def test_an_office_that_names_no_control_cases_wants_none_beyond_the_floor() -> None:
    office = OfficeCapacity(inspect_per_day=1, document_check_per_day=1)

    assert office.control_per_day == 0


def test_a_plan_says_what_each_office_can_take_of_a_lane(tmp_path: Path) -> None:
    plan = read_plan(tmp_path, f"{PLAN}\n{ANOTHER}")

    assert plan.capacities("inspect") == {"XX0001": 20, "XX0002": 1}
    assert plan.capacities("document_check") == {"XX0001": 60, "XX0002": 1}


def test_the_days_of_an_office_are_those_of_its_time_zone_and_else_of_utc(tmp_path: Path) -> None:
    plan = read_plan(tmp_path, f"{PLAN.replace('control_per_day = 3', ZONE)}\n{ANOTHER}")

    assert plan.time_zones == {"XX0001": ZoneInfo("Asia/Singapore"), "XX0002": ZoneInfo("UTC")}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("inspect_per_day = 20", "inspect_per_day = 0"),
        ("inspect_per_day = 20", "inspect_per_day = 1000000"),
        ('reason = "reported stolen"', f'reason = "{"x" * 200}"'),
        ('value = "CSQU3054383"', f'value = "{"x" * 64}"'),
        ("above = 20000.0", "below = 20000.0"),
        ("above = 20000.0", "above = 0.0"),
        ('kind = "container"', 'kind = "conveyance"'),
        ('kind = "container"', 'kind = "company"'),
        ('lane = "document_check"', 'lane = "inspect"'),
        ("until = 2027-02-01T00:00:00Z", ""),
        ('feature = "mass_kg"', 'feature = "leg_count"'),
        ('feature = "mass_kg"', 'feature = "certified_capacity_count"'),
    ],
)
def test_a_plan_at_the_edge_of_what_it_may_say_is_read(tmp_path: Path, old: str, new: str) -> None:
    assert read_plan(tmp_path, PLAN.replace(old, new, 1)).edition == "2026-11"


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("inspect_per_day = 20", "inspect_per_day = -1", "offices.XX0001.inspect_per_day: "),
        ("inspect_per_day = 20", "inspect_per_day = 1000001", "offices.XX0001.inspect_per_day: "),
        ("control_per_day = 3", "control_per_day = -1", "offices.XX0001.control_per_day: "),
        ("control_per_day = 3", 'time_zone = "Asia/Singapur"', ".*such as 'Asia/Singapore'"),
        (
            "control_per_day = 3",
            'time_zone = "../localtime"',
            "offices.XX0001.time_zone: .*no time",
        ),
        ("control_per_day = 3", 'time_zone = ""', "offices.XX0001.time_zone: "),
        ("document_check_per_day = 60", "", "offices.XX0001.document_check_per_day: "),
        ('reason = "reported stolen"', 'reason = ""', "watched.0.reason: "),
        ('reason = "reported stolen"', f'reason = "{"x" * 201}"', "watched.0.reason: "),
        ('value = "CSQU3054383"', f'value = "{"x" * 65}"', "watched.0.value: "),
        ('value = "CSQU3054383"', 'value = ""', "watched.0.value: "),
        ('kind = "container"', 'kind = "person"', "watched.0.kind: "),
        ("until = 2027-02-01T00:00:00Z", "until = 2027-02-01T00:00:00", "watched.0.until: "),
        ("above = 20000.0", "above = 20000.0\nbelow = 1.0", "rules.0: .*`above` or `below`"),
        ("above = 20000.0", "above = 0.0\nbelow = 0.0", "rules.0: .*`above` or `below`"),
        ("above = 20000.0", "", "rules.0: .*`above` or `below`"),
        ('feature = "mass_kg"', 'feature = "nationality"', "no feature 'nationality'"),
        ('feature = "mass_kg"', 'feature = "mode"', "no feature 'mode' with numbers"),
        ('lane = "document_check"', 'lane = "release"', "rules.0.lane: "),
        ('edition = "2026-11"', 'editions = "2026-11"', "editions: "),
        ('edition = "2026-11"', 'edition = ""', "edition: "),
        ('edition = "2026-11"', "edition", "lanes.toml is not TOML: "),
        ("drugs = 5.0", "drugs = 0.0", "harm.drugs: "),
        ("drugs = 5.0", "drugs = 1000.1", "harm.drugs: "),
        ("drugs = 5.0", "drugs = inf", "harm.drugs: "),
        ("drugs = 5.0", "piracy = 5.0", "harm.piracy.*migrant_smuggling"),
    ],
)
def test_a_plan_that_says_too_little_or_too_much_is_refused_with_the_place(
    tmp_path: Path, old: str, new: str, place: str
) -> None:
    with pytest.raises(TidegateError, match=place):
        read_plan(tmp_path, PLAN.replace(old, new, 1))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match=r"lanes.toml is not TOML"):
        read_plan(tmp_path, b"edition = '\xff'")
