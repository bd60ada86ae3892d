"""Goods items of a shipment, with sums compared with the declaration."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from features.reference.goods_names import is_of_other_goods
from features.submission import AttachedGoodsItem, Submission, SubmittedShipment
from serving.console.charts.document_grid import GridCell, difference_in_words, stated_in_words
from serving.explanation.code_names import country_in_words, goods_in_words
from serving.language import reading, say

# Item fields, with the field of the shipment that declares the total.
_OF_SHIPMENT = {"gross_mass_kg": "gross_mass_kg", "value": "declared_value", "packages": "packages"}
# Relative tolerance of a sum, for rounding.
SHOWS_FROM = 0.01
NOT_SAID = GridCell("")


@dataclass(frozen=True)
class GoodsRow:
    """One declared item; `known_at` is set only for items added after the declaration."""

    number: int
    goods: str
    description: GridCell
    origin: GridCell
    gross_mass: str
    value: str
    packages: str
    known_at: datetime | None


@dataclass(frozen=True)
class GoodsTable:
    """Items of a shipment by number, and their sums; no rows without items.

    A sum is empty if an item lacks the value, or if currencies differ.
    """

    rows: tuple[GoodsRow, ...] = ()
    gross_mass: GridCell = NOT_SAID
    value: GridCell = NOT_SAID
    packages: GridCell = NOT_SAID

    @classmethod
    def from_submission(cls, submission: Submission) -> Self:
        """Return the table of a submission's goods items."""
        shipment = submission.shipment
        if shipment is None or not shipment.items:
            return cls()
        items = sorted(shipment.items, key=lambda item: item.number)
        return cls(
            tuple(_row(item, shipment) for item in items),
            *(_sum(name, items, shipment) for name in _OF_SHIPMENT),
        )

    @property
    def differences(self) -> int:
        """Number of cells that differ: descriptions, origins and sums."""
        cells = [cell for row in self.rows for cell in (row.description, row.origin)]
        return sum(bool(each.differs) for each in (*cells, *self.sums))

    @property
    def sums(self) -> tuple[GridCell, GridCell, GridCell]:
        """Sums of all items: gross mass, value, packages."""
        return self.gross_mass, self.value, self.packages


def _row(item: AttachedGoodsItem, shipment: SubmittedShipment) -> GoodsRow:
    language = reading().language
    origin, said = item.origin_country, item.description or ""
    is_elsewhere = origin is not None and origin != shipment.origin_country
    declared = country_in_words(shipment.origin_country, language)
    is_unfitting = is_of_other_goods(said, item.commodity_code)
    return GoodsRow(
        item.number,
        goods_in_words(item.commodity_code, language),
        GridCell(said, (say("does not fit the goods code"),) if is_unfitting else ()),
        GridCell(
            country_in_words(origin, language) if origin else "",
            (say("declared {value}", value=declared),) if is_elsewhere else (),
        ),
        stated_in_words("gross_mass_kg", item.gross_mass_kg, None),
        stated_in_words("value", item.value, item.currency),
        stated_in_words("packages", item.packages, None),
        item.known_at,
    )


def _sum(name: str, items: Sequence[AttachedGoodsItem], shipment: SubmittedShipment) -> GridCell:
    stated = [getattr(item, name) for item in items]
    currencies = {item.currency for item in items}
    # A sum of some items, or of several currencies, would mislead.
    if None in stated or (name == "value" and len(currencies) > 1):
        return NOT_SAID
    currency = next(iter(currencies)) if name == "value" else None
    whole, declared = _added(stated), getattr(shipment, _OF_SHIPMENT[name])
    is_compared = declared is not None and (name != "value" or currency == shipment.currency)
    words = stated_in_words(name, whole, currency)
    if not is_compared or abs(whole - declared) <= SHOWS_FROM * declared:
        return GridCell(words)
    share = difference_in_words(whole, declared)
    said = f"{stated_in_words(name, declared, currency)}{share}"
    return GridCell(words, (say("declared {value}", value=said),))


def _added(numbers: Iterable[float]) -> float:
    """Return a sum without floating-point noise."""
    return round(sum(numbers), 6)
