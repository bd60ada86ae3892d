"""Signs of a movement, and how often honest movements show them by mistake.

A sign is an oddity that an inspector could notice. Each is frequent enough among honest subjects to
prove nothing; careless operators show all of them more often. The rates are our own.
"""

from features.records import SubjectKind

SHIPMENT: dict[str, float] = {
    "late_manifest": 0.045,
    "amended_manifest": 0.075,
    "critical_amendment": 0.022,
    "vague_description": 0.06,
    "odd_tare": 0.038,
    "odd_density": 0.03,
    "mass_mismatch": 0.045,
    "undervalued": 0.03,
    "overvalued": 0.022,
    "party_mismatch": 0.03,
    "container_mismatch": 0.022,
    "container_check_failed": 0.009,
    "seal_mismatch": 0.022,
    "missing_packing_list": 0.06,
    "missing_invoice": 0.03,
    "missing_permit": 0.038,
    "expired_permit": 0.022,
    "reused_permit": 0.011,
    "third_party_payer": 0.053,
    "cash": 0.038,
    "money_service": 0.019,
    "virtual_asset": 0.006,
    "netting": 0.015,
    "advance_burst": 0.045,
    "release_payment": 0.022,
    "fan_in": 0.022,
    "structuring": 0.015,
    "round_amounts": 0.075,
    "foreign_payer": 0.038,
    "invalid_iban": 0.015,
    "overpaid": 0.03,
    "unpaid": 0.038,
    "broker_switch": 0.045,
    "round_mass": 0.075,
    "misclassified": 0.022,
    "origin_mismatch": 0.045,
    "off_hours": 0.053,
    "split": 0.015,
    "shared_container": 0.015,
}

ROUTE: dict[str, float] = {
    "late_manifest": 0.045,
    "amended_manifest": 0.06,
    "missing_checklist": 0.075,
    "expired_permit": 0.022,
    "expired_transit": 0.015,
    "mass_mismatch": 0.038,
    "detour": 0.022,
    "extra_stop": 0.045,
    "long_dwell": 0.038,
    "off_hours": 0.06,
    "one_way_hire": 0.022,
    "short_hire_notice": 0.038,
    "short_booking": 0.06,
    "overcapacity": 0.009,
    "empty_run": 0.06,
    "position_gap": 0.045,
    "slow_passage": 0.045,
    "foreign_flag": 0.06,
    "third_party_payer": 0.06,
    "cash": 0.06,
    "money_service": 0.019,
    "virtual_asset": 0.006,
    "netting": 0.015,
    "advance_burst": 0.038,
    "release_payment": 0.03,
    "fan_in": 0.03,
    "structuring": 0.015,
    "round_amounts": 0.075,
    "foreign_payer": 0.038,
    "invalid_iban": 0.015,
}

RATES: dict[SubjectKind, dict[str, float]] = {"route": ROUTE, "shipment": SHIPMENT}

# Oddities in reports of terminals, carriers and offices, with the same meaning of the rates.
ODD_EVENTS: dict[SubjectKind, dict[str, float]] = {
    "route": {"late_discharge": 0.04},
    "shipment": {
        "late_discharge": 0.04,
        "long_terminal_stay": 0.06,
        "out_before_arrival": 0.006,
    },
}

# Oddities of goods items: a code of other goods, or masses that do not add up.
ODD_ITEMS: dict[str, float] = {"hidden_item": 0.012, "items_off_whole": 0.04}
