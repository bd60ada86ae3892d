import numpy as np
import pandas as pd
import pytest


def subjects(world, kind):
    oracle = world["oracle"]
    return oracle[oracle.subject_kind == kind].set_index("subject_id")


def outcomes(world, kind):
    of = world["outcomes"][world["outcomes"].subject_kind == kind].set_index("subject_id")
    truth = subjects(world, kind)[["true_probability", "typology"]]
    return of.join(truth.rename(columns={"typology": "typology_true"}))


def test_about_one_and_a_half_per_cent_of_subjects_smuggle(world, other_world):
    for kind in ("route", "shipment"):
        both = pd.concat([subjects(w, kind) for w in (world, other_world)])
        assert 0.012 < both.typology.notna().mean() < 0.018


def test_the_truth_was_drawn_from_the_probability_that_the_oracle_tells(world, other_world):
    both = pd.concat([world["oracle"], other_world["oracle"]])
    for low, high in ((0.0, 0.01), (0.01, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.0)):
        part = both[(both.true_probability >= low) & (both.true_probability < high)]
        error = np.sqrt(part.true_probability.mean() / len(part))
        assert abs(part.typology.notna().mean() - part.true_probability.mean()) < 4 * error


def test_at_least_fourteen_typologies_are_practised_and_named(world):
    assert world["oracle"].typology.nunique() >= 14


def test_the_late_typologies_appear_only_in_the_last_fifth(world, other_world):
    begin = pd.Timestamp("2025-01-01")
    for w in (world, other_world):
        declared = pd.concat(
            [
                w["journeys"].set_index("journey_id").declared_at,
                w["shipments"].set_index("shipment_id").declared_at,
            ]
        )
        oracle = w["oracle"].set_index("subject_id")
        late = oracle[oracle.typology.isin(["virtual_asset_escrow", "cloned_container"])]
        assert len(late) > 0
        assert (declared.loc[late.index] - begin).min() >= pd.Timedelta(days=0.8 * 365 - 1)


def test_few_are_inspected_and_most_of_them_find_nothing(world):
    for kind in ("route", "shipment"):
        of = outcomes(world, kind)
        assert 0.05 < len(of) / 20_000 < 0.09
        assert 0.02 < (of.result == "confirmed").mean() < 0.2
        assert (of.result == "inconclusive").mean() < 0.08


def test_an_inspection_confirms_only_what_is_true_and_misses_some_of_it(world, other_world):
    for kind in ("route", "shipment"):
        of = pd.concat([outcomes(w, kind) for w in (world, other_world)])
        confirmed = of[of.result == "confirmed"]
        assert (confirmed.typology == confirmed.typology_true).all()
        assert of[of.result != "confirmed"].typology.isna().all()
        found = (of[of.typology_true.notna()].result == "confirmed").mean()
        assert 0.5 < found < 0.95


def delays(outcomes):
    return (outcomes.known_at - outcomes.inspected_at).dt.total_seconds() / 86_400


def test_results_come_one_to_a_hundred_and_twenty_days_late(world):
    days = delays(world["outcomes"])
    assert days.min() > 0.99
    assert days.max() < 120.01


def test_what_is_found_takes_weeks_to_be_known_and_the_rest_days(world):
    days, has_evidence = delays(world["outcomes"]), world["outcomes"].result != "not_confirmed"

    assert 14 < days[has_evidence].median() < 30
    assert 2 < days[~has_evidence].median() < 7


def test_some_offices_know_their_results_much_later_than_others(world):
    cleared = world["outcomes"].query("subject_kind == 'shipment' and result == 'not_confirmed'")
    office = world["shipments"].set_index("shipment_id").office_id.loc[cleared.subject_id]
    days = delays(cleared).groupby(office.to_numpy())
    medians = days.median()[days.size() >= 20]

    assert len(medians) > 5
    assert medians.max() > 1.7 * medians.min()


def test_a_selection_has_its_probability_where_it_has_one(world):
    by = world["outcomes"].groupby("selected_by").selection_probability
    assert by.apply(lambda p: p.isna().all())[["intelligence", "discretion"]].all()
    assert by.apply(lambda p: p.notna().all())[["rule", "random"]].all()
    share = (world["outcomes"].selected_by == "random").sum() / 40_000
    assert share == pytest.approx(0.01, rel=0.2)


def test_random_inspections_say_nothing_about_the_probability(world, other_world):
    both = [outcomes(w, k) for w in (world, other_world) for k in ("route", "shipment")]
    random = pd.concat(both)
    random = random[random.selected_by == "random"]
    everyone = pd.concat([w["oracle"] for w in (world, other_world)])
    error = everyone.true_probability.std() / np.sqrt(len(random))
    assert abs(random.true_probability.mean() - everyone.true_probability.mean()) < 4 * error
