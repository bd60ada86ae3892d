"""The experiment's command on a small set of the same shape, with a price rule planted in it."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.customs_declarations.__main__ import MAPPING, write_records
from features.ingest.record_files import read_records
from features.mapping.drafting.mapping_draft import write_mapping_draft
from features.mapping.mapping import MappingFile
from tests.counts import in_full_alone

ROOT = Path(__file__).resolve().parents[2]
HEADER = (
    "Declaration ID,Date,Office ID,Process Type,Import Type,Import Use,Payment Type,"
    "Mode of Transport,Declarant ID,Importer ID,Seller ID,Courier ID,HS6 Code,"
    "Country of Departure,Country of Origin,Tax Rate,Tax Type,Country of Origin Indicator,"
    "Net Mass,Item Price,Fraud,Critical Fraud"
).split(",")


def declarations(first: str, days: int, rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    mass = random.uniform(10, 1_000, rows).round(1)
    price = random.choice([200.0, 250.0, 300.0, 20.0], rows)
    is_fraud = (price == 20.0) ^ (random.random(rows) < 0.05)
    day = pd.Timestamp(first) + pd.to_timedelta(np.sort(random.integers(0, days, rows)), unit="D")
    return pd.DataFrame(
        dict.fromkeys(HEADER, "A")
        | {
            "Country of Departure": random.choice(["CN", "VN"], rows),
            "Country of Origin": "CN",
            "Declaration ID": [f"{seed}{row:06d}" for row in range(rows)],
            "Date": day.strftime("%Y-%m-%d"),
            "Item Price": (mass * price).round(2),
            "Net Mass": mass,
            "HS6 Code": random.choice(["10619", "851712", "950300"], rows),
            "Importer ID": random.choice(["I1", "I2", "I3"], rows),
            "Seller ID": random.choice(["", "S1", "S2"], rows),
            "Courier ID": "",
            "Tax Rate": "8.0",
            "Fraud": is_fraud.astype(int),
            "Critical Fraud": is_fraud.astype(int),
        }
    )


def run(folder: Path, **files: pd.DataFrame) -> subprocess.CompletedProcess[str]:
    arguments = written(folder, **files)
    return command("", *arguments, "--out", str(folder / "scores.csv"))


def written(folder: Path, **files: pd.DataFrame) -> list[str]:
    """The files as arguments of a command."""
    arguments = []
    for name, table in files.items():
        table.to_csv(folder / f"{name}.csv", index=False)
        arguments += [f"--{name}", str(folder / f"{name}.csv")]
    return arguments


def command(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"experiments.customs_declarations{module}", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def train() -> pd.DataFrame:
    return declarations("2020-01-01", 366, 3_000, seed=1)


@pytest.fixture(scope="module")
def valid() -> pd.DataFrame:
    return declarations("2021-01-01", 90, 800, seed=2)


@pytest.mark.faults
@in_full_alone
def test_declarations_without_labels_are_scored_and_the_planted_rule_is_found(
    train: pd.DataFrame, valid: pd.DataFrame, tmp_path: Path
) -> None:
    later = declarations("2021-04-01", 60, 400, seed=3)

    ran = run(
        tmp_path, train=train, valid=valid, score=later.drop(columns=["Fraud", "Critical Fraud"])
    )

    assert ran.returncode == 0, ran.stderr
    scores = pd.read_csv(tmp_path / "scores.csv", dtype={"Declaration ID": str})
    assert list(scores.columns) == ["Declaration ID", "score"]
    assert set(scores["Declaration ID"]) == set(later["Declaration ID"])
    is_fraud = scores["Declaration ID"].map(later.set_index("Declaration ID")["Fraud"])
    top = scores["score"].rank(ascending=False, method="first") <= 40  # trees give equal scores
    assert is_fraud[top].mean() > 0.85
    assert "whose mass and price no earlier declaration had together: precision@5%" in ran.stderr


@pytest.mark.faults
@in_full_alone
def test_beside_every_feature_set_stands_what_it_is_worth_where_nothing_repeats(
    train: pd.DataFrame, valid: pd.DataFrame, tmp_path: Path
) -> None:
    """Every second validation declaration copies goods, mass, price and result of an old one."""
    copied = train.sample(400, random_state=5).reset_index(drop=True)
    columns = ["HS6 Code", "Country of Departure", "Net Mass", "Item Price", "Fraud"]
    repeating = valid.copy()
    repeating.loc[::2, columns] = copied[columns].to_numpy()
    together = pd.concat([train, repeating])
    first = together.groupby(["Net Mass", "Item Price"])["Date"].transform("min")
    new = int((first == together["Date"]).iloc[len(train) :].sum())

    ran = command(".feature_sets", *written(tmp_path, train=train, valid=repeating))

    assert ran.returncode == 0, ran.stderr
    assert "800 validation declarations" in ran.stdout
    assert f"; {new:,} have a mass and price that no earlier one had together" in ran.stdout
    table = [line.split(" | ") for line in ran.stdout.splitlines() if line.startswith("| ")]
    auc = {cells[0].strip("| "): (float(cells[3][:5]), float(cells[5][:5])) for cells in table[1:]}
    assert auc["drawing by lot"] == (0.5, 0.5)
    assert auc["without any history of outcomes"][1] > 0.8
    assert auc["… and without mass, value and price"][1] < 0.65


@pytest.mark.faults
@in_full_alone
def test_a_missing_column_is_named_and_nothing_is_written(
    train: pd.DataFrame, valid: pd.DataFrame, tmp_path: Path
) -> None:
    ran = run(tmp_path, train=train.drop(columns="Net Mass"), valid=valid, score=valid)

    assert ran.returncode == 1
    assert "train.csv: the column 'Net Mass' is missing" in ran.stderr
    assert not (tmp_path / "scores.csv").exists()


def test_the_mapping_makes_the_records_that_plain_pandas_makes(
    train: pd.DataFrame, valid: pd.DataFrame, tmp_path: Path
) -> None:
    said = pd.concat([train, valid.drop(columns=["Fraud", "Critical Fraud"])], ignore_index=True)
    said.astype({"Fraud": "Int64"}).to_csv(tmp_path / "said.csv", index=False)
    plain = pd.read_csv(tmp_path / "said.csv", dtype=str, keep_default_na=False)
    day = pd.to_datetime(plain["Date"], utc=True)
    is_labelled = plain["Fraud"] != ""

    write_records(tmp_path / "out", plain, timedelta(days=30))

    shipments, outcomes = (
        read_records(tmp_path / "out", name).to_pandas().dropna(axis="columns", how="all")
        for name in ("shipments", "outcomes")
    )
    procedure = plain["Process Type"] + "/" + plain["Import Type"] + "/" + plain["Import Use"]
    expected = {
        "shipment_id": plain["Declaration ID"],
        "consignor_id": plain["Seller ID"].replace("", "unnamed"),
        "consignee_id": plain["Importer ID"],
        "declarant_id": plain["Declarant ID"],
        "hs_code": plain["HS6 Code"].str.zfill(6),
        "origin_country": plain["Country of Origin"],
        "dispatch_country": plain["Country of Departure"],
        "destination_country": "KR",
        "office_id": plain["Office ID"],
        "net_mass_kg": plain["Net Mass"].astype(float),
        "declared_value": plain["Item Price"].astype(float),
        "currency": "KRW",
        "tax_rate": plain["Tax Rate"].astype(float),
        "tax_type": plain["Tax Type"],
        "payment_type": plain["Payment Type"],
        "import_type": procedure,
        "declared_at": day,
        "version": 1,
        "withdrawn": False,
    }
    assert list(shipments.columns) == list(expected)
    for name, values in expected.items():
        assert (shipments[name] == values).all(), name
    label = plain["Fraud"][is_labelled].map({"1": "confirmed", "0": "not_confirmed"})
    assert outcomes["subject_id"].tolist() == plain["Declaration ID"][is_labelled].tolist()
    assert outcomes["result"].tolist() == label.tolist()
    assert (outcomes["known_at"] - outcomes["inspected_at"] == timedelta(days=30)).all()
    assert outcomes["inspected_at"].tolist() == day[is_labelled].tolist()
    assert {*outcomes["selected_by"]} == {"discretion"}
    assert {*outcomes["subject_kind"]} == {"shipment"}
    assert len(outcomes.columns) == 7


def test_the_draft_of_the_set_is_mostly_the_mapping(train: pd.DataFrame, tmp_path: Path) -> None:
    train.to_csv(tmp_path / "train.csv", index=False)

    write_mapping_draft(tmp_path / "draft.toml", [str(tmp_path / "train.csv")])

    draft = MappingFile.read(tmp_path / "draft.toml")
    for ours, theirs in zip(MAPPING.records, draft.records, strict=True):
        assert ours.name == theirs.name
        mapped = {name for name, each in ours.fields.items() if each.reads}
        alike = {
            name
            for name in mapped & {*theirs.fields}
            if {*theirs.fields[name].reads} <= {*ours.fields[name].reads}
        }
        assert len(alike) >= 0.75 * len(mapped), mapped - alike
        assert {*theirs.fields} <= mapped, "and nothing besides"


def test_the_mapping_is_short() -> None:
    assert len(MAPPING.file.read_text().splitlines()) <= 60
