"""How many journeys of an invented world would be an alarm by time alone, in danger or not.

    python experiments/2026-11-27-record-to-call/alarms.py FOLDER

FOLDER is a world of `tidegate synth`. Each journey is looked at when delay would begin to be a
sign, by the positions and legs that are known by then; with those that were heard under way apart.
"""

import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.records import Journey, Leg, Position
from features.submission import Submission
from serving.triage.life_at_risk import OVERDUE_AFTER, begun_by_time, danger_signals


def main(folder: Path) -> None:
    """Print counts of alarms by time, by danger and kind of conveyance."""
    oracle = pq.read_table(folder / "oracle.parquet")
    routes = oracle.filter(pc.equal(oracle["subject_kind"], "route")).to_pylist()
    danger = {row["subject_id"]: row["is_in_danger"] for row in routes}
    positions, legs = (_by_journey(folder, name) for name in ("positions", "legs"))
    counts: Counter[tuple[str, bool, str]] = Counter()
    for row in pq.read_table(folder / "journeys.parquet").to_pylist():
        journey = Journey.model_construct(**row)
        begins = journey.due_at + OVERDUE_AFTER
        heard = [one for one in positions[journey.journey_id] if one["observed_at"] < begins]
        known = [one for one in legs[journey.journey_id] if (one["known_at"] or begins) < begins]
        subject = Submission.model_construct(
            subject_kind="route",
            journey=journey,
            legs=tuple(Leg.model_construct(**one) for one in known),
            positions=tuple(Position.model_construct(**one) for one in heard),
        )
        at_first = bool(danger_signals(subject, journey.declared_at))
        by_time = bool(begun_by_time(subject, journey.declared_at, begins))
        is_followed = any(one["observed_at"] >= journey.declared_at for one in heard)
        by_time_words = "alarm by time, heard" if is_followed else "alarm by time, never heard"
        says = "signal at once" if at_first else by_time_words if by_time else "none"
        counts[journey.conveyance_kind, danger[journey.journey_id], says] += 1
    for (kind, is_danger, says), number in sorted(counts.items()):
        print(f"{kind}, {'in danger' if is_danger else 'not in danger'}: {says} {number:,}")


def _by_journey(folder: Path, name: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in pq.read_table(folder / f"{name}.parquet").to_pylist():
        found[row["journey_id"]].append(row)
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
