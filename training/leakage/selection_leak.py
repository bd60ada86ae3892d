"""Features that predict random selection, and so were recorded after the inspection.

Nobody can know at declaration whom a random draw will select. So no feature may separate randomly
drawn subjects from uninspected ones, except for the few selected for a reason. An inspector's note,
a late correction or an outcome that reached a feature does separate them.
"""

from collections.abc import Iterable

import numpy as np

from training.data.time_split import TimeSplit, TimeWindow
from training.data.training_set import TrainingSet
from training.leakage.finding import LeakageFinding
from training.leakage.single_features import binned
from training.leakage.target_lookup import Sample, TargetLookup
from training.outcomes import Bools
from training.ranking import Floats, Ints

# Far above what can remain if many of the other subjects were selected by a rule.
MAX_AUC = 0.9

MIN_SELECTED = 30
# Subjects per window and side, evenly spaced over its time.
MAX_ROWS = 20_000


def features_that_predict_selection(
    data: TrainingSet, split: TimeSplit, *, accept: tuple[str, ...] = ()
) -> Iterable[LeakageFinding]:
    """Yield a finding for every feature that separates them in the evaluation window.

    Features in `accept` are warned about, not refused. With too few subjects to compare, a warning
    without features states that.
    """
    fit, evaluation = (_sides(data, window) for window in (split.fit, split.evaluation))
    drawn, others = (min(map(len, sides)) for sides in zip(fit, evaluation, strict=True))
    if min(drawn, others) < MIN_SELECTED:
        yield LeakageFinding(
            check="drawn by lot",
            is_refusal=False,
            features=(),
            evidence=f"{drawn} subjects that a lot chose and {others} that nobody inspected, in "
            f"the smaller of two windows, are too few to show what was written down after an "
            f"inspection; want {MIN_SELECTED} of each",
        )
        return
    rows = np.concatenate([*fit, *evaluation])
    is_drawn = data.outcomes.in_random_lane[rows].astype(np.float64)
    sample = Sample(data.frame.iloc[rows], is_drawn, len(fit[0]) + len(fit[1]), rows)
    for name in sample.frame.columns:
        cells = binned(sample.frame[name], sample.fit_count)
        auc = TargetLookup.fitted(cells, sample).roc_auc(sample)
        if auc > MAX_AUC:
            yield LeakageFinding(
                check="drawn by lot",
                is_refusal=name not in accept,
                features=(name,),
                evidence=f"{name} tells subjects that a lot chose from those nobody inspected with "
                f"a ROC-AUC of {auc:.3f}, above {MAX_AUC:g}: it was written down after the "
                "inspection",
            )


def _sides(data: TrainingSet, window: TimeWindow) -> tuple[Ints, Ints]:
    """Return the window's randomly drawn subjects, and those that were not inspected."""
    rows = data.declared_between(window.begins, window.ends)
    nobody = np.equal(data.outcomes.selected_by[rows], None)  # type: ignore[call-overload]  # numpy types no objects
    return _spread(rows, data.outcomes.in_random_lane[rows]), _spread(rows, nobody)


def _spread(rows: Ints, mask: Bools) -> Ints:
    chosen = rows[mask]
    steps: Floats = np.linspace(0, len(chosen) - 1, min(len(chosen), MAX_ROWS))
    return chosen[steps.astype(np.int64)]
