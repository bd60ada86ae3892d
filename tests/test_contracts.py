"""Every import contract notices a breach, tried on one graph of all imports."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import grimp
import pytest
from importlinter.api import read_configuration
from importlinter.contracts.acyclic_siblings import AcyclicSiblingsContract
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.independence import IndependenceContract
from importlinter.contracts.layers import LayersContract

CONFIGURATION = read_configuration(str(Path(__file__).resolve().parents[1] / "pyproject.toml"))
CONTRACTS = {contract["name"]: contract for contract in CONFIGURATION["contracts_options"]}
KINDS: dict[str, Any] = {
    "acyclic_siblings": AcyclicSiblingsContract,
    "forbidden": ForbiddenContract,
    "independence": IndependenceContract,
    "layers": LayersContract,
}

# Contract -> the module that breaks it and what it imports.
BREACHES = {
    "serving sits on training sits on features": (
        "features.units",
        "training.fit.fit_trees",
    ),
    "inside serving, every arrow points inwards": ("serving.errors", "serving.settings"),
    "api, console and cli are independent": ("serving.api.breach", "serving.console"),
    "the domain states what it stores, and never imports storage": (
        "serving.models.scores",
        "serving.storage.tables",
    ),
    "inside features, every arrow points downwards": (
        "features.linked_records",
        "features.digests.code",
    ),
    "the engine imports no family, no catalogue and no rule of a record type": (
        "features.engine.batch.sources",
        "features.ingest.contract",
    ),
    "outside features, only entry points import its satellites": (
        "training.breach",
        "features.messages.ubl",
    ),
    "inside the engine, every arrow points downwards": (
        "features.engine.columns",
        "features.engine.store.layout",
    ),
    "no cycles inside the engine": (
        "features.engine.string_table",
        "features.engine.columns",
    ),
    "streams know the service by HTTP alone": (
        "serving.streams.breach",
        "serving.storage.engine",
    ),
    "only streams know brokers": ("serving.scoring.breach", "nats"),
    "only entry points import the exchange and the report of effect": (
        "serving.scoring.breach",
        "serving.exchange.deliveries",
    ),
    "only the exchange knows STIX": ("serving.scoring.breach", "stix2"),
    "inside training, every arrow points downwards": (
        "training.errors",
        "training.parameters",
    ),
    "of training, serving may know only the model handed over and estimates": (
        "serving.breach",
        "training.fit.fit_trees",
    ),
    "the model handed over stands at the bottom of training": (
        "training.model.encoding",
        "lightgbm",
    ),
    "what answers scores with kernels of its own": ("serving.models.scores", "lightgbm"),
    "features knows no model, no server and no registry": ("features.breach", "fastapi"),
    "only the registry imports MLflow": ("training.breach", "mlflow"),
    "only the application, the API and the console speak HTTP": (
        "training.breach",
        "starlette",
    ),
    "only the store knows SQL": ("serving.breach", "sqlalchemy"),
    "the invented world knows records and geography only": (
        "synthetic.breach",
        "features.catalogue",
    ),
    "nobody but commands meets the invented world": ("serving.breach", "synthetic"),
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    session = CONFIGURATION["session_options"]
    return grimp.build_graph(
        *session["root_packages"],
        include_external_packages=True,
        exclude_type_checking_imports=True,
    )


def is_kept(name: str, graph: grimp.ImportGraph) -> bool:
    options = CONTRACTS[name]
    contract = KINDS[options["type"]](
        name=name, session_options=CONFIGURATION["session_options"], contract_options=options
    )
    return bool(contract.check(graph, verbose=False).kept)


def test_every_contract_has_a_breach() -> None:
    assert set(CONTRACTS) == set(BREACHES)


@pytest.mark.parametrize("name", BREACHES)
def test_a_contract_is_kept_and_notices_a_breach(name: str, graph: grimp.ImportGraph) -> None:
    importer, imported = BREACHES[name]
    broken = deepcopy(graph)
    broken.add_import(importer=importer, imported=imported)

    assert is_kept(name, deepcopy(graph))
    assert not is_kept(name, broken)
