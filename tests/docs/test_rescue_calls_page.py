"""The page of three rescue calls is the one that the code makes."""

from tests.docs.rescue_calls_page import PAGE, page


def test_the_page_of_rescue_calls_is_the_one_that_the_code_makes() -> None:
    assert PAGE.read_text() == page()
