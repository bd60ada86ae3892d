"""What the features of `features/families/money_flows.py` make of small stories."""

from typing import Any

import pytest

from tests.features.families.facts import (
    Fact,
    Record,
    both,
    check,
    each,
    payment,
    table,
)


def elsewhere(payer: str, payee: str, **fields: Any) -> Record:
    """A payment between two parties for another movement, known a day before."""
    return payment(**{"subject_id": "another", "payer_id": payer, "payee_id": payee} | fields)


def gathered(hub: str, payers: str, payees: str, **fields: Any) -> list[Record]:
    """Payments from and to a party, one each with others whose names are letters."""
    received = [elsewhere(other, hub, **fields) for other in payers]
    return received + [elsewhere(hub, other, **fields) for other in payees]


of_both = table(both, globals())
NOT_FOLLOWED = of_both("""
    no payment | MISSING
    no payment known before | MISSING | payment(known_at=DECLARED)
    only payments for others | MISSING | elsewhere("payer", "payee")
""")

FACTS = {
    "payee_gather_scatter_count_30d": [
        *of_both("""
            planted: four pay it and it pays three | 3.0 | payment(),
                *gathered("payee", "ABC", "XYZ")
            as many as the fewer side | 2.0 | payment(), *gathered("payee", "ABCD", "XY")
            it is paid by more than it pays | 1.0 | payment(), *gathered("payee", "", "XYZ")
            innocent: a shop that pays nobody | 0.0 | payment(), *gathered("payee", "ABC", "")
            twice the same | 1.0 | payment(), *gathered("payee", "AA", "XX")[2:]
            as the window begins | 2.0 | payment(),
                *gathered("payee", "A", "XY", known_at=before(days=30))
            a moment earlier | 0.0 | payment(),
                *gathered("payee", "A", "XY", known_at=before(days=30) - MOMENT)
            at the declaration itself | 0.0 | payment(),
                *gathered("payee", "A", "XY", known_at=DECLARED)
            of its payer | 0.0 | payment(), *gathered("payer", "ABC", "XYZ")
            of the payee known last | 1.0 | payment(payee_id="former", known_at=before(days=3)),
                payment(), *gathered("former", "ABC", "XYZ"), *gathered("payee", "", "X")
        """),
        *NOT_FOLLOWED,
    ],
    "payer_gather_scatter_count_30d": [
        *of_both("""
            planted: three pay it and it pays four | 3.0 | payment(),
                *gathered("payer", "ABC", "XYZ")
            as many as the fewer side | 2.0 | payment(), *gathered("payer", "AB", "XYZ")
            it pays fewer than pay it | 1.0 | payment(), *gathered("payer", "ABC", "")
            innocent: an importer whom nobody pays here | 0.0 | payment(),
                *gathered("payer", "", "XYZ")
            as the window begins | 1.0 | payment(),
                *gathered("payer", "A", "X", known_at=before(days=30))
            a moment earlier | 0.0 | payment(),
                *gathered("payer", "A", "X", known_at=before(days=30) - MOMENT)
            at the declaration itself | 0.0 | payment(),
                *gathered("payer", "A", "X", known_at=DECLARED)
            of its payee | 0.0 | payment(), *gathered("payee", "ABC", "XYZ")
        """),
        *NOT_FOLLOWED,
    ],
    "payer_received_ratio_2d": [
        *of_both("""
            planted: it received nearly all a day before | 0.9 | payment(amount=1_000.0),
                elsewhere("A", "payer", amount=900.0)
            innocent: it received a tenth | 0.1 | payment(amount=1_000.0),
                elsewhere("A", "payer", amount=100.0)
            of all who paid it, over all whom it paid | (300 + 500) / (1_000 + 600) |
                payment(amount=1_000.0), elsewhere("payer", "A", amount=600.0),
                elsewhere("B", "payer", amount=300.0), elsewhere("C", "payer", amount=500.0)
            received as the window begins | 0.9 | payment(amount=1_000.0),
                elsewhere("A", "payer", amount=900.0, known_at=before(days=2))
            received a moment earlier | 0.0 | payment(amount=1_000.0),
                elsewhere("A", "payer", amount=900.0, known_at=before(days=2) - MOMENT)
            received at the declaration itself | 0.0 | payment(amount=1_000.0),
                elsewhere("A", "payer", amount=900.0, known_at=DECLARED)
            its payee received | 0.0 | payment(amount=1_000.0), elsewhere("A", "payee")
            it paid more than two days before | MISSING | payment(known_at=before(days=2) - MOMENT)
        """),
        *NOT_FOLLOWED,
    ],
    "payee_paid_back_ratio_30d": [
        *of_both("""
            planted: nine tenths come back | 0.9 | payment(amount=1_000.0),
                elsewhere("payee", "payer", amount=900.0)
            innocent: nothing comes back | 0.0 | payment(amount=1_000.0)
            over all that was paid | 0.5 | payment(amount=1_000.0),
                elsewhere("payer", "payee", amount=800.0), elsewhere("payee", "payer", amount=900.0)
            it paid another | 0.0 | payment(amount=1_000.0), elsewhere("payee", "A", amount=900.0)
            another paid its payer | 0.0 | payment(amount=1_000.0),
                elsewhere("A", "payer", amount=900.0)
            back as the window begins | 0.9 | payment(amount=1_000.0),
                elsewhere("payee", "payer", amount=900.0, known_at=before(days=30))
            back a moment earlier | 0.0 | payment(amount=1_000.0),
                elsewhere("payee", "payer", amount=900.0, known_at=before(days=30) - MOMENT)
            back at the declaration itself | 0.0 | payment(amount=1_000.0),
                elsewhere("payee", "payer", amount=900.0, known_at=DECLARED)
            nothing was paid in 30 days | MISSING | payment(known_at=before(days=30) - MOMENT)
        """),
        *NOT_FOLLOWED,
    ],
    "payer_movement_count_2d": [
        *of_both("""
            this one alone | 1.0 | payment()
            two instalments of one | 1.0 | payment(), payment()
            planted: four movements that one payer sends together | 4.0 | payment(),
                *(elsewhere("payer", "A", subject_id=of) for of in ("b", "c", "d"))
            of another kind | 2.0 | payment(), elsewhere("payer", "A", subject_kind="route")
            of another payer | 1.0 | payment(), elsewhere("A", "payee")
            as the window begins | 2.0 | payment(),
                elsewhere("payer", "A", known_at=before(days=2))
            a moment earlier | 1.0 | payment(),
                elsewhere("payer", "A", known_at=before(days=2) - MOMENT)
            at the declaration itself | 1.0 | payment(), elsewhere("payer", "A", known_at=DECLARED)
            its own is older | 0.0 | payment(known_at=before(days=2) - MOMENT)
        """),
        *NOT_FOLLOWED,
    ],
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
