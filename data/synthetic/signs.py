"""Signs that a movement shows: honest mistakes, plus those left by its typology."""

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from features.records import SubjectKind
from synthetic.chance import Flags, Floats, Ints
from synthetic.honest_mistakes import RATES
from synthetic.networks.catalogue import typologies_of

HONEST = -1
ADAPTATIONS = 3
MAIN_PAYMENT, OTHER_PAYMENT = 0.5, 0.08
Signs = dict[str, Flags]
Table = npt.NDArray[np.float64]


def drawn_signs(
    rng: np.random.Generator,
    kind: SubjectKind,
    *,
    carelessness: Floats,
    typology: Ints,
    strength: Floats,
    payment_epoch: Ints,
) -> Signs:
    """Return the signs of each subject, by name.

    `typology` is a row of `typologies_of(kind)` or HONEST; `strength` in [0, 1] is the share of its
    signature that shows; `payment_epoch` counts a network's changes of payment.
    """
    rates = np.minimum(np.outer(carelessness, list(RATES[kind].values())), 0.6)
    epoch = np.minimum(payment_epoch, ADAPTATIONS - 1)
    left = _signatures(kind)[typology, epoch] * strength[:, None]
    # Independent causes: a sign is absent only if neither mistake nor signature leaves it.
    # Single precision halves the memory of the largest array here.
    shown = rng.random(rates.shape, dtype=np.float32) < 1 - (1 - rates) * (1 - left)
    return {name: shown[:, i] for i, name in enumerate(RATES[kind])}


def drawn_oddities(
    rng: np.random.Generator,
    honest: Mapping[str, float],
    typology: Ints,
    of_typologies: Sequence[Mapping[str, float]],
    strength: Floats,
) -> Signs:
    """Return the oddities of subjects' records by name, drawn like signs.

    `honest` are frequencies by mistake, `of_typologies` those left by each typology.
    """

    def shown(name: str) -> Flags:
        often = np.array([*(own.get(name, 0.0) for own in of_typologies), 0.0])
        left = often[typology] * strength
        return rng.random(len(left)) < 1 - (1 - honest[name]) * (1 - left)

    return {name: shown(name) for name in honest}


@cache
def _signatures(kind: SubjectKind) -> Table:
    """Return frequencies of signs by typology and payment epoch; the last row is honest."""
    names = list(RATES[kind])
    table = np.zeros((len(typologies_of(kind)) + 1, ADAPTATIONS, len(names)))
    for row, typology in enumerate(typologies_of(kind)):
        for sign, often in typology.signs.items():
            table[row, :, names.index(sign)] = often
        for epoch in range(ADAPTATIONS):
            main = min(epoch, len(typology.payments) - 1)
            for rank, sign in enumerate(typology.payments):
                often = MAIN_PAYMENT if rank == main else OTHER_PAYMENT
                at = table[row, epoch, names.index(sign) :][:1]
                np.maximum(at, often, out=at)
    return table
