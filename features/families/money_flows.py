"""Money flows: whether money gathers, scatters, passes through or returns at payer and payee.

If several pay or are paid, the one known last is used, and called the latest. Payments for any
movement count, from the instant at which they became known.
"""

import numpy as np

from features.definition import BOTH, SuspiciousSide, Unit, feature
from features.engine.columns import Column
from features.engine.expressions.arithmetic import ratio
from features.engine.windows.window_declaration import distinct, total
from features.publications import FATF_TRADE_2021, FINCEN_2023, PRACTICE


@feature(
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="no payee is known",
    indicator="T06",
    warns=SuspiciousSide.HIGH,
    source=PRACTICE,
    shows_from=3,
    sentence="its latest payee was paid by, and paid, at least {value} different parties each in "
    "30 days",
    sentence_of_none="its latest payee was paid by nobody, or paid nobody, in 30 days",
    sentence_of_one="its latest payee was paid by, and paid, at least one party each in 30 days",
)
def payee_gather_scatter_count_30d(
    payers: Column = distinct(
        "payments", "payer_id", by="latest_payee_id", matching="payee_id", days=30
    ),
    payees: Column = distinct(
        "payments", "payee_id", by="latest_payee_id", matching="payer_id", days=30
    ),
) -> Column:
    """Different payers of the payee known last, or different payees of it, whichever are fewer, in
    30 days.

    Many of both are suspicious: an account that gathers money from many and scatters it to many.
    """
    return np.minimum(payers, payees)


@feature(
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="no payer is known",
    indicator="T06",
    warns=SuspiciousSide.HIGH,
    source=PRACTICE,
    shows_from=3,
    sentence="its latest payer was paid by, and paid, at least {value} different parties each in "
    "30 days",
    sentence_of_none="its latest payer was paid by nobody, or paid nobody, in 30 days",
    sentence_of_one="its latest payer was paid by, and paid, at least one party each in 30 days",
)
def payer_gather_scatter_count_30d(
    payers: Column = distinct(
        "payments", "payer_id", by="latest_payer_id", matching="payee_id", days=30
    ),
    payees: Column = distinct(
        "payments", "payee_id", by="latest_payer_id", matching="payer_id", days=30
    ),
) -> Column:
    """Different payers of the payer known last, or different payees of it, whichever are fewer, in
    30 days.

    Many of both are suspicious: an account that gathers money from many and scatters it to many.
    """
    return np.minimum(payers, payees)


@feature(
    subjects=BOTH,
    unit=Unit.SHARE,
    when_missing="no payer is known, or it paid nothing in two days",
    indicator="T06",
    warns=SuspiciousSide.HIGH,
    source=FINCEN_2023,
    shows_from=0.5,
    sentence="in two days its latest payer received {value} of what it paid in them",
    sentence_of_none="in two days its latest payer received nothing",
)
def payer_received_ratio_2d(
    received_cents: Column = total(
        "payments", "amount_eur_cents", by="latest_payer_id", matching="payee_id", days=2
    ),
    paid_cents: Column = total(
        "payments", "amount_eur_cents", by="latest_payer_id", matching="payer_id", days=2
    ),
) -> Column:
    """What the payer known last received from others in two days over what it paid in them.

    A high share is suspicious: someone else's money that only passes through the payer. Payments
    that nobody reported are not seen.
    """
    return ratio(received_cents, paid_cents)


@feature(
    subjects=BOTH,
    unit=Unit.SHARE,
    when_missing="no payer and payee are known, or nothing was paid between them in 30 days",
    indicator="T31",
    warns=SuspiciousSide.HIGH,
    source=FATF_TRADE_2021,
    shows_from=0.25,
    sentence="its latest payee paid back {value} of what its latest payer paid it in 30 days",
    sentence_of_none="its latest payee paid back nothing to its latest payer in 30 days",
)
def payee_paid_back_ratio_30d(
    back_cents: Column = total(
        "payments",
        "amount_eur_cents",
        by=("latest_payee_id", "latest_payer_id"),
        matching=("payer_id", "payee_id"),
        days=30,
    ),
    paid_cents: Column = total(
        "payments",
        "amount_eur_cents",
        by=("latest_payer_id", "latest_payee_id"),
        matching=("payer_id", "payee_id"),
        days=30,
    ),
) -> Column:
    """What the payee known last paid to the payer known last, over what it was paid by it, in 30
    days.

    A high share is suspicious: money that only goes round. A refund or a trade in both directions
    looks the same.
    """
    return ratio(back_cents, paid_cents)


@feature(
    distinct("payments", "subject_id", by="latest_payer_id", matching="payer_id", days=2),
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="no payer is known",
    indicator="N07",
    warns=SuspiciousSide.HIGH,
    source=PRACTICE,
    shows_from=3,
    sentence="its latest payer paid for {value} movements within two days",
    sentence_of_none="its latest payer paid for no movement within two days",
    sentence_of_one="its latest payer paid for one movement within two days",
)
def payer_movement_count_2d() -> None:
    """Movements for which the payer known last paid within two days, this one among them.

    Many are mildly suspicious: consignments or passages that one payer sends together.
    """
