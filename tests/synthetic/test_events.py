"""What is reported of journeys and shipments on their way, in the order in which it happens."""

from pathlib import Path

import pandas as pd
import pytest

from synthetic.scenario import Scenario
from synthetic.world import invent
from tests.synthetic.conftest import read

REPORTED = ["departed", "arrived", "discharged", "gate_out", "transit_opened", "transit_discharged"]


@pytest.fixture(scope="module")
def events(world: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """When each kind of event happened, a row per subject."""
    return world["events"].pivot(
        index=["subject_kind", "subject_id"], columns="kind", values="occurred_at"
    )


def share_in_order(events: pd.DataFrame, earlier: str, later: str) -> float:
    both = events[[earlier, later]].dropna()
    assert len(both) > 300
    return float((both[earlier] <= both[later]).mean())


def test_every_kind_is_reported_of_some_and_none_of_all(events: pd.DataFrame) -> None:
    known = events.notna().mean()

    assert {*known.index} == {*REPORTED}
    assert known.between(0.02, 0.9).all()


def test_an_event_is_known_once_it_happened(world: dict[str, pd.DataFrame]) -> None:
    assert (world["events"].known_at >= world["events"].occurred_at).all()


def test_a_journey_departs_before_it_arrives(events: pd.DataFrame) -> None:
    assert share_in_order(events, "departed", "arrived") == 1.0


def test_a_box_leaves_the_gate_after_its_discharge_but_for_a_few(events: pd.DataFrame) -> None:
    assert 0.98 < share_in_order(events, "discharged", "gate_out") < 1.0


def test_a_transit_opens_before_it_is_discharged_and_some_never_are(events: pd.DataFrame) -> None:
    assert share_in_order(events, "transit_opened", "transit_discharged") == 1.0
    is_open = events.transit_opened.notna() & events.transit_discharged.isna()
    assert 0.005 < is_open.sum() / events.transit_opened.notna().sum() < 0.05


def test_only_transits_have_a_time_limit_and_all_of_them(world: dict[str, pd.DataFrame]) -> None:
    events = world["events"]

    assert (events.time_limit_at.notna() == (events.kind == "transit_opened")).all()


def test_gate_moves_name_the_container_that_was_declared(world: dict[str, pd.DataFrame]) -> None:
    moves = world["events"].query("kind in ('discharged', 'gate_out')")
    declared = world["shipments"].set_index("shipment_id").container_number

    assert (moves.container_number.to_numpy() == declared.loc[moves.subject_id].to_numpy()).all()


def test_cloned_boxes_leave_before_they_arrive_more_often(tmp_path: Path) -> None:
    busy = Scenario(base_rate=0.1, late_typology_from=0.0)
    invent(tmp_path, scenario=busy, journeys=16_000, days=200, seed=7)
    made = read(tmp_path)
    boxes = made["events"].query("kind in ('discharged', 'gate_out')")
    at = boxes.pivot(index="subject_id", columns="kind", values="occurred_at")
    is_early = at.gate_out < at.discharged
    oracle = made["oracle"].query("subject_kind == 'shipment'").set_index("subject_id")
    is_cloned = oracle.typology.reindex(at.index) == "cloned_container"

    assert is_cloned.sum() > 20
    assert is_early[is_cloned].mean() > 5 * is_early[~is_cloned].mean() > 0
