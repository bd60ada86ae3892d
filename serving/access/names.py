"""Rules for names of accounts and keys, so that no two can be confused.

A name has one spelling (NFKC, single spaces) in one script, and does not look like any other name,
current or former, of any kind (`features/person_names.py`). Sources: Unicode Technical Standard 39,
section 5.1 (scripts); RFC 8266.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import chain, count

from features.person_names import base_of, looks_of, names_somebody
from serving.access.errors import NameTaken
from serving.access.roles import MAX_NAME_LENGTH
from serving.errors import Unprocessable
from serving.language import say

ALLOWED_SIGNS = " .@+-_'"
# Names that histories use for the service.
RESERVED = ("tidegate", "service", "the service itself")

# Scripts that people do mix. Any other mixture can imitate a name, as Cyrillic letters in Latin.
_WRITTEN_TOGETHER = (
    frozenset({"HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"HAN", "HANGUL"}),
    frozenset({"HAN", "BOPOMOFO"}),
)
_IN_EVERY_SCRIPT = frozenset({"COMMON", "INHERITED"})


def require_name(name: str) -> str:
    """Return the name if it is valid; raises Unprocessable with a valid suggestion."""
    near = normalise_name(name)
    if not names_somebody(near):
        raise Unprocessable("want a name with letters or digits", code="name-refused")
    if len(near) > MAX_NAME_LENGTH:
        raise Unprocessable(
            say("want a name of at most {max_length} characters", max_length=MAX_NAME_LENGTH),
            code="name-refused",
        )
    if near != name:
        raise Unprocessable(
            say(
                "want letters, digits, single blanks and {allowed_signs}: `{near}`",
                allowed_signs=ALLOWED_SIGNS[1:],
                near=near,
            ),
            code="name-refused",
        )
    if _is_of_mixed_scripts(near):
        raise Unprocessable(
            "its letters are of several scripts; write it in one", code="name-refused"
        )
    if base_of(near) != near:
        raise Unprocessable(
            say(
                "this ending is reserved for accounts of the same name: `{near}`",
                near=base_of(near),
            ),
            code="name-refused",
        )
    return name


def require_free(name: str, taken: Iterable[str]) -> None:
    """Raise NameTaken if the name looks like a current or former one."""
    looks = _looks(taken)
    alike = next((looks[look] for look in looks_of(name) if look in looks), None)
    if alike is None:
        return
    near = next(each for each in _numbered(name) if looks.keys().isdisjoint(looks_of(each)))
    raise NameTaken(
        say(
            "`{alike}` is or was in use, and this looks like it; `{near}` is free",
            alike=alike,
            near=near,
        )
    )


def distinct_name(wanted: str, subject: str, taken: Iterable[str]) -> str:
    """Return a free name for a person whose name comes from elsewhere, as close as possible.

    `subject` is their identity there, used for a name that is not valid here. A taken name gets a
    number, as in `alpha +2`, which `base_of` removes.
    """
    looks = _looks(taken)
    near = base_of(normalise_name(normalise_name(wanted)[: MAX_NAME_LENGTH - 8]))
    if not names_somebody(near) or _is_of_mixed_scripts(near):
        near = f"person {hashlib.sha256(subject.encode()).hexdigest()[:8]}"
    candidates = chain([near], (f"{near} +{number}" for number in count(2)))
    return next(each for each in candidates if looks.keys().isdisjoint(looks_of(each)))


def normalise_name(name: str) -> str:
    """Return the normal form of a name: NFKC, only allowed characters, single spaces."""
    composed = unicodedata.normalize("NFKC", name)
    kept = (each if _is_allowed(each) else " " if each.isspace() else "" for each in composed)
    return " ".join("".join(kept).split())


def _looks(taken: Iterable[str]) -> dict[str, str]:
    """Return every appearance of the names, with its name."""
    return {look: name for name in (*taken, *RESERVED) for look in looks_of(name)}


def _numbered(name: str) -> Iterator[str]:
    return (f"{name[: MAX_NAME_LENGTH - 8]}-{number}" for number in count(2))


def _is_allowed(char: str) -> bool:
    return char in ALLOWED_SIGNS or unicodedata.category(char)[0] in "LMN"


def _is_of_mixed_scripts(name: str) -> bool:
    from confusable_homoglyphs.categories import unique_aliases

    scripts = frozenset(unique_aliases(name)) - _IN_EVERY_SCRIPT
    return len(scripts) > 1 and not any(scripts <= together for together in _WRITTEN_TOGETHER)
