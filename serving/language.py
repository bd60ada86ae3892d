"""The language of a reader: texts from a message catalogue, figures with its marks.

Every text that a person reads is English in the code and a message of the catalogue
(`serving/web/translation_template.py`). A translation is a gettext file `<language>.po`: some come
with the package, and those in `HOME/languages` go before them, text by text. What none translates
stays English. `tidegate languages FILE` writes the template to translate.

A page begins a reading; `say` then speaks the language of whoever reads. Without one, as in calls
of machines and in whatever is stored, it speaks English.
"""

import gettext
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo

import structlog
from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

# Translations that come with the package.
SHIPPED = Path(__file__).parent / "languages"

# Of these, those that no native reader has passed yet.
DRAFTS = ("ar", "fr")

# What a translation has from its text alone: values, and marks of HTML.
_VALUE = re.compile(r"\{[^}]*\}?|%\(\w+\)[sd]|%(?!%)|%%|</?\w[^>]*>|<")

# Between two ends, where lines are read from the left; and where from the right.
ARROW, _ARROW_FROM_RIGHT = " → ", " ← "

_ISOLATE, _END_OF_ISOLATE = "\u2068", "\u2069"
# The same, of what runs from right to left whatever its letters do.
_RIGHT_TO_LEFT = "\u2067"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Language:
    """One language; English without a catalogue."""

    code: str = "en"
    catalogue: gettext.NullTranslations = field(default_factory=gettext.NullTranslations)
    marks: tuple[str, str] = (",", ".")

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
        return cls(file.stem, catalogue, marks)

    @cached_property
    def locale(self) -> Locale:
        """What is known of the language besides its texts: names of months, its direction."""
        return Locale.parse(self.code, sep="-" if "-" in self.code else "_")

    @property
    def tag(self) -> str:
        """The code as HTML and HTTP write it."""
        return self.code.replace("_", "-")

    @cached_property
    def direction(self) -> Literal["ltr", "rtl"]:
        """From which side lines are read."""
        return "rtl" if self.locale.text_direction == "rtl" else "ltr"

    @property
    def name(self) -> str:
        """What its speakers call it."""
        return str(self.locale.get_display_name(self.locale)).capitalize()

    def say(self, text: str, /, **values: object) -> str:
        """A text with its values; whole numbers get the marks of the language."""
        said = self.catalogue.gettext(text) if text else text
        if not values:
            return said
        return said.format(**{name: self.shown(value) for name, value in values.items()})

    def say_of(self, count: float, of_one: str, of_many: str, /, **values: object) -> str:
        """A text about a count, in the form that the language gives that number.

        A catalogue knows forms of whole numbers; a fraction takes that of one of its kind.
        """
        whole = abs(int(count))
        if whole != abs(count):
            whole = _whole_number_like(self.locale, count)
        shown = {name: self.shown(value) for name, value in ({"count": count} | values).items()}
        return self.catalogue.ngettext(of_one, of_many, whole).format(**shown)

    def shown(self, value: object) -> str:
        """A value within a text; from left to right it runs by itself where the text does not."""
        is_count = isinstance(value, int) and not isinstance(value, bool)
        text = self.figure(f"{value:,}") if is_count else str(value)
        if self.direction == "ltr" or "L" not in map(unicodedata.bidirectional, text):
            return text
        return f"{_ISOLATE}{text}{_END_OF_ISOLATE}"

    def from_to(self, first: object, then: object) -> str:
        """Two ends with an arrow between them, which points the way that lines are read.

        From right to left each end runs by itself, and the pair does: names of Latin letters would
        turn it around.
        """
        if self.direction == "ltr":
            return f"{first}{ARROW}{then}"
        ends = (f"{_ISOLATE}{end}{_END_OF_ISOLATE}" for end in (first, then))
        return f"{_RIGHT_TO_LEFT}{_ARROW_FROM_RIGHT.join(ends)}{_END_OF_ISOLATE}"

    def figure(self, text: str) -> str:
        """A figure written with commas and a point, with this language's marks."""
        if self.marks == (",", "."):
            return text
        return "".join(self.marks[",.".index(sign)] if sign in ",." else sign for sign in text)


ENGLISH = Language()


@dataclass
class ReaderSettings:
    """How a page is read: in which language, and by which clock beside UTC, if by any."""

    language: Language = ENGLISH
    time_zone: ZoneInfo | None = None


_reading: ContextVar[ReaderSettings] = ContextVar("_reading")


def begin_reading(language: Language, time_zone: ZoneInfo | None = None) -> ReaderSettings:
    """Let everything that is said from now on, for this request, be in the language."""
    reading = ReaderSettings(language, time_zone)
    _reading.set(reading)
    return reading


def reading() -> ReaderSettings:
    """How whoever is answered reads; English where no page is made."""
    return _reading.get(None) or ReaderSettings()


def say(text: str, /, **values: object) -> str:
    """A text with its values in the language of the reader."""
    return reading().language.say(text, **values)


def say_of(count: float, of_one: str, of_many: str, /, **values: object) -> str:
    """A text about `{count}` in the language of the reader."""
    return reading().language.say_of(count, of_one, of_many, **values)


def say_again(stored: str, texts: Sequence[str | tuple[str, str]]) -> str:
    """A text that was kept in English, as the reader reads it, where it is one of `texts`.

    >>> say_again("drawn at 0.02", ["drawn at {share}"])
    'drawn at 0.02'
    """
    for text in texts:
        forms = (text,) if isinstance(text, str) else text
        found = next(filter(None, (_pattern(form).fullmatch(stored) for form in forms)), None)
        if found:
            values = {name: say_again(value, texts) for name, value in found.groupdict().items()}
            if isinstance(text, str):
                return say(text, **values)
            return say_of(int(values.get("count", "1").replace(",", "")), *text, **values)
    return say(stored)


@cache
def _pattern(text: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", text)
    named = (
        rf"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts)
    )
    return re.compile("".join(named))


def say_word(code: str) -> str:
    """A code of ours as a word within a sentence.

    >>> say_word("packing_list")
    'packing list'
    """
    return say(code.replace("_", " "))


def subject_named(kind: str, subject_id: str) -> str:
    """What a subject is called as a title.

    >>> subject_named("shipment", "S-1")
    'Shipment S-1'
    """
    return say(TITLES[kind], id=subject_id)


# Titles of subjects, by their kind.
TITLES = {"route": "Route {id}", "shipment": "Shipment {id}"}


@lru_cache(10_000)
def _whole_number_like(locale: Locale, fraction: float) -> int:
    """One whole number of the plural form of a fraction (CLDR); 2 where none has that form.

    >>> [_whole_number_like(Locale(code), 2.5) for code in ("en", "fr", "ar", "ru")]
    [0, 2, 100, 2]
    """
    form = locale.plural_form(fraction)
    return next((n for n in (0, 1, 2, 3, 11, 100) if locale.plural_form(n) == form), 2)


def _strange_values(message: Message) -> set[str]:
    if not message.id:
        return set()
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
