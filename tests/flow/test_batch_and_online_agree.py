from pathlib import Path

import pandas as pd
import pytest

from features.asof.history import History
from features.assembly import submissions_of
from features.batch.blocks import HeldRecords
from features.catalogue import catalogue
from features.columns import Columns
from features.matrix import feature_matrix
from features.records import SubjectKind
from features.subjects import Records
from features.vector import feature_vector


def as_values(row: pd.Series) -> list[float | str | None]:
    return [None if pd.isna(value) else value for value in row]


def without_subjects(records: Records) -> Records:
    def none_of(columns: Columns) -> Columns:
        return {name: column[:0] for name, column in columns.items()}

    return {name: none_of(columns) for name, columns in records.items()}


@pytest.mark.parametrize("kind", ["route", "shipment"])
def test_a_submission_gives_the_row_of_the_training_set_for_every_subject(
    kind: SubjectKind, world: Path, records: Records
) -> None:
    history = History.of_records(records)
    matrix = feature_matrix(kind, HeldRecords(records)).to_pandas()
    names = [feature.name for feature in catalogue(kind)]
    rows = matrix.set_index("subject_id")[names]
    subjects = 0

    for submission in submissions_of(world, kind):
        vector = feature_vector(submission, history)
        assert list(vector) == names
        assert list(vector.values()) == as_values(rows.loc[submission.subject_id])
        subjects += 1

    assert subjects == len(rows) >= 1_500


@pytest.mark.parametrize("kind", ["route", "shipment"])
def test_a_history_that_grew_by_scoring_equals_one_that_was_read(
    kind: SubjectKind, world: Path, records: Records
) -> None:
    """Past subjects count the same whether they came by file or were scored one after the other.

    Outcomes come by file only and payments for journeys with their journey, so the histories are
    compared on windows over past subjects of the kind.
    """
    own = {"route": "journeys", "shipment": "shipments"}[kind]
    read, grown = History.of_records(records), History.of_records(without_subjects(records))
    matched = [
        feature
        for feature in catalogue(kind)
        if {window.source for window in feature.windows.values()} == {own}
    ]
    assert len(matched) >= 5

    for submission in list(submissions_of(world, kind))[:300]:
        by_read, by_grown = (feature_vector(submission, history) for history in (read, grown))
        for feature in matched:
            assert by_grown[feature.name] == by_read[feature.name], feature.name
        grown.add(submission)
