import numpy as np
import pandas as pd
import pytest

from synthetic.actors import CONSIGNEE, age_days, carelessness, firm


def share_of_the_busiest_tenth(ids):
    counts = ids.value_counts()
    return counts.iloc[: len(counts) // 10].sum() / counts.sum()


@pytest.mark.parametrize(
    ("name", "column"), [("journeys", "carrier_id"), ("shipments", "consignee_id")]
)
def test_a_few_firms_move_much_of_the_trade(world, name, column):
    assert 0.3 < share_of_the_busiest_tenth(world[name][column]) < 0.9


def test_firms_come_and_go_within_a_year():
    slots = np.arange(5_000)
    replaced = firm(7, CONSIGNEE, slots, 0 * slots) != firm(7, CONSIGNEE, slots, 365 + 0 * slots)
    assert 0.1 < replaced.mean() < 0.6


def test_a_firm_keeps_its_name_while_it_ages():
    slots = np.arange(5_000)
    early, late = (np.full(len(slots), day) for day in (0, 30))
    same = firm(7, CONSIGNEE, slots, early) == firm(7, CONSIGNEE, slots, late)
    aged = age_days(7, CONSIGNEE, slots, late) - age_days(7, CONSIGNEE, slots, early)
    assert np.allclose(aged[same], 30)
    assert (age_days(7, CONSIGNEE, slots, late)[~same] < 30).all()


def test_carelessness_is_about_one_on_average_and_differs():
    careless = carelessness(7, CONSIGNEE, np.arange(50_000))
    assert careless.mean() == pytest.approx(1, abs=0.02)
    assert np.quantile(careless, 0.95) > 2 * np.quantile(careless, 0.25)


def test_most_is_declared_by_day_and_less_at_weekends(world):
    declared = world["journeys"].declared_at
    by_day = declared.dt.hour.between(6, 20).mean()
    assert 0.7 < by_day < 0.98
    per_weekday = declared.dt.day_of_week.value_counts().sort_index()
    assert per_weekday[5:].mean() < 0.9 * per_weekday[:5].mean()


def test_a_consignee_keeps_to_a_few_goods(world):
    shipments = world["shipments"]
    counts = shipments.groupby("consignee_id").hs_code.value_counts()
    of_all = counts.groupby("consignee_id").sum()
    of_two = counts.groupby("consignee_id").nlargest(2).groupby(level=0).sum()
    everyone = shipments.hs_code.value_counts(normalize=True)[:2].sum()
    assert (of_two / of_all)[of_all >= 20].median() > 3 * everyone


def test_payments_follow_the_habit_of_who_pays(world):
    paid = world["transactions"]
    of_shipments = paid[paid.subject_kind == "shipment"]
    bank = of_shipments.method.eq("bank_transfer")
    per_payer = pd.DataFrame({"bank": bank, "payer": of_shipments.payer_id})
    busy = per_payer.groupby("payer").bank.agg(["mean", "size"]).query("size >= 50")["mean"]
    chance_alone = np.sqrt(bank.mean() * (1 - bank.mean()) / 50)
    assert busy.std() > 2 * chance_alone
