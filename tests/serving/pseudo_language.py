"""A language in which every message is in brackets, so that whatever is not marked stands out."""

import io
import re
from html.parser import HTMLParser
from pathlib import Path

from babel.messages.pofile import read_po, write_po

from serving.web.translation_template import translation_template

CODE = "cy"  # six forms of the plural, as Arabic has, in letters that a search finds
_PLACE = re.compile(r"(\{\w+\}|%\(\w+\)s|<[^>]+>|%%)")
_VOID = ("input", "meta", "link", "img", "br", "line", "path", "circle", "rect", "polyline")
_SHOWN = ("aria-label", "title", "placeholder", "alt", "data-label", "data-ended", "data-ends-last")
_CODE_LIKE = ("script", "style", "code", "kbd", "bdi", "pre", "time", "textarea")


def bracketed(text: str) -> str:
    """A text with brackets around all but its values and marks."""
    parts = _PLACE.split(text)
    return "".join(
        p if place % 2 or not re.search("[A-Za-z]", p) else f"⟦{p}⟧"
        for place, p in enumerate(parts)
    )


def write_pseudo_language(folder: Path) -> None:
    """Lay the language down, made of the template that translators are given."""
    catalogue = read_po(io.BytesIO(translation_template()), locale=CODE)
    for message in catalogue:
        if isinstance(message.id, tuple):
            of_one, of_many = map(bracketed, message.id)
            forms = range(catalogue.num_plurals)
            message.string = tuple(of_one if form == 1 else of_many for form in forms)
        elif message.id:
            message.string = bracketed(message.id)
    folder.mkdir(exist_ok=True)
    with (folder / f"{CODE}.po").open("wb") as file:
        write_po(file, catalogue)


class VisibleWords(HTMLParser):
    """What a page shows outside brackets, and where it leads.

    Code, keys, instants and whatever says that it is not to be translated, or is English, is data.
    """

    def __init__(self, page: str):
        super().__init__()
        self.unmarked: list[str] = []
        self.links: list[str] = []
        self._open: list[tuple[str, bool]] = []
        # A number and its unit stay on one line within a text.
        self.feed(re.sub(r'<span class="unbroken">(.*?)</span>', r"\1", page))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Look at what an element says in its attributes."""
        given = dict(attributes)
        is_data = (
            tag in _CODE_LIKE
            or given.get("translate") == "no"
            or (tag != "html" and "lang" in given)
            or bool(self._open and self._open[-1][1])
        )
        if not is_data:
            for name in _SHOWN:
                self._look_at(given.get(name) or "")
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag not in _VOID:
            self._open.append((tag, is_data))

    def handle_endtag(self, tag: str) -> None:
        """Leave the element, with whatever was not closed in it."""
        if tag in [name for name, _ in self._open]:
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, text: str) -> None:
        """Look at a text."""
        if not (self._open and self._open[-1][1]):
            self._look_at(text)

    def _look_at(self, text: str) -> None:
        left, before = re.sub(r"⟦[^⟦⟧]*(⟧|$)", " ", text), text
        while left != before:
            left, before = re.sub(r"⟦[^⟦⟧]*(⟧|$)", " ", left), left
        if re.search("[A-Za-z]{2}", left):
            self.unmarked.append(" ".join(left.split()))
