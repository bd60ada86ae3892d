import re
from collections import Counter

import numpy as np
import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.reference.geography import (
    are_neighbours,
    countries,
    country_of,
    distance_km,
    great_circle_km,
    neighbours_of,
    place_kinds,
    place_table,
    positions_of,
    region_of,
    usual_hours,
)

CODE = re.compile(r"^[A-Za-z0-9 ._:/-]{1,32}$")


def test_every_place_has_a_code_of_its_own_that_records_accept():
    codes = place_table()["code"].to_pylist()
    assert len(set(codes)) == len(codes)
    assert all(CODE.match(code) for code in codes)


def test_the_table_holds_ports_airports_and_at_least_120_crossings():
    kinds = Counter(place_table()["kind"].to_pylist())
    assert kinds["port"] > 3_500
    assert kinds["airport"] > 7_000
    assert kinds["crossing"] >= 120


def test_every_place_lies_on_the_globe_in_a_country_that_exists():
    known = {c.alpha_2 for c in pycountry.countries} | {"XK"}
    rows = place_table().to_pylist()
    assert {row["country"] for row in rows} <= known
    assert all(-90 <= row["latitude"] <= 90 and -180 <= row["longitude"] <= 180 for row in rows)


def test_a_crossing_lies_between_two_neighbours_and_near_both():
    for row in (row for row in place_table().to_pylist() if row["kind"] == "crossing"):
        assert row["other_country"] in neighbours_of(row["country"]), row["code"]
        assert row["code"].startswith("-".join(sorted((row["country"], row["other_country"]))))


def test_a_crossing_lies_no_further_from_both_countries_than_their_airports_do():
    rows = place_table().to_pylist()
    airports = {}
    for row in (row for row in rows if row["kind"] == "airport"):
        airports.setdefault(row["country"], []).append((row["latitude"], row["longitude"]))
    for row in (row for row in rows if row["kind"] == "crossing"):
        for country in (row["country"], row["other_country"]):
            near = np.array(airports.get(country, [(row["latitude"], row["longitude"])]))
            km = great_circle_km(row["latitude"], row["longitude"], near[:, 0], near[:, 1])
            assert km.min() < 1_000, (row["code"], country)


def test_a_known_way_by_sea_follows_the_sea_and_not_the_globe():
    suez = distance_km(["CNSHA"], ["DEHAM"], "sea")[0]
    assert 18_500 < suez < 21_500
    assert suez > 1.5 * distance_km(["CNSHA"], ["DEHAM"])[0]


def test_distances_of_known_pairs_agree_with_the_atlas():
    assert distance_km(["IST"], ["MUC"])[0] == pytest.approx(1580, rel=0.05)
    assert great_circle_km(0, 0, 0, 90) == pytest.approx(10_007.5, abs=1)


def test_unknown_and_missing_codes_are_missing_and_not_zero():
    codes = np.array(["NOWHERE", None, "IST"], dtype=object)
    assert np.isnan(distance_km(codes, ["IST", "IST", None], "road")).all()
    assert country_of(codes).tolist() == [None, None, "TR"]
    assert place_kinds(codes).tolist() == [None, None, "airport"]
    assert np.isnan(positions_of(codes)[0][:2]).all()
    assert region_of(["ZZ", None]).tolist() == [None, None]
    assert not are_neighbours(["ZZ"], ["TR"])[0]


def test_neighbours_are_neighbours_of_each_other():
    for country in countries():
        for other in neighbours_of(country):
            assert country in neighbours_of(other)


def test_every_country_lies_in_a_region():
    assert None not in region_of(list(countries())).tolist()


def test_a_longer_way_takes_longer_by_every_mode():
    for mode in ("sea", "air", "road", "rail", "inland_waterway"):
        hours = usual_hours([10, 100, 1_000], mode)
        assert (np.diff(hours) > 0).all()


latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)


@given(latitudes, longitudes, latitudes, longitudes)
def test_the_way_there_is_as_long_as_the_way_back(lat_1, lon_1, lat_2, lon_2):
    there = great_circle_km(lat_1, lon_1, lat_2, lon_2)
    assert there == pytest.approx(great_circle_km(lat_2, lon_2, lat_1, lon_1), abs=1e-6)
    assert 0 <= there <= 20_016


@given(st.sampled_from(place_table()["code"].to_pylist()[::40]))
def test_the_way_by_any_mode_is_no_shorter_than_the_great_circle(code):
    for mode in ("sea", "air", "road"):
        assert distance_km([code], ["NLRTM"], mode)[0] >= distance_km([code], ["NLRTM"])[0] - 0.5
