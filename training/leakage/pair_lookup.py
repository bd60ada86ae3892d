"""Pairs of columns that identify subjects: a lookup table of them nearly equals the model.

Such a training set repeats its rows, and a model of it is credited for its memory. The check is not
whether two columns are informative, but whether they are although hardly two subjects share their
values.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from training.confidence_intervals import Estimate, with_intervals
from training.data.training_set import TrainingSet
from training.leakage.finding import LeakageFinding
from training.leakage.repeated_values import repeats_earlier, value_cells
from training.leakage.target_lookup import Sample, TargetLookup
from training.parameters import GATE_SHARE, TrainingParameters
from training.ranking import Floats, Ints, ScoreRanking, at_capacity, roc_auc

# The share of the model's ROC-AUC above one half that a table must reach to be reported.
NEAR = 0.8

# With more subjects per cell on average, a table knows risks, not subjects.
MAX_ROWS_PER_CELL = 10.0

# The share of later subjects that must be in a table for it to explain the model.
MIN_SEEN = 0.5

MAX_FINDINGS = 5
# With fewer new subjects, confirmed or not, a figure on them would be noise.
MIN_OF_EACH = 20


@dataclass(frozen=True)
class _Table:
    """A lookup table of one or two columns."""

    columns: tuple[str, ...]
    lookup: TargetLookup
    sample: Sample

    @cached_property
    def roc_auc(self) -> float:
        """The ROC-AUC of the table; computed late, since only few candidates need it."""
        return self.lookup.roc_auc(self.sample)


def identifying_pairs(
    data: TrainingSet, sample: Sample, model_scores: Floats, parameters: TrainingParameters
) -> list[LeakageFinding]:
    """Return warnings for the worst pairs of columns, or single columns.

    `model_scores` belong to the sample's evaluation rows. For pairs that subjects declare
    themselves, the evidence includes the model's performance on subjects that repeat no earlier one
    in `data`.
    """
    labels = sample.evaluation_labels
    model_auc = roc_auc(ScoreRanking.from_scores(labels, model_scores))
    enough = 0.5 + NEAR * (model_auc - 0.5)
    candidates = [
        table
        for table in _tables(sample)
        if table.lookup.rows_per_cell <= MAX_ROWS_PER_CELL
        and table.lookup.is_seen.mean() >= MIN_SEEN
        and table.roc_auc >= enough
    ]
    worst = sorted(candidates, key=lambda table: (-table.roc_auc, table.columns))[:MAX_FINDINGS]
    declared = {feature.name for feature in data.inputs.features if not feature.windows}
    findings = []
    for table in worst:
        evidence = _in_words(table, model_auc)
        # History features change whenever history grows, so new values of them prove nothing.
        if declared.issuperset(table.columns):
            values = data.frame[list(table.columns)]
            is_new = ~repeats_earlier(values, data.declared_at, sample.evaluated)
            new = ScoreRanking.from_scores(labels[is_new], model_scores[is_new])
            evidence += f"; {_on_new(new, parameters)}"
        findings.append(
            LeakageFinding(
                check="pair lookup", is_refusal=False, features=table.columns, evidence=evidence
            )
        )
    return findings


def _tables(sample: Sample) -> Iterator[_Table]:
    cells = {name: value_cells(sample.frame[name]) for name in sample.frame.columns}
    varied = {name: c for name, c in cells.items() if c.max() > 0}
    alone = {name: _table((name,), c, sample) for name, c in varied.items()}
    yield from alone.values()
    # A pair recurs at most as often as each of its columns.
    recurring = [n for n, table in alone.items() if table.lookup.is_seen.mean() >= MIN_SEEN]
    for first, second in combinations(recurring, 2):
        together = varied[first] * (varied[second].max() + 1) + varied[second]
        yield _table((first, second), together, sample)


def _table(columns: tuple[str, ...], cells: Ints, sample: Sample) -> _Table:
    return _Table(columns, TargetLookup.fitted(cells, sample), sample)


def _in_words(table: _Table, model_auc: float) -> str:
    lookup = table.lookup
    return (
        f"a table of {' and '.join(table.columns)} alone has a ROC-AUC of {table.roc_auc:.3f}, the "
        f"model {model_auc:.3f}: {lookup.is_seen.mean():.0%} of later subjects repeat values of "
        f"earlier ones, and {lookup.rows_per_cell:.1f} earlier subjects share them on average"
    )


def _on_new(new: ScoreRanking, parameters: TrainingParameters) -> str:
    """Return the model's performance on evaluation rows that repeat nothing, with intervals."""
    count, confirmed = len(new.labels), int(new.labels.sum())
    if min(confirmed, count - confirmed) < MIN_OF_EACH:
        return (
            f"{count:,} repeat no earlier declaration, of whom {confirmed:,} are confirmed: too "
            "few to say what the model is worth there"
        )
    estimates = with_intervals(
        new, _auc_and_precision, rounds=parameters.evaluation.redraws, seed=parameters.seed
    )
    return (
        f"on the {count:,} that repeat no earlier declaration, the model's ROC-AUC is "
        f"{_spelt(estimates['roc_auc'])} and its precision at {GATE_SHARE:.0%} inspected "
        f"{_spelt(estimates['precision'])}, where {confirmed / count:.3f} are confirmed"
    )


def _auc_and_precision(ranking: ScoreRanking) -> dict[str, float]:
    precision = at_capacity(ranking, GATE_SHARE)["precision"]
    return {"roc_auc": roc_auc(ranking), "precision": precision}


def _spelt(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
