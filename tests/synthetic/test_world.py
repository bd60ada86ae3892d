import hashlib
import sys

import numpy as np
import pandas as pd
import pytest
from stdnum import iso6346

from features.ingest.record_files import read_records
from features.persons import person_fields
from features.records import RECORD_FILES
from synthetic.plan import plan_world
from synthetic.scenario import Scenario
from synthetic.world import SCHEMAS, invent
from tests.processes import in_a_session, wait_until_nobody_is_left


def digests(folder):
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.iterdir()}


def test_every_file_is_one_that_the_rooms_accept(folder):
    for name in RECORD_FILES:
        assert read_records(folder, name).num_rows > 0


def test_nothing_but_the_files_of_a_world_is_left(folder):
    assert {f.name for f in folder.iterdir()} == {f"{name}.parquet" for name in SCHEMAS}


def test_there_are_as_many_journeys_and_shipments_as_asked(world):
    assert len(world["journeys"]) == 20_000
    assert len(world["shipments"]) == 20_000
    assert 3.9 < len(world["documents"]) / 20_000 < 4.3
    assert 9.5 < len(world["transactions"]) / 20_000 < 10.5


def test_every_record_belongs_to_a_subject_that_exists(world):
    subjects = set(world["journeys"].journey_id) | set(world["shipments"].shipment_id)
    for name in ("documents", "transactions", "events", "outcomes", "oracle"):
        assert set(world[name].subject_id) <= subjects
    assert set(world["goods_items"].shipment_id) <= set(world["shipments"].shipment_id)
    for name in ("legs", "positions", "shipments"):
        assert set(world[name].journey_id) <= set(world["journeys"].journey_id)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("journeys", ["journey_id"]),
        ("shipments", ["shipment_id"]),
        ("goods_items", ["shipment_id", "number"]),
        ("documents", ["document_id", "version"]),
        ("transactions", ["transaction_id"]),
        ("events", ["event_id"]),
        ("legs", ["journey_id", "sequence"]),
        ("outcomes", ["subject_id"]),
        ("oracle", ["subject_id"]),
    ],
)
def test_every_id_is_used_once(world, name, key):
    assert not world[name].duplicated(key).any()


def test_no_field_is_about_a_person(world):
    for table in world.values():
        assert person_fields(table.columns) == []


def test_container_numbers_pass_their_check_but_for_the_planted_errors(world):
    numbers = world["shipments"].container_number.dropna()
    assert len(numbers) > 1_000
    failed = 1 - np.mean([iso6346.is_valid(number) for number in numbers])
    assert 0.003 < failed < 0.04


def test_a_shipment_is_declared_after_the_journey_that_carries_it(world):
    declared = world["journeys"].set_index("journey_id").declared_at
    assert (
        declared.loc[world["shipments"].journey_id].to_numpy() < world["shipments"].declared_at
    ).all()


def test_offices_work_by_their_own_clocks(world):
    shipments = world["shipments"]
    hour = shipments.declared_at.dt.tz_localize("UTC")
    here = {
        name: hour[shipments.office_id.str.startswith(f"office-{country}")].dt.tz_convert(zone)
        for name, country, zone in (("US", "US", "America/New_York"), ("DE", "DE", "Europe/Berlin"))
    }
    middays = {name: local.dt.hour.median() for name, local in here.items()}
    assert all(len(local) > 500 for local in here.values())
    assert middays["US"] == pytest.approx(middays["DE"], abs=1)


def test_records_become_known_before_and_some_after_the_declaration(world):
    declared = pd.concat(
        [
            world["journeys"].set_index("journey_id").declared_at,
            world["shipments"].set_index("shipment_id").declared_at,
        ]
    )
    for name, instant in (("documents", "received_at"), ("transactions", "known_at")):
        table = world[name]
        before = (table[instant].to_numpy() < declared.loc[table.subject_id].to_numpy()).mean()
        assert 0.4 < before < 0.97
    legs = world["legs"]
    assert legs.known_at.notna().all()
    assert 0.9 < (legs.known_at.to_numpy() < declared.loc[legs.journey_id].to_numpy()).mean() < 1.0


def test_a_later_version_of_a_document_keeps_its_id_and_number_and_comes_later(world):
    documents = world["documents"].sort_values(["document_id", "version"])
    earlier = documents.groupby("document_id").shift()
    is_later = documents.version > 1
    assert is_later.sum() > 2_000
    later, earlier = documents[is_later], earlier[is_later]
    assert (later.version == earlier.version + 1).all()
    assert (later.received_at > earlier.received_at).all()
    for name in ("subject_id", "kind", "number", "issuer_id"):
        assert later[name].fillna("").eq(earlier[name].fillna("")).all()


def test_most_amendments_of_manifests_change_what_they_state(world):
    manifests = world["documents"].query("kind == 'manifest' and subject_kind == 'shipment'")
    manifests = manifests.sort_values(["document_id", "version"])
    earlier = manifests.groupby("document_id").shift()
    is_later = manifests.version > 1
    changes = [
        manifests[name].ne(earlier[name]) & manifests[name].notna() & earlier[name].notna()
        for name in ("gross_mass_kg", "packages", "consignee_id")
    ]
    assert (changes[0] | changes[1] | changes[2])[is_later].mean() > 0.9


def test_a_leg_that_has_arrived_left_before_and_took_time(world):
    legs = world["legs"].dropna(subset=["arrived_at", "departed_at"])
    assert (legs.departed_at < legs.arrived_at).all()


def test_legs_hang_together_from_origin_to_destination(world):
    legs = world["legs"].sort_values(["journey_id", "sequence"])
    same = legs.journey_id.eq(legs.journey_id.shift())
    assert (legs.origin == legs.destination.shift())[same].all()
    ends = legs.groupby("journey_id").agg(origin=("origin", "first"), last=("destination", "last"))
    journeys = world["journeys"].set_index("journey_id").loc[ends.index]
    assert (ends.origin == journeys.origin).all()
    assert (ends["last"] == journeys.destination).all()


def test_the_same_seed_gives_the_same_bytes_on_one_core_or_two(tmp_path):
    for cores in (1, 2):
        out = tmp_path / str(cores)
        invent(out, scenario=Scenario(), journeys=33_000, days=60, seed=3, cores=cores)
    assert digests(tmp_path / "1") == digests(tmp_path / "2")


def test_a_larger_world_has_more_chapters_not_larger_ones():
    """What is held at a time is a chapter, so memory does not grow with the world."""
    largest = {}
    for journeys in (100_000, 400_000):
        plan = plan_world(Scenario(), journeys, 365, 7)
        firsts = np.append(plan.first_journey, journeys)
        largest[journeys] = np.diff(firsts).max()
    assert largest[400_000] < 1.3 * largest[100_000]
    assert largest[100_000] < 25_000


def test_another_seed_gives_another_world_with_the_same_marginals(world, other_world):
    for name in world:
        few, many = sorted((len(world[name]), len(other_world[name])))
        assert few > 0.85 * many
        assert not world[name].equals(other_world[name])
    for name, column, tolerance in (
        ("journeys", "mode", 0.03),
        ("journeys", "conveyance_kind", 0.03),
        ("transactions", "method", 0.03),
        ("documents", "kind", 0.03),
        ("outcomes", "selected_by", 0.08),
    ):
        shares = [
            w[name][column].value_counts(normalize=True).sort_index() for w in (world, other_world)
        ]
        assert shares[0].sub(shares[1], fill_value=0).abs().max() < tolerance
    masses = [np.log(w["shipments"].gross_mass_kg).mean() for w in (world, other_world)]
    assert masses[0] == pytest.approx(masses[1], abs=0.2)


def test_processes_of_a_world_end_with_whoever_invents_it(tmp_path):
    command = [sys.executable, "-c", INVENT_AND_WAIT, str(tmp_path / "world")]
    with in_a_session(command) as process:
        process.stdout.readline()  # a chapter is there, and more are waited for
        process.kill()
        process.wait()

        wait_until_nobody_is_left(process)


INVENT_AND_WAIT = """
import sys, time
from pathlib import Path
from synthetic.scenario import Scenario
from synthetic.world import invent

def wait(done, total):
    print(flush=True)
    time.sleep(600)

if __name__ == "__main__":
    settings = dict(journeys=50_000, days=365, seed=1, cores=2, progress=wait)
    invent(Path(sys.argv[1]), scenario=Scenario(), **settings)
"""
