"""Payer history: other known payments of those who pay for a movement or are paid for it.

If several pay or are paid, the one known last is used, and called the latest.
"""

import numpy as np

from features.definition import (
    BOTH,
    MAX_AGE_DAYS,
    MonotoneConstraint,
    SuspiciousSide,
    Unit,
    feature,
)
from features.engine.columns import Column
from features.engine.expressions.arithmetic import ratio
from features.engine.windows.window_declaration import count, days_since_first, distinct, total
from features.publications import FATF_2022, FATF_TRADE_2021, FINCEN_2023, PRACTICE


@feature(
    distinct("payments", "payer_id", by="latest_payee_id", matching="payee_id", days=30),
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="no payee is known",
    indicator="T03",
    warns=SuspiciousSide.HIGH,
    source=FINCEN_2023,
    shows_from=5,
    sentence="its latest payee was paid by {value} different payers in 30 days",
    sentence_of_none="nobody paid its latest payee in 30 days",
    sentence_of_one="its latest payee was paid by one payer in 30 days",
    known_by="payee_payments",
)
def payee_payers_30d() -> None:
    """Different payers of the payee that is known last, in 30 days, for any movement.

    Far more than usual is suspicious: money that fans in to one account and out again.
    """


@feature(
    distinct("payments", "payer_id", by="latest_payee_id", matching="payee_id", days=7),
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="no payee is known",
    indicator="T03",
    warns=SuspiciousSide.HIGH,
    source=FINCEN_2023,
    shows_from=5,
    sentence="its latest payee was paid by {value} different payers in 7 days",
    sentence_of_none="nobody paid its latest payee in 7 days",
    sentence_of_one="its latest payee was paid by one payer in 7 days",
    known_by="payee_payments",
)
def payee_payers_7d() -> None:
    """Different payers of the payee that is known last, in 7 days, for any movement.

    Far more than usual is suspicious: a burst of payers for an account that had few.
    """


@feature(
    distinct("payments", "payer_id", by="latest_payee_id", matching="payee_id", days=180),
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="no payee is known",
    indicator="T03",
    warns=SuspiciousSide.HIGH,
    source=FINCEN_2023,
    shows_from=5,
    sentence="its latest payee was paid by {value} different payers in 180 days",
    sentence_of_none="nobody paid its latest payee in 180 days",
    sentence_of_one="its latest payee was paid by one payer in 180 days",
    known_by="payee_payments",
)
def payee_payers_180d() -> None:
    """Different payers of the payee that is known last, in 180 days, for any movement.

    Far more than usual is suspicious: an account to which ever other payers send money.
    """


@feature(
    distinct("payments", "payee_id", by="latest_payer_id", matching="payer_id", days=30),
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="no payer is known",
    indicator="T05",
    warns=SuspiciousSide.HIGH,
    source=PRACTICE,
    shows_from=5,
    sentence="its latest payer paid {value} different payees in 30 days",
    sentence_of_none="its latest payer paid nobody in 30 days",
    sentence_of_one="its latest payer paid one payee in 30 days",
    known_by="payer_payments",
)
def payer_payees_30d() -> None:
    """Different payees of the payer that is known last, in 30 days, for any movement.

    Many unrelated payees are suspicious: an account that pays on behalf of others.
    """


@feature(
    distinct("payments", "payee_id", by="latest_payer_id", matching="payer_id", days=7),
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="no payer is known",
    indicator="T05",
    warns=SuspiciousSide.HIGH,
    source=PRACTICE,
    shows_from=5,
    sentence="its latest payer paid {value} different payees in 7 days",
    sentence_of_none="its latest payer paid nobody in 7 days",
    sentence_of_one="its latest payer paid one payee in 7 days",
    known_by="payer_payments",
)
def payer_payees_7d() -> None:
    """Different payees of the payer that is known last, in 7 days, for any movement.

    Many unrelated payees are suspicious: a burst of payments on behalf of others.
    """


@feature(
    distinct("payments", "payee_id", by="latest_payer_id", matching="payer_id", days=180),
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="no payer is known",
    indicator="T05",
    warns=SuspiciousSide.HIGH,
    source=PRACTICE,
    shows_from=5,
    sentence="its latest payer paid {value} different payees in 180 days",
    sentence_of_none="its latest payer paid nobody in 180 days",
    sentence_of_one="its latest payer paid one payee in 180 days",
    known_by="payer_payments",
)
def payer_payees_180d() -> None:
    """Different payees of the payer that is known last, in 180 days, for any movement.

    Many unrelated payees are suspicious: an account that pays on behalf of others, though slowly.
    """


@feature(
    subjects=BOTH,
    unit=Unit.DAYS_UP_TO_YEAR,
    when_missing="no payer is known, or it never paid before",
    indicator="D25",
    source=FATF_TRADE_2021,
    shows_from=30,
    sentence="its latest payer was first seen here {value} ago",
    direction=MonotoneConstraint.LOWER_IS_RISKIER,
)
def payer_days_since_first(
    days: Column = days_since_first("payments", by="latest_payer_id", matching="payer_id"),
) -> Column:
    """Days since the payer that is known last was first seen here, 365 at most, paying for any
    movement.

    A very new payer is mildly suspicious. It may have paid long before where nobody reports here.
    """
    return np.minimum(days, MAX_AGE_DAYS)


@feature(
    subjects=BOTH,
    unit=Unit.SHARE,
    when_missing="no payer is known, or it paid for nothing in 90 days",
    indicator="T11",
    warns=SuspiciousSide.HIGH,
    source=FINCEN_2023,
    shows_from=0.25,
    sentence="payments of its latest payer in cash in 90 days: {cash} of {payments}",
)
def payer_cash_ratio_90d(
    cash: Column = total("payments", "is_cash", by="latest_payer_id", matching="payer_id", days=90),
    payments: Column = count("payments", by="latest_payer_id", matching="payer_id", days=90),
) -> Column:
    """Share of cash among all payments of the payer that is known last, in 90 days; what went
    through a licensed money service is none.

    A high share is suspicious for a business that has bank accounts.
    """
    return ratio(cash, payments)


@feature(
    count("payments", by="latest_payer_id", matching="payer_id"),
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="no payer is known",
    indicator="D25",
    warns=SuspiciousSide.LOW,
    source=FATF_TRADE_2021,
    shows_from=3,
    sentence="its latest payer paid {value} times before, for any movement",
    sentence_of_none="its latest payer never paid before",
    sentence_of_one="its latest payer paid once before, for any movement",
)
def payer_payments() -> None:
    """Payments known of the payer that is known last, for any movement.

    Few are mildly suspicious: little is known about who pays.
    """


@feature(
    count("payments", by="latest_payee_id", matching="payee_id"),
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="no payee is known",
    indicator="D25",
    warns=SuspiciousSide.LOW,
    source=FATF_TRADE_2021,
    shows_from=3,
    sentence="its latest payee was paid {value} times before, for any movement",
    sentence_of_none="its latest payee was never paid before",
    sentence_of_one="its latest payee was paid once before, for any movement",
)
def payee_payments() -> None:
    """Payments known to the payee that is known last, for any movement.

    Few are mildly suspicious: little is known about who is paid.
    """


@feature(
    subjects=BOTH,
    unit=Unit.SHARE,
    when_missing="no payee is known, or it received nothing in two days",
    indicator="T06",
    warns=SuspiciousSide.HIGH,
    source=FINCEN_2023,
    shows_from=0.5,
    sentence="its latest payee paid out {value} of what it received in two days",
    sentence_of_none="its latest payee paid out nothing of what it received in two days",
)
def payee_passed_on_ratio_2d(
    paid_cents: Column = total(
        "payments", "amount_eur_cents", by="latest_payee_id", matching="payer_id", days=2
    ),
    received_cents: Column = total(
        "payments", "amount_eur_cents", by="latest_payee_id", matching="payee_id", days=2
    ),
) -> Column:
    """What the payee that is known last paid to others in two days over what it received in them.

    A high share is suspicious: money that only passes through an account. Payments that nobody
    reported are not seen.
    """
    return ratio(paid_cents, received_cents)


@feature(
    distinct(
        "payments",
        "payer_id",
        by=("latest_payee_id", "latest_amount", "latest_currency"),
        matching=("payee_id", "amount", "currency"),
        days=30,
    ),
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="no payee is known",
    indicator="T10",
    warns=SuspiciousSide.HIGH,
    source=FATF_2022,
    shows_from=2,
    sentence="{value} different payers paid its latest payee the amount of its latest payment in "
    "30 days",
    sentence_of_none="nobody paid its latest payee the amount of its latest payment in 30 days",
    sentence_of_one="one payer paid its latest payee the amount of its latest payment in 30 days",
)
def payee_equal_amount_payers_30d() -> None:
    """Different payers that paid the payee known last the very amount of the payment known last, in
    its currency, in 30 days and for any movement.

    Several are suspicious: a smuggler's fee is the same for all. A carrier with a tariff is paid so
    too, but instalments of one payer count once.
    """
