"""Letters about invented papers and payments, for every end, party and language: what none may say.

The papers are drawn: of every kind, in several versions with one id or several, with or without a
number and an issuer. Each figure occurs once, so that a figure in a letter shows whose it is.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count as numbered
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest

from features.catalogue import features_of
from features.records import DocumentKind
from features.submission import AttachedDocument, Submission
from serving.audit.decision import Decision
from serving.errors import Conflict
from serving.explanation.comparison import Comparison
from serving.language import ENGLISH, begin_locale, languages_in
from serving.review.cases.case_state import Case
from serving.review.cases.results import RESULTS_OF
from serving.review.letters.case_letters import Audience
from serving.review.letters.corrections import CorrectionScorer
from serving.review.letters.letter import Letter, LetterSources
from serving.review.letters.letter_rules import require_letter_due
from serving.review.letters.letter_text import NO_DECISION, sections_of
from serving.review.letters.own_declarations import OwnDeclarations
from serving.review.letters.remedies import Remedies
from serving.triage.triage_plan import TriagePlan
from tests.counts import count
from tests.serving.bodies import route, shipment, submission
from tests.serving.review.cases.decisions import AT, decision
from tests.serving.review.cases.stated import INSPECT, RELEASE, result_of
from tests.serving.review.letters.remedies import lay_down_remedies
from tests.true_letters import ENDS, untrue_in_words

PARTIES = {"consignee": "c-0012", "consignor": "c-0007", "declarant": "d-7", "carrier": "k-3"}
ISSUERS = (*PARTIES.values(), "f-9", None)
LANGUAGES = (*languages_in(Path("no home")).values(),)
WORLDS = count(12, 300)


@dataclass
class Invented:
    """A drawn subject, and its figures: what each party itself stated."""

    random: random.Random
    figures: Any = field(default_factory=lambda: numbered(10_007, 1_013))
    stated_by: dict[str | None, list[float]] = field(default_factory=dict)

    def figure(self, party: str | None) -> float:
        """A figure that occurs nowhere else, which a party states."""
        value = next(self.figures) + 0.5
        self.stated_by.setdefault(party, []).append(value)
        return value

    def documents(self) -> list[dict[str, Any]]:
        """Papers in one to three versions each."""
        filed: list[dict[str, Any]] = []
        for place in range(self.random.randint(2, 6)):
            number = self.random.choice((None, f"N{place}{self.random.randint(100, 999)}"))
            kind = self.random.choice(get_args(DocumentKind))
            issuer, has_one_id = self.random.choice(ISSUERS), self.random.random() < 0.5
            for version in range(1, self.random.randint(1, 3) + 1):
                filed += [
                    {
                        "document_id": f"D-{place}" if has_one_id else f"D-{place}-{version}",
                        "kind": kind,
                        "number": number,
                        "version": version,
                        "issuer_id": issuer,
                        "received_at": f"2026-11-2{version}T08:00:00Z",
                        "consignee_id": self.random.choice((None, "c-0012", "c-9999")),
                        "gross_mass_kg": self.figure(issuer),
                        "value": self.figure(issuer),
                        "currency": "EUR",
                    }
                ]
        return filed

    def body(self, kind: str) -> dict[str, Any]:
        """A subject with its papers and payments."""
        if kind == "route":
            body = route(declared_cargo_mass_kg=self.figure("k-3"))
        else:
            declared = {"gross_mass_kg": self.figure("d-7"), "declared_value": self.figure("d-7")}
            body = shipment(declarant_id="d-7", forwarder_id="f-9", packages=None, **declared)
            body["journey"]["declared_cargo_mass_kg"] = self.figure("k-3")
            body["transactions"][0] |= {"amount": self.figure(None), "payer_id": "p-77"}
        return body | {"documents": self.documents()}


def letter(
    sources: LetterSources, drawn: Invented, of: Submission, audience: Audience, place: int
) -> Letter:
    """A letter by the score that has every feature as a reason, after one of all ends."""
    evidence = [
        SimpleNamespace(
            feature=each.name,
            value=1.0,
            sentence=f"Says {each.name}",
            usual="half have 2",
            comparison=Comparison("between", percentile=drawn.random.choice((1.0, 99.0))),
            contribution=drawn.random.choice((-0.9, -0.3, 0.1, 0.3, 0.9)),
        )
        for each in features_of(of.subject_kind)
    ]
    reasons = [
        SimpleNamespace(effect=effect, family="payments", sign_of="a sign", evidence=[seen])
        for seen in evidence
        for effect in ["for" if seen.contribution > 0 else "against"]
    ]
    made = decision(of.model_dump(mode="json", exclude_none=True), lane_reason="score")
    given: Any = SimpleNamespace(**{name: getattr(made, name) for name in Decision.model_fields})
    given.submission, given.reasons_in = of, lambda *_: reasons
    result = ENDS[place % len(ENDS)]
    case = Case("d-1", "closed", action=INSPECT if result else RELEASE, result=result)
    return Letter.from_case(given, case, OwnDeclarations.from_submission(of, audience), sources, AT)


@pytest.fixture
def sources(tmp_path: Path) -> LetterSources:
    remedies = Remedies.read(lay_down_remedies(tmp_path))
    (tmp_path / "lanes.toml").write_text('edition = "2026-11"\n')
    nobody: Any = SimpleNamespace(vectors=None)
    plan = TriagePlan.read(tmp_path / "lanes.toml")
    return LetterSources(remedies, plan, CorrectionScorer({}, nobody))


@pytest.fixture(autouse=True)
def _reader_of_english() -> Iterator[None]:
    yield
    begin_locale(ENGLISH)


@pytest.mark.parametrize("world", range(WORLDS))
def test_no_letter_compares_unlike_figures_or_tells_of_others_or_of_older_versions(
    sources: LetterSources, world: int
) -> None:
    for place, (kind, audience) in enumerate(
        [("route", "carrier"), *(("shipment", audience) for audience in PARTIES)]
    ):
        drawn = Invented(random.Random(f"{world} {kind}"))
        of = submission(drawn.body(kind))
        written = letter(sources, drawn, of, audience, 5 * world + place)  # type: ignore[arg-type]  # of the four
        own = {PARTIES[audience]}
        own |= {"d-7"} if audience == "consignee" else set()  # it was declared for them
        for language in LANGUAGES:
            begin_locale(language)
            text = "\n".join(
                " ".join((section.heading, *section.paragraphs, *section.items))
                for section in sections_of(written)
            )
            assert language.say(NO_DECISION) in text
            for party, figures in drawn.stated_by.items():
                told = [f for f in figures if language.figure(f"{f:,.15g}") in text]
                assert party in own or told == [], (audience, party, told)
            assert [*untrue_in_words(of, written, text)] == [], (audience, language.code)
        assert_like_is_compared_with_like(of, written, PARTIES[audience])


def assert_like_is_compared_with_like(of: Submission, written: Letter, recipient: str) -> None:
    """Hold each comparison against the papers: own, newest, of this subject, and of its whole."""
    for each in written.corrections:
        (paper,) = [
            paper
            for paper in of.documents
            if each.stated in (f"gross mass {paper.gross_mass_kg:,.15g} kg", value_of(paper))
        ]
        assert paper.issuer_id == recipient
        same_id = [
            other for other in of.documents if other.document_id[:3] == paper.document_id[:3]
        ]
        assert paper.version == max(other.version for other in same_id)
        subject: Any = of.subject
        if of.subject_kind == "route":
            assert paper.kind == "manifest"
            assert each.declared == f"declared cargo mass {subject.declared_cargo_mass_kg:,.15g} kg"
        else:
            assert paper.kind != "permit"
            assert each.declared in (
                f"gross mass {subject.gross_mass_kg:,.15g} kg",
                f"declared value {subject.declared_value:,.15g} EUR",
            )


def value_of(paper: AttachedDocument) -> str:
    return f"value {paper.value:,.15g} EUR"


def test_the_drawn_papers_lead_to_comparisons(sources: LetterSources) -> None:
    """Nothing would be proven by letters that compare nothing."""
    found = 0
    for world in range(40):
        drawn = Invented(random.Random(f"{world} shipment"))
        of = submission(drawn.body("shipment"))
        own = OwnDeclarations.from_submission(of, "declarant")
        given: Any = SimpleNamespace(subject_kind="shipment", submission=of)
        found += len(sources.scorer.corrections(given, own))

    assert found > 10


OF_DECISIONS = {"goods_found", "persons_found", "other_offence", "documents_irregular"}


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
@pytest.mark.parametrize(
    "end", ENDS, ids=lambda end: f"{end.found_by}-{end.code}" if end else "release"
)
def test_remedies_follow_from_the_end_in_every_language(
    sources: LetterSources, end: Any, language: Any
) -> None:
    """Nobody learns of an appeal where no decision can follow, and all learn of their data."""
    drawn = Invented(random.Random("one"))
    of = submission(drawn.body("shipment"))
    written = letter(sources, drawn, of, "consignee", ENDS.index(end))
    begin_locale(language)
    text = "\n".join(
        " ".join((*section.paragraphs, *section.items)) for section in sections_of(written)
    )
    remedies = written.remedies
    against = [
        remedy.name in text for remedy in (remedies.hearing, remedies.appeal, remedies.court)
    ]
    of_data = (remedies.data_protection_officer, remedies.supervisory_authority)

    # Where a case was referred, the other authority decides and hears.
    is_adverse = end is not None and end.code in OF_DECISIONS and end.found_by != "refer"
    assert against == [is_adverse] * 3
    assert all(language.shown(each.name) in text or each.name in text for each in of_data)
    assert language.say(written.ending) in text
    assert language.say(NO_DECISION) in text
    if language is not ENGLISH:
        assert language.say(written.ending) != written.ending
        assert language.say(NO_DECISION) != NO_DECISION


@pytest.mark.parametrize("code", RESULTS_OF["rescue"])
def test_a_rescue_has_no_letter_however_it_came_here(code: Any) -> None:
    rescued = Case("d-1", "closed", action=INSPECT, result=result_of(code, "rescue"))

    with pytest.raises(Conflict, match="rescue"):
        require_letter_due(rescued, "score", AT)
    require_letter_due(replace(rescued, result=ENDS[0]), "score", AT)
