"""Parse JSON into the same tree as XML: a member is an element, an array repeats it."""

import json
import re
from functools import lru_cache
from typing import Any

from features.errors import MessageRefused
from features.messages.decoding import text_of
from features.messages.element import Element, Kind
from features.messages.options import Bounds

# Skip strings as a whole, even unterminated ones, so that each character is scanned once.
_MARKS = re.compile(r'"[^"\\]*+(?:\\(?:.|\Z)[^"\\]*+)*+(?:"|\Z)|[,\[{]', re.DOTALL)


class _Digits(str):
    """A number as written, so that nothing is rounded before it is checked."""

    __slots__ = ()


@lru_cache(maxsize=1)  # the text of a message is located after its records are read
def json_root(message: bytes, bounds: Bounds) -> Element:
    """Return the root of a JSON document; locations are JSON pointers (RFC 6901).

    Raises MessageRefused, with the line for invalid JSON, and with the location for a duplicate
    member or a value beyond the limits. Elements of a root array are named `item`.
    """
    bounds.check_size(message)
    text = text_of(message).lstrip("\ufeff")
    _check_values(text, bounds)
    document = _parsed(text, bounds)
    root = Element("", "/", "", kind=_kind(document))
    # An explicit stack: recursion could exceed Python's limit on a deeply nested message.
    waiting: list[tuple[Any, Element, int]] = [(document, root, 1)]
    while waiting:
        value, element, depth = waiting.pop()
        if isinstance(value, dict):
            below = [(name, member, element) for name, member in value.items()]
        elif isinstance(value, list):
            below = [("", item, element) for item in value]
        else:
            element.text = _text(value)
            # Lone surrogates are valid in JSON escapes but cannot be encoded as UTF-8.
            if any("\ud800" <= sign <= "\udfff" for sign in element.text):
                raise MessageRefused(element.place, "want whole characters")
            continue
        if depth > bounds.depth:
            raise MessageRefused(element.place, f"want at most {bounds.depth} levels")
        waiting.extend(_put_below(element, below, depth, bounds))
    return root


def is_json_object(message: bytes) -> bool:
    """Return whether a message is an object of JSON rather than XML, by its first character."""
    return message.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1] == b"{"


def _check_values(text: str, bounds: Bounds) -> None:
    """Raise MessageRefused if there are too many values, before any of them is created."""
    # A cheap upper bound, which includes marks in strings; count exactly only beyond it.
    if sum(map(text.count, ",[{")) < bounds.elements:
        return
    marks = (found for found in _MARKS.finditer(text) if text[found.start()] != '"')
    for count, mark in enumerate(marks, start=1):
        if count >= bounds.elements:
            line = text.count("\n", 0, mark.start()) + 1
            bounds.check_count(count + 1, f"line {line}")


def _put_below(
    element: Element, below: list[tuple[str, Any, Element]], depth: int, bounds: Bounds
) -> list[tuple[Any, Element, int]]:
    """Add members or items to an element; items of an array are named after its member."""
    hung = []
    base = "" if element.place == "/" else element.place
    of_items = f"{element.path}/item"
    for position, (name, value, _) in enumerate(below):
        if isinstance(value, list) and name:
            bounds.check_place(f"{base}/{_escaped(name)}")
            stem, path = f"{base}/{_escaped(name)}", f"{element.path}/{name}"
            for index, item in enumerate(value):
                hung.append((item, _child(element, name, f"{stem}/{index}", path, item)))
            if not value:
                element.children.append(Element(name, stem, path, kind="array"))
            continue
        place = f"{base}/{_escaped(name or str(position))}"
        bounds.check_place(place)
        path = f"{element.path}/{name}" if name else of_items
        hung.append((value, _child(element, name or "item", place, path, value)))
    return [(value, child, depth + 1) for value, child in hung]


def _child(parent: Element, name: str, place: str, path: str, value: Any) -> Element:
    child = Element(name, place, path, kind=_kind(value))
    parent.children.append(child)
    return child


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _kind(value: Any) -> Kind:
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "array"
    if isinstance(value, bool):
        return "boolean"
    if value is None:
        return "null"
    return "number" if isinstance(value, _Digits) else "text"


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value).strip()


def _parsed(text: str, bounds: Bounds) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=_members,
            parse_int=_Digits,
            parse_float=_Digits,
            parse_constant=_no_number,
        )
    except RecursionError:
        raise MessageRefused("line 1", f"want at most {bounds.depth} levels") from None
    except json.JSONDecodeError as error:
        raise MessageRefused(f"line {error.lineno}", "want JSON") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    # Parsers disagree about which duplicate counts, so neither may be used.
    if len(members) < len(pairs):
        raise MessageRefused("/", "want each member of an object once")
    if not all(name.isprintable() for name in members):
        raise MessageRefused("/", "want names of printable characters")
    return members


def _no_number(_: str) -> Any:
    raise MessageRefused("/", "want numbers that are finite")
