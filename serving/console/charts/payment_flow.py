"""Who paid whom for a case: payers on the left, payees on the right, thicker for more."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Self

from features.identities import declarations, parties_of
from features.submission import Submission

ROW_HEIGHT, THINNEST, THICKEST = 34.0, 1.5, 12.0


@dataclass(frozen=True)
class PaymentParty:
    """One end of payments; `is_declared` where the declaration names it too."""

    party_id: str
    y: float
    is_declared: bool


@dataclass(frozen=True)
class Flow:
    """Everything one party paid another in one currency."""

    payer_y: float
    payee_y: float
    thickness: float
    words: str


@dataclass(frozen=True)
class PaymentChart:
    """The picture of a submission's payments; nothing in it where there are none."""

    payers: tuple[PaymentParty, ...]
    payees: tuple[PaymentParty, ...]
    flows: tuple[Flow, ...]

    @classmethod
    def from_submission(cls, submission: Submission) -> Self:
        """The flows between the parties of a submission's payments."""
        amounts: dict[tuple[str, str, str], list[float]] = defaultdict(list)
        for payment in submission.transactions:
            amounts[payment.payer_id, payment.payee_id, payment.currency].append(payment.amount)
        declared = parties_of(declarations(submission))
        payers = _column([payer for payer, _, _ in amounts], declared)
        payees = _column([payee for _, payee, _ in amounts], declared)
        largest = max((sum(paid) for paid in amounts.values()), default=1.0) or 1.0
        flows = tuple(
            Flow(
                payers[payer].y,
                payees[payee].y,
                max(THINNEST, THICKEST * sum(paid) / largest),
                f"{sum(paid):,.0f} {currency} in {len(paid)}",
            )
            for (payer, payee, currency), paid in amounts.items()
        )
        return cls(tuple(payers.values()), tuple(payees.values()), flows)

    @property
    def height(self) -> float:
        """How high the picture is."""
        return ROW_HEIGHT * max(len(self.payers), len(self.payees), 1)


def _column(ids: list[str], declared: set[str]) -> dict[str, PaymentParty]:
    return {
        party_id: PaymentParty(party_id, ROW_HEIGHT * (row + 0.5), party_id in declared)
        for row, party_id in enumerate(dict.fromkeys(ids))
    }
