"""The documents of a subject, against what it declares."""

import numpy as np

from features.attached.beside import (
    beside_their_subject,
    difference_ppm,
    differs,
    flag,
    is_earlier,
)
from features.columns import Column, Columns, hours_between, rows
from features.currencies import euro_cents
from features.records import SubjectKind
from features.vocabulary import VOCABULARY

KINDS = ("manifest", "invoice", "packing_list", "transit", "permit", "security_checklist")
READS: dict[SubjectKind, tuple[str, ...]] = {
    "route": ("due_at",),
    "shipment": (
        "gross_mass_kg",
        "packages",
        "declared_value_eur_cents",
        "consignor_id",
        "consignee_id",
        "container_number",
        "seal_number",
    ),
}


def attached_documents(kind: SubjectKind, subjects: Columns, documents: Columns) -> Columns:
    """One row per document version that was received before its subject's instant.

    A document has expired when it ends before the journey is due, or before the declaration of a
    shipment. Differences from the declaration are missing for a route, which declares no goods.
    """
    own = rows(documents, documents["subject_kind"] == VOCABULARY.code(kind))
    events, subject = beside_their_subject(
        own, own["subject_id"], own["received_at"], subjects, READS[kind]
    )
    needed_until = subject["due_at"] if kind == "route" else subject["declared_at"]
    derived = {
        "record_id": events["document_id"],
        "is_amendment": flag(events["version"] > 1),
        "is_expired": is_earlier(events["expires_at"], needed_until),
        "lead_minutes": _minutes(events["received_at"], subject["declared_at"]),
        "age_minutes": _minutes(events["issued_at"], events["received_at"]),
        "value_eur_cents": euro_cents(events["value"], events["currency"]),
    }
    of_kind = {f"is_{name}": flag(events["kind"] == VOCABULARY.code(name)) for name in KINDS}
    conflicts = _conflicts(events, subject) if kind == "shipment" else {}
    return events | derived | of_kind | conflicts


def _conflicts(events: Columns, subject: Columns) -> Columns:
    value_eur_cents = euro_cents(events["value"], events["currency"])
    return {
        "mass_difference_ppm": difference_ppm(events["gross_mass_kg"], subject["gross_mass_kg"]),
        "packages_difference_ppm": difference_ppm(events["packages"], subject["packages"]),
        "value_difference_ppm": difference_ppm(
            value_eur_cents, subject["declared_value_eur_cents"]
        ),
        "is_party_conflict": np.fmax(
            differs(events["consignor_id"], subject["consignor_id"]),
            differs(events["consignee_id"], subject["consignee_id"]),
        ),
        "is_container_conflict": differs(events["container_number"], subject["container_number"]),
        "is_seal_conflict": differs(events["seal_number"], subject["seal_number"]),
    }


def _minutes(earlier: Column, later: Column) -> Column:
    return np.rint(hours_between(earlier, later) * 60)
