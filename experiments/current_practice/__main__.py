"""Today's practice beside scores and lanes: `python -m experiments.current_practice --help`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from experiments.current_practice.replayed_year import PRACTICE, WAYS, replayed_world
from features.records import SUBJECT_KINDS
from synthetic.scenario import Scenario

REDRAWS = 1_000
# Fewer cases say nothing about a single office.
MIN_CASES = 20
OFFICE_SIZES = ("small", "medium", "large")


def run(
    out: Annotated[Path, typer.Option(help="Folder for the worlds and figures.json.")],
    journeys: Annotated[int, typer.Option(min=1_000, help="Of each world; as many shipments.")] = (
        100_000
    ),
    seed: Annotated[list[int] | None, typer.Option(help="Of a world; repeat for several.")] = None,
    scenario: Annotated[
        Path | None, typer.Option(help="A TOML file, or the name of a shipped scenario.")
    ] = None,
) -> None:
    """Replay the last year of each world, print what each way finds, and write figures.json."""
    out.mkdir(parents=True, exist_ok=True)
    chosen = Scenario.read(scenario) if scenario else Scenario()
    worlds = [
        replayed_world(out, chosen, journeys=journeys, seed=number)
        for number in seed or (21, 22, 23, 24)
    ]
    subjects = pd.concat(worlds, ignore_index=True)
    figures: dict[str, Any] = {
        kind: figures_of_kind(subjects[subjects["kind"] == kind]) for kind in SUBJECT_KINDS
    }
    figures["lives"] = lives_at_risk(subjects)
    (out / "figures.json").write_text(json.dumps(figures, indent=1))
    for kind in SUBJECT_KINDS:
        some = subjects[subjects["kind"] == kind]
        typer.echo(f"{len(some):,} {kind}s, {int(some['is_smuggling'].sum()):,} of them smuggling")
        table = pd.DataFrame(figures_of_ways(some)).T
        typer.echo(table.to_string())
    typer.echo(json.dumps(figures["lives"], indent=1))


def figures_of_kind(subjects: pd.DataFrame) -> dict[str, Any]:
    """Return what each way inspects, finds and disturbs, by office size and for each office."""
    return {
        "subjects": len(subjects),
        "smuggling": int(subjects["is_smuggling"].sum()),
        "ways": figures_of_ways(subjects),
        "ways_by_world": {
            str(world): figures_of_ways(some) for world, some in subjects.groupby("world")
        },
        "ways_by_office_size": {
            size: figures_of_ways(some) for size, some in by_office_size(subjects)
        },
        "offices": offices(subjects),
    }


def figures_of_ways(subjects: pd.DataFrame) -> dict[str, Any]:
    """Return counts of each way, and `ratio_to_practice` with its interval."""
    smuggling = max(int(subjects["is_smuggling"].sum()), 1)
    figures: dict[str, Any] = {}
    for way in WAYS:
        is_inspected = subjects[f"by_{way}"]
        inspected = int(is_inspected.sum())
        found = int((is_inspected & subjects["is_smuggling"]).sum())
        figures[way] = {
            "inspected": inspected,
            "found": found,
            "recall": round(found / smuggling, 3),
            "honest_disturbed": inspected - found,
            "ratio_to_practice": ratio_to_practice(subjects, way),
        }
    return figures


def by_office_size(subjects: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the subjects of small, medium and large offices: thirds by number of subjects."""
    if subjects["office"].nunique() < len(OFFICE_SIZES):
        return
    size = subjects.groupby(["world", "office"])["week"].transform("size")
    sizes = size[~subjects.duplicated(["world", "office"])]
    third = np.searchsorted(sizes.quantile([1 / 3, 2 / 3]), size)
    for at, name in enumerate(OFFICE_SIZES):
        yield name, subjects[third == at]


def offices(subjects: pd.DataFrame) -> list[dict[str, object]]:
    """Return the counts of each office with at least MIN_CASES cases of smuggling."""
    rows = []
    for (world, office), some in subjects.groupby(["world", "office"]):
        cases = int(some["is_smuggling"].sum())
        if cases < MIN_CASES:
            continue
        found = {way: int((some[f"by_{way}"] & some["is_smuggling"]).sum()) for way in WAYS}
        inspected = {way: int(some[f"by_{way}"].sum()) for way in WAYS}
        rows.append(
            {"world": world, "office": office, "smuggling": cases}
            | {"found": found, "inspected": inspected}
        )
    return rows


def lives_at_risk(subjects: pd.DataFrame) -> dict[str, Any]:
    """Return how many journeys in danger each way reaches; lanes add those with a signal."""
    danger, signalled = subjects["is_in_danger"], subjects["is_signalled"]
    reached = {way: int((danger & subjects[f"by_{way}"]).sum()) for way in WAYS}
    with_lane = {way: int((danger & (subjects[f"by_{way}"] | signalled)).sum()) for way in WAYS}
    return {
        "in_danger": int(danger.sum()),
        "reached_by_inspections": reached,
        "reached_with_rescue_lane": with_lane,
        "signals": int(signalled.sum()),
        "signals_without_danger": int((signalled & ~danger).sum()),
    }


def ratio_to_practice(subjects: pd.DataFrame, way: str) -> list[float]:
    """Return how many times as much a way finds as practice, and its 95 % interval.

    Weeks are redrawn, the same for both.
    """
    found = _found_by_week(subjects)
    rng, weeks = np.random.default_rng(1), len(found)
    sums = found.to_numpy()[rng.integers(0, weeks, (REDRAWS, weeks))].sum(axis=1)
    of_way, of_practice = (found.columns.get_loc(name) for name in (way, PRACTICE))
    redrawn = sums[:, of_way] / np.maximum(sums[:, of_practice], 1)
    ratio = found[way].sum() / max(found[PRACTICE].sum(), 1)
    return [round(float(value), 3) for value in (ratio, *np.quantile(redrawn, [0.025, 0.975]))]


def _found_by_week(subjects: pd.DataFrame) -> pd.DataFrame:
    """Return how much smuggling each way found, a row for each week of each world."""
    found = pd.DataFrame({way: subjects[f"by_{way}"] & subjects["is_smuggling"] for way in WAYS})
    return found.groupby([subjects["world"], subjects["week"]]).sum()


if __name__ == "__main__":
    typer.run(run)
