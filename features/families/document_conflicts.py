"""Document conflicts: do the papers of a shipment say what it declares?"""

from features.definition import SHIPMENT_ONLY, Unit, feature
from features.engine.columns import Column
from features.engine.expressions.arithmetic import ratio
from features.engine.windows.window import largest, latest, total
from features.publications import EUROPOL_2023, FATF_TRADE_2021, PAPER_TRAIL_2001


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.RATIO,
    when_missing="no document states a gross mass, or none was declared",
    indicator="D08",
    source=PAPER_TRAIL_2001,
    sentence="a document's gross mass differs from the declared one by {value} of it",
)
def document_mass_difference_ratio(
    ppm: Column = largest("documents", "mass_difference_ppm", by="subject_id"),
) -> Column:
    """Largest difference between a document's gross mass and the declared one.

    A large difference is suspicious: something was added, taken out or never there.
    """
    return ppm / 1e6


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.RATIO,
    when_missing="no document states packages, or none were declared",
    indicator="D12",
    source=FATF_TRADE_2021,
    sentence="a document's count of packages differs from the declared one by {value} of it",
)
def document_packages_difference_ratio(
    ppm: Column = largest("documents", "packages_difference_ppm", by="subject_id"),
) -> Column:
    """Largest difference between a document's packages and the declared ones.

    A large difference is suspicious.
    """
    return ppm / 1e6


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.RATIO,
    when_missing="no document states a value, or none was declared",
    indicator="T26",
    source=FATF_TRADE_2021,
    sentence="a document's value differs from the declared one by {value} of it",
)
def document_value_difference_ratio(
    ppm: Column = largest("documents", "value_difference_ppm", by="subject_id"),
) -> Column:
    """Largest difference between a document's value and the declared one.

    A large difference is suspicious: one of the two was written for someone else's eyes.
    """
    return ppm / 1e6


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.COUNT,
    when_missing="never; no conflict known is 0",
    indicator="D13",
    source=FATF_TRADE_2021,
    sentence="{value} documents name other parties than the declaration",
    sentence_of_one="one document names other parties than the declaration",
)
def party_conflict_count(
    conflicts: Column = total("documents", "is_party_conflict", by="subject_id"),
) -> Column:
    """Documents that name another consignor or consignee than the declaration.

    More are suspicious: the goods may be meant for someone who is not declared.
    """
    return conflicts


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.COUNT,
    when_missing="never; no conflict known is 0",
    indicator="D18",
    source=EUROPOL_2023,
    sentence="{value} documents state another container than the declaration",
    sentence_of_one="one document states another container than the declaration",
)
def container_conflict_count(
    conflicts: Column = total("documents", "is_container_conflict", by="subject_id"),
) -> Column:
    """Documents that state another container than the declaration.

    More are suspicious: the goods may lie in another box than the one that is declared.
    """
    return conflicts


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.COUNT,
    when_missing="never; no conflict known is 0",
    indicator="D18",
    source=EUROPOL_2023,
    sentence="{value} documents state another seal than the declaration",
    sentence_of_one="one document states another seal than the declaration",
)
def seal_conflict_count(
    conflicts: Column = total("documents", "is_seal_conflict", by="subject_id"),
) -> Column:
    """Documents that state another seal than the declaration.

    More are suspicious: a changed seal is how goods are put into a stranger's container.
    """
    return conflicts


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.RATIO,
    when_missing="no invoice with a value is known, or no payment",
    indicator="T26",
    source=FATF_TRADE_2021,
    sentence="what was paid is {value} of the invoice",
)
def paid_to_invoice_ratio(
    paid_cents: Column = total("transactions", "amount_eur_cents", by="subject_id"),
    invoice_cents: Column = latest(
        "documents", "value_eur_cents", by="subject_id", where="is_invoice"
    ),
) -> Column:
    """Everything paid so far over the newest invoice's value.

    Far over 1 is suspicious: the goods cost more than the papers say, or something else is paid.
    """
    return ratio(paid_cents, invoice_cents)
