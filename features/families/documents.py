"""Documents: what was filed, when, how often it was changed, and whether it agrees."""

from features.arithmetic import ratio
from features.asof.windows import count, hours_since_latest, largest, latest, total
from features.columns import Column
from features.definition import BOTH, ROUTE_ONLY, SHIPMENT_ONLY, Direction, Unit, feature

_ICS2 = "European Commission, ICS2 data quality rules for entry summary declarations"
_SEA = "European Commission, Good Practice Guide for Sea Container Control (2002)"
_FATF_TBML = "FATF and Egmont Group, Trade-Based Money Laundering: Risk Indicators (2021)"


@feature(
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="never; no document known is 0",
    indicator="D38",
    source=_ICS2,
    sentence="{value} documents had been received",
)
def document_count(documents: Column = count("attached_documents", by="subject_id")) -> Column:
    """Document versions received before the declaration.

    Few are suspicious: a movement without papers cannot be checked against anything.
    """
    return documents


@feature(
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="never; no document known is 0",
    indicator="D02",
    source=_SEA,
    sentence="its documents had been amended {value} times",
    direction=Direction.HIGHER_IS_RISKIER,
)
def amendment_count(
    amendments: Column = total("attached_documents", "is_amendment", by="subject_id"),
) -> Column:
    """Later versions of documents that had been filed already.

    Many are suspicious: papers that follow the cargo rather than the other way round.
    """
    return amendments


@feature(
    subjects=BOTH,
    unit=Unit.HOURS,
    when_missing="no manifest was received before the declaration",
    indicator="D01",
    source=_ICS2,
    sentence="the manifest came {value} hours before the declaration",
)
def manifest_lead_hours(
    lead_minutes: Column = largest(
        "attached_documents", "lead_minutes", by="subject_id", where="is_manifest"
    ),
) -> Column:
    """Hours from the first manifest to the declaration.

    A short lead is suspicious: a late manifest leaves no time to look.
    """
    return lead_minutes / 60


@feature(
    subjects=BOTH,
    unit=Unit.HOURS,
    when_missing="no document was received before the declaration",
    indicator="D03",
    source=_FATF_TBML,
    sentence="the last document came {value} hours before the declaration",
)
def hours_since_last_document(
    hours: Column = hours_since_latest("attached_documents", by="subject_id"),
) -> Column:
    """Hours since the newest document or amendment.

    A change at the last hour is suspicious.
    """
    return hours


@feature(
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="never; no document known is 0",
    indicator="D23",
    source="practice of reviewers; no single published source",
    sentence="{value} of its documents will have expired when they are needed",
)
def expired_document_count(
    expired: Column = total("attached_documents", "is_expired", by="subject_id"),
) -> Column:
    """Documents that end before the movement does.

    Any is suspicious: an old permit or transit paper may be used a second time.
    """
    return expired


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.YES_NO,
    when_missing="never",
    indicator="D40",
    source="UK Border Force, vehicle security guidance",
    sentence="a security checklist was filed: {value}",
)
def has_security_checklist(
    checklists: Column = total("attached_documents", "is_security_checklist", by="subject_id"),
) -> Column:
    """Whether a record of the security check of vehicle or container was filed.

    None is mildly suspicious where the trade usually files one.
    """
    return (checklists > 0).astype(float)


@feature(
    subjects=BOTH,
    unit=Unit.YES_NO,
    when_missing="never",
    indicator="D24",
    source="practice of reviewers; no single published source",
    sentence="a permit or transit document was filed: {value}",
)
def has_permit_or_transit(
    permits: Column = total("attached_documents", "is_permit", by="subject_id"),
    transits: Column = total("attached_documents", "is_transit", by="subject_id"),
) -> Column:
    """Whether a permit or a transit document was filed.

    Having one is suspicious only together with goods or ways that do not need it.
    """
    return (permits + transits > 0).astype(float)


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.YES_NO,
    when_missing="never",
    indicator="D38",
    source=_ICS2,
    sentence="a packing list was filed: {value}",
)
def has_packing_list(
    lists: Column = total("attached_documents", "is_packing_list", by="subject_id"),
) -> Column:
    """Whether a packing list was filed before the declaration.

    None is mildly suspicious: it is the paper that says what is in which package.
    """
    return (lists > 0).astype(float)


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.RATIO,
    when_missing="no document states a gross mass, or none was declared",
    indicator="D08",
    source="Journal of Commerce, Imperfect paper trail (2001); FATF and Egmont Group (2021)",
    sentence="a document's gross mass differs from the declared one by {value} of it",
)
def document_mass_difference_ratio(
    ppm: Column = largest("attached_documents", "mass_difference_ppm", by="subject_id"),
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
    source=_FATF_TBML,
    sentence="a document's count of packages differs from the declared one by {value} of it",
)
def document_packages_difference_ratio(
    ppm: Column = largest("attached_documents", "packages_difference_ppm", by="subject_id"),
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
    source=_FATF_TBML,
    sentence="a document's value differs from the declared one by {value} of it",
)
def document_value_difference_ratio(
    ppm: Column = largest("attached_documents", "value_difference_ppm", by="subject_id"),
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
    source=_FATF_TBML,
    sentence="{value} documents name other parties than the declaration",
)
def party_conflict_count(
    conflicts: Column = total("attached_documents", "is_party_conflict", by="subject_id"),
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
    source="Europol, Criminal networks in EU ports (2023)",
    sentence="{value} documents state another container or seal than the declaration",
)
def container_conflict_count(
    containers: Column = total("attached_documents", "is_container_conflict", by="subject_id"),
    seals: Column = total("attached_documents", "is_seal_conflict", by="subject_id"),
) -> Column:
    """Documents that state another container or another seal than the declaration.

    More are suspicious: a changed seal is how goods are put into a stranger's container.
    """
    return containers + seals


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.RATIO,
    when_missing="no invoice with a value is known, or no payment",
    indicator="T26",
    source=_FATF_TBML,
    sentence="what was paid is {value} of the invoice",
)
def paid_to_invoice_ratio(
    paid_cents: Column = total("attached_transactions", "amount_eur_cents", by="subject_id"),
    invoice_cents: Column = latest(
        "attached_documents", "value_eur_cents", by="subject_id", where="is_invoice"
    ),
) -> Column:
    """Everything paid so far over the newest invoice's value.

    Far over 1 is suspicious: the goods cost more than the papers say, or something else is paid.
    """
    return ratio(paid_cents, invoice_cents)
