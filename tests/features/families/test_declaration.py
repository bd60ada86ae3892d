"""What the features of `features/families/declaration.py` make of small stories."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.features.families.facts import (
    MOMENT,
    Fact,
    check,
    each,
    route,
    shipment,
    table,
)

MIDNIGHT = datetime(2025, 6, 16, tzinfo=UTC)
AT_8_IN_SHANGHAI = datetime(2025, 6, 16, 8, 30, tzinfo=timezone(timedelta(hours=8)))

shipments = table(shipment, globals())

FACTS = {
    "declared_hour": [
        route("at noon", 12),
        shipment("at noon", 12),
        route("at midnight", 0, declared_at=MIDNIGHT),
        shipment("at midnight", 0, declared_at=MIDNIGHT),
        route("just before midnight", 23, declared_at=MIDNIGHT - MOMENT),
        shipment("just before midnight", 23, declared_at=MIDNIGHT - MOMENT),
        route("at half past five", 5, declared_at=datetime(2025, 6, 16, 5, 30, tzinfo=UTC)),
        route("at eight in Shanghai it is midnight in UTC", 0, declared_at=AT_8_IN_SHANGHAI),
        shipment("at eight in Shanghai it is midnight in UTC", 0, declared_at=AT_8_IN_SHANGHAI),
        route("before 1970", 23, declared_at=datetime(1969, 7, 20, 23, 30, tzinfo=UTC)),
    ],
    "tax_rate_percent": shipments("""
        eight and a half | 8.5 | tax_rate=8.5
        free of duty | 0.0 | tax_rate=0.0
        no rate | MISSING
        a type, but no rate | MISSING | tax_type="A"
        a rate on an earlier one | MISSING | earlier_shipment(tax_rate=8.5)
    """),
    "tax_type": shipments("""
        a preference | "FEU1" | tax_type="FEU1"
        none preferred | "A" | tax_type="A", payment_type="11", import_type="21"
        no type | MISSING | payment_type="11", import_type="21"
        a type on an earlier one | MISSING | earlier_shipment(tax_type="A")
    """),
    "payment_type": shipments("""
        type 11 | "11" | payment_type="11"
        type 43 | "43" | payment_type="43", tax_type="A", import_type="21"
        no type | MISSING | tax_type="A", import_type="21"
        a type on an earlier one | MISSING | earlier_shipment(payment_type="11")
    """),
    "import_type": shipments("""
        procedure 21 | "21" | import_type="21"
        procedure 15 | "15" | import_type="15", tax_type="A", payment_type="11"
        no type | MISSING | tax_type="A", payment_type="11"
        a type on an earlier one | MISSING | earlier_shipment(import_type="21")
    """),
    "office_id": shipments("""
        Rotterdam's | "NL000510" | office_id="NL000510"
        another | "BE101000" | office_id="BE101000"
        no office | MISSING
        an office on an earlier one | MISSING | earlier_shipment(office_id="NL000510")
    """),
    "hs_chapter": shipments("""
        boats | "89"
        live animals keep their nought | "01" | hs_code="010121"
        whatever went before | "85" | earlier_shipment(), hs_code="851713"
    """),
    "journey_mode": shipments("""
        by sea | "sea" | journey(), journey_id="J"
        by road | "road" | journey(mode="road"), journey_id="J"
        not by another journey's | "sea" | journey(), earlier_journey(mode="road"), journey_id="J"
        its journey is declared just before it | "sea" | journey(declared_at=DECLARED - MOMENT),
            journey_id="J"
        its journey is declared as it is | MISSING | journey(declared_at=DECLARED), journey_id="J"
        its journey is declared after it | MISSING | journey(declared_at=after(hours=1)),
            journey_id="J"
        its journey is not known | MISSING | journey_id="J"
        it names no journey | MISSING | journey()
    """),
    "hours_before_due": shipments("""
        ten days | 240.0 | journey(), journey_id="J"
        ninety minutes | 1.5 | journey(due_at=after(minutes=90)), journey_id="J"
        as it is due | 0.0 | journey(due_at=DECLARED), journey_id="J"
        two days after it was due | -48.0 | journey(due_at=before(days=2)), journey_id="J"
        counted from its own declaration | 24.0 |
            journey(declared_at=before(days=9), due_at=after(days=1)), journey_id="J"
        its journey is declared as it is | MISSING | journey(declared_at=DECLARED), journey_id="J"
        its journey is declared after it | MISSING | journey(declared_at=after(hours=1)),
            journey_id="J"
        its journey is not known | MISSING | journey_id="J"
        it names no journey | MISSING | journey()
    """),
    "is_sent_from_origin": shipments("""
        made in China and sent from there | 1
        made in China and sent from Singapore | 0 | dispatch_country="SG"
        made in Japan and sent from China | 0 | origin_country="JP"
        made where it goes | 0 | origin_country="NL"
        made and sent within one country | 1 | origin_country="NL", dispatch_country="NL"
    """),
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
