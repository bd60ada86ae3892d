"""Documents: what was filed, when, how often it was changed, and whether it agrees."""

from features.definition import BOTH, ROUTE_ONLY, SHIPMENT_ONLY, Direction, Peers, Unit, feature
from features.engine.columns import Column
from features.engine.windows.window import count, hours_since_latest, largest, total
from features.publications import FATF_TRADE_2021, ICS2, PRACTICE, SEA_CONTAINERS_2002, UK_VEHICLES


@feature(
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="never; no document known is 0",
    indicator="D38",
    source=ICS2,
    sentence="{value} documents had been received",
    sentence_of_one="one document had been received",
    among=Peers.CORRIDOR,
)
def document_count(documents: Column = count("documents", by="subject_id")) -> Column:
    """Document versions received before the declaration.

    Few are suspicious: a movement without papers cannot be checked against anything.
    """
    return documents


@feature(
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="never; no document known is 0",
    indicator="D02",
    source=SEA_CONTAINERS_2002,
    sentence="its documents had been amended {value} times",
    sentence_of_one="its documents had been amended once",
    direction=Direction.HIGHER_IS_RISKIER,
)
def amendment_count(
    amendments: Column = total("documents", "is_amendment", by="subject_id"),
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
    source=ICS2,
    sentence="the manifest came {value} hours before the declaration",
    among=Peers.CORRIDOR,
)
def manifest_lead_hours(
    lead_minutes: Column = largest(
        "documents", "lead_minutes", by="subject_id", where="is_manifest"
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
    source=FATF_TRADE_2021,
    sentence="the last document came {value} hours before the declaration",
)
def hours_since_last_document(
    hours: Column = hours_since_latest("documents", by="subject_id"),
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
    source=PRACTICE,
    sentence="{value} of its documents will have expired when they are needed",
    sentence_of_one="one of its documents will have expired when it is needed",
)
def expired_document_count(
    expired: Column = total("documents", "is_expired", by="subject_id"),
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
    source=UK_VEHICLES,
    sentence="a security checklist was filed: {value}",
    among=Peers.CORRIDOR,
)
def has_security_checklist(
    checklists: Column = total("documents", "is_security_checklist", by="subject_id"),
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
    source=PRACTICE,
    sentence="a permit was filed: {value}",
    among=Peers.CORRIDOR,
)
def has_permit(
    permits: Column = total("documents", "is_permit", by="subject_id"),
) -> Column:
    """Whether a permit was filed.

    Having one is suspicious only together with goods or ways that do not need it, and none where
    they do.
    """
    return (permits > 0).astype(float)


@feature(
    subjects=BOTH,
    unit=Unit.YES_NO,
    when_missing="never",
    indicator="D24",
    source=PRACTICE,
    sentence="a transit document was filed: {value}",
    among=Peers.CORRIDOR,
)
def has_transit(
    transits: Column = total("documents", "is_transit", by="subject_id"),
) -> Column:
    """Whether a transit document was filed.

    Having one is suspicious only together with a way that does not need it.
    """
    return (transits > 0).astype(float)


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.YES_NO,
    when_missing="never",
    indicator="D38",
    source=ICS2,
    sentence="an invoice was filed: {value}",
)
def has_invoice(
    invoices: Column = total("documents", "is_invoice", by="subject_id"),
) -> Column:
    """Whether an invoice was filed before the declaration.

    None is mildly suspicious: nothing shows what the goods were sold for.
    """
    return (invoices > 0).astype(float)


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.YES_NO,
    when_missing="never",
    indicator="D38",
    source=ICS2,
    sentence="a packing list was filed: {value}",
    among=Peers.GOODS,
)
def has_packing_list(
    lists: Column = total("documents", "is_packing_list", by="subject_id"),
) -> Column:
    """Whether a packing list was filed before the declaration.

    None is mildly suspicious: it is the paper that says what is in which package.
    """
    return (lists > 0).astype(float)
