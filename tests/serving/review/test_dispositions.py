"""What the ends of a case mean for others, for the label store and for its subject."""

from typing import get_args

from serving.review.dispositions import LONGEST_TEXT, MEANING, SHORTEST_TEXT, DispositionCode

# Told apart here and in the code, since people are reported to others by them.
ADVERSE = {"confirmed_smuggling_goods", "confirmed_migrant_smuggling", "other_offence"}
RESULTS = {
    "confirmed_smuggling_goods": "confirmed",
    "confirmed_migrant_smuggling": "confirmed",
    "other_offence": "other_offence",
    "document_irregularity": "other_offence",
    "no_finding_after_inspection": "not_confirmed",
    "no_finding_after_document_check": "documents_in_order",
    "released_without_check": None,
    "inconclusive": "inconclusive",
    "duplicate": None,
    "referred_protection": None,
    "people_helped": None,
    "nobody_in_danger": None,
    "nobody_found": None,
    "taken_over_elsewhere": None,
}


def test_what_is_reported_as_an_offence_and_nothing_else_is_adverse() -> None:
    assert {code for code, meaning in MEANING.items() if meaning.is_adverse} == ADVERSE


def test_what_nobody_looked_into_has_no_result() -> None:
    assert {code: meaning.result for code, meaning in MEANING.items()} == RESULTS
    assert RESULTS.keys() == set(get_args(DispositionCode))


def test_every_end_has_words_of_its_own() -> None:
    assert {code: meaning.words for code, meaning in MEANING.items()} == {
        "confirmed_smuggling_goods": "smuggled goods were found",
        "confirmed_migrant_smuggling": "people were being smuggled, and were found",
        "other_offence": "another offence was found",
        "document_irregularity": "documents were irregular, nothing else",
        "no_finding_after_inspection": "an inspection found nothing",
        "no_finding_after_document_check": "the documents were in order",
        "released_without_check": "it went on without a check",
        "inconclusive": "an inspection could not settle it",
        "duplicate": "it is the same as another case",
        "referred_protection": "it was handed to those who protect people",
        "people_helped": "people were helped and brought to safety",
        "nobody_in_danger": "nobody was in danger",
        "nobody_found": "it was searched for, and nobody was found",
        "taken_over_elsewhere": "another centre took over",
    }


def test_reasons_have_ten_to_four_thousand_characters() -> None:
    assert (SHORTEST_TEXT, LONGEST_TEXT) == (10, 4_000)
