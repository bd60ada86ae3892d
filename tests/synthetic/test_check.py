from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

import synthetic
from synthetic.check import consistency_findings, plot_displacement


@pytest.fixture
def sample():
    return Path(synthetic.__file__).parent / "sample"


def test_a_sound_world_has_no_orphans_and_no_fields_about_a_person(folder):
    found = consistency_findings(folder)
    assert set(found["orphans"].values()) == {0}
    assert found["person_fields"] == []
    assert set(found["impossible"].values()) == {0}
    assert found["faults"] == []
    assert 0 < found["container_numbers"]["share_failing_check_digit"] < 0.04
    assert found["typologies_by_fifth_of_time"]["virtual_asset_escrow"][:3] == [0, 0, 0]
    for kind in ("route", "shipment"):
        rates = found["subjects"][kind]["hit_rate"]
        assert rates["intelligence"] > rates["random"]
        assert rates["rule"] > rates["random"] - 0.02


def with_another(folder, out, name, change):
    """A copy of a world's files in which `change` was made to one table."""
    for file in folder.iterdir():
        (out / file.name).write_bytes(file.read_bytes())
    table = pd.read_parquet(folder / f"{name}.parquet")
    change(table)
    table.to_parquet(out / f"{name}.parquet")
    return consistency_findings(out)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("legs", "journey_id"),
        ("positions", "journey_id"),
        ("shipments", "journey_id"),
        ("goods_items", "shipment_id"),
        ("documents", "subject_id"),
        ("transactions", "subject_id"),
        ("outcomes", "subject_id"),
    ],
)
def test_an_orphan_is_counted_in_its_own_table(sample, tmp_path, name, key):
    def orphan(table):
        table.loc[0, key] = "nowhere"

    orphans = with_another(sample, tmp_path, name, orphan)["orphans"]
    assert {table for table, many in orphans.items() if many} == {name}
    assert orphans[name] == 1


def test_a_field_about_a_person_is_named(sample, tmp_path):
    def about_a_person(table):
        table["driver_passport_number"] = "X"

    assert with_another(sample, tmp_path, "journeys", about_a_person)["person_fields"] == [
        "driver_passport_number"
    ]


def over_the_sea(table):
    table.loc[0, ["mode", "origin", "destination"]] = ["road", "USNYC", "DEHAM"]


def by_ship_on_land(table):
    table.loc[0, ["mode", "origin", "destination"]] = ["sea", "IST", "SOF"]


def booked_too_late(table):
    row = table.departed_at.notna().idxmax()
    table.loc[row, "booked_at"] = table.loc[row, "departed_at"] + pd.Timedelta(hours=1)


def inspected_too_early(table):
    table.loc[0, "inspected_at"] -= pd.Timedelta(days=60)


def known_too_early(table):
    row = table.departed_at.notna().idxmax()
    table.loc[row, "known_at"] = table.loc[row, "departed_at"] - pd.Timedelta(hours=1)


def with_another_id(table):
    newest = table.version == table.groupby("document_id").version.transform("max")
    table.loc[(newest & (table.version > 1)).idxmax(), "document_id"] = "DS-elsewhere"


@pytest.mark.parametrize(
    ("name", "change", "counted"),
    [
        ("documents", with_another_id, "document_versions_without_an_earlier_one"),
        ("legs", over_the_sea, "legs_by_road_where_none_leads"),
        ("legs", by_ship_on_land, "legs_by_sea_where_none_leads"),
        ("legs", known_too_early, "legs_known_before_they_happened"),
        ("journeys", booked_too_late, "booked_after_departure"),
        ("outcomes", inspected_too_early, "inspected_before_arrival"),
    ],
)
def test_an_impossible_record_is_counted_and_named(sample, tmp_path, name, change, counted):
    found = with_another(sample, tmp_path, name, change)

    assert found["impossible"][counted] == 1
    assert counted in found["faults"]


def test_a_wrong_check_digit_is_counted(sample, tmp_path):
    def all_wrong(table):
        right = table.container_number.notna()
        table.loc[right, "container_number"] = "MSKU0000000"

    found = with_another(sample, tmp_path, "shipments", all_wrong)["container_numbers"]
    assert found["with_number"] > 10
    assert found["share_failing_check_digit"] == 1.0


def test_the_displacement_is_drawn(folder, tmp_path):
    plot_displacement(folder, tmp_path / "plot.png", "lorry_concealment")
    assert (tmp_path / "plot.png").stat().st_size > 5_000


def test_the_sample_is_small_and_whole(sample):
    files = list(sample.glob("*.parquet"))
    assert sum(file.stat().st_size for file in files) <= 300_000
    assert set(consistency_findings(sample)["orphans"].values()) == {0}
    assert pq.read_metadata(sample / "journeys.parquet").num_rows > 100
