"""The columns of a document of a subject, against what the subject declares."""

import numpy as np

from features.derived.beside_subject import difference_ppm, differs, flag, is_earlier
from features.engine.columns import Column, Columns, hours_between
from features.records import SubjectKind
from features.reference.currencies import euro_cents
from features.subject_types import SUBJECT_TYPES

KINDS = ("manifest", "invoice", "packing_list", "transit", "permit", "security_checklist")


def derive_document(kind: SubjectKind, document: Columns, subject: Columns) -> Columns:
    """The columns of a document relative to its subject.

    A document has expired when it ends before the journey is due, or before the declaration of a
    shipment. Only a shipment declares goods from which a document may differ.
    """
    subject_type = SUBJECT_TYPES[kind]
    valid_until = subject[subject_type.documents_valid_until]
    columns = {
        "subject_id": document["subject_id"],
        "known_at": document["received_at"],
        "record_id": document["document_id"],
        "is_amendment": flag(document["version"] > 1),
        "is_expired": is_earlier(document["expires_at"], valid_until),
        "lead_minutes": _minutes(document["received_at"], subject["declared_at"]),
        "age_minutes": _minutes(document["issued_at"], document["received_at"]),
        "value_eur_cents": euro_cents(document["value"], document["currency"]),
    }
    of_kind = {f"is_{name}": flag(document["kind"] == name) for name in KINDS}
    conflicts = _conflicts(document, subject) if subject_type.declares_goods else {}
    return columns | of_kind | conflicts


def _conflicts(document: Columns, subject: Columns) -> Columns:
    value_eur_cents = euro_cents(document["value"], document["currency"])
    return {
        "mass_difference_ppm": difference_ppm(document["gross_mass_kg"], subject["gross_mass_kg"]),
        "packages_difference_ppm": difference_ppm(document["packages"], subject["packages"]),
        "value_difference_ppm": difference_ppm(
            value_eur_cents, subject["declared_value_eur_cents"]
        ),
        "is_party_conflict": np.fmax(
            differs(document["consignor_id"], subject["consignor_id"]),
            differs(document["consignee_id"], subject["consignee_id"]),
        ),
        "is_container_conflict": differs(document["container_number"], subject["container_number"]),
        "is_seal_conflict": differs(document["seal_number"], subject["seal_number"]),
    }


def _minutes(earlier: Column, later: Column) -> Column:
    return np.rint(hours_between(earlier, later) * 60)
