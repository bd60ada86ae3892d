"""What the world's inspections state of a find."""

from pathlib import Path

import pandas as pd
import pytest

from features.ingest.record_files import check_record_file
from features.offences import NOT_SMUGGLING, offences_in
from synthetic.networks.catalogue import TYPOLOGIES
from synthetic.offences import UNORGANISED
from synthetic.scenario import Scenario
from synthetic.world import invent


def test_no_outcome_of_the_world_contradicts_itself(folder: Path) -> None:
    assert check_record_file(folder / "outcomes.parquet", "outcomes").faults == ()


def confirmed_in(*worlds) -> pd.DataFrame:
    return pd.concat([each["outcomes"].query("result == 'confirmed'") for each in worlds])


def test_a_find_is_of_an_offence_of_its_typology(world, other_world) -> None:
    of_typology = {each.name: {*each.offences} for each in TYPOLOGIES}
    confirmed = confirmed_in(world, other_world)

    assert len(confirmed) > 200
    for kind, typology, codes in confirmed[["subject_kind", "typology", "offences"]].to_numpy():
        main = {*offences_in(codes)} - NOT_SMUGGLING
        assert len(main) == 1
        assert main <= of_typology.get(typology, {*UNORGANISED[kind]})


def test_every_class_that_networks_commit_is_found(world, other_world) -> None:
    confirmed = confirmed_in(world, other_world)
    named = {offence for codes in confirmed.offences for offence in offences_in(codes)}

    assert named >= {offence for each in TYPOLOGIES for offence in each.offences}


def test_other_offences_are_met_where_no_smuggling_was_found_as_often_as_the_scenario_says(
    world, tmp_path: Path
) -> None:
    outcomes = world["outcomes"]
    other = outcomes.query("result == 'other_offence'")
    nothing = outcomes.query("result == 'not_confirmed'")

    assert len(other) / (len(other) + len(nothing)) == pytest.approx(0.04, abs=0.01)
    assert {*other.offences} <= NOT_SMUGGLING
    assert nothing.offences.isna().all()
    invent(tmp_path, scenario=Scenario(other_offences=0.0), journeys=500, days=60, seed=7)
    none = check_record_file(tmp_path / "outcomes.parquet", "outcomes").table.to_pandas()
    assert "other_offence" not in {*none.result}


def test_looking_closer_finds_more(world, other_world) -> None:
    outcomes = pd.concat([world["outcomes"], other_world["outcomes"]])
    settled = outcomes.query("result in ('confirmed', 'not_confirmed')")
    is_found = settled.result == "confirmed"

    hit_rate = is_found.groupby(settled.examination).mean()
    assert hit_rate["scan"] < hit_rate["physical"] < hit_rate["canine"] * 1.5
    by_depth = is_found.groupby(settled.depth).mean()
    assert by_depth["partial"] < by_depth["full"]


def test_amounts_are_stated_of_finds_alone(world, other_world) -> None:
    outcomes = pd.concat([each["outcomes"] for each in (world, other_world)], ignore_index=True)
    has_amount = outcomes.found_mass_kg.notna() | outcomes.found_persons.notna()

    assert has_amount.sum() > 100
    assert (outcomes[has_amount].result == "confirmed").all()
    people = outcomes[outcomes.found_persons.notna()].offences
    assert people.str.contains("migrant_smuggling").all()
