from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

import synthetic
from synthetic.check import findings, plot_displacement


def test_a_sound_world_has_no_orphans_and_no_fields_about_a_person(folder):
    found = findings(folder)
    assert set(found["orphans"].values()) == {0}
    assert found["person_fields"] == []
    assert 0 < found["container_numbers"]["share_failing_check_digit"] < 0.04
    assert found["typologies_by_fifth_of_time"]["virtual_asset_escrow"][:3] == [0, 0, 0]
    for kind in ("route", "shipment"):
        rates = found["subjects"][kind]["hit_rate"]
        assert rates["intelligence"] > rates["rule"] > rates["random"] - 0.02


def test_an_orphan_is_counted(folder, tmp_path):
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    legs = pd.read_parquet(folder / "legs.parquet")
    legs.loc[0, "journey_id"] = "J-nowhere"
    legs.to_parquet(tmp_path / "legs.parquet")
    assert findings(tmp_path)["orphans"]["legs"] == 1


def test_the_displacement_is_drawn(folder, tmp_path):
    plot_displacement(folder, tmp_path / "plot.png", "lorry_concealment")
    assert (tmp_path / "plot.png").stat().st_size > 5_000


def test_the_sample_is_small_and_whole():
    sample = Path(synthetic.__file__).parent / "sample"
    files = list(sample.glob("*.parquet"))
    assert sum(file.stat().st_size for file in files) <= 300_000
    assert set(findings(sample)["orphans"].values()) == {0}
    assert pq.read_metadata(sample / "journeys.parquet").num_rows > 100
