"""A small world with a pattern to learn: undervalued goods, paid in cash, on crowded craft."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from features.arrow_schema import arrow_schema
from features.build_training_set import build_training_set
from features.ingest.record_files import write_records
from features.records import RECORD_FILES, SubjectKind
from training.data.training_set import TrainingSet
from training.model.model_home import ModelHome
from training.model.model_pointer import GateVerdict, ModelPointer
from training.model.model_registration import Registration
from training.model.risk_model import RiskModel
from training.parameters import TrainingParameters
from training.train import train_model

BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
JOURNEYS = 500
SHIPMENTS = 700
SOUND = GateVerdict(gate="artefact", verdict="passed", reason="it is whole")
NAMES: dict[SubjectKind, str] = {"route": "tidegate-route", "shipment": "tidegate-shipment"}

Rows = list[dict[str, Any]]


def write_world(folder: Path) -> None:
    """All record files of the world."""
    lots = np.random.default_rng(20261124)
    journeys = [_journey(i, lots) for i in range(JOURNEYS)]
    shipments = [_shipment(i, lots) for i in range(SHIPMENTS)]
    folder.mkdir(parents=True)
    _write(folder, "journeys", [journey for journey, _ in journeys])
    _write(folder, "legs", [_leg(journey) for journey, _ in journeys])
    _write(folder, "shipments", [shipment for shipment, _ in shipments])
    _write(folder, "transactions", [_payment(i, s, lots) for i, (s, _) in enumerate(shipments)])
    risks = [("route", j["journey_id"], j["declared_at"], r) for j, r in journeys]
    risks += [("shipment", s["shipment_id"], s["declared_at"], r) for s, r in shipments]
    _write(folder, "outcomes", [o for o in (_outcome(*r, lots) for r in risks) if o])


def train_and_promote(home: Path, kind: SubjectKind, version: str, seed: int = 7) -> RiskModel:
    """A small real model of the world in `home`, promoted as `version`."""
    training_set = home / "training_sets" / kind
    if not training_set.exists():
        training_set.parent.mkdir(exist_ok=True)
        build_training_set(home / "records", kind, training_set)
    parameters = TrainingParameters.model_validate(
        {
            "seed": seed,
            "threads": 1,
            "split": {"label_gap_days": 5, "minimum_labels": 2},
            "selection": {"fit": "inverse_probability"},
            "trees": {
                "trees": 25,
                "early_stopping_rounds": 0,
                "leaves": 6,
                "min_data_in_leaf": 5,
                "monotone": "off",
                "thresholds": "best",
            },
            "evaluation": {"redraws": 10},
        }
    )
    model = train_model(TrainingSet.read(training_set, kind), parameters).model
    models = ModelHome(home)
    models.add_version(
        model,
        Registration(
            name=NAMES[kind],
            version=version,
            digest=model.digest,
            trainer="ada",
            registered_at=BEGINS,
            run_id=f"run of a {kind}",
            tracking_uri="sqlite:///mlflow.db",
        ),
    )
    promote(home, kind, version, model)
    return model


def promote(
    home: Path, kind: SubjectKind, version: str, model: RiskModel, role: Any = "champion"
) -> None:
    """Let the champion, or whoever has another role, be this version, as every gate let it."""
    ModelHome(home).point(role, pointer_to(kind, version, model))


def pointer_to(kind: SubjectKind, version: str, model: RiskModel) -> ModelPointer:
    """The pointer to a version that one gate was asked about."""
    return ModelPointer(
        name=NAMES[kind],
        version=version,
        digest=model.digest,
        verdicts=(SOUND,),
        set_at=BEGINS,
    )


def _write(folder: Path, name: str, rows: Rows) -> None:
    write_records(folder, name, pa.Table.from_pylist(rows, arrow_schema(RECORD_FILES[name])))


def _at(lots: np.random.Generator) -> datetime:
    return BEGINS + timedelta(seconds=int(lots.integers(0, 300 * 86_400)))


def _journey(i: int, lots: np.random.Generator) -> tuple[dict[str, Any], float]:
    declared_at = _at(lots)
    crowd = float(lots.random())
    kind = str(lots.choice(["fishing_vessel", "small_craft", "general_cargo"]))
    hours = int(lots.integers(4, 90))
    journey = {
        "journey_id": f"JW-{i:04}",
        "mode": "sea",
        "carrier_id": f"carrier-{lots.integers(20)}",
        "conveyance_id": f"vessel-{lots.integers(60)}",
        "conveyance_kind": kind,
        "registration_country": str(lots.choice(["PT", "GR", "TR", "PA"])),
        "origin": str(lots.choice(["TRIZM", "TRIST", "EGALY"])),
        "destination": str(lots.choice(["GRPIR", "ITGOA", "DEHAM"])),
        "declared_at": declared_at,
        "due_at": declared_at + timedelta(hours=hours),
        "certified_capacity": 12,
        "persons_on_board": int(12 * crowd),
    }
    return journey, 0.8 if kind == "small_craft" and hours < 40 else 0.06


def _leg(journey: dict[str, Any]) -> dict[str, Any]:
    return {
        "journey_id": journey["journey_id"],
        "sequence": 1,
        "origin": journey["origin"],
        "destination": journey["destination"],
        "known_at": journey["declared_at"] - timedelta(hours=1),
    }


def _shipment(i: int, lots: np.random.Generator) -> tuple[dict[str, Any], float]:
    declared_at = _at(lots)
    mass_kg = float(np.round(lots.lognormal(7, 1), 1))
    is_cheap = bool(lots.random() < 0.25)
    eur_per_kg = float(lots.uniform(0.2, 1.0) if is_cheap else lots.uniform(4.0, 12.0))
    shipment = {
        "shipment_id": f"SW-{i:04}",
        "journey_id": f"JW-{lots.integers(JOURNEYS):04}",
        "consignor_id": f"party-{lots.integers(30)}",
        "consignee_id": f"party-{100 + lots.integers(40)}",
        "hs_code": str(lots.choice(["890310", "940360", "640399", "220421"])),
        "goods_description": "goods as listed",
        "origin_country": str(lots.choice(["CN", "TR", "VN"])),
        "dispatch_country": str(lots.choice(["TR", "EG"])),
        "destination_country": "DE",
        "office_id": str(lots.choice(["DE004600", "DE002100"])),
        "gross_mass_kg": mass_kg,
        "packages": int(lots.integers(1, 200)),
        "declared_value": float(np.round(mass_kg * eur_per_kg, 2)),
        "currency": "EUR",
        "declared_at": declared_at,
    }
    return shipment, 0.7 if is_cheap else 0.05


def _payment(i: int, shipment: dict[str, Any], lots: np.random.Generator) -> dict[str, Any]:
    paid_at = shipment["declared_at"] - timedelta(days=int(lots.integers(1, 20)))
    return {
        "transaction_id": f"TW-{i:04}",
        "subject_kind": "shipment",
        "subject_id": shipment["shipment_id"],
        "payer_id": shipment["consignee_id"],
        "payee_id": shipment["consignor_id"],
        "amount": shipment["declared_value"],
        "currency": "EUR",
        "method": str(lots.choice(["bank_transfer", "cash"])),
        "paid_at": paid_at,
        "known_at": paid_at + timedelta(hours=12),
    }


def _outcome(
    kind: str, subject_id: str, declared_at: datetime, risk: float, lots: np.random.Generator
) -> dict[str, Any] | None:
    is_inspected, is_confirmed = lots.random() < 0.6, lots.random() < risk
    if not is_inspected:
        return None
    return {
        "subject_kind": kind,
        "subject_id": subject_id,
        "selected_by": "random",
        "selection_probability": 0.6,
        "inspected_at": declared_at + timedelta(days=1),
        "known_at": declared_at + timedelta(days=3),
        "result": "confirmed" if is_confirmed else "not_confirmed",
    }
