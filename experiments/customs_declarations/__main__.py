"""Train on the set and score declarations: `python -m experiments.customs_declarations --help`."""

import sys
import tempfile
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import pandas as pd
import pyarrow as pa
import typer

from features.build_training_set import build_training_set
from features.errors import RecordsError, TidegateError
from features.mapping.import_tables import import_source_tables
from features.mapping.mapping import MappingFile
from features.mapping.source_tables import ArrowTable
from serving.models.scores import Scorer
from serving.scoring.files import read_subjects
from training.data.time_split import TimeSplit
from training.data.training_set import TrainingSet
from training.leakage.repeated_values import repeats_earlier
from training.outcomes import Bools
from training.parameters import SplitParameters, TrainingParameters
from training.ranking import Ints, ScoreRanking, at_capacity, roc_auc
from training.train import Candidate
from training.train import train_model as train_candidate

PARAMETERS = Path(__file__).with_name("parameters.toml")
MAPPING = MappingFile.read(Path(__file__).with_name("mapping.toml"))
LABEL = "Fraud"
LABELS = (LABEL, "Critical Fraud")
COLUMNS = frozenset(column for record in MAPPING.records for column, _ in record.reads()) - {LABEL}
"""The columns that records are made of."""

RECORDS = "records"
CALIBRATION = timedelta(days=61)
"""The end of the training months that calibrates, before it too is fitted on."""


@dataclass(frozen=True)
class Declarations:
    """The three files: `train` and `valid` with labels, `score` with or without."""

    train: pd.DataFrame
    valid: pd.DataFrame
    score: pd.DataFrame

    @property
    def everything(self) -> pd.DataFrame:
        """All declarations, those to be scored without their labels."""
        scored = self.score.drop(columns=list(LABELS), errors="ignore")
        return _each_once([self.train, self.valid, scored])


def run(
    train: Annotated[Path, typer.Option(help="CSV of labelled months to fit on.")],
    valid: Annotated[Path, typer.Option(help="CSV of later labelled months to evaluate on.")],
    score: Annotated[Path, typer.Option(help="CSV to score; labels are not read.")],
    out: Annotated[Path, typer.Option(help="CSV to write: Declaration ID,score.")],
    label_delay_days: Annotated[
        int, typer.Option(min=0, help="Days from declaration to known result.")
    ] = 30,
) -> None:
    """Map, build, train and score, through the rooms that do it for everything else."""
    declarations = Declarations(*(read_declarations(file) for file in (train, valid, score)))
    for file, table in ((train, declarations.train), (valid, declarations.valid)):
        if LABEL not in table.columns:
            raise RecordsError(f"{file}: the column {LABEL!r} is missing")
    with tempfile.TemporaryDirectory() as work:
        scores = scores_of(declarations, timedelta(days=label_delay_days), Path(work))
    scores.to_csv(out, index=False)


def read_declarations(file: Path) -> pd.DataFrame:
    """A CSV of the set, all text; RecordsError names a missing file or column, or a repeated id."""
    if not file.is_file():
        raise RecordsError(f"{file}: no such file")
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    if absent := sorted(COLUMNS.difference(table.columns)):
        raise RecordsError(f"{file}: the column {absent[0]!r} is missing")
    if (repeated := table["Declaration ID"].duplicated()).any():
        raise RecordsError(f"{file}, row {int(repeated.argmax()) + 1}: its id appeared before")
    return table


def write_records(folder: Path, declarations: pd.DataFrame, label_delay: timedelta) -> None:
    """Write a shipment of each declaration and an outcome of each with a label, as mapped."""
    columns = declarations.reindex(columns=sorted({*COLUMNS, LABEL}))
    table = ArrowTable(pa.Table.from_pandas(columns, preserve_index=False), "declarations")
    report = import_source_tables(_known_after(label_delay), {"declarations": [table]}, folder)
    if report.refused:
        raise RecordsError("\n".join(str(group.fault()) for group in report.refused))


def _known_after(label_delay: timedelta) -> MappingFile:
    """The mapping with another delay from declaration to known result."""
    records = {record.name: record for record in MAPPING.records}
    fields = dict(records["outcomes"].fields)
    fields["known_at"] = fields["known_at"].model_copy(update={"plus": label_delay})
    records["outcomes"] = replace(records["outcomes"], fields=fields)
    return replace(MAPPING, records=tuple(records.values()))


def scores_of(declarations: Declarations, label_delay: timedelta, work: Path) -> pd.DataFrame:
    """Train as the files say and score: `Declaration ID`, `score`; `work` is an empty folder."""
    data = training_set_of(declarations, label_delay, work)
    asked = work / "asked"
    write_records(asked, declarations.score.drop(columns=[*LABELS], errors="ignore"), label_delay)
    parameters = parameters_for(declarations, label_delay)
    candidate = train_candidate(data, parameters)
    print(_told(candidate), file=sys.stderr)
    rows = TimeSplit.from_training_set(data, parameters.split).evaluation.rows
    print(_told_of_new(candidate, data, rows[is_new(declarations, data, rows)]), file=sys.stderr)
    subjects = read_subjects(asked / "shipments.parquet", "shipment", work / RECORDS)
    rows = candidate.model.encode_frame(subjects.features)
    probabilities = Scorer.for_model(candidate.model).score(rows).probability
    return pd.DataFrame({"Declaration ID": subjects.ids, "score": probabilities})


def training_set_of(declarations: Declarations, label_delay: timedelta, work: Path) -> TrainingSet:
    """The training set of all declarations, with their records beside it in `work`."""
    write_records(work / RECORDS, declarations.everything, label_delay)
    build_training_set(work / RECORDS, "shipment", work / "training_set")
    return TrainingSet.read(work / "training_set", "shipment")


def is_new(declarations: Declarations, data: TrainingSet, rows: Ints) -> Bools:
    """Which `rows` of `data` have a mass and price that no earlier declaration had together."""
    columns = declarations.everything.set_index("Declaration ID")[["Net Mass", "Item Price"]]
    amounts = columns.loc[data.subject_ids].astype(float)
    return ~repeats_earlier(amounts, data.declared_at, rows)


def parameters_for(declarations: Declarations, label_delay: timedelta) -> TrainingParameters:
    """The experiment's parameters, with the windows that the files themselves draw."""
    parameters = TrainingParameters.read(PARAMETERS)
    days = pd.to_datetime(declarations.valid["Date"], utc=True)
    evaluation_from = days.min().to_pydatetime()
    evaluation_until = days.max().to_pydatetime() + timedelta(days=1)
    split = parameters.split.model_copy(
        update={
            "calibration_from": evaluation_from - CALIBRATION,
            "evaluation_from": evaluation_from,
            "evaluation_until": evaluation_until,
            "label_gap_days": label_delay.days,
        }
    )
    checked = SplitParameters.model_validate(split.model_dump())
    return parameters.model_copy(update={"split": checked})


def _told(candidate: Candidate) -> str:
    figures = candidate.report.inspected
    at = ", ".join(
        f"precision@{100 * p.share:g}% {p.precision.value:.3f}" for p in figures.at_capacity
    )
    leaks = [f"leak: {finding.evidence}" for finding in candidate.report.leakage]
    told = f"evaluation window: {at}, ROC-AUC {figures.roc_auc.value:.3f}"
    return "\n".join([told, *leaks])


def _told_of_new(candidate: Candidate, data: TrainingSet, new: Ints) -> str:
    """What no look-up of an all but equal declaration can explain."""
    rows = candidate.model.encode_frame(data.frame.iloc[new])
    scores = Scorer.for_model(candidate.model).score(rows).probability
    ranking = ScoreRanking.from_scores(data.outcomes.label[new], scores)
    return (
        f"on the {len(new):,} whose mass and price no earlier declaration had together: "
        f"precision@5% {at_capacity(ranking, 0.05)['precision']:.3f}, "
        f"ROC-AUC {roc_auc(ranking):.3f}, where {ranking.prevalence:.3f} are wrong"
    )


def _each_once(tables: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables).drop_duplicates("Declaration ID", ignore_index=True)


if __name__ == "__main__":
    try:
        typer.run(run)
    except TidegateError as error:
        print(f"customs_declarations: {error}", file=sys.stderr)
        sys.exit(1)
