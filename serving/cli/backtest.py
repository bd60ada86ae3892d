"""`tidegate backtest`: findings that policies would have made."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.options import DEFAULT_HOME, Home, Json, SubjectOption, TrainingSetOption
from serving.cli.output import messages, print_json, progress_bar

if TYPE_CHECKING:
    from features.records import SubjectKind
    from training.backtest.policy_figures import PolicyFigures
    from training.confidence_intervals import Estimate
    from training.model.risk_model import RiskModel


def backtest(
    subject: SubjectOption,
    policy: Annotated[
        list[Path], typer.Option(help="TOML file of a policy; repeat to compare several.")
    ],
    model: Annotated[
        str | None,
        typer.Option(help="Scores of this model, never fitted anew; a model of its own without."),
    ] = None,
    training_set: TrainingSetOption = None,
    oracle: Annotated[
        Path | None,
        typer.Option(help="oracle.parquet of an invented world; logged inspections without."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write; HOME/backtests without.")
    ] = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Replay policies over a history week by week, each label hidden until it would be known."""
    from serving.cli.rows_ahead import count_in_matrix
    from training.backtest.history import History
    from training.backtest.policy import read_together
    from training.backtest.policy_figures import figures_of_policies
    from training.backtest.replay_policy import replay_policy
    from training.data.training_set import TrainingSet

    policies = read_together(policy)
    standing = _model(model, home)
    kind: SubjectKind = subject.value
    folder = training_set or home / "training_sets" / kind
    data = TrainingSet.read(folder, kind)
    count_in_matrix(folder, datetime.now(UTC))
    history = History.invented(data, oracle) if oracle else History.logged(data)
    replayed = []
    for name, rules in policies.items():
        with progress_bar(f"{name}: weeks") as progress:
            replayed.append(
                figures_of_policies(replay_policy(name, rules, history, standing, progress))
            )
    written = out or home / "backtests" / kind
    _write(tuple(replayed), kind, written, is_invented=history.is_invented)
    if as_json:
        print_json(_document(replayed))
        return
    _print(replayed, kind)
    messages.print(f"side by side: {written / 'backtest.html'}")


def _model(reference: str | None, home: Path) -> "RiskModel | None":
    if reference is None:
        return None
    from training.model.model_home import ModelHome
    from training.model.risk_model import RiskModel

    models = ModelHome(home)
    return RiskModel.read(models.find(reference), models.public_key)


def _print(policies: "list[PolicyFigures]", subject: str) -> None:
    from training.backtest.backtest_page import bounds_of, how_measured

    messages.print(how_measured(policies[0], subject), markup=False)
    for each in policies:
        for line in _lines(each):
            messages.print(line, markup=False)
    made = policies[0].inspections_made
    messages.print(
        f"as it was, without a policy: {made.inspected:,} inspected, {made.hits:,.0f} confirmed, "
        f"{_rates(made.precision, made.recall, made.lift)}",
        markup=False,
    )
    for bound, names in bounds_of(tuple(policies)).items():
        between = f"{bound.low:.4f} to {bound.high:.4f}"
        messages.print(
            f"assumed for {names}: {bound.assumption}; if {bound.instead}, {bound.figure} is "
            f"{between}",
            markup=False,
        )


def _lines(policy: "PolicyFigures") -> Iterator[str]:
    from training.backtest.backtest_page import office_capacity_in_words
    from training.evaluation.evaluation_page import spelt

    work = f"{policy.name}: {policy.inspected:,} of {policy.subjects:,} inspected"
    if policy.refusal is None:
        found = spelt(policy.hits, places=0)
        rates = _rates(policy.precision, policy.recall, policy.lift)
        yield f"{work}, {found} confirmed, {rates}"
    else:
        yield f"{work}; what they would find cannot be said: {policy.refusal}"
    yield f"  {office_capacity_in_words(policy)}"
    if policy.hits_of_tips:
        yield f"  tips had already led to {policy.hits_of_tips:,} confirmed subjects among them"
    for typology in policy.typologies:
        if typology.is_new:
            found_in = typology.weeks_to_find
            weeks = "never" if found_in is None else f"in week {found_in}"
            counts = f"{typology.found} of {typology.subjects} found"
            yield f"  new {typology.typology}: {counts}, first {weeks}"


def _rates(precision: "Estimate", recall: "Estimate", lift: "Estimate") -> str:
    from training.evaluation.evaluation_page import spelt

    return f"precision {spelt(precision)}, recall {spelt(recall)}, lift {spelt(lift, places=1)}"


def _document(policies: "Sequence[PolicyFigures]") -> list[object]:
    """Return the figures as JSON; floats that are not finite become null."""
    from pydantic_core import from_json

    return [from_json(each.model_dump_json()) for each in policies]


def _write(
    policies: "tuple[PolicyFigures, ...]", subject: str, folder: Path, *, is_invented: bool
) -> None:
    import json

    from features.atomic_dir import written_whole
    from training.backtest.backtest_page import render_backtest

    with written_whole(folder) as partial:
        content = json.dumps(_document(policies), indent=1, allow_nan=False)
        (partial / "backtest.json").write_text(content)
        (partial / "backtest.html").write_text(
            render_backtest(policies, subject, is_invented=is_invented)
        )
