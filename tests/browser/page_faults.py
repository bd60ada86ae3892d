"""What is wrong with a page: barriers that axe knows, texts over its edge, and broken pictures.

Each looks once the page has loaded: a page is visible before its style sheet, and wider without it.
"""

import re
from html.parser import HTMLParser
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.counts import count

CUT_OFF = """() => {
  const cut = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const holder = node.parentElement;
    if (!node.data.trim() || !holder.checkVisibility({ visibilityProperty: true })) continue;
    if (holder.closest("option, .hidden, .skip, .scroll, pre, .leaflet-container, thead")) continue;
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (!box.width) continue;
      let isCut = box.left < -1 || box.right > innerWidth + 1;
      for (let around = holder; around !== document.body; around = around.parentElement) {
        const style = getComputedStyle(around);
        if (style.position === "absolute" || style.position === "fixed") break;
        if (style.overflowX === "visible" || style.display === "inline") continue;
        const edge = around.getBoundingClientRect();
        isCut ||= box.left < edge.left - 1 || box.right > edge.right + 1;
        if (style.overflowY === "hidden" || style.overflowY === "clip")
          isCut ||= box.bottom > edge.bottom + 1 || box.top < edge.top - 1;
      }
      if (isCut) cut.add(`${holder.tagName}.${holder.className} ${node.data.trim().slice(0, 40)}`);
    }
  }
  for (const each of document.querySelectorAll("button, .button")) {
    const isSeen = each.checkVisibility() && !each.closest(".hidden, .scroll");
    if (isSeen && each.scrollWidth > each.clientWidth + 1)
      cut.add(`${each.tagName} ${each.textContent.trim().slice(0, 40)}`);
  }
  return [...cut];
}"""
"""Texts that stand outside the window, or outside of what clips them; a table may be scrolled."""


VISIBLE = "[...document.querySelectorAll('*')].filter((each) => each.checkVisibility()).length"
MAX_CONTRAST_ELEMENTS = count(3_000, 100_000)
"""The description of all calls repeats its parts, whose contrast axe measures for half a minute.

`test_api_search` measures it on a few of them, full runs on all.
"""


def barriers(page: Page, within: str | None = None, is_serious: bool = False) -> list[str]:
    """What axe finds on the page or within a selector, or of that only what shuts people out."""
    page.wait_for_load_state("load")
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if page.evaluate(VISIBLE) > MAX_CONTRAST_ELEMENTS:
        options["rules"] = {"color-contrast": {"enabled": False}}
    found = Axe().run(page, context=within, options=options).response["violations"]
    return [
        f"{fault['id']}: {node['target']}: {node['html'][:120]}"
        for fault in found
        if not is_serious or fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


def is_wider_than_the_window(page: Page) -> bool:
    """Whether a person must scroll sideways."""
    page.wait_for_load_state("load")
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def cut_off(page: Page) -> list[str]:
    """The texts of which a person sees a part, or nothing."""
    page.wait_for_load_state("load")
    found: list[str] = page.evaluate(CUT_OFF)
    return found


def faults_of(page: Page) -> list[str]:
    """All of it at once."""
    is_wide = is_wider_than_the_window(page)
    return [*barriers(page), *cut_off(page), *(["wider than the window"] if is_wide else [])]


NUMBERS = {
    *("x", "y", "x1", "x2", "y1", "y2", "dx", "dy", "cx", "cy", "r", "rx", "ry"),
    *("width", "height", "stroke-width", "opacity", "font-size"),
}
NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?"
ARGUMENTS = {"M": 2, "L": 2, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7}
"""How many numbers a command of a path takes; it may be given several times as many."""


class _Pictures(HTMLParser):
    """Collects the attributes of pictures that a browser cannot draw as they are written."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.depth += tag == "svg"
        if self.depth:
            wrong = (f"<{tag}> {n}={v!r}" for n, v in attrs if not _is_drawable(n, v or ""))
            self.faults += wrong

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag == "svg"


def _is_drawable(name: str, value: str) -> bool:
    if name in NUMBERS:
        return re.fullmatch(NUMBER + "(px|em|%)?", value.strip()) is not None
    if name in ("points", "viewbox"):
        count = 4 if name == "viewbox" else 2
        numbers = re.split(r"[\s,]+", value.strip())
        is_whole = len(numbers) % count == 0 or not value.strip()
        return is_whole and all(re.fullmatch(NUMBER, each) for each in numbers if each)
    return name != "d" or _is_path(value)


def _is_path(value: str) -> bool:
    """Whether each command of a path has its numbers; a comma within one makes it two."""
    commands = re.findall(r"([A-DF-Za-df-z])([^A-DF-Za-df-z]*)", value)
    for command, rest in commands:
        numbers = re.findall(NUMBER, rest)
        if re.sub(NUMBER, "", rest).strip(" ,\n"):
            return False
        if command in "HVhv":
            is_right = len(numbers) == 1
        elif command in "Zz":
            is_right = not numbers
        else:
            is_right = bool(numbers) and len(numbers) % ARGUMENTS[command.upper()] == 0
        if not is_right:
            return False
    return True


def broken_pictures(html: str) -> list[str]:
    """The attributes of SVG elements in a page that are no numbers, points or paths."""
    pictures = _Pictures()
    pictures.feed(html)
    return pictures.faults
