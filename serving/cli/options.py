"""Options shared by several commands."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Subject(StrEnum):
    """Kind of subject that a command works on."""

    ROUTE = "route"
    SHIPMENT = "shipment"


class Engine(StrEnum):
    """Engine for many subjects or trees: this machine, or Spark."""

    MACHINE = "machine"
    SPARK = "spark"


Home = Annotated[
    Path,
    typer.Option(
        "--home", envvar="TIDEGATE_HOME", file_okay=False, help="Folder that holds all state."
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        envvar="TIDEGATE_DATABASE_URL",
        help="postgresql://…; HOME/tidegate.db without. Give a password by the environment: "
        "everyone on the machine can read a command line.",
    ),
]
SubjectOption = Annotated[
    Subject, typer.Option("--subject", help="Routes (journeys with legs) or shipments.")
]

TrainingSetOption = Annotated[
    Path | None,
    typer.Option(
        "--training-set",
        help="Folder that `tidegate build` made; HOME/training_sets/<subject> without.",
    ),
]
MasterOption = Annotated[
    str | None,
    typer.Option("--master", help="Where Spark is: sc://host:port, spark://host:port or local[2]."),
]
TrackingUri = Annotated[
    str | None,
    typer.Option(
        "--tracking-uri",
        envvar="TIDEGATE_MLFLOW_URI",
        help="MLflow server or database; HOME/mlflow.db without.",
    ),
]
ModelReference = Annotated[
    str,
    typer.Option("--model", help="tidegate-shipment@challenger, tidegate-shipment/3 or a folder."),
]
EngineOption = Annotated[
    Engine, typer.Option("--engine", help="This machine or Spark; the bytes are the same.")
]

DEFAULT_HOME = Path(".tidegate")


def stated_day(text: str) -> date:
    """Return the day stated by a person."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("want a day, as 2026-11-27") from None


def master_of(engine: Engine, master: str | None) -> str | None:
    """Return the address of Spark, if requested; both options must be given together."""
    if engine is Engine.MACHINE and master is not None:
        raise typer.BadParameter("goes with --engine spark", param_hint="--master")
    if engine is Engine.SPARK and master is None:
        raise typer.BadParameter("say where Spark is, as sc://host:15002", param_hint="--master")
    return master
