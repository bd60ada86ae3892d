"""What is wrong with a page in a browser: barriers that axe knows, and what runs over its edge.

Each looks once the page has loaded: a page is visible before its style sheet, and wider without it.
"""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


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
