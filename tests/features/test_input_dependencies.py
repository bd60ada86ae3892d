"""What an input feeds follows from what columns, keys and conditions of windows read."""

import pytest

from features.catalogue import features_of
from features.input_dependencies import INPUTS, features_fed, shows_input
from features.records import SubjectKind

FED: dict[str, tuple[SubjectKind, str, str]] = {
    "a field that a feature reads": ("route", "journey.booked_at", "booked_before_hours"),
    "a field behind a derived column": ("shipment", "shipment.net_mass_kg", "mass_kg"),
    "a field in a band that keys a window": (
        "shipment",
        "shipment.net_mass_kg",
        "like_consignment_confirmed_rate",
    ),
    "a field that linked records are compared with": (
        "shipment",
        "shipment.forwarder_id",
        "third_party_payer_ratio",
    ),
    "a journey whose ends payers are compared with": (
        "shipment",
        "journey",
        "off_corridor_payer_ratio",
    ),
    "a journey until whose end papers must hold": ("shipment", "journey", "expired_document_count"),
    "documents of every kind": ("shipment", "documents.invoice", "seal_conflict_count"),
    "documents of the kind that a window asks for": (
        "shipment",
        "documents.invoice",
        "paid_to_invoice_ratio",
    ),
    "the payer that a window is keyed by": ("route", "transactions", "payer_payments"),
    "the journey of a shipment": ("shipment", "journey", "journey_mode"),
}

NOT_FED: dict[str, tuple[SubjectKind, str, str]] = {
    "a document of another kind": ("shipment", "documents.manifest", "paid_to_invoice_ratio"),
    "another field of the record": ("shipment", "shipment.volume_m3", "tare_ratio"),
    "what others did": ("shipment", "shipment.net_mass_kg", "consignee_shipments_365d"),
}


@pytest.mark.parametrize("case", FED)
def test_an_input_feeds_all_that_is_computed_from_it(case: str) -> None:
    kind, path, name = FED[case]
    assert name in features_fed(kind)[path]


@pytest.mark.parametrize("case", NOT_FED)
def test_an_input_feeds_nothing_else(case: str) -> None:
    kind, path, name = NOT_FED[case]
    assert name not in features_fed(kind)[path]


@pytest.mark.parametrize("kind", ["route", "shipment"])
def test_every_input_feeds_features_of_its_subject(kind: SubjectKind) -> None:
    names = {feature.name for feature in features_of(kind)}

    assert all(fed and set(fed) <= names for fed in features_fed(kind).values())
    assert [*features_fed(kind)] == [*INPUTS[kind]]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("documents.invoice", "has_invoice"),
        ("documents.manifest", "manifest_lead_hours"),
        ("shipment.declared_value", "declared_value_eur"),
        ("shipment.declarant_id", "declarant_consignee_shipments"),
        ("journey", "journey_mode"),
        ("transactions", "payment_count"),
    ],
)
def test_the_feature_that_reads_least_else_shows_whether_an_input_was_there(
    path: str, name: str
) -> None:
    assert features_fed("shipment")[path][0] == name


def test_an_input_is_shown_by_a_value_or_by_a_count_above_zero() -> None:
    assert shows_input("declared_value_eur", 0.0)
    assert not shows_input("declared_value_eur", None)
    assert shows_input("payment_count", 1.0)
    assert not shows_input("payment_count", 0.0)
