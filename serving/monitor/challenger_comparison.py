"""What a challenger would have changed: the same vectors, as many chosen, by the other score.

Where both choose alike, nothing differs. What differs is estimated by strata as everything else:
what only the challenger would have chosen was looked at where chance, or another reason, had it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from serving.monitor.monitoring_report import ChallengerFigures
from serving.monitor.population import Stratum
from serving.monitor.stored_rollups import ScorePair
from serving.monitor.traffic_figures import difference, times

ROLES = ("challenger", "shadow")
MOST_COMPARED = 200_000
MOST_NAMED = 10


def compared(
    role: str, score_pairs: Sequence[ScorePair], visits: pd.DataFrame
) -> Iterator[ChallengerFigures]:
    """One line for each version that was asked; `visits` are those of the same time."""
    found = dict(zip(visits["decision_id"], visits["confirmed"], strict=True))
    for version, count in sorted(Counter(pair.version for pair in score_pairs).items()):
        pairs = [pair for pair in score_pairs if pair.version == version]
        if chosen := sum(pair.lane == "inspect" for pair in pairs):
            yield _figures(role, version, pairs, min(chosen, count), found)


def _figures(
    role: str, version: str, pairs: list[ScorePair], chosen: int, found: dict[str, float]
) -> ChallengerFigures:
    champions = _first([pair.champion for pair in pairs], chosen)
    challengers = _first([pair.challenger for pair in pairs], chosen)
    theirs = [pairs[place] for place in sorted(challengers - champions)]
    ours = [pairs[place] for place in sorted(champions - challengers)]
    gain, needs = difference(_strata(theirs, found), _strata(ours, found))
    return ChallengerFigures(
        role=role,
        version=version,
        compared=len(pairs),
        chosen=chosen,
        agreement=len(champions & challengers) / chosen,
        only_challenger=len(theirs),
        gain=times(gain, len(theirs) / chosen),
        gain_needs=needs if theirs else None,
        differing=tuple(each.decision_id for each in theirs[:MOST_NAMED]),
    )


def _first(scores: list[float], chosen: int) -> set[int]:
    return set(np.argsort(-np.array(scores), kind="stable")[:chosen].tolist())


def _strata(score_pairs: list[ScorePair], found: dict[str, float]) -> list[Stratum]:
    """Those that were inspected anyway, and those that only chance could look at."""
    parts = (("inspected", True), ("not inspected", False))
    return [
        _stratum(
            name, [pair for pair in score_pairs if (pair.lane == "inspect") == inspected], found
        )
        for name, inspected in parts
    ]


def _stratum(name: str, score_pairs: list[ScorePair], found: dict[str, float]) -> Stratum:
    known = [
        label for pair in score_pairs if (label := found.get(pair.decision_id, np.nan)) == label
    ]
    return Stratum(name, len(score_pairs), len(known), int(sum(known)))
