"""Names of goods codes, and descriptions that are of other goods than their code."""

import csv
from pathlib import Path

import pytest

import synthetic
from features.reference.goods_names import goods_name, is_of_other_goods

FITTING = [
    ("Laptops, portable computers", "847130"),
    ("Paper cartons", "4819"),
    ("FROZEN SHRIMPS", "0306170000"),
    ("Mens trousers", "620342"),
    ("Parts", "847130"),
    ("General merchandise", "847130"),
    ("спальные мешки", "847130"),
    ("", "847130"),
    (None, "847130"),
    ("xyzzy 99", "847130"),
]
UNFITTING = [
    ("Cartons of corrugated paper", "847130"),
    ("Fresh tomatoes", "240220"),
    ("perfumes", "870323"),
    ("Footwear with leather uppers", "300490"),
]


@pytest.mark.parametrize(("description", "code"), FITTING)
def test_a_description_that_fits_or_says_nothing_is_not_marked(
    description: str | None, code: str
) -> None:
    assert not is_of_other_goods(description, code)


@pytest.mark.parametrize(("description", "code"), UNFITTING)
def test_a_description_of_other_goods_is_marked(description: str, code: str) -> None:
    assert is_of_other_goods(description, code)


def test_of_the_goods_of_the_invented_world_each_fits_its_own_code_and_most_fit_no_other() -> None:
    file = Path(synthetic.__file__).parent / "goods.csv"
    rows = [*csv.DictReader(file.read_text(encoding="utf-8").splitlines())]
    assert not [row for row in rows if is_of_other_goods(row["description"], row["hs_code"])]
    pairs = [(a, b) for a in rows for b in rows if a["hs_code"][:2] != b["hs_code"][:2]]
    marked = [is_of_other_goods(a["description"], b["hs_code"]) for a, b in pairs]
    assert sum(marked) > 0.8 * len(pairs)


@pytest.mark.parametrize("code", ["847130", "8471300000", "847199"])
def test_a_code_has_the_name_of_its_subheading_or_else_of_its_heading(code: str) -> None:
    assert (goods_name(code) or "").startswith("Automatic data processing machines")


@pytest.mark.parametrize("code", ["", "zz", "000000", "77"])
def test_an_unknown_code_has_no_name(code: str) -> None:
    assert goods_name(code) is None
