import numpy as np
import pandas as pd
import pytest

from features.reference.geography import place_table
from synthetic import hubs
from synthetic.conveyance_kinds import KINDS
from synthetic.corridors import LANES, corridors
from synthetic.goods import goods
from synthetic.honest_mistakes import RATES
from synthetic.journeys import drafted_journeys
from synthetic.networks.catalogue import TYPOLOGIES, typologies_of
from synthetic.networks.life import CHEAP, lived
from synthetic.plan import plan_world
from synthetic.scenario import Scenario
from synthetic.shipments import drafted_shipments


@pytest.fixture(scope="module")
def routes():
    return lived("route", corridors(), scenario=Scenario(), subjects=200_000, days=365, seed=7)


@pytest.mark.parametrize("typology", TYPOLOGIES, ids=lambda typology: typology.name)
def test_a_typology_speaks_of_signs_lanes_and_goods_that_exist(typology):
    assert set(typology.signs) | set(typology.payments) <= set(RATES[typology.subject])
    assert set(typology.lanes) <= set(LANES)
    assert set(typology.conveyances) <= set(KINDS)
    assert set(typology.goods) <= set(goods().hs_code)
    assert set(typology.origins) <= set(corridors().region)
    assert typology.source
    assert 0 < typology.sensitivity < 1
    assert all(0 < often < 1 for often in typology.signs.values())


def test_both_kinds_of_subject_have_a_late_typology():
    for kind in ("route", "shipment"):
        assert sum(typology.is_late for typology in typologies_of(kind)) == 1


def test_a_seizure_moves_a_network_to_a_neighbouring_corridor(routes):
    ways = corridors()
    moved = 0
    for network in np.unique(routes.network[routes.epoch == 1])[:200]:
        of = routes.network == network
        first, second = (routes.corridor[of & (routes.epoch == e)] for e in (0, 1))
        if len(first) and len(second):
            assert second[0] in ways.neighbours[first[0]]
            moved += 1
    assert moved > 50


def test_a_network_changes_only_after_a_seizure_and_not_after_each(routes):
    moved, after = [], []
    for network in np.unique(routes.network)[:200]:
        of = np.flatnonzero(routes.network == network)
        moved.append(np.diff(routes.epoch[of]))
        after.append(seized(routes)[of][:-1])
    moved, after = np.concatenate(moved), np.concatenate(after)
    assert set(moved) == {0, 1}
    assert not moved[~after].any()
    assert moved[after].mean() == pytest.approx(1 - Scenario().returns, abs=0.15)


def test_a_network_that_never_returns_changes_after_each_seizure():
    scenario = Scenario(returns=0.0)
    moves = lived("route", corridors(), scenario=scenario, subjects=60_000, days=365, seed=7)
    for network in np.unique(moves.network):
        of = np.flatnonzero(moves.network == network)
        assert (np.diff(moves.epoch[of]) == seized(moves)[of][:-1]).all()


def seized(moves):
    return (moves.selected_by > 0) & (moves.found == 1)


def waits_after(moves, which):
    """Days until the network moves again, after each movement in `which`; NaN if never."""
    order = np.lexsort((moves.at_day, moves.network))
    day, network = moves.at_day[order], moves.network[order]
    wait = np.append(np.where(np.diff(network) == 0, np.diff(day), np.nan), np.nan)
    return wait[which[order]]


def test_a_network_pauses_after_a_seizure(routes):
    paused, went_on = (waits_after(routes, which) for which in (seized(routes), ~seized(routes)))
    assert np.nanmin(paused) >= 2
    assert np.nanmedian(paused) > np.nanmedian(went_on) + 3


def test_a_seizure_is_the_end_of_some_networks(routes):
    ended, others = (
        np.isnan(waits_after(routes, which)).mean() for which in (seized(routes), ~seized(routes))
    )
    assert ended > others + 0.1


def test_after_a_seizure_a_network_pays_in_its_next_way(routes):
    typologies = typologies_of("route")
    for epoch, other in ((0, 1), (1, 0)):
        main, former = [], []
        for row, typology in enumerate(typologies):
            of = (routes.typology == row) & (routes.epoch == epoch)
            main.append(routes.signs[typology.payments[epoch]][of])
            former.append(routes.signs[typology.payments[other]][of])
        assert np.concatenate(main).mean() > 1.5 * np.concatenate(former).mean()


def test_a_network_puts_up_new_shells_after_a_seizure():
    plan = plan_world(Scenario(), 30_000, 365, 7)
    drafts = [
        drafted_shipments(plan, chapter, drafted_journeys(plan, chapter))
        for chapter in range(plan.chapters)
    ]
    rows = pd.concat(
        pd.DataFrame(
            {"network": d.subjects.network, "epoch": d.subjects.epoch, "consignee": d.consignee}
        )
        for d in drafts
    )
    honest = rows.consignee[rows.network < 0]
    shells = rows[(rows.network >= 0) & ~rows.consignee.isin(honest)]
    assert (shells.epoch > 0).sum() > 50
    epochs = shells.groupby(["network", "consignee"]).epoch.nunique()
    assert 0.9 < (epochs == 1).mean() < 1.0  # a few second shells outlive a move


def honest_firms(reuse):
    """The honest consignee of each shipment of a network, by network."""
    plan = plan_world(Scenario(reuse=reuse), 15_000, 365, 7)
    draft = drafted_shipments(plan, 0, drafted_journeys(plan, 0))
    of, honest = draft.subjects.network, draft.consignee[draft.subjects.network < 0]
    is_abused = (of >= 0) & np.isin(draft.consignee, honest)
    return pd.DataFrame({"network": of, "firm": draft.consignee})[is_abused]


def test_a_network_abuses_the_same_honest_firms_again():
    reused, random = (honest_firms(reuse) for reuse in (0.8, 0.0))

    def firms_per_movement(rows):
        counts = rows.groupby("network").firm.agg(["size", "nunique"])
        busy = counts[counts["size"] >= 6]
        return (busy["nunique"] / busy["size"]).median()

    assert firms_per_movement(reused) < 0.7 < firms_per_movement(random)


def test_a_network_keeps_its_vehicles_through_its_shells():
    plan = plan_world(Scenario(), 15_000, 365, 7)
    draft = drafted_journeys(plan, 0)
    rows = pd.DataFrame({"network": draft.subjects.network, "id": draft.conveyance})
    of_networks = rows[rows.network >= 0]
    assert (of_networks.id.map(of_networks.id.value_counts()) >= 4).mean() > 0.3
    carriers = pd.Series(draft.carrier).groupby(draft.conveyance).nunique()
    honest = ~np.isin(carriers.index, of_networks.id)
    assert (carriers[honest] >= 2).sum() > 100


def test_several_movements_of_a_network_share_a_shell():
    plan = plan_world(Scenario(), 15_000, 365, 7)
    draft = drafted_journeys(plan, 0)
    of = pd.DataFrame({"network": draft.subjects.network, "carrier": draft.carrier})
    per_network = of[of.network >= 0].groupby("network").carrier.agg(["size", "nunique"])
    busy = per_network[per_network["size"] >= 8]
    assert (busy["nunique"] / busy["size"]).median() < 0.75


def test_movements_are_level_over_time():
    days = [
        lived(kind, corridors(), scenario=Scenario(), subjects=200_000, days=365, seed=seed).at_day
        for kind in ("route", "shipment")
        for seed in (7, 8, 9)
    ]
    per_month, _ = np.histogram(np.concatenate(days), 10, (0, 365))
    assert per_month.min() > 0.7 * per_month.max()


def test_every_hub_is_a_place_that_is_known():
    known = set(place_table()["code"].to_pylist())
    named = [*hubs.SEA_FROM, *hubs.SEA_TO, *hubs.ROAD_FROM, *hubs.ROAD_TO, *hubs.AIR_FROM]
    named += [*hubs.AIR_TO]
    for way in (*hubs.RAIL, *hubs.WATERWAY, *hubs.SMALL_CRAFT):
        named += way.replace(">", ":").split(":")
    assert set(named) <= known


def test_a_corridor_has_neighbours_of_its_own_lane():
    ways = corridors()
    assert (ways.lane[ways.neighbours] == ways.lane[:, None]).all()
    assert (ways.neighbours != np.arange(len(ways.lane))[:, None]).all()


def test_an_adversary_gives_up_cheap_signs_of_inspected_movements_alone():
    usual, adaptive = (
        lived(
            "shipment",
            corridors(),
            scenario=Scenario(adaptive=share),
            subjects=200_000,
            days=365,
            seed=7,
        )
        for share in (0.0, 1.0)
    )
    assert not usual.given_up.any()
    assert adaptive.given_up.mean() > 0.5
    for network in np.unique(adaptive.network)[:200]:
        of = np.flatnonzero(adaptive.network == network)
        inspected = adaptive.selected_by[of] > 0
        gained = np.diff(adaptive.given_up[of])
        assert (gained >= 0).all()
        assert not gained[~inspected[:-1]].any()
    late = adaptive.given_up >= 4

    def shown(moves, names, rows):
        return np.mean([moves.signs[name][rows].mean() for name in names])

    dear = [name for name in adaptive.signs if name not in CHEAP]
    cheap = [name for name in adaptive.signs if name in CHEAP]
    assert shown(adaptive, cheap, late) < 0.8 * shown(adaptive, cheap, ~late)
    assert shown(adaptive, dear, late) > 0.8 * shown(adaptive, dear, ~late)
