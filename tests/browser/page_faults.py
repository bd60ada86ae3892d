"""What is wrong with a page in a browser: barriers that axe knows, and what runs over its edge.

Each looks once the page has loaded: a page is visible before its style sheet, and wider without it.
"""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

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


def barriers(page: Page, within: str | None = None, is_serious: bool = False) -> list[str]:
    """What axe finds on the page or within a selector, or of that only what shuts people out."""
    page.wait_for_load_state("load")
    found = Axe().run(page, context=within).response["violations"]
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
