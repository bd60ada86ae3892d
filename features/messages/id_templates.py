"""Templates of ids, by which a caller says how shipments and journeys look in free text.

A template is literal text with `{digits}` and `{letters}`, each with its length: `{digits:6}`,
`{letters:2-4}`, or 1 to 20 without one. `{{` and `}}` stand for braces. A match is never part of a
longer word: no letter and no digit stands directly before or after it.

Callers never write a regular expression: that could run without end. A template has one way to
match at any character, of at most `MAX_ID` characters, so a search takes time linear in the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

# Characters of a reference that are searched.
MAX_SEARCHED = 500
MAX_TEMPLATE = 100
# Characters of an id, and so of a match.
MAX_ID = 64
# Characters of a run of digits or letters whose length the template does not say.
MAX_OPEN_RUN = 20

WANTED = (
    "want a template such as AC{digits:6} or {letters:2-4}-{digits:1-9}: literal text, {digits} "
    "and {letters} with their lengths, no regular expression"
)

_CLASSES = {"digits": "0-9", "letters": "A-Za-z"}
_PART = re.compile(
    r"(?P<brace>\{\{|\}\})"
    r"|\{(?P<name>digits|letters)(?::(?P<least>[0-9]{1,2})(?:-(?P<most>[0-9]{1,2}))?)?\}"
    r"|(?P<literal>[^{}])"
)


@dataclass(frozen=True)
class _RunOfCharacters:
    """A run of characters of one class: of `least` to `most`."""

    characters: str
    least: int
    most: int

    @property
    def expression(self) -> str:
        # Possessive: what a run took it never gives back, so nothing is tried twice.
        return f"[{self.characters}]{{{self.least},{self.most}}}+"


@dataclass(frozen=True)
class IdTemplate:
    """A template, and how it finds ids. Two of the same text are equal."""

    text: str

    def find(self, reference: str) -> str | None:
        """Return the first id in the beginning of a reference; None where there is none.

        >>> id_template("AC{digits:4-6}").find("invoice AC4711, AC4712")
        'AC4711'
        >>> id_template("AC{digits:4}").find("AC47112") is None
        True
        """
        # One character more, so that an id that goes on there is not taken for a shorter one.
        found = _compiled(self.text).search(reference, 0, MAX_SEARCHED + 1)
        return found[0] if found and found.end() <= MAX_SEARCHED else None


def id_template(text: str) -> IdTemplate:
    """Return the template that somebody wrote.

    Raises ValueError, which says what is wanted.

    >>> id_template("AC[0-9]+") # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: want a template such as AC{digits:6} ...
    >>> id_template("{digits}{digits}")
    Traceback (most recent call last):
    ValueError: want other text between {digits} of several lengths and more digits
    """
    if len(text) > MAX_TEMPLATE:
        raise ValueError(f"{WANTED}; of at most {MAX_TEMPLATE} characters")
    parts = list(_parts(text))
    runs = [each for each in parts if isinstance(each, _RunOfCharacters)]
    if not runs:
        raise ValueError(WANTED)
    if any(not 1 <= each.least <= each.most for each in runs):
        raise ValueError("want lengths such as {digits:6} or {digits:2-4}, from 1 upwards")
    if sum(each.most if isinstance(each, _RunOfCharacters) else 1 for each in parts) > MAX_ID:
        raise ValueError(f"want a template whose ids have at most {MAX_ID} characters")
    for run, following in pairwise(parts):
        if isinstance(run, _RunOfCharacters) and run.least < run.most and _goes_on(run, following):
            name = next(name for name, each in _CLASSES.items() if each == run.characters)
            raise ValueError(
                f"want other text between {{{name}}} of several lengths and more {name}"
            )
    return IdTemplate(text)


def _parts(text: str) -> Iterator[_RunOfCharacters | str]:
    """The runs and literal characters of a template; raises ValueError where it is none."""
    at = 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None or not text[at].isascii() or not text[at].isprintable():
            raise ValueError(WANTED)
        at = found.end()
        if found["name"]:
            least = int(found["least"] or 1)
            most = int(found["most"] or found["least"] or MAX_OPEN_RUN)
            yield _RunOfCharacters(_CLASSES[found["name"]], least, most)
        else:
            yield found["literal"] or found["brace"][0]


@lru_cache(maxsize=64)
def _compiled(text: str) -> re.Pattern[str]:
    within = "".join(map(_expression, _parts(text)))
    return re.compile(rf"(?<![^\W_]){within}(?![^\W_])")


def _expression(part: _RunOfCharacters | str) -> str:
    return part.expression if isinstance(part, _RunOfCharacters) else re.escape(part)


def _goes_on(run: _RunOfCharacters, following: _RunOfCharacters | str) -> bool:
    """Return whether what follows a run may begin with a character that the run would have
    taken.
    """
    if isinstance(following, _RunOfCharacters):
        return following.characters == run.characters
    return re.fullmatch(f"[{run.characters}]", following) is not None
