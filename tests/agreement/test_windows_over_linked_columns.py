"""Windows keyed by a column of linked records need no other window beside them."""

from pathlib import Path

import numpy as np
import pytest

from features.build_training_set import feature_frame
from features.catalogue import windows_of
from features.engine.batch.build_resources import BuildResources
from features.engine.batch.feature_frame import FeatureFrame
from features.event_sources import event_sources
from features.ingest.record_folder import RecordFolder
from features.records import SubjectKind
from features.subject_types import SUBJECT_TYPES


@pytest.mark.parametrize("kind", [*SUBJECT_TYPES])
def test_windows_by_columns_of_linked_records_are_the_same_by_themselves(
    kind: SubjectKind, world: Path, tmp_path: Path
) -> None:
    records = RecordFolder(world)
    latest = {"latest_payer_id", "latest_drift_cell"}
    keyed = [window for window in windows_of(kind) if latest.intersection(window.by)]
    resources = [BuildResources(tmp_path / name) for name in ("alone", "together")]
    for each in resources:
        each.scratch.mkdir()

    alone = FeatureFrame.compute(event_sources(kind), keyed, records, resources[0])
    together = feature_frame(kind, records, resources[1])

    assert keyed
    for window in keyed:
        np.testing.assert_array_equal(alone.window(window), together.window(window))
        # In the invented world nobody who pays is paid.
        is_paid = ("latest_payer_id", "payee_id") in zip(window.by, window.matching, strict=True)
        assert is_paid or np.nanmax(alone.window(window)) > 0
