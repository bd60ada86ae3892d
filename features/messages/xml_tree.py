"""Parse XML into a tree, without entities, document types, network access or inclusion."""

import re
from collections import Counter
from functools import lru_cache
from xml.parsers import expat

from lxml import etree

from features.errors import MessageRefused
from features.messages.decoding import text_of
from features.messages.element import Element
from features.messages.options import Bounds

DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
# Content allowed before the root element: blanks, comments and instructions.
_PROLOGUE = re.compile(r"(?:\s|<!--(?:(?!--).)*-->|<\?(?:(?!\?>).)*\?>)*+", re.DOTALL)
NO_MEMORY = expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]


@lru_cache(maxsize=1)  # the text of a message is located after its records are read
def read_xml(message: bytes, bounds: Bounds) -> tuple[Element, str]:
    """Return the root element and its namespace; names lose their prefixes.

    Raises MessageRefused, with the line, if the text is not well formed, has a document type or
    exceeds the limits.
    """
    bounds.check_size(message)
    # The declaration names the encoding of the bytes, which does not apply to the decoded text.
    text = DECLARATION.sub("", text_of(message).lstrip("\ufeff"), count=1)
    # Added to the lines that parsers report, so that errors give lines of the original.
    lines_cut = text_of(message).count("\n") - text.count("\n")
    start = _PROLOGUE.match(text)
    at = start.end() if start else 0
    if text[at : at + 9].upper() == "<!DOCTYPE":
        line = text[:at].count("\n") + lines_cut + 1
        raise MessageRefused(f"line {line}", "want no document type: entities are not read")
    _check_counts(text, bounds, lines_cut)
    root = _parsed(text, lines_cut)
    return _tree(root, bounds, lines_cut), etree.QName(root).namespace or ""


def _check_counts(text: str, bounds: Bounds, lines_cut: int) -> None:
    """Raise MessageRefused if there are too many elements, attributes or comments.

    Runs before the tree is created. Marks are counted first; only a text with many is parsed.
    """
    opened = text.count("<") - text.count("</")
    if max(opened, text.count("=")) <= bounds.elements:
        return
    counts = Counter[str]()
    parser = expat.ParserCreate("utf-8")

    def add(what: str, more: int) -> None:
        counts[what] += more
        if counts[what] > bounds.elements:
            place = f"line {parser.CurrentLineNumber + lines_cut}"
            raise MessageRefused(
                place, f"want at most {bounds.elements:,} {what}", kind="too_large"
            )

    def start(_: str, attributes: list[str]) -> None:
        add("elements", 1)
        add("attributes", len(attributes) // 2)

    parser.ordered_attributes = True
    parser.StartElementHandler = start
    parser.CommentHandler = lambda _: add("comments", 1)
    parser.ProcessingInstructionHandler = lambda *_: add("instructions", 1)
    try:
        parser.Parse(text.encode("utf-8", "surrogatepass"), True)
    except expat.ExpatError as error:
        if error.code == NO_MEMORY:
            raise MemoryError from None
        line = error.lineno + lines_cut
        raise MessageRefused(f"line {line}", "want well-formed XML") from None


def _parsed(text: str, lines_cut: int) -> etree._Element:
    parser = etree.XMLParser(
        # Nothing outside the message may be read or expanded (XXE, entity bombs).
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
        if error.code == etree.ErrorTypes.ERR_NO_MEMORY:
            raise MemoryError from None
        line = (error.lineno or 1) + lines_cut
        raise MessageRefused(f"line {line}", "want well-formed XML") from None


def _tree(root: etree._Element, bounds: Bounds, lines_cut: int) -> Element:
    elements = _Elements(lines_cut)
    top = elements.made(root, "", None)
    waiting = [(root, top, 1)]
    while waiting:
        node, element, depth = waiting.pop()
        children = [child for child in node if isinstance(child.tag, str)]
        if not children:
            continue
        if depth > bounds.depth:
            raise MessageRefused(element.place, f"want at most {bounds.depth} levels", element.line)
        repeated = Counter(child.tag for child in children) if len(children) > 1 else {}
        seen: Counter[str] = Counter()
        for child in children:
            index = ""
            if repeated.get(child.tag, 1) > 1:
                seen[child.tag] += 1
                index = f"[{seen[child.tag]}]"
            below = elements.made(child, index, element)
            bounds.check_place(below.place)
            element.children.append(below)
            waiting.append((child, below, depth + 1))
    return top


class _Elements:
    """A factory of the elements of one document, which share repeated names and paths."""

    def __init__(self, lines_cut: int):
        self._lines_cut = lines_cut
        self._names: dict[str, tuple[str, str]] = {}
        self._paths: dict[tuple[str, str], str] = {}

    def made(self, node: etree._Element, index: str, parent: Element | None) -> Element:
        """Return the element of a node, not yet attached to its parent."""
        name, namespace = self._named(node.tag)
        above = parent.path if parent else ""
        return Element(
            name=name,
            place=f"{parent.place if parent else ''}/{name}{index}",
            path=self._paths.setdefault((above, name), f"{above}/{name}"),
            text=(node.text or "").strip(),
            namespace=namespace,
            line=(node.sourceline or 0) + self._lines_cut or None,
            attributes={self._named(key)[0]: value for key, value in node.attrib.items()},
        )

    def _named(self, tag: str) -> tuple[str, str]:
        if (found := self._names.get(tag)) is None:
            qualified = etree.QName(tag)
            found = self._names[tag] = qualified.localname, qualified.namespace or ""
        return found
