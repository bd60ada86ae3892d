"""What stands at a place of an original, looked up by other means than those that named it."""

import json
import re
from typing import Any

from lxml import etree


def text_at(message: bytes, name: str, place: str) -> str:
    """The text at a place: by XPath, JSON pointer, or the cutting of segments at their signs."""
    ending = name.rpartition(".")[2]
    return {"xml": _xml, "json": _json, "edi": _segments, "txt": _lines}[ending](message, place)


def _xml(message: bytes, place: str) -> str:
    steps = re.findall(r"/([^/\[]+)(\[\d+\])?", place)
    path = "".join(f"/*[local-name()='{name}']{index}" for name, index in steps)
    (found,) = etree.fromstring(message).getroottree().xpath(path)
    return (found.text or "").strip()


def _json(message: bytes, place: str) -> str:
    found: Any = json.loads(message)
    for step in place.strip("/").split("/") if place.strip("/") else []:
        found = found[int(step)] if isinstance(found, list) else found[step.replace("~1", "/")]
    return str(found) if not isinstance(found, dict | list) else ""


def _segments(message: bytes, place: str) -> str:
    text = message.decode("latin-1").removeprefix("UNA:+.? '")
    segments = [each.strip() for each in re.split(r"(?<!\?)'", text) if each.strip()]
    number, tag, element, component = re.fullmatch(  # type: ignore[union-attr]  # else it fails
        r"segment (\d+) (\w+)(?:, element (\d+), component (\d+))?", place
    ).groups()
    parts = re.split(r"(?<!\?)\+", segments[int(number) - 1])
    assert parts[0] == tag
    return re.split(r"(?<!\?):", parts[int(element)])[int(component) - 1] if element else ""


def _lines(message: bytes, place: str) -> str:
    return message.decode().splitlines()[int(place.removeprefix("line ")) - 1]
