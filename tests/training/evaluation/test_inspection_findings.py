"""What inspections found, with those that are no label."""

from typing import Any

import numpy as np
import pytest

from training.confidence_intervals import proportion
from training.evaluation.inspection_findings import MIN_LABELLED, inspection_findings
from training.outcomes import Outcomes

NAN = float("nan")
SAID: list[tuple[float, str | None, str | None, str | None]] = [
    # label, how selected, offences, how examined
    (1.0, "rule", "drugs document_fraud", "scan"),
    (1.0, "random", "drugs", "physical"),
    (1.0, "random", None, None),
    (0.0, "random", None, "scan"),
    (NAN, "rule", "document_fraud", "physical"),
    (NAN, "rule", None, "scan"),
    (NAN, None, None, None),
]


def outcomes(said: list[Any]) -> Outcomes:
    label, selected_by, offences, examination = zip(*said, strict=True)
    nothing = np.full(len(said), None)
    return Outcomes(
        label=np.array(label),
        known_at=np.full(len(said), np.datetime64("2026-01-01", "us")),
        selected_by=np.array(selected_by, dtype=object),
        selection_probability=np.full(len(said), NAN),
        typology=nothing,
        author=nothing,
        offences=np.array(offences, dtype=object),
        examination=np.array(examination, dtype=object),
        inspected_at=np.full(len(said), np.datetime64("NaT", "us")),
    )


def test_every_inspection_is_counted_once_labelled_other_offence_or_unsettled() -> None:
    found = inspection_findings(outcomes(SAID), np.arange(len(SAID)))

    assert (found.inspected, found.labelled) == (6, 4)
    assert (found.other_offences, found.unsettled) == (1, 1)
    counts = {o.offence: (o.confirmed, o.without_smuggling) for o in found.offences}
    assert counts == {"drugs": (2, 0), "document_fraud": (1, 1)}


def test_only_the_given_rows_count() -> None:
    found = inspection_findings(outcomes(SAID), np.array([3, 6]))

    assert (found.inspected, found.labelled, found.offences) == (1, 1, ())


@pytest.mark.parametrize("labelled", [MIN_LABELLED - 1, MIN_LABELLED])
def test_a_hit_rate_is_said_where_enough_were_examined_so(labelled: int) -> None:
    said = [(float(n < 6), "rule", None, "canine") for n in range(labelled)]
    said += [(NAN, "rule", "other", "canine")] * 9

    (found,) = inspection_findings(outcomes(said), np.arange(len(said))).examinations

    assert (found.examination, found.labelled, found.confirmed) == ("canine", labelled, 6)
    if labelled < MIN_LABELLED:
        assert found.hit_rate.value is None
    else:
        assert found.hit_rate == proportion(6, labelled)
