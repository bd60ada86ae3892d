import numpy as np
import pytest

from features.geography import places
from synthetic import hubs
from synthetic.corridors import LANES, corridors
from synthetic.goods import goods
from synthetic.honest_mistakes import RATES
from synthetic.journeys import KINDS
from synthetic.networks.catalogue import TYPOLOGIES, typologies_of
from synthetic.networks.life import lived
from synthetic.scenario import Scenario


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


def test_a_network_changes_only_after_a_seizure(routes):
    for network in np.unique(routes.network)[:200]:
        of = np.flatnonzero(routes.network == network)
        seized = (routes.selected_by[of] > 0) & (routes.found[of] == 1)
        assert (np.diff(routes.epoch[of]) == seized[:-1]).all()


def test_movements_are_level_over_time(routes):
    per_month, _ = np.histogram(routes.at_day, 10, (0, 365))
    assert per_month.min() > 0.7 * per_month.max()


def test_every_hub_is_a_place_that_is_known():
    known = set(places()["code"].to_pylist())
    named = [*hubs.SEA_FROM, *hubs.SEA_TO, *hubs.ROAD_FROM, *hubs.ROAD_TO, *hubs.AIR_FROM]
    named += [*hubs.AIR_TO]
    for way in (*hubs.RAIL, *hubs.WATERWAY, *hubs.SMALL_CRAFT):
        named += way.replace(">", ":").split(":")
    assert set(named) <= known


def test_a_corridor_has_neighbours_of_its_own_lane():
    ways = corridors()
    assert (ways.lane[ways.neighbours] == ways.lane[:, None]).all()
    assert (ways.neighbours != np.arange(len(ways.lane))[:, None]).all()
