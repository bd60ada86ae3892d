"""The language of a reader: texts from a message catalogue, figures with its marks.

Every text that a reason is made of is English in the code and a message of the catalogue
(`translation_template`). A translation is a gettext file `<language>.po`. Those in
`serving/languages` come with the release; a folder of the deployer's own goes before them, text by
text. What neither translates stays English. `tidegate features --messages FILE` writes the template
to translate.
"""

import gettext
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Self

import structlog
from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

_VALUE = re.compile(r"\{[^}]*\}?")

_IN_ENGLISH = Locale("en")

SHIPPED = Path(__file__).parents[1] / "languages"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Language:
    """One language; English without a catalogue."""

    code: str = "en"
    catalogue: gettext.NullTranslations = field(default_factory=gettext.NullTranslations)
    marks: tuple[str, str] = (",", ".")
    locale: Locale = _IN_ENGLISH

    @classmethod
    def read(cls, file: Path, other: Self | None = None) -> Self:
        """The language of a `.po` file named by its code; raises ValueError where it is none.

        What the file does not translate is said as the other language says it.
        """
        try:
            locale = Locale.parse(file.stem, sep="-" if "-" in file.stem else "_")
            with file.open("rb") as lines:
                messages = read_po(lines, locale=locale, abort_invalid=True)
        except (UnknownLocaleError, PoFileError) as refusal:
            raise ValueError(f"{file}: {refusal}") from None
        if broken := [message.lineno for message in messages if _strange_values(message)]:
            raise ValueError(f"{file}, line {broken[0]}: names a value that the text has not")
        for message in [each for each in messages if each.id and not any(_forms(each.string))]:
            messages.delete(message.id, message.context)  # a plural left empty would be English
        compiled = io.BytesIO()
        write_mo(compiled, messages)
        compiled.seek(0)
        catalogue = gettext.GNUTranslations(compiled)
        if other is not None:
            catalogue.add_fallback(other.catalogue)
        symbols = locale.number_symbols["latn"]
        marks = (symbols["group"], symbols["decimal"])
        return cls(file.stem, catalogue, marks, locale)

    def say(self, text: str, **values: str) -> str:
        """A text with its values."""
        return self.catalogue.gettext(text).format(**values)

    def say_of(self, count: float, of_one: str, of_many: str, value: str) -> str:
        """A text about a count, in the form that the language gives that number.

        A catalogue knows forms of whole numbers; a fraction takes that of one of its kind.
        """
        whole = abs(int(count))
        if whole != abs(count):
            whole = _whole_number_like(self.locale, count)
        return self.catalogue.ngettext(of_one, of_many, whole).format(value=value)

    def figure(self, text: str) -> str:
        """A figure written with commas and a point, with this language's marks."""
        if self.marks == (",", "."):
            return text
        return "".join(self.marks[",.".index(sign)] if sign in ",." else sign for sign in text)


ENGLISH = Language()


@lru_cache(10_000)
def _whole_number_like(locale: Locale, fraction: float) -> int:
    """One whole number of the plural form of a fraction (CLDR); 2 where none has that form.

    >>> [_whole_number_like(Locale(code), 2.5) for code in ("en", "fr", "ar", "ru")]
    [0, 2, 100, 2]
    """
    form = locale.plural_form(fraction)
    return next((n for n in (0, 1, 2, 3, 11, 100) if locale.plural_form(n) == form), 2)


def _strange_values(message: Message) -> set[str]:
    own, other = (set(_VALUE.findall(" ".join(_forms(t)))) for t in (message.id, message.string))
    return other - own


def _forms(text: str | tuple[str, ...] | list[str] | None) -> Sequence[str]:
    """The forms of a text about a count; of any other one, the text alone."""
    return [text] if isinstance(text, str) else text or ()


@cache
def languages_in(folder: Path) -> dict[str, Language]:
    """The languages that can be read, by lower-case code; English and the shipped ones always.

    A text of a file in the folder goes before the shipped one of that language, or of the language
    that a regional one such as `fr-CA` belongs to.
    """
    if not folder.is_dir():
        return _shipped()
    return _with_files(folder, _shipped())


@cache
def _shipped() -> dict[str, Language]:
    return _with_files(SHIPPED, {"en": ENGLISH})


def _with_files(folder: Path, shipped: dict[str, Language]) -> dict[str, Language]:
    known = dict(shipped)
    for file in sorted(folder.glob("*.po")):
        code = file.stem.lower().replace("_", "-")
        try:
            known[code] = Language.read(file, shipped.get(code, shipped.get(code.split("-")[0])))
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
