"""Graphs of linked cases and entities as GraphML, for programs that draw and measure networks.

A file has what its page shows, with codes in English instead of sentences.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree

from starlette.responses import Response

from serving.review.cases.case_graph import CaseGraph
from serving.review.cases.case_records import CaseRow
from serving.review.search.entities import EntityCase, EntityHistory
from serving.web.downloads import download_headers

_NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
_TYPES_OF_NODES = {
    "kind": "string",
    "label": "string",
    "status": "string",
    "opened_at": "string",
    "is_confirmed": "boolean",
}
_TYPES_OF_EDGES = {"roles": "string", "cases": "int", "confirmed": "int"}


@dataclass(frozen=True)
class FileNode:
    """A case, or a thing that cases name; empty and None are left out of the file.

    `kind` is `case` or that of the thing, `opened_at` an ISO instant.
    """

    id: str
    kind: str
    label: str
    status: str = ""
    opened_at: str = ""
    is_confirmed: bool | None = None


@dataclass(frozen=True)
class FileEdge:
    """A case that names a thing, in these roles, or two things named in the same `cases`.

    In `confirmed` of those cases smuggling was found.
    """

    source: str
    target: str
    roles: str = ""
    cases: int | None = None
    confirmed: int | None = None


def case_graph_file(row: CaseRow, graph: CaseGraph) -> bytes:
    """Return the links of a case as GraphML: cases are joined by the things that they share."""
    things = {place: f"thing:{place}" for place in range(len(graph.things))}
    nodes = [_case_node(row, is_confirmed=None)]
    nodes += [FileNode(things[n], each.kind, each.value) for n, each in enumerate(graph.things)]
    nodes += [_case_node(each.case, is_confirmed=each.is_confirmed) for each in graph.neighbours]
    edges = [
        FileEdge(row.case_id, things[n], ",".join(each.roles))
        for n, each in enumerate(graph.things)
    ]
    edges += [
        FileEdge(neighbour.case.case_id, things[place], ",".join(roles))
        for neighbour in graph.neighbours
        for place, roles in neighbour.shares
    ]
    return _graphml(nodes, edges)


def entity_graph_file(history: EntityHistory, cases: Iterable[EntityCase]) -> bytes:
    """Return an entity as GraphML, with these cases and with what is named in the same cases."""
    own, cases = history.entity, list(cases)
    entities = [own, *(each.entity for each in history.companions)]
    nodes = [FileNode(each.reference.token, each.reference.kind, each.value) for each in entities]
    nodes += [_case_node(each.case, is_confirmed=each.is_confirmed) for each in cases]
    centre = own.reference.token
    edges = [FileEdge(each.case.case_id, centre, ",".join(each.roles)) for each in cases]
    edges += [
        FileEdge(
            centre, each.entity.reference.token, ",".join(each.roles), each.cases, each.confirmed
        )
        for each in history.companions
    ]
    return _graphml(nodes, edges)


def graph_download(content: bytes, name: str) -> Response:
    """Return GraphML as a download with this name."""
    headers = download_headers(f"{name}.graphml")
    return Response(content, headers=headers, media_type="application/graphml+xml")


def _case_node(row: CaseRow, *, is_confirmed: bool | None) -> FileNode:
    opened = row.opened_at.isoformat()
    return FileNode(row.case_id, "case", row.subject_id, row.status, opened, is_confirmed)


def _graphml(nodes: Iterable[FileNode], edges: Iterable[FileEdge]) -> bytes:
    root = ElementTree.Element("graphml", xmlns=_NAMESPACE)
    for scope, names in (("node", _TYPES_OF_NODES), ("edge", _TYPES_OF_EDGES)):
        for name, kind in names.items():
            key = {"id": f"{scope}_{name}", "for": scope, "attr.name": name, "attr.type": kind}
            ElementTree.SubElement(root, "key", key)
    graph = ElementTree.SubElement(root, "graph", edgedefault="undirected")
    for node in nodes:
        element = ElementTree.SubElement(graph, "node", id=node.id)
        _add_data(element, _TYPES_OF_NODES, node)
    for edge in edges:
        element = ElementTree.SubElement(graph, "edge", source=edge.source, target=edge.target)
        _add_data(element, _TYPES_OF_EDGES, edge)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def _add_data(
    element: ElementTree.Element, names: Iterable[str], stated: FileNode | FileEdge
) -> None:
    for name in names:
        value = getattr(stated, name)
        if value not in ("", None):
            text = str(value).lower() if isinstance(value, bool) else _printable(str(value))
            ElementTree.SubElement(element, "data", key=f"{element.tag}_{name}").text = text


def _printable(text: str) -> str:
    """Return a text without characters that XML cannot hold."""
    return "".join(each for each in text if each.isprintable())
