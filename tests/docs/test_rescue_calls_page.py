"""The section of three rescue calls is the one that the code makes."""

from tests.docs.rescue_calls_page import PAGE, section


def test_the_page_of_rescue_ends_with_the_calls_that_the_code_makes() -> None:
    assert PAGE.read_text().endswith(section())
