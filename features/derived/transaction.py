"""Derive the columns of a payment, by itself and compared with its subject."""

import numpy as np

from features.derived.beside_subject import flag, is_none_of
from features.engine.columns import Column, Columns, hours_between, is_missing
from features.engine.string_table import STRING_TABLE
from features.records import SubjectKind
from features.reference.currencies import euro_cents, round_unit
from features.reference.geography.places import country
from features.reference.reporting_limits import reporting_limit
from features.subject_types import SUBJECT_TYPES

# Share of the reporting limit from which a cash payment counts as just under it.
JUST_UNDER = 0.8
TEN_DAYS_MINUTES = 10 * 24 * 60


def derive_transaction(kind: SubjectKind, transaction: Columns, subject: Columns) -> Columns:
    """Return the columns of a payment relative to its subject.

    Payments for goods are converted at the rates of the month of the declaration, like the declared
    value, so that a moving rate causes no difference.
    """
    subject_type = SUBJECT_TYPES[kind]
    parties = [subject[name] for name in subject_type.party_fields]
    if subject_type.has_journey:
        parties.append(subject["journey_carrier_id"])
    is_stranger_paid = is_none_of(transaction["payee_id"], parties)
    hours_before = hours_between(transaction["paid_at"], subject["declared_at"])
    minutes_before = np.rint(hours_before * 60)
    purpose = transaction["purpose"]
    at_declaration = euro_cents(
        transaction["amount"], transaction["currency"], subject["declared_at"]
    )
    is_known = ~np.isnan(at_declaration)
    is_for_goods = (purpose == "goods") | is_missing(purpose)
    is_held = np.isin(purpose, ("deposit", "release"))
    return {
        **transaction,
        **derive_payment(transaction),
        "is_third_party_payer": is_none_of(transaction["payer_id"], parties),
        # Payments for other purposes may go to anyone.
        "is_third_party_payee": np.where(purpose == "other", 0.0, is_stranger_paid),
        "is_payer_off_corridor": is_none_of(transaction["payer_country"], _ends(kind, subject)),
        "is_held_money": flag(
            (purpose == "release") | ((purpose == "deposit") & (is_stranger_paid == 1))
        ),
        "is_paid_in_10d": flag((minutes_before >= 0) & (minutes_before <= TEN_DAYS_MINUTES)),
        "is_of_the_price": flag(is_known & (is_for_goods | is_held)),
        "is_of_goods_or_freight": flag((purpose == "goods") | (purpose == "freight")),
        "is_of_goods": flag(purpose == "goods"),
        "is_of_freight": flag(purpose == "freight"),
        "freight_eur_cents": np.where(purpose == "freight", at_declaration, np.nan),
        "goods_eur_cents": np.where(is_for_goods, at_declaration, np.nan),
        "deposit_eur_cents": np.where(purpose == "deposit", at_declaration, np.nan),
        "release_eur_cents": np.where(purpose == "release", at_declaration, np.nan),
    }


def derive_payment(transaction: Columns) -> Columns:
    """Return the columns of a payment by itself, whichever its subject."""
    method, amount = transaction["method"], transaction["amount"]
    currency = transaction["currency"]
    is_cash = method == "cash"
    limit = STRING_TABLE.map_numbers(currency, reporting_limit)
    is_under_limit = is_cash & (amount >= JUST_UNDER * limit) & (amount < limit)
    unit = STRING_TABLE.map_numbers(currency, round_unit)
    amount_eur_cents = euro_cents(amount, currency, transaction["paid_at"])
    return {
        "record_id": transaction["transaction_id"],
        "amount_eur_cents": amount_eur_cents,
        "is_under_limit": flag(is_under_limit),
        "is_money_service": flag(method == "money_service"),
        "is_cash": flag(is_cash),
        "is_virtual_asset": flag(method == "virtual_asset"),
        "is_netting": flag(method == "netting"),
        "is_round_amount": flag((amount >= unit) & (np.mod(amount, unit) == 0)),
        "is_iban_invalid": 1 - transaction["payer_iban_valid"],
    }


def _ends(kind: SubjectKind, subject: Columns) -> list[Column]:
    """Return the countries at the ends of a subject, and of its journey."""
    subject_type = SUBJECT_TYPES[kind]
    own = [subject[name] for name in subject_type.end_country_fields]
    if not subject_type.has_journey:
        return own
    ends = (subject["journey_origin"], subject["journey_destination"])
    return own + [STRING_TABLE.map_texts(end, country) for end in ends]
