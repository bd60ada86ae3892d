"""Whose word a value is: of the declaration, of the journey, of a paper, or nobody's here."""

import copy
from pathlib import Path
from typing import Any

import pytest

from features.catalogue import ROUTE, SHIPMENT
from serving.errors import Unprocessable
from serving.language import ENGLISH, begin_locale, languages_in
from serving.review.letters.case_letters import AUDIENCES, Audience
from serving.review.letters.own_declarations import OwnDeclarations, recipient_of, stated_in_words
from tests.serving.bodies import SHIPMENT as BODY
from tests.serving.bodies import route, shipment, submission

PARTIES = {"declarant_id": "d-1"}


def own(
    audience: Audience, body: dict[str, Any] | None = None, issuer: str | None = None
) -> OwnDeclarations:
    body = shipment(**PARTIES) if body is None else body
    for document in body.get("documents", []):
        document["issuer_id"] = issuer
    return OwnDeclarations.from_submission(submission(body), audience)


def held(declarations: OwnDeclarations) -> set[str]:
    catalogue = ROUTE if declarations.submission.subject_kind == "route" else SHIPMENT
    return {feature.name for feature in catalogue if declarations.holds(feature.name)}


def test_the_declaration_is_the_word_of_consignee_and_declarant_and_of_nobody_else() -> None:
    declared = {"mass_kg", "declared_value_eur", "tare_ratio"}

    for audience in AUDIENCES:
        is_own = audience in ("consignee", "declarant")
        assert (held(own(audience)) & declared == declared) is is_own, audience


def test_what_the_carrier_declared_is_the_carriers_alone() -> None:
    of_journey = {
        feature.name
        for feature in SHIPMENT
        if feature.columns and all(name.startswith("journey_") for name in feature.columns)
    }

    assert of_journey
    for audience in ("consignee", "declarant", "consignor"):
        assert not held(own(audience)) & of_journey, audience
    assert held(own("carrier")) & of_journey
    assert not held(own("carrier")) & {"mass_kg", "declared_value_eur"}
    assert {"leg_count", "certified_capacity_count"} <= held(own("carrier", route()))


@pytest.mark.parametrize(
    ("issuer", "is_own"), [("c-0012", True), ("c-0007", False), ("k-3", False), (None, False)]
)
def test_a_paper_is_the_word_of_whoever_issued_it(issuer: str | None, is_own: bool) -> None:
    declarations = own("consignee", issuer=issuer)

    assert declarations.holds("document_count") is is_own
    assert bool(declarations.papers) is is_own


def test_payments_positions_history_and_inspections_are_nobodys_own_word() -> None:
    windows = {"transactions", "positions"}
    for audience in AUDIENCES:
        for name in held(own(audience, issuer="c-0012")):
            (feature,) = (each for each in SHIPMENT if each.name == name)
            sources = {window.source for window in feature.windows.values()}
            assert sources <= {"documents", "legs"}, name
            assert not sources & windows, name


def test_a_name_that_this_release_does_not_know_is_nobodys_word() -> None:
    assert not own("consignee").holds("a_feature_of_another_release")


def test_whoever_is_not_named_is_not_written_to() -> None:
    bare = submission(copy.deepcopy(BODY))

    assert recipient_of(bare, "consignee") == "c-0012"
    assert recipient_of(bare, "carrier") == "k-3"
    for audience, body in (("declarant", BODY), ("consignee", route()), ("consignor", route())):
        with pytest.raises(Unprocessable, match=audience):
            recipient_of(submission(body), audience)  # type: ignore[arg-type]  # of the list above


def test_facts_have_their_units_and_name_no_party() -> None:
    declarations = own("consignee", issuer="c-0012")

    assert "gross mass 1,250.5 kg" in declarations.facts("mass_kg")
    assert "declared value 9,800 EUR" in declarations.facts("declared_value_eur")
    assert declarations.facts("document_count") == ("the invoice, version 1",)
    for name in held(declarations):
        assert not any("c-0" in fact for fact in declarations.facts(name)), name


def paper(issuer: str | None, **stated: Any) -> dict[str, Any]:
    received = {"document_id": "D-1", "received_at": "2026-11-22T10:00:00Z"}
    return {"kind": "packing_list", "number": "N-1", "issuer_id": issuer} | received | stated


def holds(name: str, *papers: dict[str, Any]) -> bool:
    of = submission(shipment(gross_mass_kg=1_000.0) | {"documents": [*papers]})
    return OwnDeclarations.from_submission(of, "consignee").holds(name)


def test_a_fact_of_a_superseded_version_alone_is_nobodys_own_word_any_more() -> None:
    wrong = paper("c-0012", gross_mass_kg=1_200.0)
    right = paper("c-0012", gross_mass_kg=1_000.0, document_id="D-2", version=2)

    assert holds("document_mass_excess_ratio", wrong)
    assert holds("document_count", wrong, right)
    unlinked = wrong | {"number": None}, right
    assert not holds("document_mass_excess_ratio", *unlinked)


def test_that_no_paper_differs_is_told_of_own_papers_alone() -> None:
    """It would tell what the papers of others state."""
    own, others = paper("c-0012"), paper("k-3", document_id="D-2", number="N-2")

    assert holds("expired_document_count", own)
    assert not holds("expired_document_count", own, others)


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ("declared value 9,800.5 EUR", "valeur : 9\u202f800,5 EUR"),
        ("declared cargo mass 5,000 kg", "masse de la cargaison : 5\u202f000 kg"),
        ("packages 12", "colis : 12"),
        ("origin TRIST", "origine : Istanbul (TRIST)"),
        ("origin country CN", "pays d’origine : Chine (CN)"),
        ("the invoice N-1, version 2", "le document « facture » N-1, version 2"),
        ("declared 23 November 2026, 11:49 UTC", "moment de la déclaration : 23 novembre 2026"),
        ("anything else", "anything else"),
    ],
)
def test_a_stored_fact_is_said_in_the_readers_language(stored: str, said: str) -> None:
    begin_locale(languages_in(Path("no home"))["fr"])
    try:
        assert said in stated_in_words(stored)
    finally:
        begin_locale(ENGLISH)
