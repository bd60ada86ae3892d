"""Name the inputs that a submission lacks, and how far each could move the score.

The effect is computed by the scorer itself. The features that the input feeds are taken from real
rows that had it (the model's golden vectors, a sample of its evaluation window), all from one row
at a time so that values stay consistent, and the case is scored with each row. Nothing is assumed
about this case: the range shows what such an input holds elsewhere, not what it will hold here.
Known values of this case stay as they are.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from features.input_dependencies import features_fed, filled_by, shows_input
from features.linked_records import LINKED_RECORD_TYPES
from serving.explanation.decision_parts import DecisionPart
from serving.explanation.formatting import Value
from serving.language import ENGLISH, Language
from serving.models.scores import Scorer, logistic

# With fewer rows that have the input, a range would be meaningless.
MIN_ROWS = 5

_RECORDS = {
    "journey": "the journey",
    **{name: each.words_when_missing for name, each in LINKED_RECORD_TYPES.items()},
}
_NOT_SAID = ("_id", "_kg", "_m3", "_at")

Floats = npt.NDArray[np.float64]


class MissingInputEffect(DecisionPart):
    """The range in which nine in ten real rows that had this input would put the probability.

    `low` and `high` are None where too few rows had it. `rows` says how many did.
    """

    input: str
    words: str
    low: float | None
    high: float | None
    rows: int


def missing_in_words(missing: str, language: Language = ENGLISH) -> str:
    """Return a path of `features.input_dependencies` as a phrase for people.

    >>> missing_in_words("documents.packing_list"), missing_in_words("shipment.net_mass_kg")
    ('the packing list', 'the net mass')
    """
    if missing in _RECORDS:
        return language.say(_RECORDS[missing])
    name = missing.rpartition(".")[2]
    for ending in _NOT_SAID:
        name = name.removesuffix(ending)
    return language.say(f"the {name.replace('_', ' ')}")


def missing_input_effects(
    scorer: Scorer,
    vector: Mapping[str, Value],
    missing: Sequence[str],
    language: Language = ENGLISH,
) -> tuple[MissingInputEffect, ...]:
    """Return every missing input with its range, the most influential first.

    Scores all variants in one call. Equal effects keep the order of the catalogue of inputs.
    """
    kind = scorer.model.manifest.subject
    own, _ = scorer.model.encode(vector)
    names = tuple(scorer.model.encoding.names)
    variants = [
        _variants(scorer, vector, own, path, filled_by(kind, path, missing, names))
        for path in missing
    ]
    scored = scorer.score(np.vstack([own[np.newaxis], *variants])).log_odds
    ends = np.cumsum([1, *map(len, variants)])
    spans = [scored[begin:end] for begin, end in pairwise(ends)]
    inputs = [
        _missing_input(path, span, language) for path, span in zip(missing, spans, strict=True)
    ]
    moves = [_move(span, scored[0]) for span in spans]
    return tuple(
        inputs[place] for place in sorted(range(len(inputs)), key=lambda i: (-moves[i], i))
    )


def _variants(
    scorer: Scorer, vector: Mapping[str, Value], own: Floats, path: str, filled: Sequence[str]
) -> Floats:
    """Return the case as it would be with the input of each real row."""
    names = tuple(scorer.model.encoding.names)
    # Only replace what is missing here, or 0 for lack of records.
    empty = [names.index(name) for name in filled if vector[name] is None or vector[name] == 0]
    fed = features_fed(scorer.model.manifest.subject, names).get(path, names)
    rows = [
        scorer.model.encode(dict(zip(names, golden.values, strict=True)))[0]
        for golden in scorer.model.manifest.golden
        if fed and shows_input(fed[0], golden.values[names.index(fed[0])])
    ]
    variants = np.tile(own, (len(rows), 1))
    if rows:
        variants[:, empty] = np.stack(rows)[:, empty]
    return variants


def _missing_input(path: str, log_odds: Floats, language: Language) -> MissingInputEffect:
    low, high = (None, None)
    if len(log_odds) >= MIN_ROWS:
        low, high = logistic(np.quantile(log_odds, [0.05, 0.95])).tolist()
    words = missing_in_words(path, language)
    return MissingInputEffect(input=path, words=words, low=low, high=high, rows=len(log_odds))


def _move(log_odds: Floats, now: float) -> float:
    if len(log_odds) < MIN_ROWS:
        return 0.0
    return float(np.abs(np.quantile(log_odds, [0.05, 0.95]) - now).max())
