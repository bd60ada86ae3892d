"""Templates with which a caller describes shipment and journey ids in free text.

A template is literal text with `{digits}` and `{letters}`, each with a length: `{digits:6}`,
`{letters:2-4}`, or 1 to 20 if omitted. `{{` and `}}` are literal braces. A match is never part of a
longer word: no letter or digit directly precedes or follows it.

Callers cannot supply regular expressions, because these could take exponential time. A template
matches in at most one way at each position and at most `MAX_ID` characters, so a search takes time
linear in the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

# Number of leading characters of a reference that are searched.
MAX_SEARCHED = 500
MAX_TEMPLATE = 100
# Maximum number of characters of an id, and so of a match.
MAX_ID = 64
# Maximum length of a run of digits or letters for which the template gives none.
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
    """A run of `least` to `most` characters of one class."""

    characters: str
    least: int
    most: int

    @property
    def expression(self) -> str:
        # Possessive: a run never gives characters back, so there is no backtracking.
        return f"[{self.characters}]{{{self.least},{self.most}}}+"


@dataclass(frozen=True)
class IdTemplate:
    """A template of ids; templates with the same text are equal."""

    text: str

    def find(self, reference: str) -> str | None:
        """Return the first id in the leading part of a reference; None if there is none.

        >>> id_template("AC{digits:4-6}").find("invoice AC4711, AC4712")
        'AC4711'
        >>> id_template("AC{digits:4}").find("AC47112") is None
        True
        """
        # Search one more character: an id that continues there must not match as a shorter one.
        found = _compiled(self.text).search(reference, 0, MAX_SEARCHED + 1)
        return found[0] if found and found.end() <= MAX_SEARCHED else None


def id_template(text: str) -> IdTemplate:
    """Return a template from its text.

    Raises ValueError with a description of what is expected.

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
    """Yield the runs and literal characters of a template. Raises ValueError if it is invalid."""
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
    within = "".join(
        each.expression if isinstance(each, _RunOfCharacters) else re.escape(each)
        for each in _parts(text)
    )
    return re.compile(rf"(?<![^\W_]){within}(?![^\W_])")


def _goes_on(run: _RunOfCharacters, following: _RunOfCharacters | str) -> bool:
    """Return whether the next part may begin with a character of the run's class.

    Such a template could match in several ways, which would need backtracking.
    """
    if isinstance(following, _RunOfCharacters):
        return following.characters == run.characters
    return re.fullmatch(f"[{run.characters}]", following) is not None
