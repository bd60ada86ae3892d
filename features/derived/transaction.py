"""The columns of a payment, by itself and against a subject's parties and countries."""

import numpy as np

from features.derived.beside_subject import flag, is_none_of
from features.engine.columns import Column, Columns
from features.records import SubjectKind
from features.reference.currencies import euro_cents
from features.subject_types import SUBJECT_TYPES

PAID_IN_CASH = ("cash", "money_service")
REPORTING_LIMIT_EUR = 10_000


def derive_transaction(kind: SubjectKind, transaction: Columns, subject: Columns) -> Columns:
    """The columns of a payment relative to its subject."""
    parties = [subject[name] for name in SUBJECT_TYPES[kind].party_fields]
    countries = [subject[name] for name in SUBJECT_TYPES[kind].country_fields]
    return {
        **transaction,
        **derive_payment(transaction),
        "is_third_party_payer": is_none_of(transaction["payer_id"], parties),
        "is_third_party_payee": is_none_of(transaction["payee_id"], parties),
        "is_payer_off_corridor": is_none_of(transaction["payer_country"], countries),
    }


def derive_payment(transaction: Columns) -> Columns:
    """The columns of a payment by itself, whichever subject it belongs to."""
    method, purpose = transaction["method"], transaction["purpose"]
    amount_eur_cents = euro_cents(transaction["amount"], transaction["currency"])
    return {
        "record_id": transaction["transaction_id"],
        "amount_eur_cents": amount_eur_cents,
        "is_under_limit": flag(_is_just_under_limit(amount_eur_cents)),
        "is_money_service": flag(method == "money_service"),
        "is_cash": flag(np.isin(method, PAID_IN_CASH)),
        "is_virtual_asset": flag(method == "virtual_asset"),
        "is_netting": flag(method == "netting"),
        "is_deposit": flag(purpose == "deposit"),
        "is_release": flag(purpose == "release"),
        "is_round_amount": _is_round(transaction["amount"]),
        "is_iban_invalid": 1 - transaction["payer_iban_valid"],
    }


def _is_just_under_limit(amount_eur_cents: Column) -> Column:
    """Whether an amount stays under the limit of reporting by a fifth of it at most."""
    limit = 100 * REPORTING_LIMIT_EUR
    return (amount_eur_cents >= 0.8 * limit) & (amount_eur_cents < limit)


def _is_round(amounts: Column) -> Column:
    """Whether an amount is a multiple of 50 of the payment's own currency."""
    return flag((amounts >= 50) & (np.mod(amounts, 50) == 0))
