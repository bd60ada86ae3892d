"""Score the payments of an AMLGentex world: `python -m experiments.payments --help`.

Models learn from the payments before step 60 and score the later ones. Every value of a payment is
of strictly earlier steps and of the payment itself.
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
        Path, typer.Option(help="Parquet file of payments to learn and score.")
    ],
    out: Annotated[Path, typer.Option(help="CSV to write: row,score of payments from step 60.")],
    label_delay_steps: Annotated[
        int, typer.Option(min=0, help="Steps from a payment until its label is known.")
    ] = 10,
    with_leak: Annotated[
        bool, typer.Option(help="Also measure what values that see the future seem to reach.")
    ] = False,
) -> None:
    """Score payments by plain columns and the network before each; print both figures."""
    table = read_payments(transactions)
    is_train = table["step"].to_numpy() < TEST_FROM_STEP
    # Labels of the test are never seen, whatever the file holds.
    known = table.assign(**{LABEL: table[LABEL].where(is_train)})
    plain = plain_values(table)
    network = plain.join(network_values(known, NetworkHistory(known, label_delay_steps)))
    scores = fitted_scores(network, known, is_train)
    pd.DataFrame({"row": table["row"][~is_train], "score": scores}).to_csv(out, index=False)

    labels = table[LABEL][~is_train]
    if labels.isna().any():
        print("the payments from step 60 have no labels: nothing to measure")
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

    Labels may be missing from step TEST_FROM_STEP on. Raises typer.BadParameter if the file or a
    column is missing.
    """
    if not file.is_file():
        raise typer.BadParameter(f"{file}: no such file", param_hint="--transactions")
    table = pd.read_parquet(file)
    if missing := [name for name in (*INPUTS, LABEL) if name not in table.columns]:
        raise typer.BadParameter(
            f"{file}: no column {', '.join(missing)}", param_hint="--transactions"
        )
    ordered = table[[*INPUTS, LABEL]].sort_values(["step", "row"], ignore_index=True)
    return ordered.astype({LABEL: float})


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
