"""What a submission may leave out though features read it, and which features it feeds.

The first feature that an input feeds tells whether a row had it: that one is then known, or above 0
where it is never missing.
"""

from collections.abc import Collection

from features.catalogue import feature_named
from features.definition import Feature
from features.records import SubjectKind
from features.submission import Submission

_PAYMENTS = (
    "payment_count",
    "payer_count",
    "payments_10d",
    "largest_payment_eur",
    "off_corridor_payer_ratio",
    "cash_payment_ratio",
    "virtual_asset_ratio",
    "netting_ratio",
    "round_payment_ratio",
    "held_money_count",
    "invalid_iban_count",
    "payee_payers_30d",
    "payer_payees_30d",
    "payer_days_since_first",
    "payer_cash_ratio_90d",
    "money_service_ratio",
    "under_limit_count",
    "payer_payments",
    "payee_payments",
    "payer_payee_payments",
)
_MANIFEST = (
    "manifest_lead_hours",
    "document_count",
    "amendment_count",
    "hours_since_last_document",
    "expired_document_count",
)
_UNIT_VALUES = (
    "unit_value_eur_per_kg",
    "unit_value_to_goods_ratio_365d",
    "unit_value_to_origin_ratio_365d",
    "unit_value_to_consignee_ratio_365d",
    "same_price_shipments_365d",
    "same_price_confirmed_rate",
    "unit_value_to_source_ratio_365d",
    "unit_value_to_typical_ratio_365d",
)
_LIKE_CONSIGNMENTS = ("like_consignment_confirmed_rate", "goods_size_confirmed_rate")
_CONFLICTS = ("party_conflict_count", "container_conflict_count")

WANTED: dict[SubjectKind, dict[str, tuple[str, ...]]] = {
    "route": {
        "legs": (
            "leg_count",
            "detour_ratio",
            "longest_dwell_hours",
            "fastest_leg_ratio",
            "unconnected_leg_count",
            "night_arrival_count",
            "mode_switch_count",
        ),
        "transactions": (*_PAYMENTS, "third_party_payee_count"),
        "documents.manifest": _MANIFEST,
        "journey.booked_at": ("booked_before_hours",),
        "journey.registration_country": ("is_registered_elsewhere",),
        "journey.declared_cargo_mass_kg": (
            "declared_cargo_mass_kg",
            "cargo_mass_to_usual_ratio_365d",
            "cargo_mass_to_corridor_ratio_365d",
            "cargo_mass_to_kind_ratio_365d",
        ),
        "journey.certified_capacity": ("certified_capacity_count",),
    },
    "shipment": {
        "journey": (
            "journey_mode",
            "hours_before_due",
            "journey_carrier_journeys_90d",
            "journey_carrier_days_since_first",
            "lane_confirmed_rate",
        ),
        "transactions": (
            *_PAYMENTS,
            "third_party_payer_ratio",
            "paid_to_declared_ratio",
            "paid_to_invoice_ratio",
        ),
        "documents.manifest": (
            *_MANIFEST,
            *_CONFLICTS,
            "document_mass_difference_ratio",
            "document_packages_difference_ratio",
        ),
        "documents.invoice": (
            "has_invoice",
            "document_value_difference_ratio",
            "paid_to_invoice_ratio",
            "document_count",
            "amendment_count",
            "hours_since_last_document",
            "expired_document_count",
            *_CONFLICTS,
        ),
        "documents.packing_list": (
            "has_packing_list",
            "document_mass_difference_ratio",
            "document_packages_difference_ratio",
            "document_count",
            "amendment_count",
            "hours_since_last_document",
            "expired_document_count",
            *_CONFLICTS,
        ),
        "shipment.declared_value": (
            "declared_value_eur",
            *_UNIT_VALUES,
            *_LIKE_CONSIGNMENTS,
            "paid_to_declared_ratio",
            "document_value_difference_ratio",
        ),
        "shipment.gross_mass_kg": (
            "is_round_mass",
            "mass_kg",
            "mass_per_package_kg",
            "density_kg_per_m3",
            "tare_ratio",
            *_UNIT_VALUES,
            *_LIKE_CONSIGNMENTS,
            "mass_to_consignee_ratio_365d",
            "mass_to_goods_ratio_365d",
            "package_mass_to_goods_ratio_365d",
            "density_to_goods_ratio_365d",
            "net_share_to_goods_ratio_365d",
            "document_mass_difference_ratio",
        ),
        "shipment.net_mass_kg": (
            "tare_ratio",
            "mass_kg",
            *_UNIT_VALUES,
            "mass_to_consignee_ratio_365d",
            "mass_to_goods_ratio_365d",
            "net_share_to_goods_ratio_365d",
        ),
        "shipment.volume_m3": ("density_kg_per_m3", "density_to_goods_ratio_365d"),
        "shipment.packages": (
            "mass_per_package_kg",
            "package_mass_to_goods_ratio_365d",
            "document_packages_difference_ratio",
        ),
        "shipment.goods_description": ("description_words_count", "description_of_code_ratio"),
        "shipment.declarant_id": (
            "declarant_consignee_shipments",
            "declarant_confirmed_rate",
            "declarant_of_consignee_ratio",
        ),
        "shipment.forwarder_id": (
            "forwarder_shipments_90d",
            "forwarder_confirmed_rate",
            "forwarder_of_consignee_ratio",
        ),
    },
}


# Any one of these is enough for a feature that several of them feed.
_MASSES = frozenset({"shipment.gross_mass_kg", "shipment.net_mass_kg"})
_NEED_BOTH_MASSES = ("tare_ratio", "net_share_to_goods_ratio_365d")


def filled_by(kind: SubjectKind, path: str, missing: Collection[str]) -> tuple[str, ...]:
    """The features that one input would fill alone, where all of `missing` are not there.

    One that also needs another missing input stays as it is.
    """
    return tuple(
        name
        for name in WANTED[kind].get(path, ())
        if all(
            _is_enough_without(path, other, name)
            for other in missing
            if other != path and name in WANTED[kind].get(other, ())
        )
    )


def missing_inputs(submission: Submission) -> list[str]:
    """What the features would read and the submission does not bring, e.g. `documents.invoice`."""
    return [path for path in WANTED[submission.subject_kind] if _lacks(submission, path)]


def tells_of(feature_name: str, value: float | str | None) -> bool:
    """Whether a value of the first feature that an input feeds says that the input was there."""
    feature = feature_named(feature_name)
    return value is not None and (_may_be_missing(feature) or value != 0)


def _may_be_missing(feature: Feature) -> bool:
    return not feature.when_missing.startswith("never")


def _is_enough_without(path: str, other: str, name: str) -> bool:
    if {path, other} == _MASSES:
        return name not in _NEED_BOTH_MASSES
    return path.startswith("documents.") and other.startswith("documents.")


def _lacks(submission: Submission, path: str) -> bool:
    whole, _, part = path.partition(".")
    if whole == "documents":
        return all(document.kind != part for document in submission.documents)
    held = getattr(submission, whole)
    return getattr(held, part) is None if part else not held
