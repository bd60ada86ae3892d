"""Which classes of offence finds are of, and how much harm that is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.offences import NOT_SMUGGLING, OFFENCES, offence_group
from training.model.manifest import OffenceShares
from training.model.offence_shares import offence_shares

SMUGGLING = sorted({*OFFENCES} - NOT_SMUGGLING)
FINDS = st.lists(
    st.tuples(
        st.sampled_from(["chapter 24", "chapter 64", "sea"]),
        st.lists(st.sampled_from(OFFENCES), max_size=3).map(" ".join),
    ),
    max_size=30,
)
WEIGHTS = st.dictionaries(st.sampled_from(SMUGGLING), st.floats(0.01, 100), max_size=5)


def test_shares_of_a_group_are_drawn_to_those_of_all_by_twenty_finds() -> None:
    finds = [("chapter 24", "tobacco")] * 20 + [("chapter 64", "counterfeit")] * 60

    shares = offence_shares(finds)

    assert shares.finds == 80
    assert shares.of_all == {"tobacco": 0.25, "counterfeit": 0.75}
    # (20 + 20 × .25) / 40 and 20 × .25 / 80, by hand.
    assert shares.of_group["chapter 24"]["tobacco"] == pytest.approx(0.625)
    assert shares.of_group["chapter 64"]["tobacco"] == pytest.approx(0.0625)


def test_a_find_of_several_classes_counts_a_part_to_each_and_other_offences_none() -> None:
    finds = [("sea", "drugs tobacco document_fraud"), ("sea", "drugs"), ("sea", "other")]

    shares = offence_shares([*finds, ("sea", None)])

    assert shares.finds == 2
    assert shares.of_all == {"drugs": 0.75, "tobacco": 0.25}


def test_harm_is_beside_that_of_a_usual_find() -> None:
    finds = [("chapter 24", "tobacco")] * 20 + [("chapter 64", "counterfeit")] * 60
    shares = offence_shares(finds)

    ratio = shares.harm_ratio({"tobacco": 5.0}, "chapter 24")

    # Of all: .25 × 5 + .75 = 2; of the chapter: .625 × 5 + .375 = 3.5.
    assert ratio == pytest.approx(1.75)
    assert shares.harm_ratio({"tobacco": 5.0}, "chapter 99") == 1.0
    assert OffenceShares().harm_ratio({"tobacco": 5.0}, "chapter 24") == 1.0


@given(FINDS, WEIGHTS, st.floats(0.01, 100))
def test_only_how_weights_differ_counts_and_shares_add_up_to_one(
    finds: list[tuple[str, str]], weights: dict[str, float], factor: float
) -> None:
    shares = offence_shares(finds)

    for each in (shares.of_all, *shares.of_group.values()):
        assert sum(each.values()) == pytest.approx(1.0 if shares.finds else 0.0)
    of_all = {offence: weights.get(offence, 1.0) for offence in SMUGGLING}
    scaled = {offence: factor * weight for offence, weight in of_all.items()}
    for group in ("chapter 24", "chapter 64", "sea", "unknown"):
        ratio = shares.harm_ratio(weights, group)  # type: ignore[arg-type]  # classes
        assert shares.harm_ratio(scaled, group) == pytest.approx(ratio)  # type: ignore[arg-type]  # classes
        assert shares.harm_ratio(dict.fromkeys(SMUGGLING, factor), group) == pytest.approx(1.0)  # type: ignore[arg-type]  # classes


def test_a_shipment_is_grouped_by_its_goods_and_a_route_by_its_mode() -> None:
    assert offence_group("sea", "240220") == "chapter 24"
    assert offence_group("road", None) == "road"
    assert offence_group(None, None) == "unknown"
