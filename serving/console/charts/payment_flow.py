"""Payments of a case, as rows and as a picture of payers and payees."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import numpy as np

from features.engine.columns import instant_us
from features.engine.string_table import STRING_TABLE
from features.identities import declarations, roles_of_parties
from features.reference.currencies import units_per_eur
from features.submission import AttachedTransaction, Submission
from serving.language import reading, say, say_word

ROW_HEIGHT, THINNEST, THICKEST = 44.0, 1.5, 12.0


@dataclass(frozen=True)
class PaymentParty:
    """Payer or payee; `is_declared` if the declaration names it too, with `roles`."""

    party_id: str
    y: float
    is_declared: bool
    roles: str


@dataclass(frozen=True)
class Flow:
    """Total that one party paid another in one currency; its label is at `y`."""

    payer_y: float
    y: float
    payee_y: float
    thickness: float
    words: str
    about: str


@dataclass(frozen=True)
class PaymentRow:
    """One payment; `amount_eur` is None without a known rate."""

    reference: str
    paid_at: datetime
    payer: PaymentParty
    payee: PaymentParty
    amount: float
    currency: str
    amount_eur: float | None
    method: str
    purpose: str


@dataclass(frozen=True)
class PaymentChart:
    """Payments of a submission, as rows and as a picture; empty without payments."""

    payers: tuple[PaymentParty, ...]
    payees: tuple[PaymentParty, ...]
    flows: tuple[Flow, ...]
    rows: tuple[PaymentRow, ...]

    @classmethod
    def from_submission(cls, submission: Submission) -> Self:
        """Return the payments between the parties of a submission."""
        payments = sorted(submission.standing("transactions"), key=lambda payment: payment.paid_at)
        paid: dict[tuple[str, str, str], list[AttachedTransaction]] = defaultdict(list)
        for payment in payments:
            paid[payment.payer_id, payment.payee_id, payment.currency].append(payment)
        tallest = max(len({p for p, _, _ in paid}), len({p for _, p, _ in paid}), len(paid), 1)
        roles = roles_of_parties(declarations(submission))
        payers = _column([payer for payer, _, _ in paid], roles, tallest)
        payees = _column([payee for _, payee, _ in paid], roles, tallest)
        worth = [sum(map(_comparable, of_pair)) for of_pair in paid.values()]
        largest = max(worth, default=1.0) or 1.0
        flows = tuple(
            Flow(
                payers[payer].y,
                ROW_HEIGHT * (place + 0.5 + (tallest - len(paid)) / 2),
                payees[payee].y,
                round(max(THINNEST, THICKEST * worth[place] / largest), 1),
                _words([each.amount for each in of_pair], currency),
                " ".join(f"transactions:{each.transaction_id}" for each in of_pair),
            )
            for place, ((payer, payee, currency), of_pair) in enumerate(paid.items())
        )
        rows = tuple(_row(each, payers[each.payer_id], payees[each.payee_id]) for each in payments)
        return cls(tuple(payers.values()), tuple(payees.values()), flows, rows)

    @property
    def height(self) -> float:
        """Height of the picture."""
        return ROW_HEIGHT * max(len(self.payers), len(self.payees), len(self.flows), 1)

    @property
    def total_eur(self) -> float | None:
        """Total paid, in euro; None if a rate is missing."""
        amounts = [row.amount_eur for row in self.rows]
        known = [amount for amount in amounts if amount is not None]
        return sum(known) if len(known) == len(amounts) else None


def in_eur(amount: float, currency: str, at: datetime) -> float | None:
    """Return an amount in euro at the rate of its month; None without a known rate."""
    currencies = np.array([STRING_TABLE.code(currency)])
    rate = float(units_per_eur(currencies, np.array([instant_us(at)]))[0])
    return None if math.isnan(rate) else amount / rate


def _comparable(payment: AttachedTransaction) -> float:
    worth = in_eur(payment.amount, payment.currency, payment.paid_at)
    # Without a rate, a rough thickness is better than none.
    return payment.amount if worth is None else worth


def _words(amounts: list[float], currency: str) -> str:
    total = reading().language.figure(f"{sum(amounts):,.0f} ") + currency
    return (
        total
        if len(amounts) == 1
        else say("{total} in {payments}", total=total, payments=len(amounts))
    )


def _row(payment: AttachedTransaction, payer: PaymentParty, payee: PaymentParty) -> PaymentRow:
    return PaymentRow(
        payment.transaction_id,
        payment.paid_at,
        payer,
        payee,
        payment.amount,
        payment.currency,
        in_eur(payment.amount, payment.currency, payment.paid_at),
        say_word(payment.method),
        say_word(payment.purpose or "not stated"),
    )


def _column(
    ids: Iterable[str], roles: dict[str, set[str]], tallest: int
) -> dict[str, PaymentParty]:
    parties = list(dict.fromkeys(ids))
    top = (tallest - len(parties)) / 2
    return {
        party: PaymentParty(
            party,
            ROW_HEIGHT * (row + 0.5 + top),
            party in roles,
            ", ".join(sorted(map(say_word, roles.get(party, ())))),
        )
        for row, party in enumerate(parties)
    }
