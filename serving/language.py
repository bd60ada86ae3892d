"""The language of a reader: texts from a message catalogue, and the number format.

Every text for people is English in the code and a message of the catalogue
(`serving/web/translation_template.py`). A translation is a gettext file `<language>.po`. Some are
shipped with the package; those in `HOME/languages` take precedence, text by text. Untranslated
texts stay English. `tidegate languages FILE` writes the template for translators.

A page calls `begin_locale`; `say` then uses the reader's language. Otherwise, as for machine
callers and everything that is stored, it uses English.
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

from features.errors import TidegateError, nearest_of

# Translations shipped with the package.
SHIPPED = Path(__file__).parent / "languages"

# Shipped translations that no native reader has reviewed yet.
DRAFTS = ("ar", "fr")

# Placeholders and HTML tags; a translation may contain only those of its original.
_VALUE = re.compile(r"\{[^}]*\}?|%\(\w+\)[sd]|%(?!%)|%%|</?\w[^>]*>|<")

# The arrow between two ends, for left-to-right and for right-to-left text.
ARROW, _ARROW_FROM_RIGHT = " → ", " ← "

_ISOLATE, _END_OF_ISOLATE = "\u2068", "\u2069"
# Isolates text that runs from right to left whatever its letters are.
_RIGHT_TO_LEFT = "\u2067"

log = structlog.get_logger(__name__)


# Compared by identity, as the keys of caches are hashed for every sentence.
@dataclass(frozen=True, eq=False)
class Language:
    """One language; English without a catalogue.

    `marks` are the thousands separator and the decimal separator.
    """

    code: str = "en"
    catalogue: gettext.NullTranslations = field(default_factory=gettext.NullTranslations)
    marks: tuple[str, str] = (",", ".")

    @classmethod
    def read(cls, file: Path, other: Self | None = None) -> Self:
        """Read a `.po` file named after its language code; raises ValueError if it is invalid.

        Texts that the file does not translate are taken from `other`.
        """
        try:
            locale = Locale.parse(file.stem, sep="-" if "-" in file.stem else "_")
            with file.open("rb") as lines:
                messages = read_po(lines, locale=locale, abort_invalid=True)
        except (UnknownLocaleError, PoFileError) as refusal:
            raise ValueError(f"{file}: {refusal}") from None
        # A placeholder or tag that the original lacks would fail when formatted, or inject HTML
        # into pages.
        if broken := [message.lineno for message in messages if _strange_values(message)]:
            raise ValueError(f"{file}, line {broken[0]}: names a value that the text has not")
        for message in [each for each in messages if each.id and not any(_forms(each.string))]:
            # An empty plural left in place would be shown in English, not in the fallback language.
            messages.delete(message.id, message.context)
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
        """The locale data of the language, such as names of months and text direction."""
        return Locale.parse(self.code, sep="-" if "-" in self.code else "_")

    @property
    def tag(self) -> str:
        """The language tag for HTML and HTTP."""
        return self.code.replace("_", "-")

    @cached_property
    def direction(self) -> Literal["ltr", "rtl"]:
        """The direction of text."""
        return "rtl" if self.locale.text_direction == "rtl" else "ltr"

    @property
    def name(self) -> str:
        """The name of the language in the language itself."""
        return str(self.locale.get_display_name(self.locale)).capitalize()

    def say(self, text: str, /, **values: object) -> str:
        """Translate a text and insert values; whole numbers are formatted for the language."""
        said = self.catalogue.gettext(text) if text else text
        if not values:
            return said
        return said.format(**{name: self.shown(value) for name, value in values.items()})

    def say_of(self, count: float, of_one: str, of_many: str, /, **values: object) -> str:
        """Translate a text about a count, in the plural form of that number.

        Catalogues only have plural forms of whole numbers; a fraction uses one of the same form.
        """
        whole = abs(int(count))
        if whole != abs(count):
            whole = _whole_number_like(self.locale, count)
        shown = {name: self.shown(value) for name, value in ({"count": count} | values).items()}
        return self.catalogue.ngettext(of_one, of_many, whole).format(**shown)

    def shown(self, value: object) -> str:
        """Format a value within a text; Latin text within right-to-left text is isolated."""
        is_count = isinstance(value, int) and not isinstance(value, bool)
        text = self.figure(f"{value:,}") if is_count else str(value)
        if self.direction == "ltr" or "L" not in map(unicodedata.bidirectional, text):
            return text
        return f"{_ISOLATE}{text}{_END_OF_ISOLATE}"

    def from_to(self, first: object, then: object) -> str:
        """Join two ends with an arrow in reading direction.

        In right-to-left text both ends and the pair are isolated, since names in Latin letters
        would otherwise reverse the order.
        """
        if self.direction == "ltr":
            return f"{first}{ARROW}{then}"
        ends = (f"{_ISOLATE}{end}{_END_OF_ISOLATE}" for end in (first, then))
        return f"{_RIGHT_TO_LEFT}{_ARROW_FROM_RIGHT.join(ends)}{_END_OF_ISOLATE}"

    def figure(self, text: str) -> str:
        """Convert a number written with commas and a point to the marks of the language."""
        if self.marks == (",", "."):
            return text
        return "".join(self.marks[",.".index(sign)] if sign in ",." else sign for sign in text)


ENGLISH = Language()


@dataclass
class ReaderSettings:
    """The settings of a reader: language, and a time zone shown next to UTC, if any."""

    language: Language = ENGLISH
    time_zone: ZoneInfo | None = None


_reading: ContextVar[ReaderSettings] = ContextVar("_reading")


def begin_locale(language: Language, time_zone: ZoneInfo | None = None) -> ReaderSettings:
    """Set the language and time zone of the reader for this request."""
    reading = ReaderSettings(language, time_zone)
    _reading.set(reading)
    return reading


def reading() -> ReaderSettings:
    """Return the reader's settings; English outside of pages."""
    return _reading.get(None) or ReaderSettings()


def say(text: str, /, **values: object) -> str:
    """Translate a text for the reader and insert values."""
    return reading().language.say(text, **values)


def say_of(count: float, of_one: str, of_many: str, /, **values: object) -> str:
    """Translate a text about `{count}` for the reader."""
    return reading().language.say_of(count, of_one, of_many, **values)


def say_again(stored: str, texts: Sequence[str | tuple[str, str]]) -> str:
    """Translate a text that was stored in English, if it matches one of `texts`.

    >>> say_again("drawn at 0.02", ["drawn at {share}"])
    'drawn at 0.02'
    """
    for text in texts:
        forms = (text,) if isinstance(text, str) else text
        # Stored texts have their values inserted already, so recover them by pattern and translate
        # each.
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
    """Return a code as a translated word within a sentence.

    >>> say_word("packing_list")
    'packing list'
    """
    return say(code.replace("_", " "))


def subject_named(kind: str, subject_id: str) -> str:
    """Return the title of a subject.

    >>> subject_named("shipment", "S-1")
    'Shipment S-1'
    """
    return say(TITLES[kind], id=subject_id)


# Titles of subjects by kind.
TITLES = {"route": "Route {id}", "shipment": "Shipment {id}"}


@lru_cache(10_000)
def _whole_number_like(locale: Locale, fraction: float) -> int:
    """Return a whole number with the plural form of a fraction (CLDR); 2 if there is none.

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
    """Return the plural forms of a text; any other text is its only form."""
    return [text] if isinstance(text, str) else text or ()


@cache
def languages_in(folder: Path) -> dict[str, Language]:
    """Return the available languages by lower-case code, including English and shipped ones.

    A text in the folder takes precedence over the shipped one of that language, or of the base
    language of a regional one such as `fr-CA`.
    """
    if not folder.is_dir():
        return _shipped()
    return _with_files(folder, _shipped())


def language_named(code: str) -> Language:
    """Return a shipped language by its code; raises TidegateError with the nearest."""
    known = _shipped()
    if code not in known:
        raise TidegateError(f"{code!r} is no language here; {nearest_of(code, known)}")
    return known[code]


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
    """Return the preferred language of an `Accept-Language` header; English if none matches.

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
    # Anyone can send this header, so bound the work.
    for place, part in enumerate(accepted.lower().split(",")[:20]):
        code, _, weight = part.partition(";q=")
        try:
            liked.append((-float(weight or 1), place, code.strip()))
        except ValueError:
            continue
    return (code for weight, _, code in sorted(liked) if weight < 0)
