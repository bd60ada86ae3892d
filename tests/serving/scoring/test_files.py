"""What a file is scored with, as much history as its model had; and by what it is ranked."""

import json
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from features.offences import offence_group
from serving.models.model_pool import MODEL_NAMES, LoadedModel, load_role
from serving.scoring.files import missing_history, read_subjects, score_file
from serving.settings import Settings
from serving.triage.lanes import Lanes
from tests.serving.bodies import shipment
from training.model.offence_shares import offence_shares

DAY = timedelta(days=1)
FINDS = [("chapter 89", "dual_use")] * 20 + [("chapter 64", "counterfeit")] * 60


def champion(home: Path) -> LoadedModel:
    """The champion for shipments."""
    folder = home / "models" / MODEL_NAMES["shipment"]
    return load_role(folder, "champion", home / "keys" / "signing.pub")


def test_a_record_file_is_seen_against_the_history_that_its_model_was_trained_on(
    home: Path,
) -> None:
    subjects = read_subjects(home / "records" / "shipments.parquet", "shipment", home / "records")

    assert missing_history(subjects.record_counts, champion(home)) == []
    few = {**subjects.record_counts, "outcomes": 0}
    assert missing_history(few, champion(home)) == ["outcomes"]


def test_a_subject_with_versions_is_scored_once_as_it_was_declared(
    home: Path, tmp_path: Path
) -> None:
    file, records = tmp_path / "shipments.parquet", home / "records"
    table = pq.read_table(records / "shipments.parquet")
    first, second = table.slice(0, 2).to_pylist()
    later = [
        {**first, "version": 2, "gross_mass_kg": 5.0, "known_at": first["declared_at"] + DAY},
        {**second, "version": 2, "withdrawn": True, "known_at": second["declared_at"]},
    ]
    pq.write_table(pa.concat_tables([table, pa.Table.from_pylist(later, table.schema)]), file)

    plain = read_subjects(records / "shipments.parquet", "shipment", records)
    amended = read_subjects(file, "shipment", records)

    assert amended.ids == [id_ for id_ in plain.ids if id_ != second["shipment_id"]]
    assert len(amended.features) == len(amended.ids) == len(amended.is_life_at_risk)
    assert amended.features.iloc[0].equals(plain.features.iloc[0])


def test_submissions_of_a_file_are_part_of_its_history(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "shipments.ndjson"
    file.write_text(json.dumps(shipment(shipment_id="S-unknown")) + "\n")

    subjects = read_subjects(file, "shipment", home / "records")

    known = pq.read_metadata(home / "records" / "shipments.parquet").num_rows
    assert subjects.record_counts["shipments"] == known + 1
    assert missing_history(subjects.record_counts, champion(home)) == []


def test_a_file_is_ranked_by_harm_as_the_service_ranks_where_the_plan_weighs_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subjects = read_subjects(home / "records" / "shipments.parquet", "shipment", home / "records")
    model = champion(home)
    shares = offence_shares(FINDS)
    monkeypatch.setitem(model.model.manifest.__dict__, "offence_shares", shares)
    plain = score_file(subjects, model, Lanes.from_settings(Settings(home=home)))

    (home / "lanes.toml").write_text("[harm]\ndual_use = 1000.0\n")
    lanes = Lanes.from_settings(Settings(home=home))
    weighed = score_file(subjects, model, lanes)

    codes = pq.read_table(home / "records" / "shipments.parquet").to_pylist()
    code_of = {row["shipment_id"]: row["hs_code"] for row in codes}
    groups = [offence_group(None, code_of[each]) for each in subjects.ids]
    assert subjects.offence_groups == groups
    assert weighed["harm_ratio"].to_pylist() == [
        shares.harm_ratio(lanes.plan.harm, group) for group in groups
    ]
    assert "harm_ratio" not in plain.column_names
    assert weighed["probability"] == plain["probability"]
    raised = pc.greater(weighed["harm_ratio"], 1.0)
    inspected, before = (
        pc.sum(pc.equal(table.filter(raised)["lane"], "inspect")).as_py()
        for table in (weighed, plain)
    )
    assert inspected > before
