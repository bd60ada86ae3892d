"""What a feature store would hold of a home, for the peer that does the same work.

Of each feature that reads history by one key, the last value that each such key had in training.
"""

import json
import subprocess
from pathlib import Path

import pandas as pd

from features.catalogue import features_of
from features.definition import Feature

PEER = Path(__file__).with_name("feature_store_peer.py")
PYTHON = Path(__file__).parents[2] / ".peer" / "bin" / "python"
"""Made by `make peer`: what Feast needs would not go with what we need."""
BETWEEN = "|"
OF_SHIPMENT = (
    *("consignor_id", "consignee_id", "forwarder_id", "declarant_id", "hs_code"),
    *("origin_country", "dispatch_country", "destination_country", "office_id"),
    *("currency", "tax_rate", "tax_type", "payment_type", "import_type"),
    *("container_number", "seal_number"),
)


def make_feature_store(home: Path, folder: Path) -> None:
    """Fill a folder with a feature store of the training set of shipments of a home."""
    folder.mkdir()
    records = home / "records"
    training_set = pd.read_parquet(home / "training_sets" / "shipment" / "features.parquet")
    keys = _keys(records)
    learnt = training_set.columns.difference([*keys.columns, "declared_at"])
    known = keys.merge(training_set[["subject_id", *learnt]], on="subject_id")
    views = {}
    for key, features in _by_key([*keys.columns], [*learnt]).items():
        name = "_and_".join(key)
        values = known[features].astype(float)
        joined = known[[*key]].map(str).agg(BETWEEN.join, axis=1)
        of_view = values.assign(**{f"key_of_{name}": joined, "event_timestamp": known["at"]})
        of_view.drop_duplicates(f"key_of_{name}", keep="last").to_parquet(
            folder / f"{name}.parquet"
        )
        views[name] = {"key": [*key], "features": features}
    (folder / "views.json").write_text(json.dumps(views))
    subprocess.run([PYTHON, "-P", PEER, folder], check=True, stdout=subprocess.DEVNULL)


def _keys(records: Path) -> pd.DataFrame:
    """What history is looked up by, of each shipment, in the order of declaration."""
    read = ["shipment_id", "journey_id", "declared_at", *OF_SHIPMENT]
    shipments = pd.read_parquet(records / "shipments.parquet", columns=read)
    of_journey = ["journey_id", "mode", "carrier_id"]
    journeys = pd.read_parquet(records / "journeys.parquet", columns=of_journey)
    of_payment = ["subject_id", "payer_id", "payee_id"]
    payments = pd.read_parquet(records / "transactions.parquet", columns=of_payment)
    named = {"shipment_id": "subject_id", "declared_at": "at"}
    return (
        shipments.rename(columns=named)
        .merge(journeys, on="journey_id", how="left")
        .merge(payments.drop_duplicates("subject_id"), on="subject_id", how="left")
        .sort_values("at")
    )


def _by_key(keys: list[str], features: list[str]) -> dict[tuple[str, ...], list[str]]:
    """The features that the store can have, by the columns that their windows match."""
    found: dict[tuple[str, ...], list[str]] = {}
    for feature in features_of("shipment"):
        key = _key_of(feature, keys)
        if key and feature.name in features and not feature.is_categorical:
            found.setdefault(key, []).append(feature.name)
    return found


def _key_of(feature: Feature, keys: list[str]) -> tuple[str, ...]:
    """The longest key of a feature's windows of which every column is known before it is asked."""
    matched = [window.matching for window in feature.windows.values()]
    usable = [key for key in matched if {*keys} - {"subject_id"} >= {*key}]
    return max(usable, key=len, default=())
