"""`tidegate synth`: an invented world as record files."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from serving.cli.options import Json
from serving.cli.output import messages, print_json, progress_bar


def synth(
    out: Annotated[Path, typer.Option(help="Folder to write the record files into.")],
    journeys: Annotated[
        int,
        typer.Option(min=100, help="How many, with those of the history; as many shipments."),
    ] = 20_000,
    days: Annotated[
        int,
        typer.Option(
            min=30, max=3_650, help="How long the world lasts after 1 January 2025, its day one."
        ),
    ] = 365,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another world.")] = 7,
    scenario: Annotated[
        Path | None, typer.Option(help="A TOML file, or the name of a shipped scenario.")
    ] = None,
    adversary: Annotated[
        bool,
        typer.Option("--adversary", help="Networks see what is inspected, and change cheap signs."),
    ] = False,
    cores: Annotated[int, typer.Option(min=1, help="The bytes do not depend on it.")] = 1,
    as_json: Json = False,
) -> None:
    """Invent a world: journeys, shipments, documents, payments, inspections, and an oracle.

    A year of history comes before day one, so that parties are known (`history_days`).
    """
    import pyarrow.parquet as pq

    from synthetic.scenario import Scenario
    from synthetic.world import invent

    chosen = Scenario.read(scenario) if scenario else Scenario()
    chosen = replace(chosen, adaptive=1.0) if adversary else chosen
    with progress_bar("inventing a world") as progress:
        invent(
            out,
            scenario=chosen,
            journeys=journeys,
            days=days,
            seed=seed,
            progress=progress,
            cores=cores,
        )
    rows = {f.stem: pq.read_metadata(f).num_rows for f in sorted(out.glob("*.parquet"))}
    if as_json:
        print_json({"out": str(out), "seed": seed, "days": days, "rows": rows})
    else:
        counts = ", ".join(f"{number:,} {name}" for name, number in rows.items())
        messages.print(f"{out}: {counts}")
