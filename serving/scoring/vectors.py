"""Feature vectors scored as they come, for programs that speak another server's protocol.

A vector is no subject: nothing is known of whose it is, so no lane follows, nobody is selected by
it, and it makes no decision for the log. Border systems submit subjects to `/v1/scores`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.errors import CatalogueMismatch
from features.records import SubjectKind
from serving.errors import BodyTooLarge, NotFound, SubmissionRefused
from serving.models.model_pool import MODEL_NAMES, LoadedModel, ModelPool
from serving.models.scores import Scores

MOST_VECTORS = 1_000


@dataclass(frozen=True)
class ScoredVectors:
    """The scores of some vectors, and the model that gave them."""

    champion: LoadedModel
    scores: Scores


def champion_named(models: ModelPool, name: str) -> LoadedModel:
    """The champion of a model by its name; raises NotFound for another name, or NoModel."""
    kinds: dict[str, SubjectKind] = {model: kind for kind, model in MODEL_NAMES.items()}
    if name not in kinds:
        raise NotFound(f"no model of that name; there are {' and '.join(kinds)}")
    return models.champion(kinds[name])


def champion_reading(models: ModelPool, names: Sequence[str]) -> LoadedModel:
    """The champion that reads just these features; raises SubmissionRefused where none does, or
    ModelsOff.
    """
    for kind, champion in models.champions().items():
        if set(champion.model.encoding.names) == set(names):
            return models.champion(kind)
    raise SubmissionRefused("the columns are not the features of any model; see /v1/features")


def is_nan(value: Any) -> bool:
    """Whether a value is the number that stands for a missing one."""
    return isinstance(value, float) and math.isnan(value)


def vectors_in(columns: dict[str, list[Any]]) -> int:
    """How many vectors there are; raises SubmissionRefused, or BodyTooLarge for too many."""
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise SubmissionRefused("want at least one row, and columns of one length")
    if max(lengths) > MOST_VECTORS:
        raise BodyTooLarge(f"a request may hold {MOST_VECTORS} vectors")
    return max(lengths)


def score_vectors(champion: LoadedModel, columns: dict[str, list[Any]]) -> ScoredVectors:
    """Score vectors given column by column, in any order of columns; None is a missing value.

    Raises SubmissionRefused for columns of other names, lengths or types.
    """
    names = champion.model.encoding.names
    if set(columns) != set(names):
        wrong = sorted(set(names) ^ set(columns))
        known = [name for name in wrong if name in names]
        raise SubmissionRefused(
            f"the model needs the feature {known[0]}" if known else "a column is no feature of it"
        )
    try:
        rows = [
            champion.model.encode(dict(zip(names, values, strict=True)))[0]
            for values in zip(*(columns[name] for name in names), strict=True)
        ]
    except (CatalogueMismatch, ValueError, TypeError) as refusal:
        why = str(refusal) if isinstance(refusal, CatalogueMismatch) else "a value is no number"
        raise SubmissionRefused(why) from None
    matrix = np.stack(rows)
    if np.isinf(matrix).any():
        raise SubmissionRefused("a value is infinite")
    return ScoredVectors(champion, champion.scorer.score(matrix))
