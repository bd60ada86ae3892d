"""Documents: what was filed, when, how often it was changed, and whether it agrees."""

import numpy as np

from features.definition import (
    BOTH,
    MonotoneConstraint,
    Peers,
    SuspiciousSide,
    Unit,
    feature,
    route_feature,
    shipment_feature,
)
from features.engine.columns import Column
from features.engine.windows.window_declaration import (
    count,
    distinct,
    hours_since_latest,
    largest,
    total,
)
from features.publications import PRACTICE, SEA_CONTAINERS_2002, UK_VEHICLES


@feature(
    total("documents", "is_latest_version", by="subject_id"),
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="never; no document known is 0",
    indicator="D38",
    warns=SuspiciousSide.LOW,
    source=PRACTICE,
    shows_from=1,
    sentence="{value} documents were received",
    sentence_of_none="no document was received",
    sentence_of_one="one document was received",
    among=Peers.CORRIDOR,
)
def document_count() -> None:
    """Documents known by then, each counted once however many versions it has.

    Few are suspicious: a movement without papers cannot be checked against anything.
    """


@feature(
    total("documents", "is_amendment", by="subject_id"),
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="never; no document known is 0",
    indicator="D02",
    warns=SuspiciousSide.HIGH,
    source=SEA_CONTAINERS_2002,
    shows_from=2,
    sentence="its documents were changed {value} times",
    sentence_of_none="none of its documents was changed",
    sentence_of_one="its documents were changed once",
    known_by="document_count",
)
def amendment_count() -> None:
    """Later versions of documents that had been filed already.

    Many are mildly suspicious: papers may follow the cargo rather than the other way round.
    Groupage and rolled containers are amended often, and rightly.
    """


@feature(
    subjects=BOTH,
    unit=Unit.HOURS_BEFORE,
    when_missing="no manifest is known, or not when the conveyance is due",
    indicator="D01",
    source=PRACTICE,
    shows_from=24,
    sentence="the manifest came {value} before the conveyance is due",
    sentence_below_zero="the manifest came {value} after the conveyance was due",
    among=Peers.CORRIDOR,
    direction=MonotoneConstraint.LOWER_IS_RISKIER,
)
def manifest_lead_hours(
    lead_minutes: Column = largest(
        "documents", "minutes_before_due", by="subject_id", where="is_manifest"
    ),
) -> Column:
    """Hours from the first manifest to the arrival that was announced; below 0 once that is past.

    A short lead is suspicious: a late manifest leaves no time to look.
    """
    return lead_minutes / 60


@shipment_feature(
    hours_since_latest("documents", by="subject_id", where="is_critical_change"),
    unit=Unit.HOURS,
    when_missing="no known version of a document changed what matters",
    indicator="D03",
    warns=SuspiciousSide.LOW,
    source=PRACTICE,
    shows_from=72,
    sentence="a document last changed parties, container, seal or quantity {value} ago",
)
def hours_since_critical_change() -> None:
    """Hours since a version of a document that names another party, container, seal, gross mass or
    number of packages than the version before it.

    A change of these at the last hour is suspicious; a first filing is none.
    """


@feature(
    total("documents", "is_expired", by="subject_id"),
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="never; no document known is 0",
    indicator="D23",
    source=PRACTICE,
    sentence="{value} of its documents will have expired when they are needed",
    sentence_of_one="one of its documents will have expired when it is needed",
    sentence_of_none="none of its documents will have expired when it is needed",
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    known_by="document_count",
)
def expired_document_count() -> None:
    """Documents whose last version ends before the movement does.

    More are suspicious: an old permit or transit paper may be used a second time.
    """


@shipment_feature(
    unit=Unit.COUNT,
    when_missing="no permit with a number is known",
    indicator="D16",
    warns=SuspiciousSide.HIGH,
    source=PRACTICE,
    sentence="permits of its permit's number were filed for {value} other shipments in 365 days",
    sentence_of_none="no permit of its permit's number was filed for another shipment in 365 days",
    sentence_of_one="a permit of its permit's number was filed for another shipment in 365 days",
)
def permit_other_shipments_365d(
    shipments: Column = distinct(
        "shipment_permits",
        "subject_id",
        by="latest_permit_number",
        matching="number",
        days=365,
    ),
    own_versions: Column = count(
        "shipment_permits",
        by=("subject_id", "latest_permit_number"),
        matching=("subject_id", "number"),
        days=365,
    ),
) -> Column:
    """Other shipments for which a permit was filed in 365 days that has the number of the permit
    known last.

    Several are suspicious: a permit for one consignment is used again. One that was given for many
    consignments is filed with each of them.
    """
    # The count includes the shipment itself if it has filed a version of the permit.
    return shipments - np.where(own_versions > 0, 1, 0)


@route_feature(
    unit=Unit.YES_NO,
    when_missing="never",
    indicator="D40",
    source=UK_VEHICLES,
    sentence="a security checklist was filed",
    sentence_of_none="no security checklist was filed",
    among=Peers.CORRIDOR,
    direction=MonotoneConstraint.LOWER_IS_RISKIER,
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
    warns=SuspiciousSide.EITHER,
    source=PRACTICE,
    sentence="a permit was filed",
    sentence_of_none="no permit was filed",
    among=Peers.CORRIDOR,
    known_by="document_count",
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
    indicator="D45",
    warns=SuspiciousSide.HIGH,
    source=PRACTICE,
    sentence="a transit document was filed",
    sentence_of_none="no transit document was filed",
    among=Peers.CORRIDOR,
    known_by="document_count",
)
def has_transit(
    transits: Column = total("documents", "is_transit", by="subject_id"),
) -> Column:
    """Whether a transit document was filed.

    Having one is suspicious only together with a way that does not need it.
    """
    return (transits > 0).astype(float)


@shipment_feature(
    unit=Unit.YES_NO,
    when_missing="never",
    indicator="D38",
    source=PRACTICE,
    sentence="an invoice was filed",
    sentence_of_none="no invoice was filed",
    direction=MonotoneConstraint.LOWER_IS_RISKIER,
)
def has_invoice(
    invoices: Column = total("documents", "is_invoice", by="subject_id"),
) -> Column:
    """Whether an invoice was filed before the declaration.

    None is mildly suspicious: nothing shows what the goods were sold for.
    """
    return (invoices > 0).astype(float)


@shipment_feature(
    unit=Unit.YES_NO,
    when_missing="never",
    indicator="D38",
    source=PRACTICE,
    sentence="a packing list was filed",
    sentence_of_none="no packing list was filed",
    among=Peers.GOODS,
    direction=MonotoneConstraint.LOWER_IS_RISKIER,
)
def has_packing_list(
    lists: Column = total("documents", "is_packing_list", by="subject_id"),
) -> Column:
    """Whether a packing list was filed before the declaration.

    None is mildly suspicious: it is the paper that says what is in which package.
    """
    return (lists > 0).astype(float)
