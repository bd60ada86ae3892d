"""Document conflicts: differences between the documents of a shipment and its declaration."""

import numpy as np

from features.definition import (
    MonotoneConstraint,
    SuspiciousSide,
    Unit,
    shipment_feature,
)
from features.engine.columns import Column
from features.engine.expressions.arithmetic import ratio
from features.engine.windows.window_declaration import count, largest, latest, total
from features.publications import EUROPOL_2023, FATF_TRADE_2021


@shipment_feature(
    unit=Unit.SHARE,
    when_missing="no document states a gross mass, or none was declared",
    indicator="D08",
    source=FATF_TRADE_2021,
    shows_from=0.01,
    sentence="a document states a gross mass {value} above the declared one",
    sentence_of_none="no document states more gross mass than was declared",
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
)
def document_mass_excess_ratio(
    ppm: Column = largest("documents", "mass_excess_ppm", by="subject_id"),
) -> Column:
    """Largest share by which a document's gross mass exceeds the declared one.

    A large share is suspicious: goods travel that the declaration leaves out. Of each paper the
    last version counts; a master paper, which covers more than this consignment, does not.
    """
    return ppm / 1e6


@shipment_feature(
    unit=Unit.SHARE,
    when_missing="no document states a gross mass, or none was declared",
    indicator="D08",
    source=FATF_TRADE_2021,
    shows_from=0.01,
    sentence="a document states a gross mass {value} below the declared one",
    sentence_of_none="no document states less gross mass than was declared",
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
)
def document_mass_shortfall_ratio(
    ppm: Column = largest("documents", "mass_shortfall_ppm", by="subject_id"),
) -> Column:
    """Largest share by which a document's gross mass stays below the declared one.

    A large share is suspicious: something was added after the paper was written, or taken out
    before. Of each paper the last version counts; a master paper, which covers more than this
    consignment, does not.
    """
    return ppm / 1e6


@shipment_feature(
    unit=Unit.SHARE,
    when_missing="no document states packages, or none were declared",
    indicator="D12",
    source=FATF_TRADE_2021,
    shows_from=0.01,
    sentence="a document states {value} more packages than were declared",
    sentence_of_none="no document states more packages than were declared",
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
)
def document_packages_excess_ratio(
    ppm: Column = largest("documents", "packages_excess_ppm", by="subject_id"),
) -> Column:
    """Largest share by which a document's packages exceed the declared ones.

    A large share is suspicious: packages travel that the declaration leaves out. Of each paper the
    last version counts; a master paper, which covers more than this consignment, does not.
    """
    return ppm / 1e6


@shipment_feature(
    unit=Unit.SHARE,
    when_missing="no document states packages, or none were declared",
    indicator="D12",
    source=FATF_TRADE_2021,
    shows_from=0.01,
    sentence="a document states {value} fewer packages than were declared",
    sentence_of_none="no document states fewer packages than were declared",
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
)
def document_packages_shortfall_ratio(
    ppm: Column = largest("documents", "packages_shortfall_ppm", by="subject_id"),
) -> Column:
    """Largest share by which a document's packages stay below the declared ones.

    A large share is suspicious: packages were added after the paper was written. Of each paper the
    last version counts; a master paper, which covers more than this consignment, does not.
    """
    return ppm / 1e6


@shipment_feature(
    unit=Unit.SHARE,
    when_missing="no document states a value, or none was declared",
    indicator="T26",
    source=FATF_TRADE_2021,
    shows_from=0.01,
    sentence="a document states a value {value} above the declared one",
    sentence_of_none="no document states a higher value than the declared one",
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
)
def document_value_excess_ratio(
    ppm: Column = largest("documents", "value_excess_ppm", by="subject_id"),
) -> Column:
    """Largest share by which a document's value exceeds the declared one.

    A large share is suspicious: the goods are worth more than customs is told. Of each paper the
    last version counts; a master paper, which covers more than this consignment, does not.
    """
    return ppm / 1e6


@shipment_feature(
    unit=Unit.SHARE,
    when_missing="no document states a value, or none was declared",
    indicator="T26",
    source=FATF_TRADE_2021,
    shows_from=0.01,
    sentence="a document states a value {value} below the declared one",
    sentence_of_none="no document states a lower value than the declared one",
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
)
def document_value_shortfall_ratio(
    ppm: Column = largest("documents", "value_shortfall_ppm", by="subject_id"),
) -> Column:
    """Largest share by which a document's value stays below the declared one.

    A large share is suspicious: value may be moved abroad under the cover of the goods. Of each
    paper the last version counts; a master paper, which covers more than this consignment, does
    not.
    """
    return ppm / 1e6


@shipment_feature(
    total("documents", "is_party_conflict", by="subject_id"),
    unit=Unit.COUNT,
    when_missing="never; no conflict known is 0",
    indicator="D13",
    source=FATF_TRADE_2021,
    sentence="{value} documents name other parties than the declaration",
    sentence_of_none="no document names other parties than the declaration",
    sentence_of_one="one document names other parties than the declaration",
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    known_by="party_conflict_count",
)
def party_conflict_count() -> None:
    """Documents that name another consignor or consignee than the declaration.

    More are suspicious: the goods may be meant for someone who is not declared. Of each paper the
    last version counts; a master paper between forwarders is no conflict.
    """


@shipment_feature(
    total("documents", "is_container_conflict", by="subject_id"),
    unit=Unit.COUNT,
    when_missing="never; no conflict known is 0",
    indicator="D18",
    source=EUROPOL_2023,
    sentence="{value} documents state another container than the declaration",
    sentence_of_none="no document states another container than the declaration",
    sentence_of_one="one document states another container than the declaration",
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    known_by="container_conflict_count",
)
def container_conflict_count() -> None:
    """Documents that state another container than the declaration, in their last version.

    More are suspicious: the goods may lie in another box than the one that is declared.
    """


@shipment_feature(
    total("documents", "is_seal_conflict", by="subject_id"),
    unit=Unit.COUNT,
    when_missing="never; no conflict known is 0",
    indicator="D18",
    source=EUROPOL_2023,
    sentence="{value} documents state another seal than the declaration",
    sentence_of_none="no document states another seal than the declaration",
    sentence_of_one="one document states another seal than the declaration",
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    known_by="seal_conflict_count",
)
def seal_conflict_count() -> None:
    """Documents that state another seal than the declaration, in their last version.

    More are suspicious: a changed seal is how goods are put into a stranger's container.
    """


@shipment_feature(
    unit=Unit.RATIO,
    when_missing="no invoice with a value is known, or no payment for the goods",
    indicator="T26",
    warns=SuspiciousSide.EITHER,
    source=FATF_TRADE_2021,
    sentence="what was paid for the goods is {value} the value on the invoice",
)
def paid_to_invoice_ratio(
    goods_cents: Column = total("transactions", "goods_eur_cents", by="subject_id"),
    deposit_cents: Column = total("transactions", "deposit_eur_cents", by="subject_id"),
    release_cents: Column = total("transactions", "release_eur_cents", by="subject_id"),
    payments: Column = count("transactions", by="subject_id", where="is_of_the_price"),
    invoice_cents: Column = latest(
        "documents", "value_eur_cents", by="subject_id", where="is_valued_invoice"
    ),
) -> Column:
    """What was paid for the goods so far over the value of the newest invoice that states one.

    Far over 1 is suspicious: the goods cost more than the papers say, or something else is paid.
    A deposit and its release count once; freight and duties do not count.
    """
    # A deposit and its release are the same money, so only the larger counts.
    paid_cents = goods_cents + np.maximum(deposit_cents, release_cents)
    # The second ratio is 1 if there is any payment, else missing.
    return ratio(paid_cents, invoice_cents) * ratio(payments, payments)


@shipment_feature(
    total("documents", "is_seal_change", by="subject_id"),
    unit=Unit.COUNT,
    when_missing="never; no change known is 0",
    indicator="D19",
    source=EUROPOL_2023,
    sentence="a later version of a document states another seal {value} times",
    sentence_of_none="no later version of a document states another seal",
    sentence_of_one="a later version of a document states another seal",
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    known_by="seal_change_count",
)
def seal_change_count() -> None:
    """Versions of documents that state another seal than the version before them.

    More are suspicious: a container was opened and sealed again. An inspection on the way, which
    seals anew, would be a good reason; whether there was one is to be asked.
    """
