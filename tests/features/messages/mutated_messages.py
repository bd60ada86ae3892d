"""Messages damaged on purpose: bytes, and whole elements removed, repeated, nested and enlarged."""

import copy
import json
import random
import re
from collections.abc import Callable
from typing import Any

from lxml import etree

Damage = Callable[[bytes, random.Random], bytes]
NESTED, ENLARGED, REPEATED = 200, 20_000, 50
MAX_BYTES = 150_000


def mutated(message: bytes, name: str, chance: random.Random) -> bytes:
    """The message with one to three damages that suit its syntax."""
    for _ in range(chance.randint(1, 3)):
        damage = chance.choice((*_BYTES, *_OF_SYNTAX[_syntax(name)]))
        message = damage(message, chance)[:MAX_BYTES]
    return message


def _syntax(name: str) -> str:
    return name.rpartition(".")[2]


def _flipped(message: bytes, chance: random.Random) -> bytes:
    changed = bytearray(message)
    for _ in range(chance.randint(1, 8) if changed else 0):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _cut(message: bytes, chance: random.Random) -> bytes:
    return message[: chance.randrange(len(message) + 1)]


def _spliced(message: bytes, chance: random.Random) -> bytes:
    start, end = sorted(chance.randrange(len(message) + 1) for _ in range(2))
    return message[:start] + message[start:end] * chance.randint(0, 2) + message[end:]


def _word(message: bytes, chance: random.Random) -> bytes:
    """Digits, signs and letters of elsewhere in place of some that stand there."""
    words = (
        b"",
        b"-1",
        b"1e999",
        b"9" * 40,
        b"0.0000001",
        b"NaN",
        b"2026-13-45",
        b"\xff\xfe",
        b"''",
    )
    at = chance.randrange(len(message) + 1)
    return message[:at] + chance.choice(words) + message[at + chance.randrange(12) :]


def _of_xml(change: Callable[[Any, random.Random], None]) -> Damage:
    def damage(message: bytes, chance: random.Random) -> bytes:
        try:
            root = etree.fromstring(message, etree.XMLParser(resolve_entities=False))
        except (etree.XMLSyntaxError, ValueError):
            return _flipped(message, chance)
        below = [each for each in root.iter() if isinstance(each.tag, str) and each is not root]
        if below:
            change(chance.choice(below), chance)
        return bytes(etree.tostring(root))

    return damage


def _remove(element: Any, _: random.Random) -> None:
    element.getparent().remove(element)


def _repeat(element: Any, chance: random.Random) -> None:
    for _ in range(chance.choice((1, REPEATED))):
        element.addnext(copy.deepcopy(element))


def _nest(element: Any, chance: random.Random) -> None:
    inner = element
    for _ in range(chance.choice((1, 10, NESTED))):
        inner = etree.SubElement(inner, element.tag)


def _enlarge(element: Any, chance: random.Random) -> None:
    element.text = (element.text or "9")[:40] * chance.choice((2, 100, ENLARGED))


def _rename(element: Any, chance: random.Random) -> None:
    element.tag = chance.choice([each.tag for each in element.getroottree().iter("*")])


def _of_json(message: bytes, chance: random.Random) -> bytes:
    try:
        document = json.loads(message)
    except (ValueError, RecursionError):
        return _flipped(message, chance)
    holders = list(_holders(document))
    if holders:
        holder, key = chance.choice(holders)
        holder[key] = chance.choice(
            (None, 1, -1.5, True, "", [], {}, "x" * ENLARGED, [holder[key]] * 3, {"a": holder[key]})
        )
        if chance.random() < 0.3:
            del holder[key]
    text = json.dumps(document)
    return text.replace("null", "[" * NESTED + "]" * NESTED, chance.randrange(2)).encode()


def _holders(document: Any) -> Any:
    keys = document if isinstance(document, dict) else range(len(document))
    for key in list(keys):
        yield document, key
        if isinstance(document[key], dict | list):
            yield from _holders(document[key])


def _of_lines(message: bytes, chance: random.Random) -> bytes:
    lines = message.splitlines(keepends=True)
    if not lines:
        return message
    at = chance.randrange(len(lines))
    other = lines[chance.randrange(len(lines))]
    lines[at : at + 1] = chance.choice(
        ([], [lines[at]] * REPEATED, [other, lines[at]], [lines[at][:40] * ENLARGED])
    )
    return b"".join(lines)


def _without_a_tag(message: bytes, chance: random.Random) -> bytes:
    """Without all the segments that begin like one of them."""
    lines = message.splitlines(keepends=True)
    tag = chance.choice(lines)[:3] if lines else b""
    return b"".join(each for each in lines if not each.startswith(tag))


def _counted(damage: Damage) -> Damage:
    """A damage after which the trailer counts what is there, so that the rest is read too."""

    def damaged(message: bytes, chance: random.Random) -> bytes:
        lines = damage(message, chance).splitlines(keepends=True)
        tags = [each[:3] for each in lines]
        if b"UNH" in tags and b"UNT" in tags:
            head, trailer = tags.index(b"UNH"), tags.index(b"UNT")
            number = str(trailer - head + 1).encode()
            lines[trailer] = re.sub(rb"\+\d+", b"+" + number, lines[trailer], count=1)
        return b"".join(lines)

    return damaged


def _component(message: bytes, chance: random.Random) -> bytes:
    """One component empty, repeated, or of other signs."""
    parts = re.split(rb"([:+'])", message)
    at = chance.randrange(len(parts))
    parts[at] = chance.choice((b"", b":", b"+", b"X", b"-1", b"9" * 40, parts[at] * 2))
    return b"".join(parts)


def _without_a_name(element: Any, _: random.Random) -> None:
    for each in list(element.getroottree().iter(element.tag)):
        if each.getparent() is not None:
            each.getparent().remove(each)


_BYTES: tuple[Damage, ...] = (_flipped, _cut, _spliced, _word)
_XML: tuple[Damage, ...] = tuple(
    map(_of_xml, (_remove, _repeat, _nest, _enlarge, _rename, _without_a_name))
)
_OF_SYNTAX: dict[str, tuple[Damage, ...]] = {
    "xml": _XML,
    "json": (_of_json, _of_json, _of_json),
    "edi": tuple(map(_counted, (_of_lines, _without_a_tag, _without_a_tag, _component))) * 2,
    "txt": (_of_lines,),
}
