"""Names of accounts and keys: whoever reads one knows who is meant.

A name is written in one way (NFKC, single blanks), in one script, and no other that exists or ever
did looks like it, of whatever kind (`features/person_names.py`). Sources: Unicode Technical
Standard 39, section 5.1 (scripts); RFC 8266.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import chain, count

from features.person_names import base_of, looks_of, names_somebody
from serving.access.errors import NameRefused, NameTaken
from serving.access.roles import MAX_NAME_LENGTH
from serving.language import say

ALLOWED_SIGNS = " .@+-_'"
# What stands in histories for the service.
RESERVED = ("tidegate", "service", "the service itself")

# What people write in together; any other mixture of scripts is there to deceive.
_WRITTEN_TOGETHER = (
    frozenset({"HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"HAN", "HANGUL"}),
    frozenset({"HAN", "BOPOMOFO"}),
)
_IN_EVERY_SCRIPT = frozenset({"COMMON", "INHERITED"})


def require_name(name: str) -> str:
    """The name, where a new account or key may have it; raises NameRefused with what is near."""
    near = normalised(name)
    if not names_somebody(near):
        raise NameRefused("want a name with letters or digits")
    if len(near) > MAX_NAME_LENGTH:
        raise NameRefused(
            say("want a name of at most {longest_name} characters", longest_name=MAX_NAME_LENGTH)
        )
    if near != name:
        raise NameRefused(
            say(
                "want letters, digits, single blanks and {allowed_signs}: `{near}`",
                allowed_signs=ALLOWED_SIGNS[1:],
                near=near,
            )
        )
    if _is_of_mixed_scripts(near):
        raise NameRefused("its letters are of several scripts; write it in one")
    if base_of(near) != near:
        raise NameRefused(
            say("only names that were told apart end so: `{near}`", near=base_of(near))
        )
    return name


def require_free(name: str, taken: Iterable[str]) -> None:
    """Raise NameTaken where a name that exists or ever did looks like it."""
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
    """A free name for somebody whom others named; near what they are called there.

    `subject` is who they are there: whose name cannot be written here is called after that. A name
    that is taken gets a number, as `alpha +2`, which `base_of` takes off again.
    """
    looks = _looks(taken)
    near = base_of(normalised(normalised(wanted)[: MAX_NAME_LENGTH - 8]))
    if not names_somebody(near) or _is_of_mixed_scripts(near):
        near = f"person {hashlib.sha256(subject.encode()).hexdigest()[:8]}"
    candidates = chain([near], (f"{near} +{number}" for number in count(2)))
    return next(each for each in candidates if looks.keys().isdisjoint(looks_of(each)))


def normalised(name: str) -> str:
    """The name as it would be written here: NFKC, allowed signs alone, single blanks."""
    composed = unicodedata.normalize("NFKC", name)
    kept = (each if _is_allowed(each) else " " if each.isspace() else "" for each in composed)
    return " ".join("".join(kept).split())


def _looks(taken: Iterable[str]) -> dict[str, str]:
    """Every look that a name has, with that name."""
    return {look: name for name in (*taken, *RESERVED) for look in looks_of(name)}


def _numbered(name: str) -> Iterator[str]:
    return (f"{name[: MAX_NAME_LENGTH - 8]}-{number}" for number in count(2))


def _is_allowed(char: str) -> bool:
    return char in ALLOWED_SIGNS or unicodedata.category(char)[0] in "LMN"


def _is_of_mixed_scripts(name: str) -> bool:
    from confusable_homoglyphs.categories import unique_aliases

    scripts = frozenset(unique_aliases(name)) - _IN_EVERY_SCRIPT
    return len(scripts) > 1 and not any(scripts <= together for together in _WRITTEN_TOGETHER)
