"""What a file is scored with: as much history as the model was trained on, or a warning."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from serving.models.model_pool import MODEL_NAMES, LoadedModel, load_role
from serving.scoring.files import missing_history, read_subjects
from tests.serving.bodies import shipment


def champion(home: Path) -> LoadedModel:
    """The champion for shipments."""
    folder = home / "models" / MODEL_NAMES["shipment"]
    return load_role(folder, "champion", home / "keys" / "signing.pub")


def test_a_record_file_is_seen_against_the_history_that_its_model_was_trained_on(
    home: Path,
) -> None:
    subjects = read_subjects(home / "records" / "shipments.parquet", "shipment", home / "records")

    assert missing_history(subjects, champion(home)) == []
    few = replace(subjects, record_counts={**subjects.record_counts, "outcomes": 0})
    assert missing_history(few, champion(home)) == ["outcomes"]


def test_submissions_of_a_file_are_part_of_its_history(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "shipments.ndjson"
    file.write_text(json.dumps(shipment(shipment_id="S-unknown")) + "\n")

    subjects = read_subjects(file, "shipment", home / "records")

    known = pq.read_metadata(home / "records" / "shipments.parquet").num_rows
    assert subjects.record_counts["shipments"] == known + 1
    assert missing_history(subjects, champion(home)) == []
