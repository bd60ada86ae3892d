"""The declaration: when, where and under which procedure goods are declared."""

import numpy as np

from features.definition import (
    BOTH,
    Peers,
    SuspiciousSide,
    Unit,
    feature,
    shipment_feature,
)
from features.engine.columns import DAY_US, HOUR_US, Column, hours_between
from features.publications import CUSTOMS_DATA_2022, PRACTICE


@feature(
    subjects=BOTH,
    unit=Unit.HOUR_OF_DAY,
    when_missing="never",
    indicator=None,
    source=PRACTICE,
    sentence="it was declared between {value}",
    among=Peers.CORRIDOR,
)
def declared_hour(declared_at: Column) -> Column:
    """Hour of the day, in UTC, at which it was declared.

    Neither early nor late is suspicious by itself: it is no local time.
    """
    # The remainder is positive for instants before 1970 as well.
    return (np.mod(declared_at, DAY_US) // HOUR_US).astype(np.float64)


@shipment_feature(
    unit=Unit.PERCENT,
    when_missing="no rate was declared",
    indicator=None,
    source=CUSTOMS_DATA_2022,
    sentence="the rate of duty claimed is {value} %",
    among=Peers.GOODS,
)
def tax_rate_percent(tax_rate: Column) -> Column:
    """Rate of duty that the declaration claims.

    Neither a low nor a high rate is suspicious by itself; it sets the scale of what duty is at
    stake.
    """
    return tax_rate


@shipment_feature(
    unit=Unit.CATEGORY,
    when_missing="no tax type was declared",
    indicator=None,
    source=CUSTOMS_DATA_2022,
    sentence="its duty is claimed under type {value}",
    among=Peers.GOODS,
)
def tax_type(tax_type: Column) -> Column:
    """Legal basis under which the rate of duty is claimed.

    None is suspicious by itself: it is a code of the declaration.
    """
    return tax_type


@shipment_feature(
    unit=Unit.CATEGORY,
    when_missing="no payment type was declared",
    indicator=None,
    source=CUSTOMS_DATA_2022,
    sentence="its terms of payment are of type {value}",
    among=Peers.GOODS,
)
def payment_type(payment_type: Column) -> Column:
    """Terms of payment that the declaration states.

    None are suspicious by themselves: they are a code of the declaration.
    """
    return payment_type


@shipment_feature(
    unit=Unit.CATEGORY,
    when_missing="no import type was declared",
    indicator=None,
    source=CUSTOMS_DATA_2022,
    sentence="it is declared under procedure {value}",
    among=Peers.GOODS,
)
def import_type(import_type: Column) -> Column:
    """Customs procedure and use under which the goods are declared.

    None is suspicious by itself; procedures differ in how they are checked.
    """
    return import_type


@shipment_feature(
    unit=Unit.CATEGORY,
    when_missing="no office is named",
    indicator=None,
    source=CUSTOMS_DATA_2022,
    sentence="it was declared at office {value}",
    among=Peers.CORRIDOR,
)
def office_id(office_id: Column) -> Column:
    """Office at which the goods are declared.

    None is suspicious by itself; offices differ in what they see.
    """
    return office_id


@shipment_feature(
    unit=Unit.CATEGORY,
    when_missing="never",
    indicator=None,
    source=CUSTOMS_DATA_2022,
    sentence="its goods belong to chapter {value} of the Harmonized System",
    among=Peers.CORRIDOR,
)
def hs_chapter(hs_chapter: Column) -> Column:
    """Chapter of the goods in the Harmonized System.

    None is suspicious by itself; chapters differ in duty, in controls and in what is found.
    """
    return hs_chapter


@shipment_feature(
    unit=Unit.CATEGORY,
    when_missing="its journey was not declared before it",
    indicator=None,
    source=PRACTICE,
    sentence="it travels by {value}",
    among=Peers.CORRIDOR,
)
def journey_mode(journey_mode: Column) -> Column:
    """Mode of transport of the shipment's journey.

    None is suspicious by itself; modes differ in what they carry.
    """
    return journey_mode


@shipment_feature(
    unit=Unit.HOURS_BEFORE,
    when_missing="its journey was not declared before it",
    indicator=None,
    source=PRACTICE,
    sentence="it was declared {value} before its conveyance is due",
    sentence_below_zero="it was declared {value} after its conveyance was due",
    among=Peers.CORRIDOR,
)
def hours_before_due(declared_at: Column, journey_due_at: Column) -> Column:
    """Hours from the declaration to the arrival that was announced.

    Neither early nor late is suspicious by itself: goods may be declared before arrival, or after
    it from temporary storage. Below 0 once the announced arrival is past.
    """
    return hours_between(declared_at, journey_due_at)


@shipment_feature(
    unit=Unit.YES_NO,
    when_missing="never",
    indicator="D42",
    warns=SuspiciousSide.LOW,
    source=CUSTOMS_DATA_2022,
    sentence="it is sent from its country of origin",
    sentence_of_none="it is sent from another country than its origin",
    among=Peers.GOODS,
)
def is_sent_from_origin(origin_country: Column, dispatch_country: Column) -> Column:
    """Whether the goods are dispatched from the country in which they were made.

    A third country between is mildly suspicious: it can hide the true origin.
    """
    return (origin_country == dispatch_country).astype(np.float64)
