"""Findings of inspections, by class of offence and by method, with or without a label.

An offence other than smuggling is no label, so no figure of the model counts it; it is reported
here. Hit rates do not compare methods: the method follows from what was suspected.
"""

import numpy as np

from features.offences import OFFENCES, offences_in
from training.confidence_intervals import Estimate, proportion
from training.evaluation.evaluation_report import (
    ExaminationFigures,
    InspectionFindings,
    OffenceCount,
)
from training.outcomes import Outcomes
from training.ranking import Floats, Ints

# Below this the interval of a hit rate is too wide to print a value.
MIN_LABELLED = 30


def inspection_findings(outcomes: Outcomes, rows: Ints) -> InspectionFindings:
    """Return the findings of all inspected subjects among these rows."""
    rows = rows[outcomes.is_inspected[rows]]
    label, examination = outcomes.label[rows], outcomes.examination[rows]
    named = [offences_in(codes) for codes in outcomes.offences[rows]]
    is_other = np.isnan(label) & np.array([bool(each) for each in named], dtype=np.bool_)
    of_class = {
        offence: np.array([offence in each for each in named], dtype=np.bool_)
        for offence in OFFENCES
    }
    return InspectionFindings(
        inspected=len(rows),
        labelled=int((~np.isnan(label)).sum()),
        other_offences=int(is_other.sum()),
        unsettled=int((np.isnan(label) & ~is_other).sum()),
        offences=tuple(
            OffenceCount(
                offence=offence,
                confirmed=int((is_named & (label == 1)).sum()),
                without_smuggling=int((is_named & is_other).sum()),
            )
            for offence, is_named in of_class.items()
            if is_named.any()
        ),
        examinations=tuple(
            _examined(name, label[examination == name])
            for name in sorted({name for name in examination if name is not None})
        ),
    )


def _examined(name: str, label: Floats) -> ExaminationFigures:
    labelled, confirmed = int((~np.isnan(label)).sum()), int((label == 1).sum())
    is_enough = labelled >= MIN_LABELLED
    return ExaminationFigures(
        examination=name,
        labelled=labelled,
        confirmed=confirmed,
        hit_rate=proportion(confirmed, labelled) if is_enough else Estimate(None),
    )
