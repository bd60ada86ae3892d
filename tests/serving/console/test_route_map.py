"""The map of a case: land where there is land, names to read, tiles for who is signed in."""

import hashlib
import itertools
import random
import re
from pathlib import Path

import numpy as np
import pytest

from features.reference.geography.place_names import place_name
from serving.console.charts.coastline import (
    FINEST,
    MARGIN_PX,
    TILE_PX,
    MapWindow,
    degrees_down,
    land_in,
    tile,
)
from serving.console.charts.label_places import Box, Label, LabelPlaces
from serving.console.charts.route_map import HEIGHT_PX, WIDTH_PX, RouteMap
from serving.web.html import STATIC
from tests.serving.bodies import shipment, submission
from tests.serving.conftest import Service
from tests.serving.review.cases.test_cases_served import open_case, reviewed
from tests.serving.review.supervision.test_supervision_served import sign_in_as

__all__ = ["reviewed"]

REPOSITORY = Path(__file__).parents[3]


def window(east: float, north: float, degrees: float) -> MapWindow:
    """A square of so many degrees around a place."""
    down = float(degrees_down(north))
    return MapWindow(east - degrees / 2, down - degrees / 2, degrees, degrees)


def area(path: str) -> float:
    """What a path of closed rings covers."""
    covered = 0.0
    for ring in filter(None, path.split("z")):
        numbers = np.array(re.findall(r"-?\d+", ring), dtype=float).reshape(-1, 2)
        x, y = np.cumsum(numbers, axis=0).T
        covered += float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2
    return abs(covered)


@pytest.mark.parametrize(
    ("where", "share"),
    [
        (window(28.0, 36.2, 0.1), (0.99, 1.0)),  # Rhodes
        (window(10.0, 23.0, 5.0), (0.99, 1.0)),  # the Sahara
        (window(-40.0, 40.0, 5.0), (0.0, 0.0)),  # the Atlantic
        (window(-100.0, -16.5, 5.0), (0.0, 0.0)),  # where Fiji is not, on its latitude
        (window(180.0, -16.9, 0.1), (0.5, 1.0)),  # Taveuni, over the antimeridian
        (window(-180.0, -16.9, 0.1), (0.5, 1.0)),
    ],
)
def test_there_is_land_where_there_is_land(where: MapWindow, share: tuple[float, float]) -> None:
    drawn = land_in(where, FINEST, 1_000 / where.width)
    with_margin = 1 + 2 * MARGIN_PX * 360 / TILE_PX / 2**FINEST / where.width

    covered = area(drawn.land) / 1_000_000 / with_margin**2
    assert share[0] <= covered <= share[1] + 0.001


def test_tiles_of_one_zoom_have_about_the_land_of_the_zoom_before() -> None:
    whole = area(tile(3, 4, 3).land)
    parts = sum(area(tile(4, 8 + x, 6 + y).land) for x in (0, 1) for y in (0, 1))

    assert parts / 4 == pytest.approx(whole, rel=0.02)


def test_a_tile_is_small() -> None:
    sizes = [len(drawn.land + drawn.borders) for drawn in (tile(0, 0, 0), tile(5, 18, 12))]

    assert max(sizes) < 20_000


def test_labels_lie_neither_over_each_other_nor_over_marks_nor_over_the_edge() -> None:
    draw = random.Random(7)
    for _ in range(40):
        places = LabelPlaces(720, 400, 8, 16)
        marks = [(draw.uniform(0, 720), draw.uniform(0, 400)) for _ in range(25)]
        for x, y in marks:
            places.reserve(x, y, 6)
        labels = [places.place(x, y, 10, "x" * draw.randint(3, 18)) for x, y in marks]
        boxes = [box_of(label) for label in labels if label]
        assert len(boxes) > 10
        for one, other in itertools.combinations(boxes, 2):
            assert not one.overlaps(other)
        for box in boxes:
            assert min(box.left, box.top, 720 - box.right, 400 - box.bottom) >= 0
            assert not any(box.overlaps(Box(x - 6, y - 6, x + 6, y + 6)) for x, y in marks)


def box_of(label: Label) -> Box:
    """What a label of letters of 8 × 16 fills."""
    width = 8 * len(label.text)
    left = label.x - {"start": 0, "middle": width / 2, "end": width}[label.anchor]
    return Box(left, label.y - 0.8 * 16, left + width, label.y + 0.25 * 16)


def test_a_route_over_the_antimeridian_is_one_short_line() -> None:
    body = shipment()
    body["legs"] = []
    body["positions"] = [
        {"journey_id": "J-1", "observed_at": f"2026-11-21T0{n}:00:00Z", "latitude": -17.0}
        | {"longitude": east, "source": "ais"}
        for n, east in enumerate((178.0, 179.5, -179.0, -177.5))
    ]
    way = RouteMap.from_submission(submission(body))

    assert way is not None
    assert [heard.spot.east for heard in way.travelled] == [178.0, 179.5, 181.0, 182.5]


def test_all_of_a_route_is_on_its_picture_with_names_and_a_scale() -> None:
    way = RouteMap.from_submission(submission(shipment()))

    assert way is not None
    for stop in way.stops:
        assert 0 < stop.spot.x < WIDTH_PX
        assert 0 < stop.spot.y < HEIGHT_PX
        assert stop.name == place_name(stop.code)
        assert stop.label is not None
    assert way.scale.km > 0
    assert way.land.land


def test_tiles_are_for_who_is_signed_in_and_are_kept_by_the_browser(reviewed: Service) -> None:
    address = "/console/map/5/18/12.svg"
    stranger = reviewed.client.get(address, follow_redirects=False)
    sign_in_as(reviewed, "reviewer")
    answer = reviewed.client.get(address)

    assert stranger.status_code == 303
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "max-age" in answer.headers["cache-control"]
    assert answer.text.startswith("<svg")
    for beyond in ("/console/map/5/32/0.svg", f"/console/map/{FINEST + 1}/0/0.svg"):
        assert reviewed.client.get(beyond).status_code in (404, 422)


def test_the_page_of_a_case_has_its_map_without_a_script(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    sign_in_as(reviewed, "reviewer")

    page = reviewed.client.get(f"/console/cases/{case_id}").text

    assert 'class="map-still"' in page
    assert page.count('class="stop"') == 2
    assert "data-line=" in page


def test_files_of_others_are_those_that_are_listed() -> None:
    listed = (STATIC / "LICENCES.md").read_text()
    rows = re.findall(r"\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|", listed)

    assert len(rows) == 6
    for name, digest in rows:
        file = REPOSITORY / name if "/console/" in name else STATIC / name
        assert hashlib.sha256(file.read_bytes()).hexdigest() == digest
