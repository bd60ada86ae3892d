"""Recall by typology in the highest 5 %, with new typologies marked.

For labelled subjects this covers what inspections confirmed, mostly subjects selected by a tip or
rule; only an oracle covers all subjects.
"""

import numpy as np

from training.confidence_intervals import proportion
from training.evaluation.evaluation_report import TypologyRecall
from training.evaluation.labelled_window import LabelledWindow
from training.outcomes import Bools, Texts
from training.parameters import GATE_SHARE
from training.ranking import Floats, inspected_rows


def by_typology(window: LabelledWindow, typology: Texts, new: Bools) -> tuple[TypologyRecall, ...]:
    """Return a line for each typology, in alphabetical order.

    `typology` is that of every subject of the window, None without one or if unknown; `new` marks
    subjects with a new typology. The cut is that of the whole window, so it is among inspected
    subjects if the window holds no others.
    """
    referred = inspected_rows(window.ranking(), GATE_SHARE)
    names = sorted({name for name in typology if name is not None})
    return tuple(_figures(name, typology == name, referred, new) for name in names)


def is_new(window: LabelledWindow, typology: Texts, before: np.datetime64) -> Bools:
    """Return a mask of subjects whose typology no outcome had before an instant."""
    outcomes = window.data.outcomes
    known = {name for name in outcomes.typology[outcomes.is_labelled_by(before)] if name}
    return np.array([name is not None and name not in known for name in typology], dtype=np.bool_)


def _figures(name: str, is_case: Bools, referred: Floats, new: Bools) -> TypologyRecall:
    return TypologyRecall(
        typology=name,
        cases=int(is_case.sum()),
        is_new=bool(new[is_case].all()),
        recall=proportion(float(referred[is_case].sum()), float(is_case.sum())),
    )
