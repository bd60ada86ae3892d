"""What the features of `features/families/goods_items.py` make of small stories."""

import pytest

from tests.features.families.facts import (
    DECLARED,
    MISSING,
    MOMENT,
    Fact,
    Record,
    after,
    check,
    each,
    goods_item,
    shipment,
    table,
)

BOAT, RICE, SHIRTS, ENGINE = "8903100000", "100630", "61091000", "8407219100"


def items(field: str, *values: object) -> list[Record]:
    """Goods items with these values of a field, where they have one."""
    given = [{} if value is None else {field: value} for value in values]
    if field == "value":
        given = [{**each, "currency": "EUR"} for each in given]
    return [goods_item(number, **each) for number, each in enumerate(given, 1)]


def difference(field: str, declared: str, **own: object) -> list[Fact]:
    """What a difference must be between what items state and what was declared: 100."""
    own = {declared: 100, **own}
    return [
        shipment("planted: the items make more", 0.5, items(field, 100, 50), **own),
        shipment("planted: the items make less", 0.4, items(field, 40, 20), **own),
        shipment("innocent: the items make the whole", 0.0, items(field, 60, 40), **own),
        shipment("one item is the whole", 0.0, items(field, 100), **own),
        shipment("one item says nothing", MISSING, items(field, 60, None), **own),
        shipment("no item", MISSING, **own),
        shipment("nothing was declared", MISSING, items(field, 60, 40), **own | {declared: None}),
        shipment("none was declared", MISSING, items(field, 60, 40), **own | {declared: 0}),
        shipment(
            "an item that became known since",
            0.0,
            items(field, 100),
            goods_item(2, known_at=DECLARED),
            **own,
        ),
    ]


shipments = table(shipment, globals())

FACTS = {
    "item_chapter_count": [
        shipment(
            "planted: boats among shirts and rice",
            3.0,
            *(
                goods_item(number, commodity_code=code)
                for number, code in enumerate((BOAT, RICE, SHIRTS), 1)
            ),
        ),
        shipment("innocent: two kinds of boat", 1.0, items("commodity_code", BOAT, "890322")),
        shipment("no items", MISSING),
        shipment(
            "known a moment before",
            2.0,
            goods_item(1),
            goods_item(2, commodity_code=RICE, known_at=DECLARED - MOMENT),
        ),
        shipment(
            "known at the declaration",
            1.0,
            goods_item(1),
            goods_item(2, commodity_code=RICE, known_at=DECLARED),
        ),
        shipment("known later", MISSING, goods_item(1, known_at=after(days=1))),
        shipment("of another shipment", MISSING, goods_item(1, shipment_id="another")),
    ],
    "item_origin_count": shipments("""
        planted: of three countries | 3.0 | items("origin_country", "CN", "TR", "VN")
        innocent: all of one | 1.0 | items("origin_country", "CN", "CN", None)
        no item says it | 0.0 | goods_item(1)
        no items | MISSING
    """),
    "item_mass_difference_ratio": difference("gross_mass_kg", "gross_mass_kg"),
    "item_value_difference_ratio": [
        *difference("value", "declared_value", currency="EUR"),
        *shipments("""
            in another currency, of the month of the declaration | USD_PER_EUR - 1 |
                items("value", 600_000, 400_000), declared_value=1_000_000.0, currency="USD"
            an item in a currency without a rate | MISSING |
                goods_item(1, value=10.0, currency="XPF"), declared_value=100.0, currency="EUR"
        """),
    ],
    "item_packages_difference_ratio": difference("packages", "packages"),
    "misdescribed_item_count": shipments("""
        planted: cartons under the code of computers | 1.0 |
            goods_item(1, commodity_code="84713000", description="Cartons of corrugated paper"),
            goods_item(2, description="inflatable boats")
        innocent: boats as boats | 0.0 | items("description", "inflatable boats")
        vague, which fits anything | 0.0 | items("description", "goods")
        no description | MISSING | goods_item(1)
        no items | MISSING
    """),
    "item_boat_equipment_ratio": shipments("""
        planted: an engine among shirts | 0.25 |
            goods_item(1, commodity_code=SHIRTS, value=300.0, currency="EUR"),
            goods_item(2, commodity_code=ENGINE, value=100.0, currency="EUR"), hs_code="610910"
        life jackets, by six digits of more | 1.0 |
            goods_item(1, commodity_code="6307200000", value=1.0, currency="EUR"), hs_code="630720"
        innocent: shirts | 0.0 | goods_item(1, commodity_code=SHIRTS, value=300.0, currency="EUR"),
            hs_code="610910"
        no item has a value | MISSING | goods_item(1)
        no items | MISSING
    """),
    "item_price_spread_ratio": [
        shipment(
            "planted: one item is worth forty times as much a kilogram",
            40.0,
            goods_item(1, value=100.0, currency="EUR", net_mass_kg=10.0, gross_mass_kg=90.0),
            goods_item(2, value=400.0, currency="EUR", gross_mass_kg=1.0),
        ),
        shipment("one item", 1.0, goods_item(1, value=100.0, currency="EUR", net_mass_kg=10.0)),
        shipment(
            "an item for nothing",
            MISSING,
            *(
                goods_item(number, value=value, currency="EUR", net_mass_kg=1.0)
                for number, value in enumerate((0.0, 5.0), 1)
            ),
        ),
        shipment("no masses", MISSING, goods_item(1, value=100.0, currency="EUR")),
        shipment("no items", MISSING),
    ],
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
