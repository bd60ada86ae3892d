"""Which kinds of smuggling the highest 5 % hold, those that no earlier outcome told of apart."""

import numpy as np

from training.estimators import proportion
from training.evaluation.labelled_window import Judged
from training.evaluation.report import TypologyFigures
from training.outcomes import Bools, Texts
from training.parameters import GATE_SHARE
from training.ranking import Floats, inspected_rows


def by_typology(judged: Judged, typology: Texts, new: Bools) -> tuple[TypologyFigures, ...]:
    """One line for each typology, in alphabetical order.

    `typology` is that of every judged subject, None for one that is none or of which nothing is
    known; `new` tells of each whether its typology is new. The cut is that of all judged subjects.
    """
    found = inspected_rows(judged.ranking(), GATE_SHARE)
    names = sorted({name for name in typology if name is not None})
    return tuple(_figures(name, typology == name, found, new) for name in names)


def is_new(judged: Judged, typology: Texts, before: np.datetime64) -> Bools:
    """Whose typology no outcome had told of before the instant: what no fit can have learnt."""
    outcomes = judged.data.outcomes
    known = {name for name in outcomes.typology[outcomes.is_labelled_by(before)] if name}
    return np.array([name is not None and name not in known for name in typology], dtype=np.bool_)


def _figures(name: str, own: Bools, found: Floats, new: Bools) -> TypologyFigures:
    return TypologyFigures(
        typology=name,
        cases=int(own.sum()),
        is_new=bool(new[own].all()),
        recall=proportion(float(found[own].sum()), float(own.sum())),
    )
