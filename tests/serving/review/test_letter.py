"""What an operator is told: its own word in full, of everything else the kind alone."""

from types import SimpleNamespace
from typing import Any

import pytest

from features.catalogue import ROUTE, SHIPMENT
from serving.review.case_summary import describe_subject
from serving.review.letter import OF_OTHERS, OWN_SOURCES, Letter, is_self_declared
from tests.serving.bodies import shipment, submission
from tests.serving.review.decisions import AT

SUBMITTED = submission(shipment())


def reason(effect: str, *evidence: tuple[str, float]) -> Any:
    seen = [
        SimpleNamespace(feature=name, sentence=f"says {name}", contribution=part)
        for name, part in evidence
    ]
    return SimpleNamespace(effect=effect, evidence=seen)


def letter(*reasons: Any, missing: tuple[str, ...] = ()) -> Letter:
    decided: Any = SimpleNamespace(decision_id="d-1", scored_at=AT, reasons_in=lambda: reasons)
    return Letter.from_decision(decided, SUBMITTED, missing)


def test_a_letter_names_the_subject_the_instant_the_reference_and_what_was_missing() -> None:
    told = letter(missing=("an invoice",))

    assert told == Letter(describe_subject(SUBMITTED), AT, "d-1", (), (), ("an invoice",))


def test_own_words_are_told_in_full_and_of_others_the_kind_each_once() -> None:
    told = letter(
        reason("for", ("mass_kg", 0.5), ("payment_count", 0.4), ("document_count", 0.3)),
        reason("for", ("mass_kg", 0.2), ("cash_payment_ratio", 0.2), ("leg_count", 0.1)),
    )

    assert told.own == ("says mass_kg", "says document_count", "says leg_count")
    assert told.others == ("the payments that belong to it",)


@pytest.mark.parametrize(("part", "is_told"), [(0.01, True), (0.0, False), (-0.01, False)])
def test_what_adds_nothing_for_a_look_is_not_told(part: float, is_told: bool) -> None:
    told = letter(reason("for", ("mass_kg", part), ("payment_count", part)))

    assert (told.own == ("says mass_kg",)) is is_told
    assert (told.others == ("the payments that belong to it",)) is is_told


def test_what_spoke_against_a_look_is_not_told() -> None:
    told = letter(reason("against", ("mass_kg", 0.5), ("payment_count", 0.5)))

    assert (told.own, told.others) == ((), ())


def test_an_own_word_reads_nothing_but_attached_documents_and_legs() -> None:
    """Of the windows of a feature; what it reads of the subject itself was declared."""
    assert {"documents", "legs"} == OWN_SOURCES
    for feature in (*ROUTE, *SHIPMENT):
        sources = {window.source for window in feature.windows.values()}
        assert is_self_declared(feature.name) == (sources <= OWN_SOURCES), feature.name


def test_every_family_has_words_that_name_its_kind() -> None:
    assert OF_OTHERS.keys() == {feature.family for feature in (*ROUTE, *SHIPMENT)}
