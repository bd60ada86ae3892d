"""The page of indicators says what the catalogue does."""

from tests.docs.indicators_page import PAGE, page


def test_the_page_of_indicators_is_that_of_the_catalogue() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.docs.indicators_page`"
