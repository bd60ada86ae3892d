"""The stack that one would otherwise build for the same work: Feast, LightGBM, shap, SQLAlchemy.

Run by a Python of its own, which has these (`make peer`), and so imports nothing of ours:

    python feature_store_peer.py FOLDER      make the feature store of what `feature_store` wrote
    uvicorn feature_store_peer:app           serve from TIDEGATE_PEER_STORE and TIDEGATE_PEER_MODEL

It reads the same submission, looks the history of its parties and goods up in the online store,
computes a few features of the request and leaves the rest missing, scores, explains, commits the
decision with all of that, and lets the consignee's next shipment know of this one. It does less
than we: no lanes, no chain, no encryption, no windows as of an instant, no words.
"""

import json
import os
import sys
import uuid
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import shap
from fastapi import FastAPI, Header
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Float64
from pydantic import BaseModel, ConfigDict
from sqlalchemy import JSON, Engine, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
BETWEEN = "|"
PUSHED_TO = "consignee_id"


class Shipment(BaseModel):
    """What the request says of a shipment, as far as it is looked at."""

    model_config = ConfigDict(extra="allow")

    shipment_id: str
    consignor_id: str
    consignee_id: str
    hs_code: str
    declared_at: datetime
    gross_mass_kg: float | None = None
    net_mass_kg: float | None = None
    volume_m3: float | None = None
    packages: int | None = None
    declared_value: float | None = None


class Submission(BaseModel):
    """A request; its linked records stay documents."""

    model_config = ConfigDict(extra="allow")

    subject_kind: str
    shipment: Shipment
    journey: dict[str, Any] | None = None
    documents: list[dict[str, Any]] = []
    transactions: list[dict[str, Any]] = []


class Base(DeclarativeBase):
    """The tables."""


class Decision(Base):
    """One decision."""

    __tablename__ = "decisions"
    decision_id: Mapped[str] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    scored_at: Mapped[datetime]
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    vector: Mapped[dict[str, Any]] = mapped_column(JSON)
    contributions: Mapped[list[float]] = mapped_column(JSON)
    probability: Mapped[float]


@cache
def store() -> FeatureStore:
    """The feature store of the run."""
    return FeatureStore(repo_path=os.environ["TIDEGATE_PEER_STORE"])


@cache
def views() -> dict[str, dict[str, Any]]:
    """By the name of a view the columns of its key, and its features."""
    written = json.loads((Path(os.environ["TIDEGATE_PEER_STORE"]) / "views.json").read_text())
    return dict(written)


@cache
def booster() -> lightgbm.Booster:
    """The model of the run."""
    return lightgbm.Booster(model_str=Path(os.environ["TIDEGATE_PEER_MODEL"]).read_text())


@cache
def explainer() -> shap.TreeExplainer:
    """Its explainer, made once."""
    return shap.TreeExplainer(booster())


@cache
def database() -> Engine:
    """An engine whose commits are durable, as ours."""
    engine = create_engine(f"sqlite:///{os.environ['TIDEGATE_PEER_STORE']}/decisions.db")

    @event.listens_for(engine, "connect")
    def _durable(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    Base.metadata.create_all(engine)
    return engine


@app.post("/score")
async def score(submission: Submission, idempotency_key: str = Header()) -> dict[str, Any]:
    """One durable, explained decision; in turn, since Feast's SQLite store is for one thread."""
    vector = _vector(submission)
    row = np.array([[vector.get(name, np.nan) for name in booster().feature_name()]], dtype=float)
    probability = float(np.asarray(booster().predict(row, num_threads=1))[0])
    contributions = np.asarray(explainer().shap_values(row))[0].tolist()
    decision = Decision(
        decision_id=str(uuid.uuid4()),
        idempotency_key=idempotency_key,
        scored_at=datetime.now(UTC),
        request=submission.model_dump(mode="json"),
        vector={name: None if np.isnan(value) else value for name, value in vector.items()},
        contributions=contributions,
        probability=probability,
    )
    with Session(database()) as session:
        session.add(decision)
        session.commit()
        decision_id = decision.decision_id
    _push(submission, vector)
    return {"decision_id": decision_id, "probability": probability, "contributions": contributions}


def _vector(submission: Submission) -> dict[str, float]:
    """Features of the request, and those of its parties and goods from the online store."""
    known = _fields(submission)
    keys = {
        name: BETWEEN.join(str(known.get(column)) for column in view["key"])
        for name, view in views().items()
    }
    wanted = [f"{name}:{each}" for name, view in views().items() for each in view["features"]]
    found = store().get_online_features(features=wanted, entity_rows=[_joined(keys)]).to_dict()
    looked_up = {
        name: np.nan if value[0] is None else float(value[0])
        for name, value in found.items()
        if not name.startswith("key_of_")
    }
    return looked_up | _of_request(submission.shipment)


def _fields(submission: Submission) -> dict[str, Any]:
    first = submission.transactions[0] if submission.transactions else {}
    return {**(submission.journey or {}), **submission.shipment.model_dump(), **first}


def _joined(keys: dict[str, str]) -> dict[str, str]:
    return {f"key_of_{name}": key for name, key in keys.items()}


def _of_request(shipment: Shipment) -> dict[str, float]:
    frame = pd.DataFrame([shipment.model_dump()])
    gross, net = frame["gross_mass_kg"].astype(float), frame["net_mass_kg"].astype(float)
    value, volume = frame["declared_value"].astype(float), frame["volume_m3"].astype(float)
    made = pd.DataFrame(
        {
            "gross_mass_kg": gross,
            "tare_ratio": (gross - net) / gross,
            "value_per_kg": value / gross,
            "mass_per_m3": gross / volume,
            "mass_per_package_kg": gross / frame["packages"].astype(float),
        }
    )
    return {str(name): float(each) for name, each in made.iloc[0].items()}


def _push(submission: Submission, vector: dict[str, float]) -> None:
    """Let the next shipment of this consignee see one more."""
    view = views()[PUSHED_TO]
    row = {
        f"key_of_{PUSHED_TO}": submission.shipment.consignee_id,
        "event_timestamp": submission.shipment.declared_at,
        **{each: vector[each] + 1 for each in view["features"]},
    }
    store().write_to_online_store(PUSHED_TO, pd.DataFrame([row]))


def make(folder: Path) -> None:
    """Make the feature store of the views in a folder, and fill its online store."""
    (folder / "feature_store.yaml").write_text(
        "project: peer\nprovider: local\nregistry: registry.db\n"
        "online_store:\n  type: sqlite\n  path: online.db\nentity_key_serialization_version: 3\n"
    )
    made: list[Any] = []
    for name, view in json.loads((folder / "views.json").read_text()).items():
        entity = Entity(name=name, join_keys=[f"key_of_{name}"], value_type=ValueType.STRING)
        source = FileSource(
            path=str(folder.resolve() / f"{name}.parquet"), timestamp_field="event_timestamp"
        )
        fields = [Field(name=each, dtype=Float64) for each in view["features"]]
        made += [entity, FeatureView(name=name, entities=[entity], schema=fields, source=source)]
    feature_store = FeatureStore(repo_path=str(folder))
    feature_store.apply(made)
    feature_store.materialize(datetime(2000, 1, 1, tzinfo=UTC), datetime.now(UTC))


if __name__ == "__main__":
    make(Path(sys.argv[1]))
