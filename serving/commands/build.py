"""`tidegate build`: records -> a point-in-time training set."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from serving.commands.options import Json, SubjectOption
from serving.commands.printing import messages, print_json, progress_bar


class Engine(StrEnum):
    """Where features are computed."""

    LOCAL = "local"


def build(
    records: Annotated[Path, typer.Option(help="Folder of record files.")],
    subject: SubjectOption,
    out: Annotated[Path, typer.Option(help="Folder to write; replaced when all went well.")],
    engine: Annotated[Engine, typer.Option(help="Where to compute.")] = Engine.LOCAL,
    as_json: Json = False,
) -> None:
    """Compute every feature of every subject as of its declaration."""
    import pyarrow.parquet as pq

    from features.matrix import build_training_set

    with progress_bar(f"{subject.value}: features") as progress:
        build_training_set(records, subject.value, out, progress)
    shape = pq.read_metadata(out / "features.parquet")
    outcomes = pq.read_metadata(out / "outcomes.parquet").num_rows
    if as_json:
        print_json({"out": str(out), "subjects": shape.num_rows, "outcomes": outcomes})
    else:
        features = shape.num_columns - 2
        messages.print(
            f"{out}: {shape.num_rows:,} subjects × {features} features, {outcomes:,} outcomes"
        )
