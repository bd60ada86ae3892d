"""What the features of `features/families/declaration.py` make of small stories."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.features.families.facts import (
    DECLARED,
    MISSING,
    MOMENT,
    Fact,
    after,
    before,
    check,
    each,
    earlier_journey,
    earlier_shipment,
    journey,
    route,
    shipment,
)

MIDNIGHT = datetime(2025, 6, 16, tzinfo=UTC)
AT_8_IN_SHANGHAI = datetime(2025, 6, 16, 8, 30, tzinfo=timezone(timedelta(hours=8)))

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
    "tax_rate_percent": [
        shipment("eight and a half", 8.5, tax_rate=8.5),
        shipment("free of duty", 0.0, tax_rate=0.0),
        shipment("no rate", MISSING),
        shipment("a type, but no rate", MISSING, tax_type="A"),
        shipment("a rate on an earlier one", MISSING, earlier_shipment(tax_rate=8.5)),
    ],
    "tax_type": [
        shipment("a preference", "FEU1", tax_type="FEU1"),
        shipment("none preferred", "A", tax_type="A", payment_type="11", import_type="21"),
        shipment("no type", MISSING, payment_type="11", import_type="21"),
        shipment("a type on an earlier one", MISSING, earlier_shipment(tax_type="A")),
    ],
    "payment_type": [
        shipment("type 11", "11", payment_type="11"),
        shipment("type 43", "43", payment_type="43", tax_type="A", import_type="21"),
        shipment("no type", MISSING, tax_type="A", import_type="21"),
        shipment("a type on an earlier one", MISSING, earlier_shipment(payment_type="11")),
    ],
    "import_type": [
        shipment("procedure 21", "21", import_type="21"),
        shipment("procedure 15", "15", import_type="15", tax_type="A", payment_type="11"),
        shipment("no type", MISSING, tax_type="A", payment_type="11"),
        shipment("a type on an earlier one", MISSING, earlier_shipment(import_type="21")),
    ],
    "office_id": [
        shipment("Rotterdam's", "NL000510", office_id="NL000510"),
        shipment("another", "BE101000", office_id="BE101000"),
        shipment("no office", MISSING),
        shipment("an office on an earlier one", MISSING, earlier_shipment(office_id="NL000510")),
    ],
    "hs_chapter": [
        shipment("boats", "89"),
        shipment("live animals keep their nought", "01", hs_code="010121"),
        shipment("whatever went before", "85", earlier_shipment(), hs_code="851713"),
    ],
    "journey_mode": [
        shipment("by sea", "sea", journey(), journey_id="J"),
        shipment("by road", "road", journey(mode="road"), journey_id="J"),
        shipment(
            "not by another journey's",
            "sea",
            journey(),
            earlier_journey(mode="road"),
            journey_id="J",
        ),
        shipment(
            "its journey is declared just before it",
            "sea",
            journey(declared_at=DECLARED - MOMENT),
            journey_id="J",
        ),
        shipment(
            "its journey is declared as it is",
            MISSING,
            journey(declared_at=DECLARED),
            journey_id="J",
        ),
        shipment(
            "its journey is declared after it",
            MISSING,
            journey(declared_at=after(hours=1)),
            journey_id="J",
        ),
        shipment("its journey is not known", MISSING, journey_id="J"),
        shipment("it names no journey", MISSING, journey()),
    ],
    "hours_before_due": [
        shipment("ten days", 240.0, journey(), journey_id="J"),
        shipment("ninety minutes", 1.5, journey(due_at=after(minutes=90)), journey_id="J"),
        shipment("as it is due", 0.0, journey(due_at=DECLARED), journey_id="J"),
        shipment(
            "two days after it was due", -48.0, journey(due_at=before(days=2)), journey_id="J"
        ),
        shipment(
            "counted from its own declaration",
            24.0,
            journey(declared_at=before(days=9), due_at=after(days=1)),
            journey_id="J",
        ),
        shipment(
            "its journey is declared as it is",
            MISSING,
            journey(declared_at=DECLARED),
            journey_id="J",
        ),
        shipment(
            "its journey is declared after it",
            MISSING,
            journey(declared_at=after(hours=1)),
            journey_id="J",
        ),
        shipment("its journey is not known", MISSING, journey_id="J"),
        shipment("it names no journey", MISSING, journey()),
    ],
    "is_sent_from_origin": [
        shipment("made in China and sent from there", 1),
        shipment("made in China and sent from Singapore", 0, dispatch_country="SG"),
        shipment("made in Japan and sent from China", 0, origin_country="JP"),
        shipment("made where it goes", 0, origin_country="NL"),
        shipment("made and sent within one country", 1, origin_country="NL", dispatch_country="NL"),
    ],
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
