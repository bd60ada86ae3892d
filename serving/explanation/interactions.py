"""Interactions: what two values of a case add to its score together, beyond what each adds alone.

They are computed on request only, since they cost several times the contributions, and are not
stored: they follow from the vector and the model.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from features.catalogue import feature_named
from serving.explanation.decision_parts import DecisionPart
from serving.explanation.formatting import Value, figures
from serving.explanation.reason_ranking import (
    NO_COUNTS,
    SMALLEST_LOG_ODDS,
    Effect,
    Strength,
    effect_of,
    strength_of,
)
from serving.explanation.reasons_in_words import sentence
from serving.language import ENGLISH, Language
from serving.models.scores import Scorer

MULTIPLIES = (
    "{first}, with: {second}. Together, this multiplies the odds by {times}, in addition to what "
    "each does alone."
)
DIVIDES = (
    "{first}, with: {second}. Together, this divides the odds by {times}, in addition to what each "
    "does alone."
)


class Interaction(DecisionPart):
    """What two features of different indicators add together, beyond what each adds alone.

    `log_odds` is the exact Shapley interaction, calibrated: one half of it is part of the
    contribution of each of the two features.
    """

    features: tuple[str, str]
    effect: Effect
    strength: Strength
    log_odds: float
    words: str


def strongest_interactions(
    scorer: Scorer,
    vector: Mapping[str, Value],
    count: int,
    language: Language = ENGLISH,
    said_with: Mapping[str, Mapping[str, float]] = MappingProxyType({}),
) -> tuple[Interaction, ...]:
    """Return at most `count` interactions of a case, the strongest first.

    Those that change the odds by less than 2 % are left out, and so are two features of one
    indicator, which look at the same thing. `said_with` are the counts that sentences name. Raises
    UnknownFeature for a feature that this release does not have.
    """
    features = [feature_named(name) for name in scorer.model.encoding.names]
    row, _ = scorer.model.encode(vector)
    (pairs,) = scorer.pairs(row[np.newaxis])
    found: list[Interaction] = []
    first, second = np.nonzero(np.triu(np.abs(pairs) >= SMALLEST_LOG_ODDS))
    for at in np.argsort(-np.abs(pairs[first, second]), kind="stable").tolist():
        if len(found) >= count:
            break
        of_pair = (features[first[at]], features[second[at]])
        if of_pair[0].indicator is not None and of_pair[0].indicator == of_pair[1].indicator:
            continue
        log_odds = float(pairs[first[at], second[at]])
        said = [
            sentence(each, vector[each.name], language, said_with.get(each.name, NO_COUNTS))
            for each in of_pair
        ]
        found.append(
            Interaction(
                features=(of_pair[0].name, of_pair[1].name),
                effect=effect_of(log_odds),
                strength=strength_of(log_odds),
                log_odds=log_odds,
                words=language.say(
                    MULTIPLIES if log_odds > 0 else DIVIDES,
                    first=said[0],
                    second=said[1],
                    times=language.figure(figures(math.exp(abs(log_odds)), 3)),
                ),
            )
        )
    return tuple(found)
