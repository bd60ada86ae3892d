"""How many of the journeys in danger give a signal, and how many of the others.

    python -m experiments.2026-11-27-rescue.signals FOLDER

FOLDER is a world of `tidegate synth`. Positions are those heard until the declaration.
"""

import sys
from collections import Counter
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.records import Journey, Position
from features.submission import Submission
from serving.triage.life_at_risk import danger_signals


def main(folder: Path) -> None:
    """Print counts by danger and signal, with the codes of signals."""
    oracle = pq.read_table(folder / "oracle.parquet")
    routes = oracle.filter(pc.equal(oracle["subject_kind"], "route")).to_pylist()
    danger = {row["subject_id"]: row["is_in_danger"] for row in routes}
    heard: dict[str, list[Position]] = {}
    for row in pq.read_table(folder / "positions.parquet").to_pylist():
        heard.setdefault(row["journey_id"], []).append(Position.model_construct(**row))
    counts: Counter[tuple[bool, bool]] = Counter()
    codes: Counter[tuple[bool, str]] = Counter()
    for row in pq.read_table(folder / "journeys.parquet").to_pylist():
        journey = Journey.model_construct(**row)
        subject = Submission.model_construct(
            subject_kind="route",
            journey=journey,
            legs=(),
            positions=tuple(
                one
                for one in heard.get(journey.journey_id, ())
                if one.observed_at < journey.declared_at
            ),
        )
        signals = danger_signals(subject, journey.declared_at)
        is_danger = danger[journey.journey_id]
        counts[is_danger, bool(signals)] += 1
        codes.update((is_danger, signal.code) for signal in signals)
    for is_danger in (True, False):
        found, missed = counts[is_danger, True], counts[is_danger, False]
        says = "in danger" if is_danger else "not in danger"
        print(f"{says}: {found} of {found + missed} signal ({found / (found + missed):.4%})")
    print({f"{'danger' if d else 'other'} {code}": n for (d, code), n in sorted(codes.items())})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
