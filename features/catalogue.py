"""The features of a route and of a shipment, in order.

This is the order of the matrix and of the model's inputs. A new feature is added to its family and
then listed here by hand, so that no import decides the inputs of a model. Features of other
packages and of files that a command names come last (`features.plugins`).
"""

import difflib
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from features.definition import Feature
from features.engine.windows.window_declaration import Window
from features.errors import UnknownFeature
from features.families import (
    carrier_history,
    confirmed_links,
    consignee_habits,
    container_history,
    conveyance,
    corridor,
    crossing_equipment,
    declaration,
    declared_goods,
    document_conflicts,
    documents,
    goods_items,
    goods_norms,
    intermediaries,
    item_outcomes,
    itinerary,
    like_consignments,
    money_flows,
    network,
    pair_history,
    partners,
    party_history,
    payer_history,
    payments,
    prior_outcomes,
    terminal_and_transit,
    tracking,
    valuation,
)
from features.plugins import plugged_features
from features.records import SUBJECT_KINDS, SubjectKind

ROUTE: tuple[Feature, ...] = (
    itinerary.direct_distance_km,
    itinerary.leg_count,
    itinerary.detour_ratio,
    itinerary.longest_dwell_hours,
    itinerary.unconnected_leg_count,
    itinerary.night_landing_count,
    itinerary.mode_switch_count,
    itinerary.fastest_leg_ratio,
    tracking.longest_silence_hours,
    tracking.hours_since_last_heard,
    tracking.coastal_silence_hours,
    tracking.implied_speed_kn,
    tracking.slow_position_ratio,
    tracking.meeting_count_30d,
    itinerary.declared_before_due_hours,
    itinerary.booked_before_hours,
    itinerary.is_cross_border,
    conveyance.conveyance_kind,
    conveyance.mode,
    conveyance.certified_capacity_count,
    conveyance.distance_to_range_ratio_365d,
    conveyance.declared_cargo_mass_kg,
    conveyance.cargo_mass_to_usual_ratio_365d,
    conveyance.is_registered_elsewhere,
    conveyance.is_hire_returned_abroad,
    conveyance.hired_before_hours,
    carrier_history.conveyance_journeys_7d,
    carrier_history.conveyance_journeys_365d,
    carrier_history.conveyance_days_since_latest,
    carrier_history.conveyance_carriers_90d,
    carrier_history.carrier_journeys_30d,
    carrier_history.carrier_days_since_first,
    carrier_history.carrier_journeys,
    pair_history.conveyance_carrier_journeys_365d,
    conveyance.cargo_mass_to_kind_ratio_365d,
    corridor.corridor_journeys_90d,
    corridor.carrier_corridor_journeys,
    corridor.corridor_of_carrier_ratio,
    corridor.corridor_carriers_365d,
    corridor.destination_surge_ratio_7d,
    corridor.cargo_mass_to_corridor_ratio_365d,
    declaration.declared_hour,
    documents.document_count,
    documents.amendment_count,
    documents.manifest_lead_hours,
    documents.expired_document_count,
    documents.has_security_checklist,
    documents.has_permit,
    documents.has_transit,
    terminal_and_transit.transit_overdue_days,
    payments.payment_count,
    payments.off_corridor_payer_ratio,
    payments.cash_payment_ratio,
    intermediaries.money_service_ratio,
    payments.virtual_asset_ratio,
    payments.netting_ratio,
    payments.round_payment_ratio,
    payments.payer_count,
    payments.held_money_count,
    payments.invalid_iban_count,
    payments.under_limit_count,
    intermediaries.third_party_payee_count,
    payments.late_payment_count,
    payments.largest_payment_eur,
    payer_history.payee_payers_7d,
    payer_history.payee_payers_30d,
    payer_history.payee_payers_180d,
    payer_history.payer_payees_7d,
    payer_history.payer_payees_30d,
    payer_history.payer_payees_180d,
    payer_history.payer_days_since_first,
    payer_history.payer_cash_ratio_90d,
    pair_history.payer_payee_movement_count_365d,
    pair_history.payer_payee_days_since_first,
    payer_history.payer_payments,
    payer_history.payee_payments,
    payer_history.payee_passed_on_ratio_2d,
    payer_history.payee_equal_amount_payers_30d,
    money_flows.payee_gather_scatter_count_30d,
    money_flows.payer_gather_scatter_count_30d,
    money_flows.payer_received_ratio_2d,
    money_flows.payee_paid_back_ratio_30d,
    money_flows.payer_movement_count_2d,
    prior_outcomes.carrier_confirmed_rate,
    prior_outcomes.conveyance_confirmed_rate,
    prior_outcomes.corridor_confirmed_rate,
    prior_outcomes.destination_confirmed_rate,
    prior_outcomes.kind_confirmed_rate,
    prior_outcomes.payer_confirmed_rate,
    prior_outcomes.payee_confirmed_rate,
    network.route_confirmed_hop_count,
    network.route_partner_confirmed_rate,
    network.route_second_partner_confirmed_rate,
    network.route_network_member_count,
    network.route_network_new_member_ratio,
    network.route_network_age_days,
    network.route_unlinked_pair_count,
    confirmed_links.payer_confirmed_count_90d,
    confirmed_links.payee_confirmed_count_90d,
    confirmed_links.conveyance_confirmed_count_90d,
    confirmed_links.carrier_confirmed_count_90d,
    partners.payee_payments_growth_ratio_30d,
    partners.payer_payments_growth_ratio_30d,
    partners.carrier_journeys_growth_ratio_30d,
)

SHIPMENT: tuple[Feature, ...] = (
    carrier_history.journey_carrier_journeys_90d,
    carrier_history.journey_carrier_days_since_first,
    corridor.goods_lane_shipments_90d,
    corridor.goods_origin_shipments_365d,
    corridor.consignee_dispatch_shipments,
    corridor.origin_of_dispatch_ratio,
    declaration.declared_hour,
    declaration.tax_rate_percent,
    declaration.tax_type,
    declaration.payment_type,
    declaration.import_type,
    declaration.office_id,
    declaration.hs_chapter,
    declaration.journey_mode,
    declaration.hours_before_due,
    declaration.is_sent_from_origin,
    declared_goods.tare_ratio,
    declared_goods.density_kg_per_m3,
    declared_goods.mass_per_package_kg,
    declared_goods.mass_kg,
    declared_goods.is_round_mass,
    declared_goods.is_container_number_valid,
    declared_goods.description_words_count,
    goods_norms.description_of_code_ratio,
    goods_norms.density_to_goods_ratio_365d,
    goods_norms.net_share_to_goods_ratio_365d,
    goods_norms.package_mass_to_goods_ratio_365d,
    goods_norms.mass_to_goods_ratio_365d,
    goods_items.item_chapter_count,
    goods_items.item_origin_count,
    goods_items.item_mass_difference_ratio,
    goods_items.item_value_difference_ratio,
    goods_items.item_packages_difference_ratio,
    goods_items.misdescribed_item_count,
    goods_items.item_boat_equipment_ratio,
    goods_items.item_price_spread_ratio,
    item_outcomes.riskiest_item_confirmed_rate,
    item_outcomes.uninspected_item_count,
    valuation.declared_value_eur,
    valuation.unit_value_eur_per_kg,
    valuation.unit_value_to_goods_ratio_365d,
    valuation.unit_value_to_origin_ratio_365d,
    valuation.unit_value_to_consignee_ratio_365d,
    valuation.unit_value_to_typical_ratio_365d,
    valuation.unit_value_to_source_ratio_365d,
    valuation.paid_to_declared_ratio,
    valuation.freight_to_declared_ratio,
    valuation.same_price_shipments_365d,
    valuation.same_price_confirmed_rate,
    documents.document_count,
    documents.amendment_count,
    documents.manifest_lead_hours,
    documents.hours_since_critical_change,
    documents.expired_document_count,
    documents.has_permit,
    documents.has_transit,
    documents.has_packing_list,
    documents.permit_other_shipments_365d,
    documents.has_invoice,
    document_conflicts.document_mass_excess_ratio,
    document_conflicts.document_mass_shortfall_ratio,
    document_conflicts.document_packages_excess_ratio,
    document_conflicts.document_packages_shortfall_ratio,
    document_conflicts.document_value_excess_ratio,
    document_conflicts.document_value_shortfall_ratio,
    document_conflicts.party_conflict_count,
    document_conflicts.container_conflict_count,
    document_conflicts.seal_conflict_count,
    document_conflicts.seal_change_count,
    document_conflicts.paid_to_invoice_ratio,
    terminal_and_transit.terminal_dwell_days,
    terminal_and_transit.gate_out_before_arrival_hours,
    terminal_and_transit.transit_overdue_days,
    payments.payment_count,
    payments.third_party_payer_ratio,
    payments.off_corridor_payer_ratio,
    payments.cash_payment_ratio,
    intermediaries.money_service_ratio,
    payments.virtual_asset_ratio,
    payments.netting_ratio,
    payments.round_payment_ratio,
    payments.payer_count,
    payments.held_money_count,
    payments.invalid_iban_count,
    payments.under_limit_count,
    payments.late_payment_count,
    payments.largest_payment_eur,
    payments.freight_only_payer_count,
    payer_history.payee_payers_7d,
    payer_history.payee_payers_30d,
    payer_history.payee_payers_180d,
    payer_history.payer_payees_7d,
    payer_history.payer_payees_30d,
    payer_history.payer_payees_180d,
    payer_history.payer_days_since_first,
    payer_history.payer_cash_ratio_90d,
    pair_history.payer_payee_movement_count_365d,
    pair_history.payer_payee_days_since_first,
    payer_history.payer_payments,
    payer_history.payee_payments,
    payer_history.payee_passed_on_ratio_2d,
    payer_history.payee_equal_amount_payers_30d,
    money_flows.payee_gather_scatter_count_30d,
    money_flows.payer_gather_scatter_count_30d,
    money_flows.payer_received_ratio_2d,
    money_flows.payee_paid_back_ratio_30d,
    money_flows.payer_movement_count_2d,
    party_history.consignee_shipments_30d,
    party_history.consignee_shipments_365d,
    party_history.consignee_days_since_latest,
    party_history.consignee_days_since_first,
    party_history.consignor_days_since_first,
    party_history.consignor_shipments_365d,
    party_history.party_pair_shipments,
    party_history.consignee_goods_shipments,
    party_history.forwarder_shipments_90d,
    party_history.declarant_consignee_shipments,
    pair_history.party_pair_days_since_latest,
    pair_history.carrier_consignee_shipments_365d,
    pair_history.carrier_consignee_days_since_latest,
    pair_history.container_consignee_shipments_365d,
    pair_history.journey_conveyance_carrier_journeys_365d,
    pair_history.new_link_count_365d,
    consignee_habits.declarant_of_consignee_ratio,
    consignee_habits.forwarder_of_consignee_ratio,
    consignee_habits.office_of_consignee_ratio,
    consignee_habits.goods_of_consignee_ratio,
    container_history.container_journeys_30d,
    container_history.container_consignees_90d,
    party_history.mass_to_consignee_ratio_365d,
    party_history.party_pair_shipments_7d,
    party_history.seal_reuse_count_90d,
    party_history.small_value_consignees_7d,
    crossing_equipment.is_first_boat_equipment,
    crossing_equipment.boat_equipment_kind_count_30d,
    prior_outcomes.goods_confirmed_rate,
    prior_outcomes.goods_way_confirmed_rate,
    prior_outcomes.goods_duty_confirmed_rate,
    prior_outcomes.goods_claim_confirmed_rate,
    prior_outcomes.heading_confirmed_rate,
    prior_outcomes.consignee_confirmed_rate,
    prior_outcomes.consignor_confirmed_rate,
    prior_outcomes.declarant_confirmed_rate,
    prior_outcomes.forwarder_confirmed_rate,
    prior_outcomes.container_confirmed_rate,
    prior_outcomes.lane_confirmed_rate,
    prior_outcomes.procedure_confirmed_rate,
    prior_outcomes.payer_confirmed_rate,
    prior_outcomes.payee_confirmed_rate,
    like_consignments.like_consignment_confirmed_rate,
    like_consignments.goods_size_confirmed_rate,
    network.confirmed_hop_count,
    network.partner_confirmed_rate,
    network.second_partner_confirmed_rate,
    network.network_member_count,
    network.network_new_member_ratio,
    network.network_age_days,
    network.unlinked_pair_count,
    confirmed_links.payer_confirmed_count_90d,
    confirmed_links.payee_confirmed_count_90d,
    confirmed_links.journey_conveyance_confirmed_count_90d,
    confirmed_links.container_confirmed_count_90d,
    confirmed_links.consignor_confirmed_count_90d,
    confirmed_links.consignee_confirmed_count_90d,
    confirmed_links.forwarder_confirmed_consignees_180d,
    partners.consignee_consignors_180d,
    partners.consignor_consignees_180d,
    partners.payee_payments_growth_ratio_30d,
    partners.payer_payments_growth_ratio_30d,
    partners.consignee_shipments_growth_ratio_30d,
    partners.consignor_shipments_growth_ratio_30d,
)


@cache
def features_of(kind: SubjectKind) -> tuple[Feature, ...]:
    """Return the features of one kind of subject, in order.

    Raises TidegateError for features outside the tree that cannot be loaded or break a rule.
    """
    own = ROUTE if kind == "route" else SHIPMENT
    return own + tuple(each for each in _plugged() if kind in each.subjects)


@cache
def features_by_name() -> Mapping[str, Feature]:
    """Return every feature of either kind, by name."""
    every = (*features_of("route"), *features_of("shipment"))
    return MappingProxyType({feature.name: feature for feature in every})


@cache
def _plugged() -> tuple[Feature, ...]:
    return plugged_features((*ROUTE, *SHIPMENT))


def windows_of(kind: SubjectKind) -> tuple[Window, ...]:
    """Return the distinct windows that the features of one kind read."""
    read = (window for feature in features_of(kind) for window in feature.windows.values())
    return tuple(dict.fromkeys(read))


def windows() -> set[Window]:
    """Return every window that a feature reads."""
    return {window for kind in SUBJECT_KINDS for window in windows_of(kind)}


@cache
def columns_of_source(source: str) -> tuple[str, ...]:
    """Return the columns of a source that windows read, and those that order its events."""
    # These order the events of every source.
    read = {"known_at", "record_id"}
    for window in windows():
        if window.source == source:
            read.update(window.matching, filter(None, (window.value, window.where)))
    return tuple(sorted(read))


def feature_named(name: str) -> Feature:
    """Return the feature of a name; raises UnknownFeature with the nearest names."""
    known = features_by_name()
    if name in known:
        return known[name]
    nearest = difflib.get_close_matches(name, known, n=3)
    hint = f"; the nearest are {', '.join(nearest)}" if nearest else ""
    raise UnknownFeature(f"no feature is called {name!r}{hint}")
