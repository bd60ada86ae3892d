"""Versions of subjects to compute: as declared, or as known later.

If subjects were amended, `everyone` has a row for each version, those of one subject in the order
they became known (`features.engine.windows.lifetimes`).
"""

from collections.abc import Callable

import numpy as np

from features.engine.batch.linked_partitions import scoring_instants
from features.engine.columns import Columns, rows
from features.engine.windows.lifetimes import (
    COUNTS_FROM,
    LIFETIME,
    is_first_of_each,
    versions_known,
)

# Column of a subject with its row in `everyone`.
VERSION_ROW = "row_of_everyone"


def asked_about(everyone: Columns, select: Callable[[Columns], Columns] | None) -> Columns:
    """Return each subject once, as it was declared, or the rows that `select` makes of these.

    A row with a later scoring instant shows the subject as it was known then.
    """
    if COUNTS_FROM not in everyone:
        return everyone if select is None else select(everyone)
    is_first = is_first_of_each(everyone["subject_id"])
    first = np.flatnonzero(is_first)
    numbered = everyone | {VERSION_ROW: np.arange(len(is_first))}
    subjects = rows(numbered, first)
    if select is not None:
        subjects = select(subjects)
    if "as_of" in subjects:
        declared = subjects[VERSION_ROW]
        row = versions_known(declared, scoring_instants(subjects), everyone, is_first)
        # Withdrawn subjects have no version then; they are shown as declared.
        subjects = rows(numbered, np.where(row < 0, declared, row)) | {"as_of": subjects["as_of"]}
    return {name: column for name, column in subjects.items() if name not in LIFETIME}
