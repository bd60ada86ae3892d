"""Estimate what a challenger would have changed: equally many chosen by its score instead.

Where both choose alike, nothing differs. The difference is estimated by strata like everything
else: cases that only the challenger would have chosen were inspected only by chance or for another
reason, and each of them stands for others according to its own probability.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from serving.monitor.monitoring_report import ChallengerFigures
from serving.monitor.population import MergedStratum, Stratum, TrafficPart
from serving.monitor.selection_strata import probability_of
from serving.monitor.stored_rollups import ScorePair
from training.confidence_intervals import Estimate
from training.estimation.weighted_mean import difference_of

ROLES = ("challenger", "shadow")
MAX_COMPARED = 200_000
MAX_NAMED = 10

# By decision id: 1 or 0 for the finding, NaN if unknown, and the stratum of the visit.
Found = Mapping[str, tuple[float, str]]


def compared(
    role: str, score_pairs: Sequence[ScorePair], visits: pd.DataFrame
) -> Iterator[ChallengerFigures]:
    """Yield the figures of each compared version; `visits` cover the same time."""
    results = zip(visits["confirmed"], visits["stratum"], strict=True)
    found = dict(zip(visits["decision_id"], results, strict=True))
    for version, count in sorted(Counter(pair.version for pair in score_pairs).items()):
        pairs = [pair for pair in score_pairs if pair.version == version]
        if chosen := sum(pair.lane == "inspect" for pair in pairs):
            yield _figures(role, version, pairs, min(chosen, count), found)


def _figures(
    role: str, version: str, pairs: list[ScorePair], chosen: int, found: Found
) -> ChallengerFigures:
    champions = _first([pair.champion for pair in pairs], chosen)
    challengers = _first([pair.challenger for pair in pairs], chosen)
    theirs = [pairs[place] for place in sorted(challengers - champions)]
    ours = [pairs[place] for place in sorted(champions - challengers)]
    gain, needs = _gain(_part(theirs, found), _part(ours, found), chosen)
    return ChallengerFigures(
        role=role,
        version=version,
        compared=len(pairs),
        chosen=chosen,
        agreement=len(champions & challengers) / chosen,
        only_challenger=len(theirs),
        gain=gain,
        gain_needs=needs if theirs else None,
        differing=tuple(each.decision_id for each in theirs[:MAX_NAMED]),
    )


def _first(scores: list[float], chosen: int) -> set[int]:
    # Stable, so that every run chooses alike among equal scores.
    return set(np.argsort(-np.array(scores), kind="stable")[:chosen].tolist())


def _gain(theirs: TrafficPart, ours: TrafficPart, chosen: int) -> tuple[Estimate, str | None]:
    """Return the gain in findings per chosen case; without an estimate, also what it needs."""
    found, lost = theirs.confirmed, ours.confirmed
    if found is None or lost is None:
        too_few = (*theirs.too_few_outcomes, *ours.too_few_outcomes)
        return Estimate(None), "; ".join(each.needs for each in too_few) or "anybody"
    return difference_of(found, lost).scaled(1 / chosen).estimate, None


def _part(score_pairs: list[ScorePair], found: Found) -> TrafficPart:
    """Build a part of the traffic from cases inspected anyway and cases that only chance selects.

    For the latter, only the total size is known, and the probabilities only of those drawn.
    """
    inspected = [pair for pair in score_pairs if pair.lane == "inspect"]
    others = [pair for pair in score_pairs if pair.lane != "inspect"]
    certain = TrafficPart.from_strata([_certain(inspected, found)])
    return certain + TrafficPart(_drawn(others, found))


def _certain(score_pairs: list[ScorePair], found: Found) -> Stratum:
    labels = [label for label, _ in _known(score_pairs, found)]
    return Stratum("inspected", len(score_pairs), len(labels), int(sum(labels)))


def _drawn(score_pairs: list[ScorePair], found: Found) -> tuple[MergedStratum, ...]:
    if not score_pairs:
        return ()
    labels_of: dict[str, list[float]] = {}
    for label, stratum in _known(score_pairs, found):
        labels_of.setdefault(stratum, []).append(label)
    parts = [
        Stratum(name, len(labels), len(labels), int(sum(labels)), probability_of(name))
        for name, labels in sorted(labels_of.items())
    ]
    return (MergedStratum(tuple(parts), len(score_pairs) - sum(part.size for part in parts)),)


def _known(score_pairs: list[ScorePair], found: Found) -> list[tuple[float, str]]:
    results = (found.get(pair.decision_id, (np.nan, "")) for pair in score_pairs)
    return [(label, stratum) for label, stratum in results if not np.isnan(label)]
