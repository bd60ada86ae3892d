"""Edits of the sources as data, and exactly the features whose computation each of them changes."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from features.catalogue import features_of
from features.digests.computations import catalogue_fingerprint, computation_digests
from features.records import SubjectKind
from tests.features.edited_package import Change

ROOT = Path(__file__).resolve().parents[2]
EDITED = ROOT / "tests" / "features" / "edited_package.py"
KINDS: tuple[SubjectKind, ...] = ("route", "shipment")
Digests = dict[str, dict[str, Any]]

OF_ITEM_OUTCOMES = {"riskiest_item_confirmed_rate", "uninspected_item_count"}
CONFIRMED_RATES = OF_ITEM_OUTCOMES | {
    f.name for kind in KINDS for f in features_of(kind) if f.name.endswith("_confirmed_rate")
}
OF_OUTCOMES = CONFIRMED_RATES | {
    f.name for kind in KINDS for f in features_of(kind) if f.family == "confirmed_links"
}
OF_PAID_OUTCOMES = {
    *("payer_confirmed_rate", "payee_confirmed_rate"),
    *("payer_confirmed_count_90d", "payee_confirmed_count_90d"),
}
OF_LEGS = {
    *("leg_count", "detour_ratio", "longest_dwell_hours", "unconnected_leg_count"),
    *("night_landing_count", "mode_switch_count", "fastest_leg_ratio"),
    *("longest_silence_hours", "hours_since_last_heard", "coastal_silence_hours"),
}
OF_LATEST_PAYMENT = OF_PAID_OUTCOMES | {
    *("payee_payers_30d", "payer_payees_30d", "payer_days_since_first", "payer_cash_ratio_90d"),
    *("payee_payers_7d", "payee_payers_180d", "payer_payees_7d", "payer_payees_180d"),
    *(
        "payee_gather_scatter_count_30d",
        "payer_gather_scatter_count_30d",
        "payer_movement_count_2d",
    ),
    *("payer_received_ratio_2d", "payee_paid_back_ratio_30d", "payer_payee_days_since_first"),
    *("payer_payments", "payee_payments", "payee_passed_on_ratio_2d"),
    *("payer_payee_movement_count_365d", "payee_equal_amount_payers_30d"),
    *("payee_payments_growth_ratio_30d", "payer_payments_growth_ratio_30d"),
}
NETWORK: dict[SubjectKind, set[str]] = {
    kind: {f.name for f in features_of(kind) if f.family == "network"} for kind in KINDS
}
OF_NETWORKS = NETWORK["route"] | NETWORK["shipment"]
OF_HOPS = {"confirmed_hop_count", "route_confirmed_hop_count"}
OF_TERMINALS = {"terminal_dwell_days", "gate_out_before_arrival_hours"}
OF_UNIT_VALUE = {
    "unit_value_eur_per_kg",
    *(f"unit_value_to_{of}_ratio_365d" for of in ("goods", "origin", "consignee")),
    *("unit_value_to_typical_ratio_365d", "unit_value_to_source_ratio_365d"),
    *("like_consignment_confirmed_rate", "goods_size_confirmed_rate"),
}
OF_MONEY = {
    *("declared_value_eur", "paid_to_declared_ratio", "paid_to_invoice_ratio"),
    *("document_value_excess_ratio", "document_value_shortfall_ratio", "largest_payment_eur"),
    *("freight_to_declared_ratio", "small_value_consignees_7d", "payee_passed_on_ratio_2d"),
    *("payer_received_ratio_2d", "payee_paid_back_ratio_30d"),
}
OF_ITEM_VALUES = {
    *("item_value_difference_ratio", "item_boat_equipment_ratio", "item_price_spread_ratio"),
}
OF_DISTANCES = {
    *("direct_distance_km", "detour_ratio", "fastest_leg_ratio", "distance_to_range_ratio_365d")
}
OF_PORTS = {"coastal_silence_hours", "slow_position_ratio", "meeting_count_30d"}
OF_PLACES = OF_DISTANCES | OF_PORTS
OF_HEADINGS = {
    *("goods_lane_shipments_90d", "consignee_goods_shipments"),
    *("goods_of_consignee_ratio", "heading_confirmed_rate", *OF_ITEM_OUTCOMES),
}
OF_ORIGIN_COUNTRIES = {
    *("is_cross_border", "is_registered_elsewhere", "off_corridor_payer_ratio"),
    *("is_hire_returned_abroad", "kind_confirmed_rate"),
}
OF_JOURNEYS = {
    *("journey_carrier_journeys_90d", "journey_carrier_days_since_first", "journey_mode"),
    *("carrier_consignee_shipments_365d", "carrier_consignee_days_since_latest"),
    *("journey_conveyance_carrier_journeys_365d", "new_link_count_365d"),
    *("conveyance_confirmed_count_90d", "journey_conveyance_confirmed_count_90d"),
    *("hours_before_due", "lane_confirmed_rate", "manifest_lead_hours", "expired_document_count"),
    *("third_party_payer_ratio", "off_corridor_payer_ratio", "held_money_count"),
}

CHANGES: dict[str, tuple[Change, set[str]]] = {
    "a sign": (
        (
            "families/declared_goods.py",
            "ratio(gross_mass_kg - net_mass_kg, gross_mass_kg)",
            "ratio(gross_mass_kg + net_mass_kg, gross_mass_kg)",
        ),
        {"tare_ratio"},
    ),
    "a constant of smoothing": (
        ("engine/expressions/arithmetic.py", "PRIOR_INSPECTIONS = 8", "PRIOR_INSPECTIONS = 9"),
        CONFIRMED_RATES,
    ),
    "the smoothing itself": (
        (
            "engine/expressions/arithmetic.py",
            "(confirmed + PRIOR_INSPECTIONS",
            "(confirmed - PRIOR_INSPECTIONS",
        ),
        CONFIRMED_RATES,
    ),
    "a limit": (
        (
            "reference/reporting_limits.csv",
            "EUR,10000,",
            "EUR,15000,",
        ),
        {"under_limit_count"},
    ),
    "a speed": (
        ("derived/drifting.py", "SLOW_KN = 2", "SLOW_KN = 3"),
        {"slow_position_ratio", "meeting_count_30d"},
    ),
    "a function of texts in a feature": (
        ("families/declared_goods.py", "for word in text.split())", "for word in text)"),
        {"description_words_count"},
    ),
    "a function of texts in a derived column": (
        ("derived/shipment.py", "return hs_code[:2]", "return hs_code[:3]"),
        {"hs_chapter"},
    ),
    "a function of texts in keys of windows": (
        ("derived/shipment.py", "return hs_code[:4]", "return hs_code[:5]"),
        OF_HEADINGS,
    ),
    "a constant that a function of texts reads": (
        ("derived/shipment.py", "[A-Z]{3}[UJZR][0-9]{7}", "[A-Z]{3}[UJZ][0-9]{7}"),
        {"is_container_number_valid"},
    ),
    "the days of a window": (
        (
            "families/carrier_history.py",
            'by="conveyance_id", days=7)',
            'by="conveyance_id", days=8)',
        ),
        {"conveyance_journeys_7d"},
    ),
    "the reducer of a window": (
        (
            "families/container_history.py",
            'distinct("shipments", "consignee_id", by="container_number", days=90)',
            'count("shipments", by="container_number", days=90)',
        ),
        {"container_consignees_90d"},
    ),
    "the condition of a window": (
        ("families/documents.py", 'where="is_manifest"', 'where="is_invoice"'),
        {"manifest_lead_hours"},
    ),
    "the key of a window": (
        (
            "families/party_history.py",
            'count("shipments", by="forwarder_id", days=90)',
            'count("shipments", by="declarant_id", days=90)',
        ),
        {"forwarder_shipments_90d"},
    ),
    "a column of payments": (
        (
            "derived/transaction.py",
            'payer": is_none_of(transaction["payer_id"]',
            'payer": is_none_of(transaction["payee_id"]',
        ),
        {"third_party_payer_ratio"},
    ),
    "a column of shipments": (
        (
            "derived/shipment.py",
            "mass_kg = np.where(net > 0, net, gross)",
            "mass_kg = np.where(gross > 0, gross, net)",
        ),
        {
            *OF_UNIT_VALUE,
            *("mass_kg", "mass_to_goods_ratio_365d", "mass_to_consignee_ratio_365d"),
            *("same_price_shipments_365d", "same_price_confirmed_rate"),
        },
    ),
    "how far a coast reaches": (
        ("derived/position.py", "OFF_COAST_KM = 55.56", "OFF_COAST_KM = 40"),
        {"coastal_silence_hours"},
    ),
    "how far from a port is measured": (
        ("reference/geography/ports.py", "MAX_KM = 60.0", "MAX_KM = 90.0"),
        OF_PORTS,
    ),
    "a column of legs": (
        ("derived/leg.py", "(hour >= 22)", "(hour >= 23)"),
        {"night_landing_count"},
    ),
    "a column of goods items": (
        ("derived/goods_item.py", "np.rint(gross * 1000)", "np.rint(gross * 100)"),
        {"item_mass_difference_ratio"},
    ),
    "the key by which goods items have a history": (
        ("derived/goods_item.py", "commodity_code[:HEADING_DIGITS]", "commodity_code[:6]"),
        OF_ITEM_OUTCOMES,
    ),
    "what is made of the history of goods items": (
        ("derived/goods_item.py", "all_inspected) * 1e6)", "all_inspected) * 1e5)"),
        OF_ITEM_OUTCOMES,
    ),
    "a window of the history of goods items": (
        (
            "derived/goods_item.py",
            'count("shipment_outcomes", by="hs_heading")',
            'count("shipment_outcomes", by="hs_heading", days=90)',
        ),
        OF_ITEM_OUTCOMES,
    ),
    "how clear a description must be": (
        ("reference/goods_names.py", "CLEAR_SHARE = 0.6", "CLEAR_SHARE = 0.7"),
        {"misdescribed_item_count"},
    ),
    "an exchange rate": (
        ("reference/exchange_rates.csv", ",1.15162,", ",1.16,"),
        OF_MONEY | OF_UNIT_VALUE | OF_ITEM_VALUES,
    ),
    "the latitude of a place": (
        ("reference/geography/places.parquet", "NLRTM", "latitude"),
        OF_PLACES,
    ),
    "the country of a place": (
        ("reference/geography/places.parquet", "NLRTM", "country"),
        OF_ORIGIN_COUNTRIES | OF_TERMINALS,
    ),
    "the radius of the globe": (
        (
            "reference/geography/distances.py",
            "EARTH_RADIUS_KM = 6371.0088",
            "EARTH_RADIUS_KM = 6378.137",
        ),
        OF_DISTANCES | {"implied_speed_kn", "meeting_count_30d"},
    ),
    "which results count": (
        (
            "derived/outcome.py",
            "for result in CONCLUSIVE]",
            "for result in CONCLUSIVE[:1]]",
        ),
        OF_OUTCOMES | OF_HOPS,
    ),
    "which parties are linked": (
        ("networks/links.py", '"declarant_id",\n        "container_number"', '"container_number"'),
        OF_NETWORKS,
    ),
    "which node is a hub": (
        (
            "networks/links.py",
            "MAX_LINKS, MAX_PARTNERS = 32, 24",
            "MAX_LINKS, MAX_PARTNERS = 32, 16",
        ),
        OF_NETWORKS,
    ),
    "which permits count": (
        ("derived/document.py", 'STRING_TABLE.code("permit")', 'STRING_TABLE.code("transit")'),
        {"permit_other_shipments_365d"},
    ),
    "when what was paid for counts": (
        (
            "derived/outcome.py",
            'np.maximum(found["known_at"], paid["known_at"])',
            'found["known_at"]',
        ),
        OF_PAID_OUTCOMES,
    ),
    "the order of legs": (
        ("linked_records.py", 'order_field="sequence"', 'order_field="departed_at"'),
        OF_LEGS,
    ),
    "which payment is the latest": (
        ("linked_records.py", "(subject >= 0) & ~is_missing(events[name])", "subject >= 0"),
        {*OF_LATEST_PAYMENT, *OF_NETWORKS, "permit_other_shipments_365d", "meeting_count_30d"},
    ),
    "when a journey is known": (
        (
            "derived/shipment.py",
            'is_before(joined["journey_declared_at"]',
            'is_before(joined["journey_due_at"]',
        ),
        OF_JOURNEYS | NETWORK["shipment"],
    ),
    "the end of every window": (
        (
            "engine/batch/reduce_windows.py",
            "known_at[newest] < instant:",
            "known_at[newest] <= instant:",
        ),
        {f.name for kind in KINDS for f in features_of(kind) if f.windows},
    ),
}

WORDS: list[Change] = [
    ("families/declared_goods.py", "Share of the gross mass that is packing.", "Packing's share."),
    ("families/declared_goods.py", "packing makes up {value} of its", "{value} is packing of its"),
    (
        "families/declared_goods.py",
        "def _words(text: str) -> float:",
        "def _words(said: str) -> int:",
    ),
    ("families/declared_goods.py", "for letter in text):", "for letter in said):"),
    ("families/declared_goods.py", "for word in text.split())", "for word in said.split())"),
    (
        "derived/shipment.py",
        "Return whether the check digit of ISO 6346 is valid",
        "Check the digit",
    ),
    ("derived/shipment.py", "weighed = sum(", "total = sum("),
    ("derived/shipment.py", "return weighed % 11", "return total % 11"),
    ("derived/shipment.py", "    return hs_code[:2]", "    return (\n        hs_code[ : 2]\n    )"),
    (
        "engine/expressions/arithmetic.py",
        "# Weight of the overall rate",
        "# The weight of the rate of all",
    ),
    ("engine/expressions/arithmetic.py", "base = ratio(", "share = ratio("),
    ("engine/expressions/arithmetic.py", "PRIOR_INSPECTIONS * base)", "PRIOR_INSPECTIONS * share)"),
    (
        "engine/batch/reduce_windows.py",
        "Return the first event of each subject's window and the one",
        "Find the first and the one",
    ),
]
NEIGHBOURS: list[Change] = [
    (
        "catalogue.py",
        "    itinerary.direct_distance_km,\n    itinerary.leg_count,\n",
        "    itinerary.leg_count,\n    itinerary.direct_distance_km,\n",
    ),
    ("catalogue.py", "    itinerary.night_landing_count,\n", ""),
    (
        "catalogue.py",
        "    declared_goods.tare_ratio,\n",
        "    declared_goods.doubled_kg,\n    declared_goods.tare_ratio,\n",
    ),
    (
        "families/declared_goods.py",
        "def _words(",
        "@shipment_feature(\n"
        "    unit=Unit.KILOGRAMS, when_missing='never', indicator='D09',\n"
        "    source=ICS2, sentence='{value}',\n"
        ")\n"
        "def doubled_kg(gross_mass_kg: Column) -> Column:\n"
        "    'Twice the gross mass.'\n"
        "    return gross_mass_kg * 2\n\n\n"
        "def _words(",
    ),
    (
        "derived/shipment.py",
        '  "mass_kg": mass_kg,',
        '  "half_kg": mass_kg / 2, "mass_kg": mass_kg,',
    ),
]


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Digests]:
    """The digests of the package as it is, and with every edit."""
    folder = tmp_path_factory.mktemp("package")
    shutil.copytree(
        ROOT / "features", folder / "features", ignore=shutil.ignore_patterns("*.nbi", "*.nbc")
    )
    edits = {"": [], "words": WORDS, "neighbours": NEIGHBOURS}
    edits |= {name: [change] for name, (change, _) in CHANGES.items()}
    done = subprocess.run(
        [sys.executable, "-I", EDITED, folder],
        input=json.dumps([*edits.values()]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(edits, json.loads(done.stdout), strict=True))


def changed(before: Digests, after: Digests) -> set[tuple[str, str]]:
    return {
        (kind, name)
        for kind in KINDS
        for name, digest in before[kind]["digests"].items()
        if after[kind]["digests"].get(name, digest) != digest
    }


@pytest.mark.parametrize("edit", CHANGES)
def test_an_edit_changes_the_digests_of_the_features_that_compute_with_it_and_of_no_other(
    edited: dict[str, Digests], edit: str
) -> None:
    _, expected = CHANGES[edit]

    found = changed(edited[""], edited[edit])

    assert {name for _, name in found} == expected
    assert {kind for kind, _ in found} == {
        kind
        for kind in KINDS
        if edited[""][kind]["fingerprint"] != edited[edit][kind]["fingerprint"]
    }


def test_words_comments_formatting_and_local_names_change_no_digest_and_no_fingerprint(
    edited: dict[str, Digests],
) -> None:
    assert edited["words"] == edited[""]


def test_other_features_columns_and_places_in_the_catalogue_change_no_digest(
    edited: dict[str, Digests],
) -> None:
    assert changed(edited[""], edited["neighbours"]) == set()
    assert "doubled_kg" in edited["neighbours"]["shipment"]["digests"]


def test_the_order_and_the_names_of_features_are_part_of_the_fingerprint(
    edited: dict[str, Digests],
) -> None:
    for kind in KINDS:
        assert edited["neighbours"][kind]["fingerprint"] != edited[""][kind]["fingerprint"]


def test_digests_are_the_same_in_every_process_and_stand_in_the_order_of_the_catalogue(
    edited: dict[str, Digests],
) -> None:
    for kind in KINDS:
        assert edited[""][kind]["digests"] == computation_digests(kind)
        assert edited[""][kind]["fingerprint"] == catalogue_fingerprint(kind)
        assert [*computation_digests(kind)] == [feature.name for feature in features_of(kind)]


def test_features_of_one_kind_that_compute_alike_are_told_apart_by_what_they_read() -> None:
    digests = computation_digests("shipment")

    assert len(set(digests.values())) == len(digests)


@pytest.mark.parametrize("kind", ["route", "shipment"])
def test_whatever_compiles_the_machine_every_feature_has_a_digest(kind: SubjectKind) -> None:
    assert {len(digest) for digest in computation_digests(kind).values()} == {len("sha256:") + 64}
