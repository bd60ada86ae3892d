"""Local times and formats become instants in UTC, as the standard library has them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.mapping.instants import instants_of
from tests.counts import count
from tests.features.mapping.importing import one, set_aside, shipments

SPRING, AUTUMN = "29.03.2026 02:30", "25.10.2026 02:30"
FORM = "%d.%m.%Y %H:%M"
LOCAL = f'declared_at = {{ column = "AT", format = "{FORM}", zone = "Europe/Berlin"'


def read(text: str, form: str | None, zone: str | None) -> datetime | None:
    instants, _ = instants_of(pa.array([text]), form, zone, "refuse")
    found: datetime | None = instants[0].as_py()
    return found


@settings(max_examples=count(25, 60), deadline=None)
@given(
    local=st.datetimes(datetime(1971, 1, 1), datetime(2037, 1, 1)),  # noqa: DTZ001 - local
    zone=st.sampled_from(["Europe/Lisbon", "Asia/Kolkata", "America/New_York", "UTC"]),
    form=st.sampled_from([FORM, "%m/%d/%y %H:%M", "%Y-%m-%d %H:%M:%S", "%d-%b-%Y %I:%M %p"]),
)
def test_a_local_time_is_what_the_standard_library_says_or_unsure(
    local: datetime, zone: str, form: str
) -> None:
    text = local.strftime(form)
    told = datetime.strptime(text, form)  # noqa: DTZ007 - it has the zone's offset
    both = [told.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1)]

    assert read(text, form, zone) == (both[0] if both[0] == both[1] else None)


@settings(max_examples=count(25, 60), deadline=None)
@given(day=st.integers(1, 39), month=st.integers(1, 13), form=st.sampled_from(["%d.%m.%Y", None]))
def test_a_day_that_no_month_has_is_none(day: int, month: int, form: str | None) -> None:
    text = f"{day}.{month}.2026" if form else f"2026-{month:02d}-{day:02d}"
    try:
        expected = datetime(2026, month, day, tzinfo=UTC)
    except ValueError:
        expected = None

    assert read(text, form, "UTC") == expected


@pytest.mark.parametrize(
    ("text", "rule", "expected"),
    [
        (AUTUMN, "earlier", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (AUTUMN, "later", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        (SPRING, "earlier", datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        (SPRING, "later", datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
    ],
)
def test_an_hour_that_comes_twice_or_never_is_read_by_the_rule(
    tmp_path: Path, text: str, rule: str, expected: datetime
) -> None:
    assert (
        one(tmp_path, f'{LOCAL}, at_clock_change = "{rule}" }}\n', AT=text)["declared_at"]
        == expected
    )


def test_without_a_rule_such_an_hour_is_refused_and_told_apart(tmp_path: Path) -> None:
    rows = [{"AT": SPRING}, {"AT": AUTUMN}, {"AT": "25.10.2026 03:00"}, {"AT": "31.02.2026 00:00"}]

    (kept,) = shipments(tmp_path, rows, LOCAL + " }\n")

    assert kept["declared_at"] == datetime(2026, 10, 25, 2, tzinfo=UTC)
    assert [each["why"] for each in set_aside(tmp_path)] == [
        ["declared_at: is in an hour that never comes, when clocks go forward"],
        ["declared_at: is in an hour that comes twice, when clocks go back"],
        [f"declared_at: is no instant as in {FORM}"],
    ]
    assert [each["record"]["declared_at"] for each in set_aside(tmp_path)] == [
        SPRING, AUTUMN, "31.02.2026 00:00",
    ]  # fmt: skip


def test_with_a_zone_only_what_has_no_offset_is_local(tmp_path: Path) -> None:
    rows = [{"AT": "2026-07-01 12:00:00"}, {"AT": "2026-07-01T12:00:00Z"}, {"AT": "2026-07-01"}]

    found = shipments(tmp_path, rows, 'declared_at = { column = "AT", zone = "Asia/Kolkata" }\n')

    noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
    ahead = timedelta(hours=5, minutes=30)
    assert [each["declared_at"] for each in found] == [
        noon - ahead,
        noon,
        noon - ahead - timedelta(hours=12),
    ]


@pytest.mark.parametrize(
    ("form", "number"), [("unix", "1782907200.5"), ("unix_ms", "1782907200500")]
)
def test_numbers_since_1970_are_instants(tmp_path: Path, form: str, number: str) -> None:
    found = one(
        tmp_path,
        f'declared_at = {{ column = "AT", format = "{form}", plus = "1 day" }}\n',
        AT=number,
    )

    assert found["declared_at"] == datetime(2026, 7, 2, 12, 0, 0, 500_000, tzinfo=UTC)
