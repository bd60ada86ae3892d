"""Part of `tidegate evaluate`: comparison of scores when origins or destinations are exchanged."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import typer

from serving.cli.output import messages, print_json

if TYPE_CHECKING:
    from training.evaluation.counterfactual_swaps import SwapFigures


@dataclass(frozen=True)
class SwapRequest:
    """Swaps to try on the newest subjects of record files, and the largest acceptable shift."""

    model: str
    records: Path
    home: Path
    subjects: int
    largest: float
    across_regions: bool
    seed: int


def print_swaps(asked: SwapRequest, *, as_json: bool) -> None:
    """Print the shifts of scores in total and by region; exit with 1 if they are too large."""
    figures = _figures(asked)
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
    if figures.bound > asked.largest and not asked.across_regions:
        messages.print(f"95 % of shifts are within {figures.bound:.3f}; want {asked.largest:g}")
        raise typer.Exit(1)


def _figures(asked: SwapRequest) -> "SwapFigures":
    from features.engine.store.lmdb_store import LmdbStore
    from features.history.online_store import OnlineStore
    from features.history.rebuild import rebuild_store
    from features.reference.geography import stand_ins
    from features.replay_submissions import submissions_of
    from training.evaluation.counterfactual_swaps import shifts, swaps_of
    from training.model.model_home import ModelHome
    from training.model.risk_model import RiskModel

    models = ModelHome(asked.home)
    model = RiskModel.read(models.find(asked.model), models.public_key)
    among = stand_ins.across_regions if asked.across_regions else stand_ins.class_of
    # Submissions come in order of declaration, so the newest are at the end.
    submissions = list(submissions_of(asked.records, model.manifest.subject))[-asked.subjects :]
    # A store of its own: the home's would know later records.
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "state"
        rebuild_store(asked.records, folder)
        store = LmdbStore(folder)
        try:
            swapped = swaps_of(submissions, asked.seed, among)
            return shifts(model, swapped, OnlineStore(store))
        finally:
            store.close()
