import pytest

from synthetic.honest_mistakes import RATES
from synthetic.journeys import drafted_journeys
from synthetic.plan import plan_world
from synthetic.scenario import Scenario
from synthetic.shipments import drafted_shipments


@pytest.fixture(scope="module")
def subjects():
    """A chapter's subjects by kind, of a world of a single chapter."""
    plan = plan_world(Scenario(), 20_000, 365, 7)
    journeys = drafted_journeys(plan, 0)
    return {
        "route": journeys.subjects,
        "shipment": drafted_shipments(plan, 0, journeys).subjects,
    }


KINDS_AND_SIGNS = [(kind, sign) for kind, rates in RATES.items() for sign in rates]


@pytest.mark.parametrize(("kind", "sign"), KINDS_AND_SIGNS)
def test_honest_subjects_show_a_sign_as_often_as_it_is_said(subjects, kind, sign):
    of = subjects[kind]
    honest = of.signs[sign][of.network < 0]
    error = (RATES[kind][sign] / len(honest)) ** 0.5
    assert abs(honest.mean() - RATES[kind][sign]) < 0.1 * RATES[kind][sign] + 4 * error


@pytest.mark.parametrize(("kind", "sign"), KINDS_AND_SIGNS)
def test_no_sign_is_proof(subjects, kind, sign):
    shown, truth = subjects[kind].signs[sign], subjects[kind].truth
    assert truth[shown].mean() < 0.3
    area_under_roc = 0.5 + abs(shown[truth].mean() - shown[~truth].mean()) / 2
    assert area_under_roc < 0.75


def test_careless_operators_show_more_signs_by_the_scenario():
    plan = plan_world(Scenario(honest_mistakes=2.0), 5_000, 60, 7)
    of = drafted_journeys(plan, 0).subjects
    honest = of.signs["late_manifest"][of.network < 0]
    assert honest.mean() == pytest.approx(2 * RATES["route"]["late_manifest"], rel=0.25)


@pytest.mark.parametrize(("kind", "low", "high"), [("route", 0.1, 0.3), ("shipment", 0.3, 0.6)])
def test_some_manifests_are_amended(world, kind, low, high):
    documents = world["documents"]
    manifests = documents[(documents.subject_kind == kind) & (documents.kind == "manifest")]
    amended = manifests.groupby("subject_id").version.max() > 1
    assert low < amended.mean() < high


def test_some_documents_disagree_with_the_declaration_on_mass(world):
    stated = world["documents"].dropna(subset=["gross_mass_kg"])
    declared = world["shipments"].set_index("shipment_id").gross_mass_kg.loc[stated.subject_id]
    differs = abs(stated.gross_mass_kg.to_numpy() / declared.to_numpy() - 1) > 0.1
    assert 0.02 < differs.mean() < 0.1


def test_some_conveyances_fall_silent_on_the_way(world):
    heard = world["positions"].groupby("journey_id").size()
    assert 0.02 < (heard < heard.max() / 2).mean() < 0.15


def test_some_payments_come_from_who_is_no_party(world):
    paid = world["transactions"].query("subject_kind == 'shipment'")
    consignee = world["shipments"].set_index("shipment_id").consignee_id.loc[paid.subject_id]
    assert 0.02 < (paid.payer_id.to_numpy() != consignee.to_numpy()).mean() < 0.15


def test_some_invoices_are_written_again_or_name_another_value(world):
    invoices = world["documents"][world["documents"].kind == "invoice"]
    declared = world["shipments"].set_index("shipment_id").declared_value.loc[invoices.subject_id]
    differs = abs(invoices.value.to_numpy() / declared.to_numpy() - 1) > 0.01
    assert 0.02 < (invoices.version > 1).mean() < 0.1
    assert 0.04 < differs.mean() < 0.15


def test_some_legs_go_by_another_mode_than_their_journey(world):
    legs = world["legs"]
    declared = world["journeys"].set_index("journey_id")["mode"].loc[legs.journey_id]
    is_other = legs["mode"].to_numpy() != declared.to_numpy()
    assert 0.02 < is_other.mean() < 0.1


def smugglers(world):
    oracle = world["oracle"]
    return {*oracle[oracle.typology.notna()].subject_id}


def test_a_permit_that_is_filed_again_is_no_proof(world):
    permits = world["documents"].query("kind == 'permit' and subject_kind == 'shipment'")
    by_number = permits.dropna(subset=["number"]).groupby("number").subject_id
    is_again = by_number.transform("nunique") > 1
    is_smuggled = permits.loc[is_again.index].subject_id.isin(smugglers(world))
    assert is_smuggled[is_again].mean() < 0.1
    assert 0.05 < is_again[~is_smuggled].mean() < is_again[is_smuggled].mean()


@pytest.mark.parametrize("kind", ["route", "shipment"])
def test_one_amount_of_many_payers_is_no_proof(world, kind):
    paid = world["transactions"].query("subject_kind == @kind")
    payers = paid.groupby(["payee_id", "amount", "currency"]).payer_id.transform("nunique")
    is_shared = payers.groupby(paid.subject_id).max() >= 3
    is_smuggled = is_shared.index.isin(smugglers(world))
    assert is_smuggled[is_shared].mean() < 0.1
    assert 0.005 < is_shared[~is_smuggled].mean() < is_shared[is_smuggled].mean()
