"""Score the payments of an invented world: `python -m experiments.payments --help`.

Models learn from the payments before a step and score the later ones. Every value of a payment is
of strictly earlier steps and of the payment itself. Parquet files are those of AMLGentex, with the
test from step 60. CSV files are those of AMLworld (HI-Small, LI-Small): steps of some hours, with
the last fifth of the payments as test. Of them the means of payment, which gives laundering away,
is not read.
"""

from pathlib import Path
from typing import Annotated

import lightgbm
import numpy as np
import pandas as pd
import typer
from sklearn.metrics import average_precision_score

from experiments.payments.network_history import NetworkHistory, network_values

TEST_FROM_STEP = 60
SEEDS = 3
# `pattern` is no input: it says what the label says.
INPUTS = ("row", "step", "payer", "payee", "payer_bank", "payee_bank", "amount")
LABEL = "is_laundering"
AMLWORLD = ("Timestamp", "From Bank", "Account", "To Bank", "Account.1", "Amount Paid")
AMLWORLD_LABEL = "Is Laundering"
# With 3 to 20 steps, windows reach from half a day to three and a third days.
STEP_HOURS = 4
PARAMETERS = {
    "objective": "binary",
    "num_leaves": 31,
    "learning_rate": 0.05,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "feature_fraction": 0.5,
    "min_data_in_leaf": 20,
    "num_threads": 1,
    "verbose": -1,
}
TREES = 200


def run(
    transactions: Annotated[
        Path, typer.Option(help="Payments to learn and score: Parquet, or CSV of AMLworld.")
    ],
    out: Annotated[Path, typer.Option(help="CSV to write: row,score of the payments of the test.")],
    label_delay_steps: Annotated[
        int, typer.Option(min=0, help="Steps from a payment until its label is known.")
    ] = 10,
    with_leak: Annotated[
        bool, typer.Option(help="Also measure what values that see the future seem to reach.")
    ] = False,
) -> None:
    """Score payments by plain columns and the network before each; print both figures."""
    table = read_payments(transactions)
    steps = table["step"].to_numpy()
    is_train = steps < test_begins(transactions, steps)
    # Labels of the test are never seen, whatever the file holds.
    known = table.assign(**{LABEL: table[LABEL].where(is_train)})
    plain = plain_values(table)
    network = plain.join(network_values(known, NetworkHistory(known, label_delay_steps)))
    scores = fitted_scores(network, known, is_train)
    pd.DataFrame({"row": table["row"][~is_train], "score": scores}).to_csv(out, index=False)

    labels = table[LABEL][~is_train]
    if labels.isna().any():
        print("the payments of the test have no labels: nothing to measure")
        return
    shown = {"plain columns": fitted_scores(plain, known, is_train), "with the network": scores}
    if with_leak:
        history = NetworkHistory(known, label_delay_steps, sees_future=True)
        leaking = plain.join(network_values(known, history))
        shown["with a network that sees the future"] = fitted_scores(leaking, known, is_train)
    for name, of_test in shown.items():
        print(f"{name}: {_figures(labels.to_numpy(), of_test)}")


def read_payments(file: Path) -> pd.DataFrame:
    """Read the table of payments, in order of step and row.

    Labels may be missing in the test. Raises typer.BadParameter if the file or a column is missing.
    """
    if not file.is_file():
        raise typer.BadParameter(f"{file}: no such file", param_hint="--transactions")
    is_csv = file.suffix == ".csv"
    table = pd.read_csv(file) if is_csv else pd.read_parquet(file)
    needed = (*AMLWORLD, AMLWORLD_LABEL) if is_csv else (*INPUTS, LABEL)
    if missing := [name for name in needed if name not in table.columns]:
        raise typer.BadParameter(
            f"{file}: no column {', '.join(missing)}", param_hint="--transactions"
        )
    if is_csv:
        table = _of_amlworld(table)
    ordered = table[[*INPUTS, LABEL]].sort_values(["step", "row"], ignore_index=True)
    return ordered.astype({LABEL: float})


def test_begins(file: Path, steps: np.ndarray) -> int:
    """Return the first step of the test; of a CSV, four fifths of the payments come before it."""
    return int(np.quantile(steps, 0.8)) if file.suffix == ".csv" else TEST_FROM_STEP


def _of_amlworld(table: pd.DataFrame) -> pd.DataFrame:
    """Return payments of AMLworld as ours; an account is its bank and number."""
    at = pd.to_datetime(table["Timestamp"], format="%Y/%m/%d %H:%M")
    payer, payee = (
        table[bank].astype(str) + "-" + table[account].astype(str)
        for bank, account in (("From Bank", "Account"), ("To Bank", "Account.1"))
    )
    codes, _ = pd.factorize(pd.concat([payer, payee]))
    return pd.DataFrame(
        {
            "row": np.arange(len(table)),
            "step": (at - at.min().normalize()) // pd.Timedelta(hours=STEP_HOURS),
            "payer": codes[: len(table)],
            "payee": codes[len(table) :],
            "payer_bank": table["From Bank"],
            "payee_bank": table["To Bank"],
            "amount": table["Amount Paid"].astype(float),
            LABEL: table[AMLWORLD_LABEL],
        }
    )


def plain_values(table: pd.DataFrame) -> pd.DataFrame:
    """Return what a payment says by itself: its amount, and whether it stays in one bank."""
    is_same_bank = table["payer_bank"].astype(str) == table["payee_bank"].astype(str)
    return pd.DataFrame({"amount": table["amount"], "is_same_bank": is_same_bank.astype(float)})


def fitted_scores(values: pd.DataFrame, table: pd.DataFrame, is_train: np.ndarray) -> np.ndarray:
    """Return the mean probability of the test's payments by models of several seeds."""
    labels = table[LABEL].to_numpy()[is_train]
    probabilities = [
        lightgbm.train(
            {**PARAMETERS, "seed": seed}, lightgbm.Dataset(values[is_train], labels), TREES
        ).predict(values[~is_train])
        for seed in range(SEEDS)
    ]
    return np.mean(np.array(probabilities), axis=0)


def _figures(labels: np.ndarray, scores: np.ndarray) -> str:
    top = np.argsort(-scores, kind="stable")[: len(scores) // 100]
    recall = labels[top].sum() / labels.sum()
    precision = average_precision_score(labels, scores)
    return f"average precision {precision:.3f}, recall at 1 % {recall:.3f}"


if __name__ == "__main__":
    typer.run(run)
