"""Outcomes of inspections, and the truth, which only the world knows."""

import numpy as np
import pyarrow as pa

from features.arrow_schema import record_table
from features.records import Outcome, SubjectKind
from synthetic import instants
from synthetic.chance import Flags, Ints, chance
from synthetic.inspection import SELECTED_BY, delay_days, office_slowness
from synthetic.networks.catalogue import UNORGANISED, typologies_of
from synthetic.offences import stated_findings
from synthetic.plan import Plan
from synthetic.spelling import decimal, texts
from synthetic.subjects import Subjects

RESULTS = ("not_confirmed", "confirmed", "inconclusive", "other_offence")
ORACLE = pa.schema(
    [
        pa.field("subject_kind", pa.string(), nullable=False),
        pa.field("subject_id", pa.string(), nullable=False),
        pa.field("true_probability", pa.float64(), nullable=False),
        pa.field("typology", pa.string()),
        pa.field("is_in_danger", pa.bool_(), nullable=False),
        pa.field("network", pa.string()),
    ]
)


def outcome_table(
    plan: Plan,
    chapter: int,
    kind: SubjectKind,
    subjects: Subjects,
    *,
    ids: pa.Array,
    ready: Ints,
    offices: pa.Array,
) -> pa.Table:
    """Return outcomes of the inspected subjects; `found` is -1 for inconclusive ones.

    `ready` is when each can be inspected: when it is there and declared.

    Without smuggling, a share set by the scenario has another offence.
    """
    rng = chance(plan.seed, f"outcomes of {kind}s", chapter)
    which = np.flatnonzero(subjects.selected_by)
    inspected = instants.after(ready[which], rng.uniform(1.0, 36.0, len(which)))
    probability = subjects.selection_probability[which]
    found = subjects.found[which]
    # A stream of its own, so that outcomes stay as they were without other offences.
    own = chance(plan.seed, f"offences of {kind}s", chapter)
    has_other = (found == 0) & (own.random(len(which)) < plan.scenario.other_offences)
    result = np.where(has_other, 3, np.where(found < 0, 2, found))
    slowness = office_slowness(plan.scenario, plan.seed, offices.take(pa.array(which)))
    days = delay_days(rng, plan.scenario, is_evidence=result > 0, slowness=slowness)
    stated = stated_findings(
        own,
        kind,
        subjects.typology[which],
        is_confirmed=found == 1,
        is_other_offence=has_other,
    )
    columns = {
        "subject_kind": pa.array([kind] * len(which), pa.string()),
        "subject_id": ids.take(pa.array(which)),
        "selected_by": pa.array(SELECTED_BY).take(pa.array(subjects.selected_by[which])),
        "selection_probability": pa.array(probability, mask=np.isnan(probability)),
        "inspected_at": instants.column(inspected),
        "is_inspected_at_stated": pa.repeat(pa.scalar(value=True), len(which)),
        "known_at": instants.column(instants.after(inspected, 24 * days)),
        "result": pa.array(RESULTS).take(pa.array(result)),
        "typology": _named(kind, subjects.typology[which], where=found == 1),
    }
    nothing = {"found_items": pa.nulls(len(which), pa.int64())}
    return record_table(columns | stated.columns() | nothing, Outcome)


def oracle_table(
    kind: SubjectKind, subjects: Subjects, ids: pa.Array, is_in_danger: Flags
) -> pa.Table:
    """Return the probability of each truth, with `typology` only if it came true.

    `is_in_danger` marks lives in danger, on routes only. `network` is for evaluation alone.
    """
    columns = {
        "subject_kind": pa.array([kind] * len(ids), pa.string()),
        "subject_id": ids,
        "true_probability": pa.array(subjects.probability),
        "typology": _named(kind, subjects.typology, where=subjects.truth),
        "is_in_danger": pa.array(is_in_danger),
        "network": _networks(kind, subjects.network),
    }
    return pa.table(columns, schema=ORACLE)


def _networks(kind: SubjectKind, network: Ints) -> pa.Array:
    """Return the name of the network behind each subject, loaded or not; null for others."""
    prefix = "NR-" if kind == "route" else "NS-"
    return texts(prefix, decimal(np.maximum(network, 0), 6), where=network >= 0)


def _named(kind: SubjectKind, typology: Ints, where: np.typing.NDArray[np.bool_]) -> pa.Array:
    names = pa.array([*(t.name for t in typologies_of(kind)), UNORGANISED])
    row = np.where(typology < 0, len(names) - 1, typology)
    return names.take(pa.array(row, mask=~where))
