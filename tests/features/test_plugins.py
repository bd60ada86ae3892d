"""Features outside the tree: which are taken, which are refused, and what becomes of them."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from features.catalogue import ROUTE, SHIPMENT, feature_named, features_by_name
from features.definition import MonotoneConstraint, Unit
from features.errors import TidegateError
from features.feature_rules import broken_rules
from features.plugins import features_in, modules_at

ROOT = Path(__file__).resolve().parents[2]
PLUGGED = Path(__file__).parent / "plugged" / "net_masses.py"
OWN = (*ROUTE, *SHIPMENT)
USE = """
import json
import tidegate as tg
from features.catalogue import features_of

given = {"shipments": {"net_mass_kg": 900.0, "packages": 30}}
tg.assure("net_mass_per_package_kg", given=given, expect=30.0)
tg.assure("net_mass_per_package_kg", given={"shipments": {"packages": 30}}, expect=None)
earlier = [{}, {}, {"consignee_id": "another"}]
tg.assure("consignee_shipments_60d", given={"shipments": earlier}, expect=1.0)
print(json.dumps([each.name for each in features_of("shipment")[-2:]]))
"""


def test_every_feature_of_the_catalogue_follows_the_rules() -> None:
    broken = {name: [*broken_rules(each)] for name, each in features_by_name().items()}

    assert {name: rules for name, rules in broken.items() if rules} == {}


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("tare_ratio", {"name": "Tare_ratio"}, "not lower case"),
        (
            "tare_ratio",
            {"name": "tare"},
            "does not say its unit, share of 1; want one such as cash_",
        ),
        ("consignee_shipments_30d", {"name": "consignee_shipments_60d"}, "no window has so many"),
        ("consignee_shipments_30d", {"name": "consignee_shipments"}, "want it to end in _30d"),
        ("tare_ratio", {"meaning": "Mass of packaging."}, "which values are suspicious"),
        ("tare_ratio", {"source": ""}, "`source` is empty"),
        ("tare_ratio", {"indicator": "D99"}, "no indicator D99"),
        ("tare_ratio", {"sentence": "packaging is {value} of it."}, "full stop"),
        ("tare_ratio", {"sentence": "much packaging"}, "does not name the value"),
        ("has_invoice", {"sentence_of_none": None}, "it is yes or no"),
        ("document_count", {"sentence_of_one": None}, "`sentence_of_one` is for counts"),
        ("document_count", {"sentence_of_none": "{value} papers"}, "want the words alone"),
        ("declared_before_due_hours", {"sentence_below_zero": None}, "can be negative"),
        ("hs_chapter", {"direction": MonotoneConstraint.HIGHER_IS_RISKIER}, "has no direction"),
        ("tare_ratio", {"columns": ("persons_on_board",)}, "describes persons"),
        ("longest_dwell_hours", {"sentence": "it stood {value} hours"}, "names hours"),
    ],
)
def test_a_feature_that_breaks_a_rule_is_told_which(
    name: str, change: dict[str, Any], says: str
) -> None:
    assert any(says in rule for rule in broken_rules(replace(feature_named(name), **change)))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def broken(", "cannot be loaded: SyntaxError"),
        ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("NAME = 1", "it defines no feature"),
        (
            PLUGGED.read_text().replace("net_mass_per_package_kg", "mass_per_package_kg"),
            r"mass_per_package_kg: features/families/declared_goods.py#L\d+ has this name already",
        ),
        (
            PLUGGED.read_text().replace("net_mass_per_package_kg", "net_mass_per_package"),
            "net_mass_per_package: its name does not say its unit, kg",
        ),
        (
            PLUGGED.read_text().replace("among=Peers.GOODS", 'known_by="has_seal"'),
            "`known_by` names has_seal, which is no feature of a shipment",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_name(
    tmp_path: Path, text: str, says: str
) -> None:
    (tmp_path / "own.py").write_text(text)

    with pytest.raises(TidegateError, match=rf"own\.py.*{says}"):
        features_in(modules_at(tmp_path), OWN)


def test_a_folder_without_features_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match=r"there is no Python file"):
        features_in(modules_at(tmp_path / "nowhere"), OWN)


def test_features_of_a_folder_are_those_of_its_files_in_order() -> None:
    found = features_in(modules_at(PLUGGED.parent), OWN)

    assert [each.name for each in found] == ["net_mass_per_package_kg", "consignee_shipments_60d"]
    assert found[0].unit is Unit.KILOGRAMS
    assert found[0].family == "net_masses"
    assert found[0].defined_at.startswith("tests/features/plugged/net_masses.py#L")
    assert [*features_in(modules_at(PLUGGED), OWN)] == [*found]  # loaded once


def test_features_of_an_installed_package_are_computed_and_shown_like_any_other(
    tmp_path: Path,
) -> None:
    installed = tmp_path / "harbour_features-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: harbour-features\nVersion: 1")
    (installed / "entry_points.txt").write_text("[tidegate.features]\nharbour = harbour_features\n")
    (tmp_path / "harbour_features.py").write_text(PLUGGED.read_text())
    places = os.pathsep.join([str(tmp_path), str(ROOT), str(ROOT / "data")])

    done = subprocess.run(
        [sys.executable, "-c", USE],
        env=os.environ | {"PYTHONPATH": places},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
    assert json.loads(done.stdout) == ["net_mass_per_package_kg", "consignee_shipments_60d"]


def test_a_command_takes_features_of_a_path_wherever_it_is_named() -> None:
    options = ["--features", str(PLUGGED), "--json"]

    done = subprocess.run(
        [*(sys.executable, "-m", "serving.cli", "features", "net_mass_per_package_kg"), *options],
        capture_output=True,
        text=True,
        check=True,
    )

    card = json.loads(done.stdout)
    assert card["defined_at"].startswith("tests/features/plugged/net_masses.py#L")
    assert set(card["computation"]) == {"shipment"}
