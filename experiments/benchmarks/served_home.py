"""A home to serve from: an invented world, two models of 500 trees × 63 leaves, and what arrives.

The trees are as many and as large as the figures of the service ask for, whatever fits best.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.arrow_schema import arrow_schema
from features.build_training_set import build_training_set
from features.ingest.record_files import write_records
from features.records import RECORD_FILES, SubjectKind
from features.replay_submissions import submissions_of
from serving.cli.demo_world import last_days_begin, write_known_by
from synthetic.scenario import Scenario
from synthetic.world import invent
from training.data.training_set import TrainingSet
from training.model.model_home import ModelHome
from training.model.model_pointer import GateVerdict, ModelPointer
from training.model.model_registration import Registration
from training.parameters import TrainingParameters
from training.train import train_model

OWN_IDS = (("documents", "document_id"), ("transactions", "transaction_id"), ("events", "event_id"))
JOURNEYS, DAYS, LIVE_DAYS = 12_000, 365, 20
ROUND = timedelta(days=1)
"""In which all that is invented of the live days arrives once: about 500 shipments."""
KINDS: tuple[SubjectKind, ...] = ("route", "shipment")
PARAMETERS = {
    "seed": 7,
    "threads": 1,
    "split": {"minimum_labels": 2, "label_gap_days": 4},
    "trees": {
        "trees": 500,
        "leaves": 63,
        "min_data_in_leaf": 2,
        "early_stopping_rounds": 0,
        "monotone": "off",
        "learning_rate": 0.01,
    },
    "evaluation": {"redraws": 10},
}


def make_home(home: Path) -> None:
    """Fill a new home: records, models promoted as version 1, and `live.ndjson` to submit."""
    world = home / "world"
    invent(world, scenario=Scenario(), journeys=JOURNEYS, days=DAYS, seed=7)
    live_from = last_days_begin(world, LIVE_DAYS)
    write_known_by(world, live_from, home / "records")
    _inspect_most(world, home / "records", live_from)
    for kind in KINDS:
        folder = home / "training_sets" / kind
        build_training_set(home / "records", kind, folder)
        model = train_model(
            TrainingSet.read(folder, kind), TrainingParameters.model_validate(PARAMETERS)
        ).model
        models = ModelHome(home)
        name = model.manifest.name
        models.add_version(
            model,
            Registration(
                name=name,
                version="1",
                digest=model.digest,
                trainer="benchmark",
                registered_at=live_from,
                run_id="benchmark",
                tracking_uri="",
            ),
        )
        sound = GateVerdict(gate="artefact", verdict="passed", reason="it was just trained")
        pointer = ModelPointer(
            name=name, version="1", digest=model.digest, verdicts=(sound,), set_at=live_from
        )
        models.point("champion", pointer)
    with (home / "live.ndjson").open("w") as lines:
        for submission in submissions_of(world, "shipment", live_from):
            lines.write(submission.model_dump_json(exclude_none=True) + "\n")


def _inspect_most(world: Path, records: Path, until: datetime) -> None:
    """Let most subjects have been inspected: so many labels that the trees can grow as large."""
    lots = np.random.default_rng(7)
    oracle = pd.read_parquet(world / "oracle.parquet").sample(frac=0.7, random_state=7)
    declared = pd.concat(
        [
            pd.read_parquet(records / f"{kind}.parquet", columns=[name, "declared_at"]).set_axis(
                ["subject_id", "declared_at"], axis=1
            )
            for kind, name in (("journeys", "journey_id"), ("shipments", "shipment_id"))
        ]
    )
    found = oracle.merge(declared, on="subject_id")
    known_at = found["declared_at"] + pd.Timedelta(days=3)
    is_confirmed = lots.random(len(found)) < 0.02 + found["true_probability"]
    outcomes = pa.table(
        {
            "subject_kind": found["subject_kind"],
            "subject_id": found["subject_id"],
            "selected_by": ["random"] * len(found),
            "selection_probability": np.full(len(found), 0.7),
            "inspected_at": found["declared_at"] + pd.Timedelta(days=1),
            "known_at": known_at,
            "result": np.where(is_confirmed, "confirmed", "not_confirmed"),
            "typology": pa.nulls(len(found), pa.string()),
        }
    )
    for field in arrow_schema(RECORD_FILES["outcomes"]):
        if field.name not in outcomes.column_names:
            outcomes = outcomes.append_column(field, pa.nulls(len(found), field.type))
    ordered = outcomes.select(arrow_schema(RECORD_FILES["outcomes"]).names)
    write_records(records, "outcomes", ordered.filter(np.array(known_at < until)))


def bodies(home: Path, run: str, after: int = 0) -> Iterator[bytes]:
    """What arrives, under ids that no other run uses: the live days in one, then again in the next.

    So many arrived in earlier runs. Were they to come again at the same instants, the same few
    parties would come ever more often and ever later, which is no traffic but a flood of late
    records. Were they to take their own time, what arrives after half a minute would be declared
    for next year, of which the service computes no score. Raises RuntimeError where that is so.
    """
    submissions = [json.loads(line) for line in (home / "live.ndjson").read_text().splitlines()]
    began = _declared_at(submissions[0])
    for arrived in count(after):
        number, place = divmod(arrived, len(submissions))
        since = _declared_at(submissions[place]) - began
        by = number * ROUND + since * (ROUND / timedelta(days=LIVE_DAYS)) - since
        if began + since + by > datetime.now(UTC):
            raise RuntimeError(f"{home} has seen all traffic until now: make another")
        yield json.dumps(_renamed(_later(submissions[place], by), f"-{run}-{number}")).encode()


def _declared_at(submission: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(submission["shipment"]["declared_at"])


def _later(value: Any, by: timedelta, name: str = "") -> Any:
    """A submission, or a part of it, with every instant moved."""
    if isinstance(value, dict):
        return {name: _later(part, by, name) for name, part in value.items()}
    if isinstance(value, list):
        return [_later(part, by) for part in value]
    if name.endswith("_at"):
        return (datetime.fromisoformat(value) + by).isoformat()
    return value


def _renamed(submission: dict[str, Any], suffix: str) -> dict[str, Any]:
    shipment = _with_suffix(submission["shipment"], ("shipment_id", "journey_id"), suffix)
    renamed = {**submission, "shipment": shipment}
    if "journey" in submission:
        renamed["journey"] = _with_suffix(submission["journey"], ("journey_id",), suffix)
    for name, identity in OWN_IDS:
        if name in submission:  # an older checkout does not know all of them
            renamed[name] = [
                {**_with_suffix(record, (identity,), suffix), "subject_id": shipment["shipment_id"]}
                for record in submission[name]
            ]
    return renamed


def _with_suffix(record: Any, names: tuple[str, ...], suffix: str) -> Any:
    """A record, and what it holds, with the suffix at each value of these names."""
    if isinstance(record, list):
        return [_with_suffix(part, names, suffix) for part in record]
    if not isinstance(record, dict):
        return record
    return {
        name: f"{part}{suffix}"
        if name in names and part is not None
        else _with_suffix(part, names, suffix)
        for name, part in record.items()
    }
