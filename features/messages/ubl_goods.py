"""Read the goods items of UBL, at any depth of a shipment."""

from features.messages.element import Element
from features.messages.goods import commodity, keep_item, put_code
from features.messages.message_reading import MessageReading
from features.messages.record_drafts import RecordDraft, Value

_CODES = (
    *("Item/CommodityClassification/CommodityCode", "Item/CommodityClassification/CargoTypeCode"),
    *("Item/CommodityClassification/ItemClassificationCode", "CustomsTariffCode"),
)
_VALUES = ("DeclaredCustomsValueAmount", "ValueAmount", "DeclaredStatisticsValueAmount")


def codes_of(shipment: Element, reading: MessageReading) -> list[Value]:
    """Return the commodity codes of a shipment's goods items, or else of its tariff."""
    items = [item.first(*_CODES) for item in shipment.everywhere("GoodsItem")]
    tariff = shipment.first("Consignment/TariffCode", "TariffCode")
    codes = [code for each in items if (code := commodity(each, reading))]
    return codes or [code for code in [commodity(tariff, reading)] if code]


def keep_goods(
    shipment: Element, shipment_id: Value | None, reading: MessageReading, *, is_declared: bool
) -> None:
    """Store the goods items of a shipment.

    The tariff of the consignment applies if there is only one item.
    """
    items = list(shipment.everywhere("GoodsItem"))
    tariff = shipment.first("Consignment/TariffCode", "TariffCode") if len(items) == 1 else None
    for position, item in enumerate(items, start=1):
        code = commodity(item.first(*_CODES), reading) or commodity(tariff, reading)
        draft = RecordDraft("goods_items", item.place)
        draft.put("shipment_id", shipment_id).put("number", Value(position, item.place))
        put_code(draft, code)
        draft.put("description", reading.text(item.first("Description", "Item/Description")))
        origin = item.first("Item/OriginCountry/IdentificationCode")
        draft.put("origin_country", reading.country(origin))
        draft.put("gross_mass_kg", reading.mass_kg(item.first("GrossWeightMeasure")))
        draft.put("net_mass_kg", reading.mass_kg(item.first("NetWeightMeasure")))
        draft.put("packages", reading.count(item.first("ContainingPackage/Quantity")))
        _put_value(draft, item, reading)
        keep_item(draft, reading, is_declared=is_declared)


def _put_value(draft: RecordDraft, item: Element, reading: MessageReading) -> None:
    for name in _VALUES:
        amount = item.first(name)
        value = reading.decimal(amount, "an amount")
        # A declared value of zero often means that no value is declared.
        if amount is not None and value is not None and value.content > 0:
            code = amount.attributes.get("currencyID", "")
            draft.put("value", value).put("currency", reading.currency(code, amount))
            return
