"""What the goods items of the invented world are like, against their shipments."""

import numpy as np
import pandas as pd
import pytest

from features.reference.goods_names import is_of_other_goods
from synthetic.honest_mistakes import ODD_ITEMS
from synthetic.scenario import Scenario


@pytest.fixture(scope="module")
def items(world: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Every item beside its shipment's declared fields and its true typology."""
    shipments = world["shipments"].set_index("shipment_id").add_prefix("declared_")
    true = world["oracle"].set_index("subject_id").typology.rename("typology")
    return world["goods_items"].join(shipments, on="shipment_id").join(true, on="shipment_id")


def test_a_third_of_shipments_are_itemised_whether_they_smuggle_or_not(
    world: dict[str, pd.DataFrame],
) -> None:
    oracle = world["oracle"].query("subject_kind == 'shipment'")
    is_itemised = oracle.subject_id.isin(world["goods_items"].shipment_id)

    assert is_itemised.mean() == pytest.approx(Scenario().itemised, abs=0.02)
    assert is_itemised[oracle.typology.notna()].mean() == pytest.approx(
        Scenario().itemised, abs=0.08
    )


def test_items_are_numbered_from_one_without_a_gap(items: pd.DataFrame) -> None:
    numbers = items.groupby("shipment_id").number
    assert (numbers.min() == 1).all()
    assert (numbers.max() == numbers.nunique()).all()


def test_the_first_item_is_what_the_shipment_is_declared_as(items: pd.DataFrame) -> None:
    first = items[items.number == 1]
    assert (first.commodity_code.str[:6] == first.declared_hs_code).all()
    assert first.known_at.isna().all()
    assert (items.commodity_code.str.len() == 10).all()


def test_items_make_the_declared_value_and_mostly_the_declared_mass(items: pd.DataFrame) -> None:
    whole = items.groupby("shipment_id").agg(
        value=("value", "sum"),
        declared_value=("declared_declared_value", "first"),
        mass=("gross_mass_kg", lambda masses: masses.sum(skipna=False)),
        declared_mass=("declared_gross_mass_kg", "first"),
    )
    masses = whole.dropna()
    is_off = abs(masses.mass / masses.declared_mass - 1) > 0.01

    assert np.allclose(whole.value, whole.declared_value, atol=0.01)
    assert is_off.mean() == pytest.approx(ODD_ITEMS["items_off_whole"], abs=0.02)


def test_groupage_has_items_of_other_goods_and_other_countries(items: pd.DataFrame) -> None:
    of = items.groupby("shipment_id")
    chapters = items.commodity_code.str[:2].groupby(items.shipment_id).nunique()

    assert 0.3 < (chapters > 1).mean() < 0.6
    assert 0.05 < (of.origin_country.nunique() > 1).mean() < 0.4


def test_few_items_are_added_after_the_declaration(items: pd.DataFrame) -> None:
    later = items.dropna(subset=["known_at"])

    assert 0.005 < len(later) / len(items) < 0.03
    assert (later.known_at > later.declared_declared_at).all()


def test_hidden_items_are_more_often_in_networks_that_hide_them_and_no_proof(
    items: pd.DataFrame,
) -> None:
    described = items[(items.number > 1) & items.description.notna()]
    is_hidden = pd.Series(
        [*map(is_of_other_goods, described.description, described.commodity_code)],
        described.index,
    )
    hides = described.typology.isin(["boat_equipment_supply", "misdeclared_goods"])

    assert is_hidden[hides].mean() > 3 * is_hidden[~hides].mean() > 0
    assert described.typology[is_hidden].isna().mean() > 0.5
