"""What is usual beside peers: of groups large enough, read strictly."""

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.training.planted import INPUTS
from training.errors import ArtefactError
from training.model.usual_values_of_peers import MIN_SUBJECTS, PeerReference

FEATURE = INPUTS.features[0]
LARGE, SMALL = "640399", "890310"


def reference() -> PeerReference:
    rows = 3 * MIN_SUBJECTS
    goods = np.where(np.arange(rows) < MIN_SUBJECTS - 1, SMALL, LARGE)
    values = np.where(goods == LARGE, np.arange(rows, dtype=float), -1.0)
    frame = pd.DataFrame({feature.name: values for feature in INPUTS.features})
    return PeerReference.from_rows(frame, pd.DataFrame({"goods_code": goods}), INPUTS)


def changed(**columns: object) -> bytes:
    table = pq.read_table(io.BytesIO(reference().content))
    for name, values in columns.items():
        place = table.column_names.index(name)
        field = table.schema.field(name)
        table = table.set_column(place, field, pa.array(values, field.type))
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


def test_a_group_is_told_by_its_own_members_alone() -> None:
    beside = reference().in_group(FEATURE, LARGE)

    assert beside is not None
    assert beside.subjects == 2 * MIN_SUBJECTS + 1
    assert beside.reference.quantiles[0] == MIN_SUBJECTS - 1
    assert beside.reference.quantiles[-1] == 3 * MIN_SUBJECTS - 1


def test_of_a_small_or_unknown_group_nothing_is_told() -> None:
    assert reference().in_group(FEATURE, SMALL) is None
    assert reference().in_group(FEATURE, "000000") is None
    assert reference().in_group(FEATURE, None) is None


def test_a_feature_compared_among_all_is_not_told_by_group() -> None:
    assert reference().in_group(INPUTS.features[1], LARGE) is None


def test_what_was_written_is_read_back() -> None:
    written = reference()

    read = PeerReference.read(written.content, INPUTS)

    assert read.in_group(FEATURE, LARGE) == written.in_group(FEATURE, LARGE)
    assert read.content == written.content


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"PAR1", "not a readable Parquet file"),
        (changed(quantiles=[[0.0] * 20 + [float("nan")]]), "quantiles that do not rise"),
        (changed(quantiles=[[1.0] + [0.0] * 20]), "quantiles that do not rise"),
        (changed(quantiles=[[0.0] * 20]), "quantiles that do not rise"),
        (changed(missing_share=[1.5]), "a share outside 0 to 1"),
        (changed(feature=["noise_ratio"]), "not compared with peers"),
        (changed(among=["corridor"]), "not compared with peers"),
        (changed(subjects=[1]), "too small"),
        (changed(group=[None]), "a null"),
    ],
)
def test_anything_else_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(ArtefactError, match=told):
        PeerReference.read(content, INPUTS)
