"""The oracle is for evaluation alone: no feature, no training set and no record knows it."""

import inspect

import pyarrow.parquet as pq
import pytest

from features.build_training_set import build_training_set
from features.records import RECORD_FILES
from synthetic.outcomes import ORACLE
from training.evaluation import oracle

TOLD = {"true_probability", "is_in_danger", "network"}


def test_no_record_has_a_column_of_the_oracle():
    fields = {name for record in RECORD_FILES.values() for name in record.model_fields}
    assert set(ORACLE.names) >= TOLD
    assert not TOLD & fields
    assert "oracle" not in RECORD_FILES


@pytest.mark.parametrize("kind", ["route", "shipment"])
def test_a_training_set_is_the_same_to_the_byte_without_the_oracle(folder, tmp_path, kind):
    without = tmp_path / "without"
    without.mkdir()
    for name in RECORD_FILES:
        (without / f"{name}.parquet").symlink_to(folder / f"{name}.parquet")
    sets = [tmp_path / name for name in ("built", "built_without")]
    for records, built in zip((folder, without), sets, strict=True):
        build_training_set(records, kind, built)
    files = sorted(file.name for file in sets[0].iterdir())
    assert [(sets[1] / name).read_bytes() for name in files] == [
        (sets[0] / name).read_bytes() for name in files
    ]
    columns = {n for f in sets[0].glob("*.parquet") for n in pq.read_schema(f).names}
    assert not TOLD & columns


def test_the_training_room_reads_the_network_in_no_place():
    assert "network" not in oracle.COLUMNS
    assert '"network"' not in inspect.getsource(oracle)


def test_movements_of_a_network_name_it_whether_loaded_or_not(world):
    told = world["oracle"]
    members = told[told.network.notna()]
    assert members.typology.isna().any()
    assert members.typology.notna().any()
    assert (members.typology.dropna() != "unorganised").all()
    assert told[told.typology.notna() & told.network.isna()].typology.eq("unorganised").all()
    per_network = members.groupby("network")
    assert (per_network.subject_kind.nunique() == 1).all()
    practised = members.dropna(subset=["typology"]).groupby("network").typology.nunique()
    assert (practised == 1).all()
    assert per_network.size().median() > 3
