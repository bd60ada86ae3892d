"""A feature of a notebook's cell is tested and computed before it is in any catalogue."""

from typing import Any

import pandas as pd
import pytest

import tidegate as tg
from features.definition import Feature
from tests.conftest import MadeOnce
from tests.features.test_plugins import PLUGGED
from tests.serving.conftest import make_trained_home

GIVEN = {"shipments": {"net_mass_kg": 900.0, "packages": 30}}


def defined_in_cell(text: str = "") -> dict[str, Any]:
    """What a cell defines, whose code no file holds."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(text or PLUGGED.read_text(), names)
    return names


def test_a_feature_of_a_cell_is_assured_in_one_line() -> None:
    cell = defined_in_cell()
    earlier = {"shipments": [{}, {}, {"consignee_id": "another"}]}

    tg.assure(cell["net_mass_per_package_kg"], given=GIVEN, expect=30.0)
    tg.assure(cell["consignee_shipments_60d"], given=earlier, expect=1.0)
    with pytest.raises(AssertionError, match=r"net_mass_per_package_kg is 30.0, expected 31.0"):
        tg.assure(cell["net_mass_per_package_kg"], given=GIVEN, expect=31.0)


def test_a_feature_of_a_cell_says_that_no_file_holds_it() -> None:
    own: Feature = defined_in_cell()["net_mass_per_package_kg"]

    assert own.family == "notebook"
    assert own.defined_at.startswith("notebook#L")


def test_a_cell_that_is_run_again_brings_the_new_feature() -> None:
    halved = PLUGGED.read_text().replace("return ratio(", "return 0.5 * ratio(")

    tg.assure(defined_in_cell()["net_mass_per_package_kg"], given=GIVEN, expect=30.0)
    tg.assure(defined_in_cell(halved)["net_mass_per_package_kg"], given=GIVEN, expect=15.0)


def test_a_feature_of_a_cell_that_breaks_a_rule_is_told_which() -> None:
    unsaid = PLUGGED.read_text().replace("net_mass_per_package_kg(", "net_mass_per_package(")

    with pytest.raises(tg.TidegateError, match="net_mass_per_package: its name does not say its"):
        tg.assure(defined_in_cell(unsaid)["net_mass_per_package"], given=GIVEN, expect=30.0)


def test_a_feature_is_computed_for_every_subject(made_once: MadeOnce) -> None:
    home = tg.open(made_once("trained", make_trained_home) / "home")
    rows = home.training_set("shipment").to_pandas().set_index("subject_id")
    for name in ("mass_per_package_kg", "consignee_shipments_30d", "hs_chapter"):
        values = tg.compute(name, home=home.path)
        expected = rows[name].astype(values.dtype)
        pd.testing.assert_series_equal(values.loc[rows.index], expected, check_exact=True)
    gross = PLUGGED.read_text().replace("net_mass_kg", "gross_mass_kg")
    own = tg.compute(defined_in_cell(gross)["net_mass_per_package_kg"], records=home.records)
    assert own.name == "net_mass_per_package_kg"
    pd.testing.assert_series_equal(
        own.loc[rows.index], rows["mass_per_package_kg"], check_names=False
    )
