"""What a letter says: by what selected the case, of whose word it is, and how to contest."""

import copy
import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from features.catalogue import ROUTE, SHIPMENT
from serving.audit.decision import Decision
from serving.explanation.comparison import Comparison
from serving.review.cases.case_state import Case
from serving.review.cases.results import RESULTS_OF
from serving.review.letters.case_letters import Audience
from serving.review.letters.corrections import Correction, CorrectionScorer
from serving.review.letters.letter import LETTER, OF_OTHERS, Letter, LetterReasons, LetterSources
from serving.review.letters.letter_text import SELECTED, sections_of
from serving.review.letters.own_declarations import OwnDeclarations
from serving.review.letters.remedies import Remedies
from serving.triage.triage_plan import TriagePlan
from tests.serving.bodies import route, shipment, submission
from tests.serving.review.cases.decisions import AT, decision
from tests.serving.review.cases.stated import FOUND, INSPECT, NOTHING, RELEASE, result_of
from tests.serving.review.letters.remedies import lay_down_remedies

CLOSED = Case("d-1", "closed", action=INSPECT, result=NOTHING)
RULES = """
edition = "2026-11"

[[rules]]
name = "heavy"
feature = "mass_kg"
above = 1000.0
lane = "inspect"
reason = "secret bound of the office"
published = "Consignments above a mass that is laid down are inspected."

[[rules]]
name = "silent"
feature = "mass_kg"
above = 1.0
lane = "document_check"
reason = "not to be known"
"""


def reason(effect: str, *evidence: tuple[str, float], **said: Any) -> Any:
    seen = [
        SimpleNamespace(
            feature=name,
            value=said.get("value", 1.0),
            sentence=f"Says {name}",
            usual="half have 2",
            comparison=Comparison("between", percentile=said.get("percentile", 99.0)),
            contribution=part,
        )
        for name, part in evidence
    ]
    return SimpleNamespace(effect=effect, family="payments", sign_of="a sign", evidence=seen)


TOLD = (
    reason("for", ("density_kg_per_m3", 0.5), ("payment_count", 0.4), ("declared_value_eur", -0.2)),
    reason("for", ("payer_payments", 0.2), ("tare_ratio", 0.1)),
    reason(
        "against",
        ("unit_value_eur_per_kg", -0.3),
        ("payment_count", -0.1),
        ("density_kg_per_m3", 0.1),
        percentile=50.0,
    ),
)


class Unasked:
    """A source of vectors that nobody may ask."""

    def vectors(self, submissions: Any) -> Any:
        raise AssertionError("nothing of this letter is to be scored again")


@pytest.fixture
def sources(tmp_path: Path) -> LetterSources:
    (tmp_path / "lanes.toml").write_text(RULES)
    plan = TriagePlan.read(tmp_path / "lanes.toml")
    remedies = Remedies.read(lay_down_remedies(tmp_path))
    return LetterSources(remedies, plan, CorrectionScorer({}, Unasked()))


def letter(
    sources: LetterSources,
    lane_reason: str = "score",
    audience: Audience = "consignee",
    told: tuple[Any, ...] = TOLD,
    body: dict[str, Any] | None = None,
    ended: Case = CLOSED,
    **changed: Any,
) -> Letter:
    """The letter about a decision that gave these reasons."""
    submitted = shipment() if body is None else body
    made = decision(submitted, lane_reason=lane_reason, **changed)
    given: Any = SimpleNamespace(**{n: getattr(made, n) for n in Decision.model_fields})
    given.reasons_in = lambda *_: told
    own = OwnDeclarations.from_submission(submission(submitted), audience)
    return Letter.from_case(given, ended, own, sources, AT)


def words(written: Letter) -> str:
    """All that a letter says."""
    return "\n".join(
        line
        for section in sections_of(written)
        for line in (section.heading, *section.paragraphs, *section.items)
    )


def test_what_was_drawn_by_lot_is_told_so_and_given_no_reason(sources: LetterSources) -> None:
    told = letter(sources, "random", lane="control", missing=("documents.manifest",))

    assert (told.selection, told.measure) == ("lot", "an inspection")
    assert told.speaks_for == told.speaks_against == LetterReasons()
    assert told.missing == told.corrections == ()
    said = words(told)
    assert "drawn by lot" in said
    for given in ("Says ", "a sign", "spoke for", "spoke against", "payments", "the manifest"):
        assert given not in said, given


def test_a_rule_is_told_in_its_published_words_alone(sources: LetterSources) -> None:
    hits = ("rule “heavy”: secret bound of the office",)
    told = letter(sources, "rule", hits=hits, plan=sources.plan.digest)

    said = words(told)
    assert "Consignments above a mass that is laid down are inspected." in said
    for secret in ("secret bound", "heavy", "1,000", "Says "):
        assert secret not in said


@pytest.mark.parametrize(
    ("hit", "plan"), [("rule “silent”: not to be known", None), ("rule “heavy”: gone", "sha256:9")]
)
def test_a_rule_without_published_words_of_this_plan_is_said_to_be_one(
    sources: LetterSources, hit: str, plan: str | None
) -> None:
    told = letter(
        sources, "rule", hits=(hit,), plan=plan or sources.plan.digest, lane="document_check"
    )

    assert told.rule is None
    said = words(told)
    assert "Its words are not published" in said
    assert "not to be known" not in said


def test_what_an_authority_looks_for_is_never_repeated(sources: LetterSources) -> None:
    told = letter(sources, "watch_list")
    said = words(told)

    assert told.speaks_for == told.speaks_against == LetterReasons()
    assert "information that the office holds" in said
    for secret in ("c-0012", "wanted", "file 7", "watch", "Says ", "payments"):
        assert secret not in said, secret


def test_each_reason_of_selection_is_told_in_words_of_its_own(sources: LetterSources) -> None:
    made = {
        name: letter(sources, name, lane=lane).selection
        for name, lane in (
            ("random", "control"),
            ("rule", "inspect"),
            ("watch_list", "inspect"),
            ("score", "inspect"),
            ("no_score", "manual"),
        )
    }

    assert sorted(made.values()) == sorted(SELECTED)
    for name, selection in made.items():
        said = words(letter(sources, name))
        assert [each for each in SELECTED if SELECTED[each] in said] == [selection]


def test_a_score_is_told_by_what_spoke_for_and_what_against(sources: LetterSources) -> None:
    told = letter(sources)

    assert [sign.sentence for sign in told.speaks_for.own] == [
        "Says density_kg_per_m3",
        "Says tare_ratio",
    ]
    assert [sign.sentence for sign in told.speaks_against.own] == ["Says unit_value_eur_per_kg"]
    assert told.speaks_for.others == (OF_OTHERS["payments"],)
    assert told.speaks_against.others == (OF_OTHERS["payments"],)
    said = words(told)
    assert "Says density_kg_per_m3 (half have 2). It can be a sign of a sign." in said
    assert "It counted moderately. It rests on what you declared: gross mass" in said
    assert "What follows counted moderately. It is not repeated here" in said
    assert "gross mass 1,250.5 kg" in said
    assert "Says payment_count" not in said


def test_what_spoke_against_is_no_sign_of_anything(sources: LetterSources) -> None:
    (line,) = (line for line in words(letter(sources)).splitlines() if "unit_value" in line)

    assert "sign" not in line


def test_a_score_is_spoken_of_only_where_one_was_given(sources: LetterSources) -> None:
    assert "also gave a score" not in words(letter(sources, "random"))
    assert "also gave a score" in words(letter(sources, "random", unscored=None))


def test_nothing_that_is_missing_is_held_against_anyone(sources: LetterSources) -> None:
    told = letter(sources, told=(reason("for", ("density_kg_per_m3", 0.5), value=None),))

    assert told.speaks_for.own == ()
    assert "Says density_kg_per_m3" not in words(told)


def test_no_habit_of_the_model_is_held_against_anyone(sources: LetterSources) -> None:
    usual = (reason("for", ("tare_ratio", 0.5), percentile=50.0),)

    assert letter(sources, told=usual).speaks_for.own == ()


def test_a_party_is_told_its_own_word_and_not_that_of_another(sources: LetterSources) -> None:
    for audience in ("consignor", "carrier"):
        told = letter(sources, audience=audience)  # type: ignore[arg-type]  # of the two
        said = words(told)
        assert told.speaks_for.own == told.speaks_against.own == ()
        for other in ("1,250.5", "9,800", "inflatable boats", "Says "):
            assert other not in said, (audience, other)
    assert "TRIST" not in words(letter(sources))  # the way is the carrier's word
    assert "TRIST" in words(letter(sources, audience="carrier"))


def test_a_route_is_told_to_its_carrier(sources: LetterSources) -> None:
    told = letter(
        sources,
        audience="carrier",
        body=route(),
        told=(reason("for", ("leg_count", 0.4), ("carrier_journeys", 0.2)),),
    )

    assert [sign.sentence for sign in told.speaks_for.own] == ["Says leg_count"]
    assert "by sea from Izmir (TRIZM) to Piraeus (GRPIR)" in told.what


def test_what_was_not_submitted_is_asked_of_whose_it_is(sources: LetterSources) -> None:
    missing = (
        *("journey", "transactions", "documents.manifest", "documents.invoice"),
        "shipment.net_mass_kg",
    )
    asked = {
        audience: letter(sources, audience=audience, missing=missing).missing  # type: ignore[arg-type]  # of the list
        for audience in ("consignee", "consignor", "carrier")
    }

    assert asked == {
        "consignee": ("the invoice", "the net mass"),
        "consignor": (),
        "carrier": ("the journey", "the manifest"),
    }


REPORTED = [
    (found_by, code)
    for found_by, codes in RESULTS_OF.items()
    if found_by != "rescue"
    for code in codes
]
ADVERSE = ("goods_found", "persons_found", "other_offence", "documents_irregular")


@pytest.mark.parametrize(("found_by", "code"), [*REPORTED, (None, None)])
@pytest.mark.parametrize("lane_reason", ["score", "random", "rule", "watch_list"])
def test_a_letter_is_no_decision_and_names_remedies_by_how_the_case_ended(
    sources: LetterSources, lane_reason: str, found_by: Any, code: Any
) -> None:
    result = result_of(code, found_by) if code else None
    ended = replace(CLOSED, result=result, action=INSPECT if code else RELEASE)
    said = words(letter(sources, lane_reason, ended=ended))
    remedies = sources.remedies
    against = (remedies.hearing, remedies.appeal, remedies.court)

    assert "This letter is not a decision." in said
    assert re.findall(r"within|\d+ days|deadline", said.replace("within what the office", "")) == []
    assert ("A decision against you may follow" in said) == (
        code in ADVERSE and found_by != "refer"
    )
    assert ("given to another authority" in said) == (code in ADVERSE and found_by == "refer")
    assert ("ended without a decision against you" in said) == (code not in ADVERSE)
    for each in against:
        assert (each.name in said) == (code in ADVERSE and found_by != "refer")
    for each in (remedies.controller, remedies.data_protection_officer):
        assert each.name in said
        assert each.address in said
    for needed in ("Complaint about personal data", "reference d-1", "look at it", "full account"):
        assert needed in said, needed


def test_a_letter_of_an_earlier_release_keeps_its_remedies_to_how_it_ended(
    sources: LetterSources,
) -> None:
    earlier = json.loads(LETTER.dump_json(letter(sources)))
    del earlier["consequence"]
    for remedy in ("hearing", "appeal", "court"):
        earlier["remedies"][remedy]["deadline_days"] = 30
    nothing = LETTER.validate_python(earlier)
    seized = LETTER.validate_python(earlier | {"ending": FOUND.words})

    assert "Finance Court" not in words(nothing)
    assert "Finance Court" in words(seized)
    assert "30 days" not in words(seized)


def test_a_letter_says_what_is_personal_data_and_claims_no_more(sources: LetterSources) -> None:
    said = words(letter(sources))

    assert "may be natural persons" in said
    assert "countries" in said
    assert "never" not in said


@pytest.mark.parametrize(
    ("factor", "says"),
    [
        (0.5, "0.5 times"),
        (None, "cannot be told"),
        (1.0001, "would have been the same"),
        (3.6, "and you declared gross mass 8 kg."),
    ],
)
def test_a_correction_is_told_with_what_it_weighs(
    sources: LetterSources, factor: float | None, says: str
) -> None:
    mended = Correction("the invoice, version 1", "gross mass 9 kg", "gross mass 8 kg", factor)
    said = words(replace(letter(sources), corrections=(mended,)))

    assert "it states gross mass 9 kg, and you declared gross mass 8 kg" in said
    assert says in said
    assert "3.6" not in said  # nobody is told that to be right would have made it worse


def test_nobody_is_told_that_they_declared_what_was_declared(sources: LetterSources) -> None:
    mended = Correction("the invoice INV-1, version 2", "value 9 EUR", "declared value 8 EUR", None)
    told = replace(letter(sources), corrections=(mended,))

    assert "Of the invoice INV-1, version 2: it states value 9 EUR, and you declared value 8" in (
        words(told)
    )
    assert "declared declared" not in words(told)


def test_a_letter_is_stored_whole(sources: LetterSources) -> None:
    mended = Correction("the invoice, version 1", "gross mass 9 kg", "gross mass 8 kg", 0.4)
    whole = replace(letter(sources), corrections=(mended,), decided_at=AT - timedelta(days=1))

    assert LETTER.validate_json(LETTER.dump_json(whole)) == whole


def test_every_family_can_be_named_to_a_party_by_its_kind() -> None:
    assert {feature.family for feature in (*ROUTE, *SHIPMENT)} == OF_OTHERS.keys()


def test_no_letter_names_a_party_or_a_figure_of_the_score(sources: LetterSources) -> None:
    body = copy.deepcopy(shipment(declarant_id="d-7"))
    for audience in ("consignee", "consignor", "declarant", "carrier"):
        said = words(letter(sources, audience=audience, body=body))  # type: ignore[arg-type]  # of the list
        for secret in ("c-0007", "c-0012", "k-3", "d-7", "log-odds", "percentile", "threshold"):
            assert secret not in said, (audience, secret)
    assert json.loads(LETTER.dump_json(letter(sources)))["reference"] == "d-1"


def test_an_inspection_that_nothing_proposed_is_told_as_a_persons_decision(
    sources: LetterSources,
) -> None:
    checked = letter(sources, lane="document_check")
    inspected = letter(sources, lane="inspect")

    assert "a person decided it" in words(checked)
    assert "a person decided it" not in words(inspected)


def test_a_consignor_knows_the_consignment_by_the_papers_that_it_issued(
    sources: LetterSources,
) -> None:
    papered = shipment()
    papered["documents"][0] |= {"issuer_id": papered["shipment"]["consignor_id"], "number": "INV-8"}

    assert (
        "with the invoice INV-8, version"
        in letter(sources, audience="consignor", body=papered).what
    )
    assert "with" not in letter(sources, audience="consignor").what
