"""Who is in danger in the invented world, and whether the signals of the service find them."""

from collections import defaultdict

import numpy as np
import pytest
from stdnum import imo

from features.records import Journey, Position
from features.submission import Submission
from serving.triage.life_at_risk import (
    OVERDUE_AFTER,
    begun_by_time,
    danger_signals,
    last_heard,
)

FREIGHT = ("container_ship", "general_cargo", "tanker", "train", "aircraft")


@pytest.fixture(scope="module")
def journeys(world):
    return world["journeys"].merge(
        world["oracle"].query("subject_kind == 'route'")[["subject_id", "is_in_danger"]],
        left_on="journey_id",
        right_on="subject_id",
    )


@pytest.fixture(scope="module")
def subjects(world, journeys):
    """Each journey with the positions at which it was ever heard."""
    heard = defaultdict(list)
    for row in known_of(world["positions"].drop(columns="is_distress")):
        heard[row["journey_id"]].append(Position.model_construct(**row))
    own = [name for name in Journey.model_fields if name in journeys]
    return [
        Submission.model_construct(
            subject_kind="route",
            journey=Journey.model_construct(**row),
            legs=(),
            events=(),
            shipment=None,
            positions=tuple(heard[row["journey_id"]]),
        )
        for row in known_of(journeys[own])
    ]


def known_of(table):
    """The rows of a table without what is missing in them."""
    columns = [table[name].astype(object).where(table[name].notna(), None) for name in table]
    for values in zip(*columns, strict=True):
        yield {name: value for name, value in zip(table, values, strict=True) if value is not None}


def heard_before(subject, instant):
    heard = tuple(each for each in subject.positions if each.observed_at < instant)
    return subject.model_copy(update={"positions": heard})


@pytest.fixture(scope="module")
def signalled(subjects):
    """Whether each journey gives a signal at its declaration."""
    return np.array(
        [
            bool(danger_signals(heard_before(each, at), at))
            for each, at in ((each, each.journey.declared_at) for each in subjects)
        ]
    )


def test_of_those_in_danger_nineteen_of_twenty_signal_and_of_others_one_of_a_thousand(
    journeys, signalled
):
    danger = journeys.is_in_danger.to_numpy()

    assert danger.sum() > 100
    assert signalled[danger].mean() >= 0.95
    assert signalled[~danger].mean() <= 0.001


def test_of_vessels_that_are_followed_one_of_a_thousand_is_missed_though_it_is_in_no_danger(
    journeys, subjects
):
    missed = []
    for subject in subjects:
        declared, late = subject.journey.declared_at, subject.journey.due_at + OVERDUE_AFTER
        known = heard_before(subject, late)
        is_followed = known.positions and last_heard(known).observed_at >= declared
        missed.append(bool(is_followed and begun_by_time(known, declared, late)))

    danger = journeys.is_in_danger.to_numpy()
    assert np.array(missed)[~danger].mean() <= 0.001


def test_danger_is_no_matter_of_who_smuggles_and_most_smuggling_is_none(world, journeys):
    true = world["oracle"].dropna(subset=["typology"]).subject_id
    smuggled = journeys.journey_id.isin(true)

    assert journeys[~smuggled].is_in_danger.sum() > 0
    assert 0 < journeys[smuggled].is_in_danger.mean() < 0.5


def test_freight_with_a_crew_above_its_papers_is_in_no_danger(journeys):
    over = journeys.query("persons_on_board > certified_capacity")

    assert over.conveyance_kind.isin(FREIGHT).any()
    assert not over[over.conveyance_kind.isin(FREIGHT)].is_in_danger.any()


def test_a_small_craft_without_a_paper_is_one_in_danger(journeys):
    craft = journeys.query("conveyance_kind == 'small_craft'")
    uncertified = craft[craft.certified_capacity.isna()]

    assert len(uncertified) > 10
    assert uncertified.is_in_danger.all()
    assert uncertified.persons_on_board.dropna().ge(8).all()


def test_ships_are_found_by_their_hull_and_radio_and_vehicles_by_their_plate(journeys):
    ships = journeys[journeys.conveyance_kind.isin(("container_ship", "tanker"))]
    lorries = journeys.query("conveyance_kind == 'truck'")

    assert ships.imo_number.head(200).map(imo.is_valid).all()
    assert ships.mmsi.str.fullmatch("[0-9]{9}").all()
    assert lorries.plate_number.notna().all()
    assert lorries.imo_number.isna().all()
    assert set(lorries.cargo_unit) == {"reefer", "tank", "box", "open"}
    assert journeys.groupby("conveyance_id").plate_number.nunique().max() == 1


def test_danger_is_of_journeys_alone(world):
    assert not world["oracle"].query("subject_kind == 'shipment'").is_in_danger.any()
