"""Documents of routes and shipments: kinds, times of filing, and discrepancies."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.arrow_schema import record_table
from features.records import Document, SubjectKind
from synthetic import instants
from synthetic.actors import CONSIGNEE
from synthetic.chance import Flags, Floats, Ints, Words, chance, mixed, share
from synthetic.containers import container_numbers
from synthetic.conveyance_kinds import COACH, TRUCK, VAN
from synthetic.corridors import AIR, RAIL, ROAD
from synthetic.goods import goods
from synthetic.journeys import JourneyDraft, journey_ids, party_ids
from synthetic.mass_and_value import CURRENCIES
from synthetic.plan import Plan
from synthetic.shipments import ShipmentDraft, shipment_ids
from synthetic.signs import Signs
from synthetic.spelling import decimal, texts

KINDS = (
    "manifest",
    "bill_of_lading",
    "air_waybill",
    "invoice",
    "packing_list",
    "certificate_of_origin",
    "permit",
    "transit",
    "security_checklist",
)
MANIFEST, BILL, AIR_WAYBILL, INVOICE, PACKING, ORIGIN, PERMIT, TRANSIT, CHECKLIST = range(9)
FILED_LATE_SHARE = 0.07
MAX_VERSIONS = 3
# The share of amendments that correct the mass; the others correct the number of packages.
CORRECTED_MASSES = 0.6
# The share of amended documents after which a box was sealed anew on the way.
RESEALED = 0.1
# The share of a subject's documents that show its discrepancy, if it has one.
ODD_SHARE = 0.8
# Shares of invoices that are reissued, and of those that state another value than the declaration,
# because they include freight or a discount: normal trade, whatever is carried.
INVOICED_AGAIN, INVOICED_OTHERWISE = 0.05, 0.04
MASTER_BILLS = 0.2
# The share of parties with one permit for all their consignments.
PERMITS_FOR_ALL = 0.1
# Goods in packages from this weight on travel loose and have no packing list.
LOOSE_KG = 150.0


@dataclass(frozen=True)
class _Filed:
    """One row per version of a document: its subject's row, its kind and its version.

    `document` is the number of the document, the same in its versions, which are consecutive rows.
    """

    of: Ints
    kind: Ints
    version: Ints
    document: Ints

    @property
    def is_last(self) -> Flags:
        """Mask of the last versions."""
        return np.append(self.document[1:] != self.document[:-1], True)[: len(self.of)]

    def drawn(self, rng: np.random.Generator) -> Floats:
        """Return a uniform random number per document, the same in its versions."""
        return rng.random(len(self.of))[self.document]


@dataclass(frozen=True)
class _Owners:
    """The subjects of documents; permits may be reused within a `party`."""

    kind: SubjectKind
    ids: pa.Array
    numbers: Ints
    declared_at: Ints
    signs: Signs
    party: Words


_Plans = Sequence[tuple[Ints | int, int, Flags]]


def shipment_documents(plan: Plan, chapter: int, draft: ShipmentDraft) -> pa.Table:
    """Return the documents of shipments, such as transport documents, invoices and permits."""
    rng = chance(plan.seed, "shipment documents", chapter)
    signs, number = draft.subjects.signs, len(draft.number)
    transport: Ints = np.select(
        [draft.lane == AIR, (draft.lane == ROAD) | (draft.lane == RAIL)],
        [AIR_WAYBILL, TRANSIT],
        BILL,
    )
    permitted = goods().needs_permit[draft.declared_goods]
    is_packed = goods().kg_per_package[draft.declared_goods] < LOOSE_KG
    asked = signs["expired_permit"] | signs["reused_permit"]
    amended = signs["amended_manifest"] | signs["critical_amendment"]
    # Lateness shows only on manifests, so late subjects have one more often.
    manifested = (rng.random(number) < np.where(signs["late_manifest"], 0.35, 0.1)) | amended
    plans: _Plans = [
        (transport, 1, (rng.random(number) < 0.98) & ~manifested),
        (INVOICE, 1, ~signs["missing_invoice"]),
        (INVOICE, 2, ~signs["missing_invoice"] & (rng.random(number) < INVOICED_AGAIN)),
        (PACKING, 1, ~signs["missing_packing_list"] & is_packed),
        (ORIGIN, 1, rng.random(number) < 0.06),
        (PERMIT, 1, (permitted & ~signs["missing_permit"]) | asked),
        (MANIFEST, 1, manifested),
        (MANIFEST, 2, amended),
        (MANIFEST, 3, signs["critical_amendment"] & (rng.random(number) < 0.5)),
    ]
    filed = _filed(plans, number)
    of = filed.of
    issuer = np.where(filed.kind == INVOICE, draft.consignor[of], draft.carrier[of])
    return _documents(
        plan,
        rng,
        _Owners(
            kind="shipment",
            ids=shipment_ids(draft.number),
            numbers=draft.number,
            declared_at=draft.declared_at,
            signs=signs,
            party=draft.consignee,
        ),
        filed,
        issuer=issuer,
        contents=_contents(plan, rng, draft, filed),
    )


def route_documents(plan: Plan, chapter: int, draft: JourneyDraft) -> pa.Table:
    """Return the documents of routes: manifests, transit papers, permits and vehicle checks."""
    rng = chance(plan.seed, "route documents", chapter)
    signs, number = draft.subjects.signs, len(draft.number)
    lane = plan.ways.lane[draft.corridor]
    on_wheels = np.isin(draft.kind, (TRUCK, VAN, COACH))
    amended = signs["amended_manifest"]
    plans: _Plans = [
        (MANIFEST, 1, (rng.random(number) < 0.35) | amended | signs["late_manifest"]),
        (MANIFEST, 2, amended),
        (MANIFEST, 3, amended & (rng.random(number) < 0.3)),
        (TRANSIT, 1, ((lane == ROAD) & (rng.random(number) < 0.2)) | signs["expired_transit"]),
        (PERMIT, 1, ((draft.kind == COACH) & (rng.random(number) < 0.8)) | signs["expired_permit"]),
        (CHECKLIST, 1, on_wheels & ~signs["missing_checklist"] & (rng.random(number) < 0.75)),
    ]
    filed = _filed(plans, number)
    nothing = pa.nulls(len(filed.of), pa.float64())
    contents = {
        "consignor_id": pa.nulls(len(filed.of), pa.string()),
        "consignee_id": pa.nulls(len(filed.of), pa.string()),
        "gross_mass_kg": nothing,
        "packages": pa.nulls(len(filed.of), pa.int64()),
        "value": nothing,
        "currency": pa.nulls(len(filed.of), pa.string()),
        "container_number": pa.nulls(len(filed.of), pa.string()),
        "seal_number": pa.nulls(len(filed.of), pa.string()),
    }
    return _documents(
        plan,
        rng,
        _Owners(
            kind="route",
            ids=journey_ids(draft.number),
            numbers=draft.number,
            declared_at=draft.declared_at,
            signs=signs,
            party=draft.carrier,
        ),
        filed,
        issuer=draft.carrier[filed.of],
        contents=contents,
    )


def _filed(plans: _Plans, number: int) -> _Filed:
    """Return the documents of all plans (kind, version, subjects), ordered by subject.

    The versions of a kind must follow one another in the plans.
    """
    present = np.stack([which for _, _, which in plans], axis=1)
    of, slot = np.nonzero(present)
    kinds = np.stack([np.broadcast_to(kind, number) for kind, _, _ in plans], axis=1)
    versions = np.array([version for _, version, _ in plans])
    kind, version = kinds[of, slot], versions[slot]
    return _Filed(of, kind, version, np.cumsum(version == 1) - 1)


def _documents(
    plan: Plan,
    rng: np.random.Generator,
    owners: _Owners,
    filed: _Filed,
    *,
    issuer: Words,
    contents: dict[str, pa.Array],
) -> pa.Table:
    of, rows = filed.of, len(filed.of)
    received = _received(rng, filed, owners)
    issued = instants.after(received, -rng.uniform(2.0, 200.0, rows))
    expires, does_expire = _expiry(rng, filed, owners)
    # The index of each document within its subject makes ids unique.
    is_first = np.append(True, of[1:] != of[:-1])[:rows]
    place = filed.document - filed.document[is_first][np.cumsum(is_first) - 1]
    # Two prefixes, because the numbers of shipments and journeys overlap.
    prefix = "DS-" if owners.kind == "shipment" else "DR-"
    columns = {
        "document_id": texts(prefix, decimal(owners.numbers[of], 8), "-", decimal(place, 2)),
        "subject_kind": pa.array([owners.kind]).take(pa.array(np.zeros(rows, np.int64))),
        "subject_id": owners.ids.take(pa.array(of)),
        "kind": pa.array(KINDS).take(pa.array(filed.kind)),
        "number": _document_numbers(plan, rng, filed, owners),
        "version": pa.array(filed.version),
        "issuer_id": party_ids(issuer, where=filed.drawn(rng) >= plan.scenario.missing),
        "issued_at": instants.column(issued),
        "expires_at": instants.column(expires, where=does_expire),
        "received_at": instants.column(received),
        **contents,
    }
    return record_table(columns, Document)


def _received(rng: np.random.Generator, filed: _Filed, owners: _Owners) -> Ints:
    """Return times of receipt: hours before the declaration, or late just before or after it.

    A later version comes after the earlier one.
    """
    of, rows = filed.of, len(filed.of)
    # Later versions arrive closer to the declaration.
    lead = np.exp(rng.normal(2.9, 0.6, rows)) / filed.version
    is_manifest = np.isin(filed.kind, (MANIFEST, BILL, AIR_WAYBILL, TRANSIT))
    late = owners.signs["late_manifest"][of] & is_manifest
    lead = np.where(late, rng.uniform(0.02, 2.0, rows) / filed.version, lead)
    after = (rng.random(rows) < FILED_LATE_SHARE) & (filed.version == 1)
    lead = np.where(after, -rng.exponential(18.0, rows), lead)
    for version in range(2, MAX_VERSIONS + 1):
        of_version = np.flatnonzero(filed.version == version)
        next_at = lead[of_version - 1] - rng.uniform(0.3, 12.0, len(of_version))
        lead[of_version] = np.minimum(lead[of_version], next_at)
    return instants.after(owners.declared_at[of], -lead)


def _expiry(rng: np.random.Generator, filed: _Filed, owners: _Owners) -> tuple[Ints, Flags]:
    of, rows, signs = filed.of, len(filed.of), owners.signs
    does_expire = np.isin(filed.kind, (PERMIT, TRANSIT, ORIGIN))
    expired = (filed.kind == PERMIT) & signs["expired_permit"][of]
    if "expired_transit" in signs:
        expired |= (filed.kind == TRANSIT) & signs["expired_transit"][of]
    hours = np.where(expired, -rng.uniform(5, 900, rows), rng.uniform(100, 6_000, rows))
    return instants.after(owners.declared_at[of], hours), does_expire


def _document_numbers(
    plan: Plan,
    rng: np.random.Generator,
    filed: _Filed,
    owners: _Owners,
) -> pa.Array:
    """Return a number per document; a reused permit keeps its old one.

    Some parties hold one permit for all consignments of a kind, and properly file it with each.
    """
    of, signs = filed.of, owners.signs
    own = mixed(plan.seed, owners.numbers[of], filed.kind)
    if "reused_permit" in signs:
        party = owners.party[of].view(np.int64)
        again = mixed(plan.seed, party, PERMIT)
        is_for_all = share(plan.seed, party, 59) < PERMITS_FOR_ALL
        is_again = (filed.kind == PERMIT) & (signs["reused_permit"][of] | is_for_all)
        own = np.where(is_again, again, own)
    known = filed.drawn(rng) >= plan.scenario.missing / 2
    return texts("N", decimal((own >> np.uint64(8)).astype(np.int64), 12), where=known)


def _contents(
    plan: Plan, rng: np.random.Generator, draft: ShipmentDraft, filed: _Filed
) -> dict[str, pa.Array]:
    """Return the contents of shipments' documents, with their discrepancies."""
    of, rows = filed.of, len(filed.of)
    signs = {name: column[of] for name, column in draft.subjects.signs.items()}
    names_parties = np.isin(filed.kind, (MANIFEST, BILL, AIR_WAYBILL, TRANSIT, INVOICE, ORIGIN))
    has_mass = np.isin(filed.kind, (MANIFEST, BILL, AIR_WAYBILL, TRANSIT, PACKING))
    has_box = np.isin(filed.kind, (MANIFEST, BILL)) & draft.boxes.is_boxed[of]
    odd_one = filed.drawn(rng) < ODD_SHARE
    other_party = signs["party_mismatch"] & odd_one | (
        signs["critical_amendment"] & (filed.version > 1)
    )
    # Groupage travels on a master bill between forwarders, so other parties there are no mismatch.
    is_master = (filed.kind == BILL) & (filed.drawn(rng) < MASTER_BILLS)
    consignee = np.where(is_master, draft.forwarder[of], draft.consignee[of])
    consignee = np.where(
        other_party, mixed(plan.seed, CONSIGNEE, 9, draft.consignee[of]), consignee
    )
    off = rng.choice([0.82, 1.15, 1.3], rows)[filed.document]
    off = np.where(signs["mass_mismatch"] & odd_one, off, 1.0)
    # Honest differences of some per cent.
    honest = np.exp(0.02 * rng.standard_normal(rows))[filed.document]
    off *= np.where(filed.drawn(rng) < 0.05, honest, 1.0)
    # An earlier version states what a later one corrects.
    is_wrong, of_mass = ~filed.is_last & has_mass, filed.drawn(rng) < CORRECTED_MASSES
    off *= np.where(is_wrong & of_mass, np.exp(0.05 * rng.standard_normal(rows)), 1.0)
    miscounted = np.where(is_wrong & ~of_mass, rng.integers(1, 4, rows), 0)
    box = draft.boxes.box[of] + (signs["container_mismatch"] & odd_one)
    # Boxes are opened and sealed anew on the way, by whoever may and by whoever may not.
    is_resealed = (filed.version > 1) & (share(plan.seed, draft.number[of], 61) < RESEALED)
    is_odd = signs["seal_mismatch"] & odd_one & filed.is_last
    seal = (draft.boxes.seal[of] + 77 * is_odd + 13 * is_resealed) % 10**7
    missing = [filed.drawn(rng) < plan.scenario.missing for _ in range(3)]
    of_invoice = filed.kind == INVOICE
    return {
        "consignor_id": party_ids(draft.consignor[of], where=names_parties & ~missing[0]),
        "consignee_id": party_ids(consignee, where=names_parties & ~missing[1]),
        "gross_mass_kg": pa.array(np.round(draft.measures.gross_kg[of] * off, 1), mask=~has_mass),
        "packages": pa.array(
            _packages(rng, filed, draft.measures.packages[of], signs["mass_mismatch"]) + miscounted,
            mask=~has_mass | missing[2],
        ),
        "value": pa.array(_invoiced(rng, draft.measures.value[of], filed), mask=~of_invoice),
        "currency": pa.array(CURRENCIES).take(
            pa.array(draft.measures.currency[of], mask=~of_invoice)
        ),
        "container_number": (
            container_numbers(
                plan.seed,
                box,
                is_wrong=draft.subjects.signs["container_check_failed"][of],
                where=has_box,
            )
        ),
        "seal_number": texts("SL", decimal(seal, 7), where=has_box),
    }


def _invoiced(rng: np.random.Generator, value: Floats, filed: _Filed) -> Floats:
    """Return the value on each invoice: as declared, an earlier one, or one including freight."""
    differs = ~filed.is_last | (rng.random(len(value)) < INVOICED_OTHERWISE)
    other = value * np.exp(0.07 * rng.standard_normal(len(value)))
    return np.round(np.where(differs, other, value), 2)


def _packages(rng: np.random.Generator, filed: _Filed, packages: Ints, differs: Flags) -> Ints:
    odd = differs & (filed.drawn(rng) < 0.4)
    factor = rng.uniform(1.05, 1.4, len(packages))[filed.document]
    factor = np.where(filed.drawn(rng) < 0.3, 1 / factor, factor)
    other = np.ceil(packages * factor).astype(np.int64)
    return np.where(odd, other, packages)
