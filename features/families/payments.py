"""Payments: who pays for this movement, how, and what else they pay for."""

from collections.abc import Callable
from typing import Any

from features.definition import (
    BOTH,
    Feature,
    MonotoneConstraint,
    Peers,
    SuspiciousSide,
    Unit,
    feature,
    shipment_feature,
)
from features.engine.columns import Column
from features.engine.expressions.arithmetic import ratio
from features.engine.windows.window_declaration import count, distinct, largest, total
from features.publications import (
    FATF_2022,
    FATF_HAWALA_2013,
    FATF_TRADE_2021,
    FINCEN_2014,
    FINCEN_2023,
    PRACTICE,
)


def share_of_payments(
    condition: str, clause: str, **face: Any
) -> Callable[[Callable[[], None]], Feature]:
    """Return a decorator for the share of a subject's own payments that meet a condition.

    `clause` says which these are, without a verb that would agree with their count.
    """

    def share(
        meeting: Column = total("transactions", condition, by="subject_id"),
        payments: Column = count("transactions", by="subject_id"),
    ) -> Column:
        return ratio(meeting, payments)

    return feature(
        share,
        unit=Unit.SHARE,
        when_missing="no payment is known",
        sentence=f"payments {clause}: {{meeting}} of {{payments}}",
        **face,
    )


@feature(
    count("transactions", by="subject_id"),
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="never; no payment known is 0",
    indicator="T32",
    warns=SuspiciousSide.LOW,
    source=FATF_TRADE_2021,
    shows_from=0,
    sentence="{value} payments for it are known",
    sentence_of_none="no payment for it is known",
    sentence_of_one="one payment for it is known",
)
def payment_count() -> None:
    """Payments linked to this movement that were known before it was declared.

    None at all for goods of value, or unusually many small ones, is suspicious.
    """


@share_of_payments(
    "is_third_party_payer",
    "from someone who is no party to it",
    subjects=("shipment",),
    indicator="T01",
    source=FATF_TRADE_2021,
    among=Peers.CORRIDOR,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
)
def third_party_payer_ratio() -> None:
    """Share of the payments made by someone whom the declaration does not name as a party and who
    does not carry the goods.

    A high share is suspicious: strangers who pay often stand in for the one who profits. Banks,
    factors and the treasury of a group are strangers too.
    """


@share_of_payments(
    "is_payer_off_corridor",
    "from a country at neither end of its way",
    subjects=BOTH,
    indicator="T02",
    warns=SuspiciousSide.HIGH,
    source=FATF_TRADE_2021,
    among=Peers.CORRIDOR,
)
def off_corridor_payer_ratio() -> None:
    """Share of the payments sent from a country in which it neither starts nor ends.

    A high share is suspicious: money for a movement usually comes from its two ends. Countries that
    it passes through are not looked at, nor is the flag of its conveyance.
    """


@share_of_payments(
    "is_cash",
    "in cash",
    subjects=BOTH,
    indicator="T11",
    warns=SuspiciousSide.HIGH,
    source=FATF_2022,
    shows_from=0.25,
    among=Peers.CORRIDOR,
)
def cash_payment_ratio() -> None:
    """Share of the payments in cash; what went through a licensed money service is none.

    A high share is suspicious: cash leaves no trace of who stands behind it. Where few have a bank
    account it is ordinary.
    """


@share_of_payments(
    "is_virtual_asset",
    "in a virtual asset",
    subjects=BOTH,
    indicator="T27",
    source=FATF_2022,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
)
def virtual_asset_ratio() -> None:
    """Share of the payments made in a virtual asset.

    A high share is suspicious where trade of this kind is paid through banks.
    """


@share_of_payments(
    "is_netting",
    "settled by netting between brokers",
    subjects=BOTH,
    indicator="T18",
    source=FATF_HAWALA_2013,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
)
def netting_ratio() -> None:
    """Share of the payments that brokers settled against each other without moving money.

    A high share is suspicious: netting hides who paid whom.
    """


@share_of_payments(
    "is_round_amount",
    "of round amounts",
    subjects=BOTH,
    indicator="T09",
    warns=SuspiciousSide.HIGH,
    source=PRACTICE,
    shows_from=0.5,
)
def round_payment_ratio() -> None:
    """Share of the payments that are round in their currency: a multiple of 50 euro or dollars, of
    5 000 yen, of 50 000 won.

    Many round amounts are mildly suspicious: invoices seldom come out round.
    """


@feature(
    distinct("transactions", "payer_id", by="subject_id"),
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="never; no payment known is 0",
    indicator="T15",
    warns=SuspiciousSide.HIGH,
    source=FINCEN_2023,
    shows_from=2,
    sentence="it was paid for by {value} payers",
    sentence_of_none="no payer is known",
    sentence_of_one="it was paid for by one payer",
    known_by="payment_count",
)
def payer_count() -> None:
    """Different payers of this one movement.

    Many payers are suspicious: one consignment or trip usually has one customer.
    """


@feature(
    total("transactions", "is_held_money", by="subject_id"),
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="never; no payment known is 0",
    indicator="T19",
    warns=SuspiciousSide.HIGH,
    source=FATF_2022,
    sentence="{value} payments were deposits or releases of held money",
    sentence_of_none="no payment was a deposit or a release of held money",
    sentence_of_one="one payment was a deposit or a release of held money",
    known_by="payment_count",
)
def held_money_count() -> None:
    """Payments that leave money with someone who is no party, until arrival, or release it.

    More are suspicious: smugglers' fees are often held by a third party until arrival. A deposit to
    the seller or the carrier, as in ordinary trade, is none.
    """


@feature(
    total("transactions", "is_iban_invalid", by="subject_id"),
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="never; no payment known is 0",
    indicator="D15",
    source="ISO 13616 check digits; practice of reviewers",
    sentence="{value} payments came from an account whose number fails its check digits",
    sentence_of_none="no payment came from an account whose number fails its check digits",
    sentence_of_one="one payment came from an account whose number fails its check digits",
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    known_by="invalid_iban_count",
)
def invalid_iban_count() -> None:
    """Payments from an account number that fails its check digits.

    Any is mildly suspicious; most are typing mistakes.
    """


@feature(
    total("transactions", "is_paid_in_10d", by="subject_id"),
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="never; no payment known is 0",
    indicator="T20",
    warns=SuspiciousSide.HIGH,
    source=FATF_2022,
    shows_from=1,
    sentence="{value} payments were made in the ten days before it was declared",
    sentence_of_one="one payment was made in the ten days before it was declared",
    sentence_of_none="no payment was made in the ten days before it was declared",
    known_by="payment_count",
)
def late_payment_count() -> None:
    """Payments for it that were made in the ten days before it was declared.

    A cluster right before departure is suspicious for a route paid by its customers.
    """


@feature(
    subjects=BOTH,
    unit=Unit.EURO,
    when_missing="no payment is known",
    indicator=None,
    source=FATF_2022,
    sentence="the largest payment was {value} EUR",
    among=Peers.CORRIDOR,
)
def largest_payment_eur(
    largest_cents: Column = largest("transactions", "amount_eur_cents", by="subject_id"),
) -> Column:
    """The largest single payment for it.

    Amounts out of line with the goods or the fare are suspicious in either direction.
    """
    return largest_cents / 100


@feature(
    total("transactions", "is_under_limit", by="subject_id"),
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="never; no payment known is 0",
    indicator="T08",
    warns=SuspiciousSide.HIGH,
    source=FINCEN_2014,
    sentence="{value} payments in cash stayed just under the amount from which cash is reported",
    sentence_of_none="no payment in cash stayed just under the amount from which cash is reported",
    sentence_of_one="one payment in cash stayed just under the amount from which cash is reported",
    known_by="payment_count",
)
def under_limit_count() -> None:
    """Payments in cash of 80 % or more, but less, of the amount from which cash is reported in the
    country of their currency.

    Several are suspicious: a larger amount may have been split so that nobody reports it. Where no
    limit is known of a currency, its payments do not count.
    """


@shipment_feature(
    unit=Unit.COUNT,
    when_missing="no payment for the goods is known, or none for freight",
    indicator="T23",
    warns=SuspiciousSide.HIGH,
    source=FATF_TRADE_2021,
    sentence="{value} payers paid for its freight and not for its goods",
    sentence_of_one="one payer paid for its freight and not for its goods",
    sentence_of_none="whoever paid for its freight paid for its goods as well",
    among=Peers.CORRIDOR,
)
def freight_only_payer_count(
    payers: Column = distinct(
        "transactions", "payer_id", by="subject_id", where="is_of_goods_or_freight"
    ),
    goods_payers: Column = distinct(
        "transactions", "payer_id", by="subject_id", where="is_of_goods"
    ),
    freight_payments: Column = count("transactions", by="subject_id", where="is_of_freight"),
) -> Column:
    """Payers of its freight that paid nothing for the goods themselves.

    Any is mildly suspicious: who brings the goods here is another than who buys them. Where the
    seller pays the freight it is ordinary.
    """
    # Each ratio is 1 if there is such a payer or payment, else missing.
    is_known = ratio(goods_payers, goods_payers) * ratio(freight_payments, freight_payments)
    return (payers - goods_payers) * is_known
