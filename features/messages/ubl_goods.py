"""Goods items of UBL, wherever in a shipment they are packed."""

from features.messages.drafts import Draft, Value
from features.messages.element import Element
from features.messages.goods import commodity, heading, keep_item, nomenclature_of
from features.messages.reading import Reading

_CODES = (
    *("Item/CommodityClassification/CommodityCode", "Item/CommodityClassification/CargoTypeCode"),
    *("Item/CommodityClassification/ItemClassificationCode", "CustomsTariffCode"),
)
_VALUES = ("DeclaredCustomsValueAmount", "ValueAmount", "DeclaredStatisticsValueAmount")


def main_commodity(shipment: Element, reading: Reading) -> Value | None:
    """The heading of a shipment's goods: of its first item that has a code, else of its tariff."""
    for item in shipment.everywhere("GoodsItem"):
        if code := commodity(item.first(*_CODES), reading):
            return heading(code)
    return heading(commodity(shipment.first("Consignment/TariffCode", "TariffCode"), reading))


def keep_goods(shipment: Element, shipment_id: Value | None, reading: Reading) -> None:
    """Make the goods items of a shipment; the tariff of a consignment counts for its only item."""
    items = list(shipment.everywhere("GoodsItem"))
    tariff = shipment.first("Consignment/TariffCode", "TariffCode") if len(items) == 1 else None
    for position, item in enumerate(items, start=1):
        code = commodity(item.first(*_CODES), reading) or commodity(tariff, reading)
        draft = Draft("goods_items", item.place)
        draft.put("shipment_id", shipment_id).put("number", Value(position, item.place))
        draft.put("commodity_code", code).put("nomenclature", nomenclature_of(code))
        draft.put("description", reading.text(item.first("Description", "Item/Description")))
        origin = item.first("Item/OriginCountry/IdentificationCode")
        draft.put("origin_country", reading.country(origin))
        draft.put("gross_mass_kg", reading.mass_kg(item.first("GrossWeightMeasure")))
        draft.put("net_mass_kg", reading.mass_kg(item.first("NetWeightMeasure")))
        draft.put("packages", reading.count(item.first("ContainingPackage/Quantity")))
        _put_value(draft, item, reading)
        draft.put("known_at", reading.received_at)
        keep_item(draft, reading)


def _put_value(draft: Draft, item: Element, reading: Reading) -> None:
    amounts = [found for name in _VALUES if (found := item.first(name))]
    # A declared value of zero often stands for one that is not declared.
    amount = next((each for each in amounts if float(each.text) > 0), None)
    if amount is not None:
        draft.put("value", reading.decimal(amount, "an amount"))
        draft.put("currency", reading.currency(amount.attributes["currencyID"], amount))
