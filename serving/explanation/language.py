"""The language of a reader: texts from a message catalogue, figures with its marks.

Every text that a reason is made of is English in the code and a message of the catalogue
(`translation_template`). A translation is a gettext file `<language>.po` in a folder of languages;
what it does not translate stays English. `tidegate features --messages FILE` writes the template to
translate.
"""

import gettext
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Self

import structlog
from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

_VALUE = re.compile(r"\{[^}]*\}?")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Language:
    """One language; English without a catalogue."""

    code: str = "en"
    catalogue: gettext.NullTranslations = field(default_factory=gettext.NullTranslations)
    marks: tuple[str, str] = (",", ".")

    @classmethod
    def read(cls, file: Path) -> Self:
        """The language of a `.po` file named by its code; raises ValueError where it is none."""
        try:
            locale = Locale.parse(file.stem, sep="-" if "-" in file.stem else "_")
            with file.open("rb") as lines:
                messages = read_po(lines, locale=locale, abort_invalid=True)
        except (UnknownLocaleError, PoFileError) as refusal:
            raise ValueError(f"{file}: {refusal}") from None
        if broken := [message.lineno for message in messages if _strange_values(message)]:
            raise ValueError(f"{file}, line {broken[0]}: names a value that the text has not")
        compiled = io.BytesIO()
        write_mo(compiled, messages)
        compiled.seek(0)
        symbols = locale.number_symbols["latn"]
        marks = (symbols["group"], symbols["decimal"])
        return cls(file.stem, gettext.GNUTranslations(compiled), marks)

    def say(self, text: str, **values: str) -> str:
        """A text with its values."""
        return self.catalogue.gettext(text).format(**values)

    def say_of(self, count: int, of_one: str, of_many: str, value: str) -> str:
        """A text about a count, in the form that the language gives that number."""
        return self.catalogue.ngettext(of_one, of_many, count).format(value=value)

    def figure(self, text: str) -> str:
        """A figure written with commas and a point, with this language's marks."""
        if self.marks == (",", "."):
            return text
        return "".join(self.marks[",.".index(sign)] if sign in ",." else sign for sign in text)


ENGLISH = Language()


def _strange_values(message: Message) -> set[str]:
    own, other = (
        set(_VALUE.findall(" ".join([text] if isinstance(text, str) else text or ())))
        for text in (message.id, message.string)
    )
    return other - own


@cache
def languages_in(folder: Path) -> dict[str, Language]:
    """The languages that can be read, by lower-case code; English always."""
    known = {"en": ENGLISH}
    for file in sorted(folder.glob("*.po")) if folder.is_dir() else ():
        try:
            known[file.stem.lower().replace("_", "-")] = Language.read(file)
        except (ValueError, OSError) as refusal:
            log.error("language_refused", reason=str(refusal))
    return known


def best_of(languages: dict[str, Language], accepted: str) -> Language:
    """The language that an `Accept-Language` header likes best; English where it names none.

    >>> best_of({"en": ENGLISH, "de": Language("de")}, "fr, de-AT;q=0.8, en;q=0.5").code
    'de'
    """
    for preferred in _by_liking(accepted):
        for code in (preferred, preferred.partition("-")[0]):
            if code in languages:
                return languages[code]
    return ENGLISH


def _by_liking(accepted: str) -> Iterable[str]:
    liked = []
    for place, part in enumerate(accepted.lower().split(",")[:20]):
        code, _, weight = part.partition(";q=")
        try:
            liked.append((-float(weight or 1), place, code.strip()))
        except ValueError:
            continue
    return (code for weight, _, code in sorted(liked) if weight < 0)
