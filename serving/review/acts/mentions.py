"""Mentions: `@name` in a note names a colleague who may see the case, exactly, or is refused."""

import re
from collections.abc import Collection

from features.person_names import looks_of
from serving.errors import Unprocessable

MOST_MENTIONS = 20
_AT = re.compile(r"(?<![\w.@])@(?=\w)")
"""What begins a mention; the sign within an address of mail does not."""
_WORD = re.compile(r"\w[\w.'+-]*")


def find_mentions(text: str, names: Collection[str]) -> tuple[str, ...]:
    """The names that a text mentions, in order.

    Raises Unprocessable for one of nobody, and says what it looks like: a name that is written
    nearly so reaches nobody else.
    """
    found = [_named(text[match.end() :], names) for match in _AT.finditer(text)]
    mentioned = tuple(dict.fromkeys(found))
    if len(mentioned) > MOST_MENTIONS:
        raise Unprocessable(f"a note mentions at most {MOST_MENTIONS} people")
    return mentioned


def _named(rest: str, names: Collection[str]) -> str:
    """The longest name with which a text begins; a name may have blanks."""
    begun = [name for name in names if rest.startswith(name) and _ends(rest[len(name) :])]
    if begun:
        return max(begun, key=len)
    word = _WORD.match(rest)
    written = word[0].rstrip(".'+-") if word else ""
    alike = next((name for name in names if _looks_like(rest, written, name)), None)
    near = f"; `@{alike}` may" if alike else ""
    raise Unprocessable(f"nobody called `@{written[:64]}` may see this case{near}")


def _ends(after: str) -> bool:
    return not re.match(r"\w", after)


def _looks_like(rest: str, written: str, name: str) -> bool:
    looks = looks_of(name)
    return not all(map(looks.isdisjoint, map(looks_of, (written, rest[: len(name)]))))
