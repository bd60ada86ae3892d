import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import CatalogueMismatch
from tests.training.planted import INPUTS
from training.model.encoding import Encoding, ModelInput

ENCODING = Encoding(
    (
        ModelInput(name="value_per_kg_ratio"),
        ModelInput(name="late_payments_30d"),
        ModelInput(name="corridor", categories=("CN-DE", "TR-DE")),
        ModelInput(name="noise_ratio"),
    )
)
VECTOR = {
    "value_per_kg_ratio": 0.5,
    "late_payments_30d": None,
    "corridor": "TR-DE",
    "noise_ratio": -1.0,
}

numbers = st.none() | st.floats(-1e9, 1e9)
corridors = st.none() | st.sampled_from(["CN-DE", "TR-DE", "ZZ-ZZ"])
vectors = st.tuples(numbers, numbers, corridors, numbers).map(
    lambda values: dict(zip(ENCODING.names, values, strict=True))
)


def test_a_category_becomes_its_place_in_the_list_and_missing_becomes_nan() -> None:
    row, unseen = ENCODING.encode(VECTOR)

    assert row.tolist() == pytest.approx([0.5, np.nan, 1.0, -1.0], nan_ok=True)
    assert unseen == []


def test_a_never_seen_category_is_nan_and_is_named() -> None:
    row, unseen = ENCODING.encode(VECTOR | {"corridor": "ZZ-ZZ"})

    assert np.isnan(row[2])
    assert unseen == ["corridor"]


@given(st.lists(vectors, min_size=1, max_size=20))
def test_a_frame_is_encoded_exactly_as_its_rows_are(
    rows: list[dict[str, float | str | None]],
) -> None:
    frame = pd.DataFrame(rows).astype(
        {name: "float64" for name in ENCODING.names if name != "corridor"} | {"corridor": "str"}
    )

    together = ENCODING.encode_frame(frame)
    alone = np.array([ENCODING.encode(row)[0] for row in rows])

    assert np.array_equal(together, alone, equal_nan=True)
    never_seen = sum(row["corridor"] == "ZZ-ZZ" for row in rows)
    assert ENCODING.unseen(frame) == {"corridor": never_seen}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ["value_per_kg_ratio", "late_payments_30d", "corridor", "noise"],
            "'noise_ratio'; it is missing",
        ),
        (
            ["corridor", "late_payments_30d"],
            "'value_per_kg_ratio', 'noise_ratio'; they are missing",
        ),
    ],
    ids=["renamed", "missing"],
)
def test_columns_that_are_missing_are_named(names: list[str], message: str) -> None:
    with pytest.raises(CatalogueMismatch, match=message):
        ENCODING.encode(dict.fromkeys(names, None))
    with pytest.raises(CatalogueMismatch, match=message):
        ENCODING.encode_frame(pd.DataFrame({name: [1.0] for name in names}))


def test_columns_in_another_order_and_among_others_give_the_same_bits() -> None:
    among_others = {"extra_ratio": 9.0} | dict(reversed(VECTOR.items())) | {"extra_text": "TR"}
    alone = pd.DataFrame([VECTOR]).astype({"late_payments_30d": float})
    frame = pd.DataFrame([among_others]).astype({"late_payments_30d": float})

    assert ENCODING.encode(among_others)[0].tobytes() == ENCODING.encode(VECTOR)[0].tobytes()
    assert ENCODING.encode_frame(frame).tobytes() == ENCODING.encode_frame(alone).tobytes()
    assert [*ENCODING.own(among_others).items()] == [*VECTOR.items()]
    assert ENCODING.own(VECTOR) is VECTOR  # a model of the whole catalogue selects nothing


def test_text_for_a_number_is_refused_by_name() -> None:
    with pytest.raises(CatalogueMismatch, match="'noise_ratio' is a number"):
        ENCODING.encode(VECTOR | {"noise_ratio": "high"})
    with pytest.raises(CatalogueMismatch, match="'noise_ratio' is a number"):
        ENCODING.encode_frame(
            pd.DataFrame([VECTOR | {"noise_ratio": "high"}]).astype({"late_payments_30d": float})
        )


def test_a_number_for_a_category_is_refused_by_name() -> None:
    with pytest.raises(CatalogueMismatch, match="'corridor' is a category"):
        ENCODING.encode(VECTOR | {"corridor": 3.0})
    with pytest.raises(CatalogueMismatch, match="'corridor' is a category"):
        ENCODING.encode_frame(
            pd.DataFrame([VECTOR | {"corridor": 3.0}]).astype({"late_payments_30d": float})
        )


def test_a_column_without_any_category_is_missing_whatever_its_type() -> None:
    frame = pd.DataFrame([VECTOR]).astype({"late_payments_30d": float}).assign(corridor=np.nan)

    assert np.isnan(ENCODING.encode_frame(frame)[0, 2])


def test_a_rare_category_is_left_out_of_the_list() -> None:
    frame = pd.DataFrame({name: [0.0] * 30 for name in INPUTS.names})
    frame["corridor"] = ["CN-DE"] * 20 + ["TR-DE"] * 9 + [None]

    learnt = Encoding.learnt(frame, INPUTS, fewest=10)

    assert learnt.inputs[2].categories == ("CN-DE",)
    assert learnt.inputs[0].categories is None
