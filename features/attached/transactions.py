"""The payments of a subject, against its declared parties and countries."""

import numpy as np

from features.attached.beside import beside_their_subject, flag, is_none_of
from features.columns import Column, Columns, hours_between, rows
from features.currencies import euro_cents
from features.records import SubjectKind
from features.vocabulary import VOCABULARY

PARTIES: dict[SubjectKind, tuple[str, ...]] = {
    "route": ("carrier_id",),
    "shipment": (
        "consignor_id",
        "consignee_id",
        "notify_party_id",
        "forwarder_id",
        "declarant_id",
    ),
}
COUNTRIES: dict[SubjectKind, tuple[str, ...]] = {
    "route": ("origin_country", "destination_country", "registration_country"),
    "shipment": ("origin_country", "dispatch_country", "destination_country"),
}
PAID_IN_CASH = ("cash", "money_service")


def attached_transactions(kind: SubjectKind, subjects: Columns, transactions: Columns) -> Columns:
    """One row per payment that was known before its subject's instant."""
    own = rows(transactions, transactions["subject_kind"] == VOCABULARY.code(kind))
    reads = (*PARTIES[kind], *COUNTRIES[kind])
    events, subject = beside_their_subject(own, own["subject_id"], own["known_at"], subjects, reads)
    parties = [subject[name] for name in PARTIES[kind]]
    countries = [subject[name] for name in COUNTRIES[kind]]
    hours_before = hours_between(events["paid_at"], subject["declared_at"])
    return payments(events) | {
        "subject_id": events["subject_id"],
        "is_third_party_payer": is_none_of(events["payer_id"], parties),
        "is_payer_off_corridor": is_none_of(events["payer_country"], countries),
        "lead_minutes": np.rint(hours_before * 60),
    }


def payments(transactions: Columns) -> Columns:
    """What a payment shows by itself, whoever is looking."""
    method, purpose = transactions["method"], transactions["purpose"]
    return transactions | {
        "record_id": transactions["transaction_id"],
        "amount_eur_cents": euro_cents(transactions["amount"], transactions["currency"]),
        "is_cash": flag(np.isin(method, VOCABULARY.codes([*PAID_IN_CASH]))),
        "is_virtual_asset": flag(method == VOCABULARY.code("virtual_asset")),
        "is_netting": flag(method == VOCABULARY.code("netting")),
        "is_deposit": flag(purpose == VOCABULARY.code("deposit")),
        "is_release": flag(purpose == VOCABULARY.code("release")),
        "is_round_amount": _is_round(transactions["amount"]),
        "is_iban_invalid": 1 - transactions["payer_iban_valid"],
    }


def _is_round(amounts: Column) -> Column:
    """Whether an amount is a multiple of 100 of the payment's own currency."""
    return flag((amounts >= 100) & (np.mod(amounts, 100) == 0))
