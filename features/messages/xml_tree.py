"""XML -> a tree of elements, without entities, document types, network or inclusion."""

import re
from collections import Counter

from lxml import etree

from features.errors import MessageRefused
from features.messages.bounds import Bounds
from features.messages.decoding import text_of
from features.messages.element import Element

DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
# What may stand before the root element: blanks, comments and instructions.
_PROLOGUE = re.compile(r"(?:\s|<!--(?:(?!--).)*-->|<\?(?:(?!\?>).)*\?>)*+", re.DOTALL)


def read_xml(message: bytes, bounds: Bounds) -> tuple[Element, str]:
    """The root element and its namespace; names lose their prefixes.

    Raises MessageRefused with the line for what is not well formed, for a document type, and for
    what exceeds the bounds.
    """
    bounds.check_size(message)
    text = DECLARATION.sub("", text_of(message).lstrip("\ufeff"), count=1)
    lines_cut = text_of(message).count("\n") - text.count("\n")
    start = _PROLOGUE.match(text)
    at = start.end() if start else 0
    if text[at : at + 9].upper() == "<!DOCTYPE":
        line = text[:at].count("\n") + lines_cut + 1
        raise MessageRefused(f"line {line}", "want no document type: entities are not read")
    root = _parsed(text, lines_cut)
    return _tree(root, bounds, lines_cut), etree.QName(root).namespace or ""


def _parsed(text: str, lines_cut: int) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        encoding="utf-8",
    )
    try:
        return etree.fromstring(text.encode("utf-8", "surrogatepass"), parser)
    except etree.XMLSyntaxError as error:
        line = (error.lineno or 1) + lines_cut
        raise MessageRefused(f"line {line}", "want well-formed XML") from None


def _tree(root: etree._Element, bounds: Bounds, lines_cut: int) -> Element:
    top = _element(root, "", lines_cut)
    waiting = [(root, top, 1)]
    count = 0
    while waiting:
        node, element, depth = waiting.pop()
        children = [child for child in node if isinstance(child.tag, str)]
        if depth > bounds.depth and children:
            raise MessageRefused(element.place, f"want at most {bounds.depth} levels", element.line)
        count += len(children)
        bounds.check_count(count, element.place)
        repeated = Counter(child.tag for child in children)
        seen: Counter[str] = Counter()
        for child in children:
            seen[child.tag] += 1
            index = f"[{seen[child.tag]}]" if repeated[child.tag] > 1 else ""
            below = _element(child, index, lines_cut, element)
            element.children.append(below)
            waiting.append((child, below, depth + 1))
    return top


def _element(
    node: etree._Element, index: str, lines_cut: int, parent: Element | None = None
) -> Element:
    name = etree.QName(node).localname
    return Element(
        name=name,
        place=f"{parent.place if parent else ''}/{name}{index}",
        path=f"{parent.path if parent else ''}/{name}",
        text=(node.text or "").strip(),
        namespace=etree.QName(node).namespace or "",
        line=(node.sourceline or 0) + lines_cut or None,
        attributes={etree.QName(key).localname: value for key, value in node.attrib.items()},
    )
