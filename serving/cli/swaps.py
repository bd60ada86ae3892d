"""`tidegate swaps`: are like ways scored alike, wherever they lie?"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.options import DEFAULT_HOME, Home, Json, ModelReference
from serving.cli.output import messages, print_json

if TYPE_CHECKING:
    from training.evaluation.counterfactual_swaps import SwapFigures


def swaps(
    model: ModelReference,
    records: Annotated[
        Path | None, typer.Option(help="Folder of record files; HOME/records without.")
    ] = None,
    subjects: Annotated[int, typer.Option(min=1, help="How many to try, the newest.")] = 1_000,
    largest: Annotated[
        float, typer.Option(min=0, help="Exit 1 where 95 % of shifts are not within it (log-odds).")
    ] = 1.0,
    across_regions: Annotated[
        bool,
        typer.Option(
            "--across-regions", help="Take the country from another region; exits 0 whatever moves."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(min=0)] = 7,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Exchange origin or destination, and payers with it, for a country of the same class.

    Says how far scores move, on the whole and by region.
    """
    figures = _figures(
        model, records or home / "records", home, subjects, seed, across_regions=across_regions
    )
    if as_json:
        print_json(figures.model_dump(mode="json"))
    messages.print(
        f"{figures.swaps:,} swaps ({figures.left:,} subjects had none): half of the scores moved "
        f"by at most {figures.median:.3f}, 95 % by at most {figures.bound:.3f}, the furthest by "
        f"{figures.largest:.3f} (log-odds)"
    )
    for region in figures.regions:
        mean = region.mean
        spread = "" if mean.low is None else f" [{mean.low:+.3f}, {mean.high:+.3f}]"
        messages.print(
            f"  {region.region}: {region.swaps:,} swaps, mean {mean.value:+.3f}{spread}, "
            f"95 % within {region.bound:.3f}",
            markup=False,
        )
    if figures.bound > largest and not across_regions:
        messages.print(f"95 % of shifts are within {figures.bound:.3f}; want {largest:g}")
        raise typer.Exit(1)


def _figures(
    reference: str, records: Path, home: Path, subjects: int, seed: int, *, across_regions: bool
) -> "SwapFigures":
    from features.engine.store.lmdb_store import LmdbStore
    from features.history.online_store import OnlineStore
    from features.history.rebuild import rebuild
    from features.reference.geography import stand_ins
    from features.replay_submissions import submissions_of
    from training.evaluation.counterfactual_swaps import shifts, swaps_of
    from training.model.model_home import ModelHome
    from training.model.risk_model import RiskModel

    models = ModelHome(home)
    model = RiskModel.read(models.find(reference), models.public_key)
    among = stand_ins.across_regions if across_regions else stand_ins.class_of
    submissions = list(submissions_of(records, model.manifest.subject))[-subjects:]
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "state"
        rebuild(records, folder)
        store = LmdbStore(folder)
        try:
            swapped = swaps_of(submissions, seed, among)
            return shifts(model, swapped, OnlineStore(store))
        finally:
            store.close()
