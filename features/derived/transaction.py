"""The payments of a subject, against its declared parties and countries."""

from functools import cache, partial

import numpy as np

from features.catalogue import columns_read
from features.derived.linked_record import flag, is_none_of, known_before, run_beside, seen_beside
from features.engine.columns import Column, Columns, hours_between, kinds_of, rows
from features.engine.expressions.program import Program, traced_columns
from features.engine.string_table import VOCABULARY
from features.records import SubjectKind, Transaction
from features.reference.currencies import euro_cents
from features.subject_types import SUBJECT_TYPES

PAID_IN_CASH = ("cash", "money_service")
REPORTING_LIMIT_EUR = 10_000


def attached_transactions(kind: SubjectKind, subjects: Columns, transactions: Columns) -> Columns:
    """One row per payment that was known before its subject's instant."""
    own = rows(transactions, transactions["subject_kind"] == VOCABULARY.code(kind))
    events = known_before(own, own["subject_id"], own["known_at"], subjects)
    return run_beside(transaction_program(kind), events, events["subject_id"], subjects)


def payments(transactions: Columns) -> Columns:
    """What a payment shows by itself, whoever is looking, with its own columns."""
    return transactions | _payment_program().run(transactions)


@cache
def transaction_program(kind: SubjectKind) -> Program:
    """What a payment shows beside its subject."""
    return seen_beside("attached_transactions", kind, kinds_of(Transaction), partial(_seen, kind))


@cache
def _payment_program() -> Program:
    return traced_columns(implied_by_payment, kinds_of(Transaction), {*columns_read("payments")})


def _seen(kind: SubjectKind, transaction: Columns, subject: Columns) -> Columns:
    parties = [subject[name] for name in SUBJECT_TYPES[kind].party_fields]
    countries = [subject[name] for name in SUBJECT_TYPES[kind].country_fields]
    hours_before = hours_between(transaction["paid_at"], subject["declared_at"])
    return {
        **transaction,
        **implied_by_payment(transaction),
        "is_third_party_payer": is_none_of(transaction["payer_id"], parties),
        "is_third_party_payee": is_none_of(transaction["payee_id"], parties),
        "is_payer_off_corridor": is_none_of(transaction["payer_country"], countries),
        "lead_minutes": np.rint(hours_before * 60),
    }


def implied_by_payment(transaction: Columns) -> Columns:
    """What a payment shows by itself, whoever is looking."""
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
