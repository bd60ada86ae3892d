"""Derive the columns of a document, compared with its subject's declaration."""

from functools import reduce

import numpy as np

from features.derived.beside_subject import (
    IS_SUPERSEDED,
    PREVIOUS,
    differs,
    flag,
    is_earlier,
    is_none_of,
)
from features.engine.columns import NO_INSTANT, Column, Columns, hours_between, is_missing, rows
from features.engine.string_table import STRING_TABLE
from features.records import SubjectKind
from features.reference.currencies import euro_cents
from features.subject_types import SUBJECT_TYPES

KINDS = ("manifest", "invoice", "packing_list", "transit", "permit", "security_checklist")
# Transport documents. A master document is made out between forwarders.
TRANSPORT_KINDS = ("manifest", "bill_of_lading", "air_waybill", "transit")
AGENTS = ("forwarder_id", "declarant_id", "notify_party_id")
CRITICAL_TEXTS = ("consignor_id", "consignee_id", "container_number", "seal_number")
CRITICAL_NUMBERS = ("gross_mass_kg", "packages")


def derive_document(kind: SubjectKind, document: Columns, subject: Columns) -> Columns:
    """Return the columns of a document relative to its subject.

    Of several versions of a document, only the last known one may be expired, conflict or state
    values. A document is expired if it ends before the journey is due, or, for a shipment without a
    known journey, before the declaration. Only shipments declare goods from which a document may
    differ.
    """
    subject_type = SUBJECT_TYPES[kind]
    valid_until = reduce(_first_known, map(subject.__getitem__, subject_type.documents_valid_until))
    is_latest = document[IS_SUPERSEDED] == 0
    columns = {
        "subject_id": document["subject_id"],
        "known_at": document["received_at"],
        "record_id": document["document_id"],
        "number": document["number"],
        "is_amendment": flag(document["version"] > 1),
        "is_latest_version": flag(is_latest),
        "is_critical_change": _is_critical_change(document),
        "is_seal_change": flag(
            differs(document[f"{PREVIOUS}seal_number"], document["seal_number"]) == 1
        ),
        "is_expired": _of_latest(is_latest, is_earlier(document["expires_at"], valid_until)),
        "minutes_before_due": np.rint(
            hours_between(document["received_at"], subject[subject_type.due_field]) * 60
        ),
        "value_eur_cents": _value_eur_cents(document, subject),
    }
    columns["is_valued_invoice"] = flag(
        is_latest & (document["kind"] == "invoice") & ~is_missing(columns["value_eur_cents"])
    )
    of_kind = {f"is_{name}": flag(document["kind"] == name) for name in KINDS}
    conflicts = _conflicts(document, subject) if subject_type.declares_goods else {}
    of_latest = {name: _of_latest(is_latest, column) for name, column in conflicts.items()}
    return columns | of_kind | of_latest


def shipment_permits(documents: Columns) -> Columns:
    """Return one event per version of a numbered permit filed for a shipment."""
    is_permit = documents["kind"] == STRING_TABLE.code("permit")
    is_of_shipment = documents["subject_kind"] == STRING_TABLE.code("shipment")
    permits = rows(documents, is_permit & is_of_shipment & ~is_missing(documents["number"]))
    return permits | {"known_at": permits["received_at"], "record_id": permits["document_id"]}


def _conflicts(document: Columns, subject: Columns) -> Columns:
    """Return the differences from the declaration.

    A master document names forwarders instead of the parties, and states the mass, packages and
    value of everything it covers, so these do not count as conflicts.
    """
    agents = [document["issuer_id"], *(subject[name] for name in AGENTS)]
    is_master = np.isin(document["kind"], TRANSPORT_KINDS) & (
        _is_one_of(document["consignor_id"], agents) | _is_one_of(document["consignee_id"], agents)
    )
    value_eur_cents = _value_eur_cents(document, subject)
    conflicts = {
        "is_party_conflict": np.where(
            is_master, 0.0, np.fmax(*(differs(document[n], subject[n]) for n in CRITICAL_TEXTS[:2]))
        ),
        "is_container_conflict": differs(document["container_number"], subject["container_number"]),
        "is_seal_conflict": differs(document["seal_number"], subject["seal_number"]),
    }
    for name, stated, declared in (
        ("mass", document["gross_mass_kg"], subject["gross_mass_kg"]),
        ("packages", document["packages"], subject["packages"]),
        ("value", value_eur_cents, subject["declared_value_eur_cents"]),
    ):
        more_ppm = np.where(is_master, np.nan, _more_ppm(stated, declared))
        # Separate columns, since features use the largest of each.
        conflicts[f"{name}_excess_ppm"] = np.maximum(more_ppm, 0)
        conflicts[f"{name}_shortfall_ppm"] = np.maximum(0 - more_ppm, 0)
    return conflicts


def _is_critical_change(document: Columns) -> Column:
    """Return whether a version changes a party, container, seal, mass or count.

    A value that only one of the two versions states is no change.
    """
    changes = [
        differs(document[f"{PREVIOUS}{name}"], document[name])
        for name in (*CRITICAL_TEXTS, *CRITICAL_NUMBERS)
    ]
    return flag(reduce(np.logical_or, [change == 1 for change in changes]))


def _of_latest(is_latest: Column, column: Column) -> Column:
    """Return a column with NaN except for last known versions."""
    return np.where(is_latest, column, np.nan)


def _first_known(instants: Column, others: Column) -> Column:
    return np.where(instants == NO_INSTANT, others, instants)


def _is_one_of(values: Column, others: list[Column]) -> Column:
    return is_none_of(values, others) == 0


def _more_ppm(stated: Column, declared: Column) -> Column:
    """Return the excess over a declared value, in whole parts per million of it.

    Limited to a thousandfold; negative if less is stated.
    """
    # There is no share of a declared value of 0.
    relative = (stated - declared) / np.where(declared > 0, declared, np.nan)
    return np.rint(np.minimum(relative, 1e3) * 1e6)


def _value_eur_cents(document: Columns, subject: Columns) -> Column:
    """Return the value in euro cents, at the rates of the month of the declaration.

    The declared value is converted at the same rates, so that a moving rate causes no difference.
    """
    return euro_cents(document["value"], document["currency"], subject["declared_at"])
