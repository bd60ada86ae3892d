"""Templates of ids find what they say, nothing within a longer word, and in linear time."""

import time

import pytest

from features.messages.id_templates import MAX_SEARCHED, _compiled, id_template


@pytest.mark.parametrize(
    ("template", "reference", "found"),
    [
        ("AC{digits:6}", "for AC123456, thanks", "AC123456"),
        ("AC{digits:6}", "AC1234567", None),
        ("AC{digits:6}", "XAC123456", None),
        ("AC{digits:6}", "ÄAC123456", None),
        ("AC{digits}", "REF_AC4711.", "AC4711"),
        ("AC{digits}", "ac4711", None),
        ("{letters:2-4}-{digits:1-9}", "x-1 TOOLONG-2 Bill-34", "Bill-34"),
        ("{letters}{digits:2}{digits:3}", "AB12345", "AB12345"),
        ("{{{digits}}}", "see {12}", "{12}"),
        ("A.C{digits}", "ABC1 A.C2", "A.C2"),
        ("INV {digits}/{digits}", "INV 1/2", "INV 1/2"),
        ("S{digits}", "x" * (MAX_SEARCHED - 3) + " S123", None),
        ("S{digits}", " " * (MAX_SEARCHED - 2) + "S1", "S1"),
        ("S{digits}", " " * (MAX_SEARCHED - 2) + "S12", None),
        ("{digits}", "١٢٣", None),
    ],
)
def test_a_template_finds_whole_ids(template: str, reference: str, found: str | None) -> None:
    assert id_template(template).find(reference) == found


@pytest.mark.parametrize(
    "regex",
    ["a?" * 30 + "a" * 30, "(a+)+b", "(a|aa)*b", r"(a)\1", "AC[0-9]+", "AC\\d{6}", ".+", "", "AC"],
)
def test_a_regular_expression_is_refused_with_the_form_of_a_template(regex: str) -> None:
    with pytest.raises(ValueError, match=r"AC\{digits:6\} or \{letters:2-4\}-\{digits:1-9\}"):
        id_template(regex)


@pytest.mark.parametrize(
    "template",
    [
        "{digits}{digits}",
        "{digits:1-3}0",
        "{letters}x",
        "{digits:0}",
        "{digits:0-3}",
        "{digits:3-2}",
        "{digits:99}",
        "{digits:30}{letters:30}{digits:30}",
        "{digits:6,7}",
        "{signs}",
        "{digits",
        "digits}",
        "{digits}\n",
        "Ä{digits}",
        "x" * 101 + "{digits}",
    ],
)
def test_a_template_of_another_form_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="want "):
        id_template(template)


@pytest.mark.parametrize(
    "template",
    ["{letters}-{digits}", "{digits:1-9}/{letters:1-9}/{digits:1-9}/{letters:1-9}!", "{digits:64}"],
)
@pytest.mark.parametrize("unit", ["a", "aaaaaaaaaaaaaaaaaaaa-", "1/a/1/a "])
def test_no_template_needs_more_than_some_steps_for_a_character(template: str, unit: str) -> None:
    text = unit * (15_000_000 // len(unit))
    expression = _compiled(id_template(template).text)

    began = time.process_time()
    expression.search(text)

    # A second at most even on a busy machine; in n^2 steps it would take months.
    assert time.process_time() - began < 10.0
