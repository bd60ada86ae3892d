"""Rescue centres: who is called where, and which files would leave somebody uncalled."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import TidegateError
from features.records import Position
from serving.access.errors import AddressRefused
from serving.access.signed_webhook import SignedWebhook
from serving.review.rescue.rescue_calls import RescueDirectory
from serving.review.rescue.rescue_centres import (
    Area,
    RescueCentres,
    require_rescue_centres,
    rescue_centres,
)
from tests.serving.review.cases.decisions import AT
from tests.serving.review.rescue.centres import CENTRES


def read(folder: Path, text: str = CENTRES) -> RescueCentres:
    file = folder / "rescue.toml"
    file.write_text(text)
    return RescueCentres.read(file)


def heard(latitude: float, longitude: float, at: datetime = AT) -> Position:
    return Position(journey_id="J", observed_at=at, latitude=latitude, longitude=longitude)


@pytest.mark.parametrize(
    ("mode", "last", "called"),
    [
        ("sea", heard(36.0, 25.0), "MRCC Piraeus"),
        ("inland_waterway", heard(36.0, 25.0), "MRCC Piraeus"),
        ("air", heard(36.0, 25.0), "MRCC Piraeus"),
        ("sea", heard(37.5, 12.0), "MRCC Rome"),
        ("sea", heard(50.9, 1.4), "national desk"),
        ("sea", heard(34.0, 19.0), "MRCC Piraeus"),
        ("sea", heard(41.0, 25.0), "national desk"),
        ("sea", None, "national desk"),
        ("road", heard(36.0, 25.0), "national desk"),
        ("rail", None, "national desk"),
    ],
)
def test_the_centre_of_the_position_is_called_and_where_there_is_none_the_one_for_all(
    tmp_path: Path, mode: Any, last: Position | None, called: str
) -> None:
    assert read(tmp_path).centre_for(mode, last).name == called


@given(st.floats(-90, 90), st.floats(-180, 179.9))
def test_a_box_and_its_four_corners_hold_the_same_positions(
    latitude: float, longitude: float
) -> None:
    box = Area(box=(10.0, 20.0, 30.0, 50.0))
    corners = Area(polygon=((10.0, 20.0), (10.0, 50.0), (30.0, 50.0), (30.0, 20.0)))

    assert box.holds(latitude, longitude) == corners.holds(latitude, longitude)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("addresses = ", "# addresses = ", "'MRCC Piraeus' has no address"),
        ('"https://rome.example/calls"', "", "'MRCC Rome' has no address"),
        ("https://rome", "http://rome", "'MRCC Rome': want an https address"),
        ('receives_for_state = "GR"', "", "'MRCC Piraeus' names no State that receives"),
        ('receives_for_state = "GR"', 'receives_for_state = "AB"', "countries"),
        ("brings_to_place_of_safety = true", "", "'MRCC Piraeus' is no addressee"),
        (
            "brings_to_place_of_safety = true",
            "brings_to_place_of_safety = false",
            "pushes or pulls people back",
        ),
        ('covers = ["sea", "land"]', 'covers = ["land"]', "covers 'sea'"),
        ('covers = ["sea", "land"]', 'covers = ["sea"]', "covers 'land'"),
        ("34.0, 19.0, 41.0, 29.0", "41.0, 19.0, 34.0, 29.0", "south, west, north, east"),
        ("[35.0, 11.0], ", "[35.0, 411.0], ", "latitude and longitude"),
        ("acknowledge_within_minutes = 5", "acknowledge_within_minutes = 0", "greater than 0"),
        ("[[centres]]", "[[centre]]", "centre"),
        ("desk_telephone", "desk_phone", "desk_phone"),
        ("= 5", "=", "Invalid value"),
    ],
)
def test_a_file_that_would_leave_somebody_uncalled_is_refused_with_what_is_wrong(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    with pytest.raises(TidegateError, match=says) as refusal:
        read(tmp_path, CENTRES.replace(old, new, 1))
    assert "rescue.toml" in str(refusal.value)


def test_each_address_is_called_in_turn_and_signed_with_the_secret_of_its_centre(
    tmp_path: Path,
) -> None:
    centres = read(tmp_path)
    directory = RescueDirectory(centres)
    piraeus = centres.centres[0]

    called = [directory.address(piraeus, step).address for step in range(3)]

    assert called == [*piraeus.addresses, piraeus.addresses[0]]
    first = directory.address(piraeus, 0)
    assert isinstance(first, SignedWebhook)
    assert first.key == bytes(range(24))
    assert directory.patience == timedelta(minutes=5)


def test_a_centre_without_a_secret_is_refused_where_there_is_none_for_all(tmp_path: Path) -> None:
    without = read(tmp_path, CENTRES.replace("secret =", "# secret =", 1))

    with pytest.raises(AddressRefused, match="whsec_"):
        RescueDirectory(without)
    assert RescueDirectory(without, "whsec_" + "A" * 32).centres == without


def test_a_trial_calls_one_webhook_and_a_file_comes_before_it(tmp_path: Path) -> None:
    file = tmp_path / "rescue.toml"
    one = rescue_centres(file, "https://desk.example/")
    assert one is not None
    assert one.centre_for("road", None).addresses == ("https://desk.example/",)
    assert one.centre_for("sea", None).receives_for_state is None
    assert rescue_centres(file, None) is None
    with pytest.raises(TidegateError, match="live use needs"):
        require_rescue_centres(file)

    file.write_text(CENTRES)

    assert rescue_centres(file, "https://desk.example/") == require_rescue_centres(file)
