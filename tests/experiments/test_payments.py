"""Values of payments from the network: of earlier steps only, in any order within a step."""

from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pytest
import typer

from experiments.payments.__main__ import LABEL, read_payments, run
from experiments.payments.network_history import MAX_PAYMENTS, NetworkHistory, network_values


def payments(number: int = 400, accounts: int = 25, steps: int = 80, seed: int = 1) -> pd.DataFrame:
    lots = Random(seed)
    rows = [
        {
            "step": step,
            "payer": payer,
            "payee": payee,
            "payer_bank": "bank_a",
            "payee_bank": lots.choice(["bank_a", "bank_b"]),
            "amount": lots.uniform(1, 900),
            LABEL: float(lots.random() < 0.1),
        }
        for step in sorted(lots.randrange(steps) for _ in range(number))
        for payer, payee in [lots.sample(range(accounts), 2)]
    ]
    return pd.DataFrame(rows).assign(row=range(number))


def values_of(table: pd.DataFrame, **options: bool) -> pd.DataFrame:
    return network_values(table, NetworkHistory(table, 10, **options))


@pytest.mark.parametrize("until", [1, 23, 61])
def test_no_later_payment_changes_a_value(until: int) -> None:
    table = payments()
    earlier = table[table["step"] < until]

    pd.testing.assert_frame_equal(values_of(earlier), values_of(table).loc[earlier.index])


def test_values_that_see_the_future_do_change_with_later_payments() -> None:
    table = payments()
    earlier = table[table["step"] < 23]

    leaking = values_of(table, sees_future=True).loc[earlier.index]

    assert not leaking.equals(values_of(earlier, sees_future=True))


def test_payments_of_one_step_do_not_see_each_other() -> None:
    table = payments(steps=12)
    for row in range(300, 320):
        alone = table[(table["step"] < table["step"][row]) | (table["row"] == row)]

        pd.testing.assert_frame_equal(values_of(alone).loc[[row]], values_of(table).loc[[row]])


def test_the_order_within_a_step_changes_no_value() -> None:
    table = payments(steps=12)
    turned = table.sort_values(["step", "row"], ascending=[True, False])

    pd.testing.assert_frame_equal(values_of(turned).sort_index(), values_of(table))


def test_a_label_counts_after_its_delay_only() -> None:
    table = payments(number=3, steps=1)
    table["payer"], table["payee"], table[LABEL] = [1, 1, 1], [2, 3, 4], [1.0, 0.0, 0.0]
    table["step"] = [5, 15, 16]

    assert values_of(table)["payer_confirmed"].tolist() == [0, 0, 1]
    assert values_of(table)["payer_steps_since_confirmed"].tolist()[2] == 1


def test_a_cycle_is_found_when_its_last_payment_closes_it() -> None:
    table = payments(number=4, steps=1)
    table["payer"], table["payee"], table["step"] = [1, 2, 3, 4], [2, 3, 4, 1], [1, 2, 3, 4]

    assert values_of(table)["cycle_hops"].tolist() == [0, 0, 0, 4]


def test_a_hub_is_read_up_to_a_bound() -> None:
    table = payments(number=MAX_PAYMENTS + 50, steps=1)
    table["payer"], table["payee"] = 1, range(2, len(table) + 2)
    table.loc[len(table) - 1, "step"] = 1

    assert values_of(table)["payer_sent"].iloc[-1] == MAX_PAYMENTS


def test_scores_of_later_payments_do_not_depend_on_their_labels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = payments(number=600)
    hidden = table.assign(**{LABEL: table[LABEL].where(table["step"] < 60)})
    scores = []
    for name, each in (("known", table), ("hidden", hidden)):
        file, out = tmp_path / f"{name}.parquet", tmp_path / f"{name}.csv"
        each.to_parquet(file)
        run(file, out)
        scores.append(pd.read_csv(out))

    pd.testing.assert_frame_equal(scores[0], scores[1])
    assert scores[0]["row"].tolist() == table["row"][table["step"] >= 60].tolist()
    assert np.isfinite(scores[0]["score"]).all()
    shown = capsys.readouterr().out
    assert "with the network: average precision" in shown
    assert "have no labels: nothing to measure" in shown


def test_payments_of_amlworld_are_scored_after_four_fifths_of_them(tmp_path: Path) -> None:
    table = payments(number=600)
    at = pd.Timestamp("2022-09-01") + pd.to_timedelta(table["step"] * 4 + 1, "h")
    banks = {"From Bank": 1, "To Bank": 2, "Payment Format": "ACH"}
    written = pd.DataFrame(
        {
            "Timestamp": at.dt.strftime("%Y/%m/%d %H:%M"),
            "Account": "A" + table["payer"].astype(str),
            "Account.1": "A" + table["payee"].astype(str),
            "Amount Paid": table["amount"],
            "Is Laundering": table[LABEL].astype(int),
        }
    ).assign(**banks)
    file, out = tmp_path / "HI-Small_Trans.csv", tmp_path / "scores.csv"
    written.to_csv(file, index=False)

    read = read_payments(file)
    run(file, out)

    assert read["step"].tolist() == table["step"].tolist()
    assert read.groupby("payer").ngroups == table.groupby("payer").ngroups
    assert not set(read["payer"]) & set(read["payee"])  # of other banks
    tested = pd.read_csv(out)["row"].tolist()
    assert tested == table["row"][table["step"] >= table["step"].quantile(0.8) // 1].tolist()


def test_a_file_without_a_column_is_refused_by_name(tmp_path: Path) -> None:
    payments().drop(columns="payer").to_parquet(tmp_path / "payments.parquet")

    with pytest.raises(typer.BadParameter, match="no column payer"):
        read_payments(tmp_path / "payments.parquet")
