"""The papers filed for a subject: their versions, and the declared field that each repeats.

Two figures are compared only if both describe the same thing. A paper of a shipment describes that
shipment, never its journey's load. A journey declares its whole load, and only a single manifest
states that total. The amounts of other papers are not compared: a master paper covers more than the
shipment, a permit states what is allowed, and each of several papers of one kind may cover a part.
"""

from collections import Counter
from collections.abc import Sequence

from features.derived.document import AGENTS, TRANSPORT_KINDS
from features.records import Journey, Record
from features.submission import AttachedDocument

AMOUNTS = ("gross_mass_kg", "packages", "value")

_OF_SHIPMENT = {
    "consignor_id": "consignor_id",
    "consignee_id": "consignee_id",
    "gross_mass_kg": "gross_mass_kg",
    "packages": "packages",
    "value": "declared_value",
    "container_number": "container_number",
    "seal_number": "seal_number",
}
# A journey declares one amount only, its total cargo mass.
_OF_JOURNEY = {"gross_mass_kg": "declared_cargo_mass_kg"}


def paper_versions(documents: Sequence[AttachedDocument]) -> list[list[AttachedDocument]]:
    """Group the versions of each paper, newest last, in the order of first appearance.

    Two are versions of one paper if they share the id, or the kind, the number and the issuer.
    """
    papers: list[list[AttachedDocument]] = []
    for document in documents:
        same = [paper for paper in papers if any(_is_same(document, each) for each in paper)]
        if not same:
            papers.append([document])
            continue
        # A new version may prove that papers which looked different are one, so join them.
        first, *others = same
        first.append(document)
        for other in others:
            first.extend(other)
            papers.remove(other)
    return [sorted(paper, key=lambda each: (each.version, each.received_at)) for paper in papers]


def newest_papers(documents: Sequence[AttachedDocument]) -> tuple[AttachedDocument, ...]:
    """Return the newest version of each paper that was not withdrawn."""
    newest = (versions[-1] for versions in paper_versions(documents))
    return tuple(paper for paper in newest if not paper.withdrawn)


def declared_field(
    subject: Record, filed: Sequence[AttachedDocument], paper: AttachedDocument, field: str
) -> str | None:
    """Return the declared field of a subject that a paper's field repeats, if any.

    `filed` are the newest papers of the subject.
    """
    if isinstance(subject, Journey):
        manifests = [each for each in filed if each.kind == "manifest"]
        is_total = paper.kind == "manifest" and len(manifests) == 1 and not _names_parties(paper)
        return _OF_JOURNEY.get(field) if is_total else None
    if field in ("container_number", "seal_number"):
        return _OF_SHIPMENT[field]
    if _is_master(paper, subject):
        return None
    if field in AMOUNTS:
        # Several papers of one kind may each cover a part of the goods.
        kinds = Counter(each.kind for each in filed if getattr(each, field) is not None)
        if paper.kind == "permit" or kinds[paper.kind] > 1:
            return None
    return _OF_SHIPMENT.get(field)


def _is_same(one: AttachedDocument, other: AttachedDocument) -> bool:
    """Return whether two are versions of one paper; a field that only one states is ignored.

    A missing number is ignored only if the version numbers differ: two papers of version 1 without
    a number are two papers.
    """
    if one.document_id == other.document_id:
        return True
    if one.kind != other.kind:
        return False
    issuers, numbers = {one.issuer_id, other.issuer_id}, {one.number, other.number}
    if len(issuers - {None}) > 1:
        return False
    if None in numbers:
        return one.version != other.version
    return len(numbers) == 1


def _names_parties(paper: AttachedDocument) -> bool:
    """Return whether a manifest names a sender or receiver, so covers one consignment only."""
    return paper.consignor_id is not None or paper.consignee_id is not None


def _is_master(paper: AttachedDocument, shipment: Record) -> bool:
    """Return whether a transport paper is issued between agents, as `derive_document` does."""
    agents = {paper.issuer_id, *(getattr(shipment, name) for name in AGENTS)} - {None}
    parties = {paper.consignor_id, paper.consignee_id}
    return paper.kind in TRANSPORT_KINDS and bool(agents & parties)
