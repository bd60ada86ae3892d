"""Summarise a world from its files: `python -m synthetic.check WORLD`.

Prints one JSON document: base rates, delay of results, share and hit rate of each way of selection,
claims about the truth, typologies over time, orphans, impossible records, fields about a person,
and check digits; then what of these a sound world has not, by name. Claims that do not hold are
also reported on standard error. Each `--training-set FOLDER` built from the world is searched for
single values that give smuggling away. The plot (`--plot FILE`) shows a typology's movements by
corridor: after a seizure they move to a neighbouring one.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from stdnum import iso6346

from features.persons import person_fields
from features.records import RECORD_FILES
from synthetic.giveaways import giveaway_claims
from synthetic.impossible import impossible_records
from synthetic.instants import HOUR
from synthetic.time_zones import ahead_of_utc
from synthetic.truth_check import PARTIES, Claim, truth_claims

Tables = dict[str, pd.DataFrame]
NEEDED: dict[str, list[str]] = {
    "journeys": [
        *("journey_id", "declared_at", "origin", "destination", "mode"),
        *("carrier_id", "conveyance_id"),
    ],
    "shipments": [
        *("shipment_id", "journey_id", "declared_at", "container_number", "office_id"),
        *("consignee_id", "consignor_id", "declarant_id", "forwarder_id"),
    ],
    "goods_items": ["shipment_id"],
    "legs": ["journey_id"],
    "positions": ["journey_id"],
    "documents": ["subject_id", "document_id", "version"],
    "transactions": ["subject_id"],
    "events": ["subject_id"],
    "outcomes": ["subject_kind", "subject_id", "selected_by", "result", "inspected_at", "known_at"],
    "oracle": ["subject_kind", "subject_id", "true_probability", "typology"],
}


def consistency_findings(folder: Path) -> dict[str, Any]:
    """Return all findings as JSON values."""
    tables = {
        name: pq.read_table(folder / f"{name}.parquet", columns=columns).to_pandas()
        for name, columns in NEEDED.items()
    }
    found = {
        "rows": {n: pq.read_metadata(folder / f"{n}.parquet").num_rows for n in NEEDED},
        "subjects": {kind: _subjects(tables, kind) for kind in ("route", "shipment")},
        "claims": _as_values(truth_claims(tables)),
        "typologies_by_fifth_of_time": _by_fifth(tables),
        "found_of_inspected_smuggling": _found(tables),
        "share_declared_by_item": float(
            tables["shipments"].shipment_id.isin(tables["goods_items"].shipment_id).mean()
        ),
        "share_declared_from_6_to_20": _in_office_hours(tables),
        "documents": _documents(tables),
        "median_days_since_first_seen": _days_since_first(tables),
        "orphans": _orphans(tables),
        "impossible": impossible_records(folder),
        "person_fields": _person_fields(folder),
        "container_numbers": _containers(tables),
    }
    return found | {"faults": _faults(found)}


def _as_values(claims: Iterable[Claim]) -> dict[str, Any]:
    return {claim.name: {**asdict(claim), "holds": claim.holds} for claim in claims}


def _faults(found: dict[str, Any]) -> list[str]:
    """Return the names of counts that are 0 in a sound world and are not here."""
    counts = {f"orphans in {name}": many for name, many in found["orphans"].items()}
    named = [name for name, many in (counts | found["impossible"]).items() if many]
    return named + [f"person field {name}" for name in found["person_fields"]]


def _subjects(tables: Tables, kind: str) -> dict[str, Any]:
    oracle = tables["oracle"].query("subject_kind == @kind")
    outcomes = tables["outcomes"].query("subject_kind == @kind")
    delay = (outcomes.known_at - outcomes.inspected_at).dt.total_seconds() / 86_400
    by = outcomes.groupby("selected_by").result
    return {
        "base_rate": float(oracle.typology.notna().mean()),
        "inspected": len(outcomes) / len(oracle),
        "confirmed": int((outcomes.result == "confirmed").sum()),
        "delay_days": {str(q): float(delay.quantile(q)) for q in (0.0, 0.5, 0.9, 1.0)},
        "median_delay_days": {
            str(result): float(days.median()) for result, days in delay.groupby(outcomes.result)
        },
        "median_delay_days_of_offices": _of_offices(tables, outcomes, delay),
        "selected_by": {str(name): len(group) / len(oracle) for name, group in by},
        "hit_rate": {str(name): float((group == "confirmed").mean()) for name, group in by},
    }


def _found(tables: Tables) -> dict[str, float]:
    """Return the share of inspected smuggling that is found, by mode and by day of declaration."""
    journeys = tables["journeys"].set_index("journey_id")
    shipments = tables["shipments"].set_index("shipment_id")
    shipments = shipments.assign(mode=shipments.journey_id.map(journeys["mode"]))
    subjects = pd.concat([journeys, shipments])[["mode", "declared_at"]]
    oracle = tables["oracle"].dropna(subset=["typology"]).subject_id
    there = tables["outcomes"][tables["outcomes"].subject_id.isin(oracle)]
    of = subjects.loc[there.subject_id]
    is_found = (there.result == "confirmed").set_axis(of.index)
    is_weekend = (of.declared_at.dt.day_of_week >= 5).map({True: "weekend", False: "weekday"})
    shares = pd.concat([is_found.groupby(by).mean() for by in (of["mode"], is_weekend)])
    return {str(name): float(share) for name, share in shares.items()}


def _in_office_hours(tables: Tables) -> dict[str, float]:
    """Return the share of shipments declared by day, by the clock of the office and by UTC.

    West is the share of those at American offices, where both clocks differ most.
    """
    shipments = tables["shipments"]
    country = shipments.office_id.str.split("-").str[1]
    declared = shipments.declared_at.astype("datetime64[us, UTC]").astype("int64").to_numpy()
    hours = {
        "local": (declared + ahead_of_utc(country, declared)) // HOUR % 24,
        "utc": declared // HOUR % 24,
    }
    is_west = country.isin(["US", "CA", "BS", "PR"]).to_numpy()
    by_day = {clock: (hour >= 6) & (hour < 20) for clock, hour in hours.items()}
    return {clock: float(day.mean()) for clock, day in by_day.items()} | {
        f"west_{clock}": float(day[is_west].mean()) for clock, day in by_day.items()
    }


def _documents(tables: Tables) -> dict[str, float]:
    versions = tables["documents"].groupby("document_id").version.max()
    return {
        "documents": len(versions),
        "share_amended": float((versions > 1).mean()),
        "later_versions": int((tables["documents"].version > 1).sum()),
    }


def _days_since_first(tables: Tables) -> dict[str, dict[str, float]]:
    """Return the median time since a party was first seen, in two months of the world.

    The first month is that after the middle, where the world begins if a history as long as itself
    precedes it. A month is the twelfth part of the second half.
    """
    found = {}
    for name, parties in PARTIES.items():
        table = tables["journeys" if name == "route" else "shipments"]
        begin, end = table.declared_at.min(), table.declared_at.max()
        place = 24 * (table.declared_at - begin) / (end - begin) - 12
        for party in parties:
            first = table.groupby(party).declared_at.transform("min")
            days = (table.declared_at - first).dt.total_seconds() / 86_400
            found[party] = {
                "first_month": float(days[place.between(0, 1)].median()),
                "last_month": float(days[place.between(11, 12)].median()),
            }
    return found


def _of_offices(tables: Tables, outcomes: pd.DataFrame, delay: pd.Series) -> dict[str, float]:
    """Return quantiles over offices of the median delay of what was not confirmed.

    An office of routes is the country of arrival. Those with few results are left out.
    """
    offices = pd.concat(
        [
            tables["shipments"].set_index("shipment_id").office_id,
            tables["journeys"].set_index("journey_id").destination.str[:2],
        ]
    )
    cleared = outcomes.result == "not_confirmed"
    of_office = delay[cleared].groupby(outcomes.subject_id[cleared].map(offices).to_numpy())
    medians = of_office.median()[of_office.size() >= 20]
    return {str(q): float(medians.quantile(q)) for q in (0.1, 0.5, 0.9)} if len(medians) else {}


def _smuggling(tables: Tables) -> pd.DataFrame:
    """Return the subjects that smuggle, with their declaration as a share of the world's time."""
    declared = pd.concat(
        [
            tables["journeys"].set_index("journey_id").declared_at,
            tables["shipments"].set_index("shipment_id").declared_at,
        ]
    )
    true = tables["oracle"].dropna(subset=["typology"]).set_index("subject_id")
    first, last = declared.min(), declared.max()
    return true.assign(time=(declared.loc[true.index] - first) / (last - first))


def _by_fifth(tables: Tables) -> dict[str, list[int]]:
    true = _smuggling(tables)
    fifth = (true.time * 5).clip(upper=4.999).astype(int)
    counts = pd.crosstab(true.typology, fifth).reindex(columns=range(5), fill_value=0)
    return {str(name): [int(n) for n in row] for name, row in counts.iterrows()}


def _orphans(tables: Tables) -> dict[str, int]:
    journeys = pd.Index(tables["journeys"].journey_id)
    subjects = journeys.append(pd.Index(tables["shipments"].shipment_id))
    of_journeys = {n: tables[n].journey_id.dropna() for n in ("legs", "positions", "shipments")}
    of_subjects = {
        n: tables[n].subject_id
        for n in ("documents", "transactions", "events", "outcomes", "oracle")
    }
    of_subjects["goods_items"] = tables["goods_items"].shipment_id
    return {n: int((~ids.isin(journeys)).sum()) for n, ids in of_journeys.items()} | {
        n: int((~ids.isin(subjects)).sum()) for n, ids in of_subjects.items()
    }


def _person_fields(folder: Path) -> list[str]:
    names = [n for file in RECORD_FILES for n in pq.read_schema(folder / f"{file}.parquet").names]
    return person_fields(names)


def _containers(tables: Tables) -> dict[str, float]:
    numbers = tables["shipments"].container_number.dropna()
    # Each distinct number once: containers recur, and the check is plain Python.
    is_valid = numbers.drop_duplicates().map(iso6346.is_valid)
    failed = ~numbers.map(dict(zip(numbers.drop_duplicates(), is_valid, strict=True)))
    return {"with_number": len(numbers), "share_failing_check_digit": float(failed.mean())}


def plot_displacement(folder: Path, file: Path, typology: str) -> None:
    """Plot the movements of one typology, a row per corridor, with confirmed ones marked."""
    import matplotlib.pyplot as plt  # noqa: PLC0415 - only the picture needs it

    tables = {
        n: pq.read_table(folder / f"{n}.parquet", columns=columns).to_pandas()
        for n, columns in NEEDED.items()
    }
    true = _smuggling(tables).query("typology == @typology")
    journeys = tables["journeys"].set_index("journey_id").loc[true.index]
    corridor = journeys.origin + " > " + journeys.destination
    busiest = corridor.value_counts().index[:14]
    outcomes = tables["outcomes"].query("result == 'confirmed'").subject_id
    seized = true.index.isin(outcomes)
    row = corridor.map({name: i for i, name in enumerate(busiest)})
    figure, axes = plt.subplots(figsize=(9, 4.5))
    axes.scatter(true.time, row, s=14, color="0.6", label="smuggled")
    axes.scatter(true.time[seized], row[seized], s=34, marker="x", color="crimson", label="seized")
    axes.set_yticks(range(len(busiest)), busiest, fontsize=7)
    axes.set_xlabel("share of the world's time")
    axes.set_title(f"{typology}: busiest corridors")
    axes.legend(loc="upper right", fontsize=7)
    figure.tight_layout()
    figure.savefig(file)
    plt.close(figure)


def main() -> None:
    """Print the summary of a world, and draw the plot if requested."""
    parser = argparse.ArgumentParser(prog="python -m synthetic.check")
    parser.add_argument("world", type=Path)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--training-set", type=Path, action="append", default=[])
    parser.add_argument("--typology", default="lorry_concealment")
    asked = parser.parse_args()
    findings = consistency_findings(asked.world)
    for folder in asked.training_set:
        findings["claims"] |= _as_values(giveaway_claims(folder, asked.world))
    json.dump(findings, sys.stdout, indent=1)
    sys.stdout.write("\n")
    for name, claim in findings["claims"].items():
        if claim["holds"] is False:
            sys.stderr.write(f"does not hold: {name} is {claim['value']:.3g}\n")
    if asked.plot:
        plot_displacement(asked.world, asked.plot, asked.typology)


if __name__ == "__main__":
    main()
