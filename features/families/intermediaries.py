"""Intermediaries: money that goes through someone in between."""

from features.definition import (
    BOTH,
    Peers,
    SuspiciousSide,
    Unit,
    route_feature,
)
from features.engine.windows.window_declaration import total
from features.families.payments import share_of_payments
from features.publications import FATF_2022, FINCEN_2023


@share_of_payments(
    "is_money_service",
    "through a money service",
    subjects=BOTH,
    indicator="T33",
    warns=SuspiciousSide.HIGH,
    source=FINCEN_2023,
    among=Peers.CORRIDOR,
)
def money_service_ratio() -> None:
    """Share of the payments that went through a licensed money service, which is no cash.

    A high share is suspicious where trade of this kind is paid through banks.
    """


@route_feature(
    total("transactions", "is_third_party_payee", by="subject_id"),
    unit=Unit.COUNT,
    when_missing="never; no payment known is 0",
    indicator="T34",
    warns=SuspiciousSide.HIGH,
    source=FATF_2022,
    sentence="{value} payments went to someone other than its carrier",
    sentence_of_none="no payment went to someone other than its carrier",
    sentence_of_one="one payment went to someone other than its carrier",
    known_by="payment_count",
)
def third_party_payee_count() -> None:
    """Payments of freight, fares or deposits for the journey to someone who does not run it.

    Any is suspicious: a broker who is paid instead of the carrier may hold the fare until arrival.
    What is paid for something else, as fuel or a port, does not count.
    """
