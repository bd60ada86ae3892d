"""The letter to a party: how its subject was selected, the reasons, how to contest.

Basis: AI Act 86 (a clear and meaningful explanation of the role of the system), GDPR 13 to 15 and
22(3), LED 13 and 14, UCC 22(6) and (7), and C-203/22 (the procedure and principles actually applied
to the party's data). The ground of selection decides what may be disclosed: a random draw has no
reason, a rule has its published words, information of an authority is not repeated, and only a
selection by the score has reasons. They repeat what the party itself declared and issued; of
everything else only the kind is named. The rest is in the sealed version.
"""

import hashlib
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from babel.dates import format_date
from pydantic import TypeAdapter

from features.catalogue import feature_named
from features.derived.document import TRANSPORT_KINDS
from serving.access.actors import Actor
from serving.audit.decision import Decision
from serving.audit.selections import is_beyond_its_lane
from serving.explanation.code_names import country_in_words, place_in_words
from serving.explanation.formatting import listed
from serving.explanation.missing_inputs import missing_in_words
from serving.explanation.reason_ranking import Effect, Strength, strength_of
from serving.explanation.reasons_in_words import Observation
from serving.explanation.true_reasons import agrees, is_absence
from serving.language import ENGLISH, Language
from serving.review.cases.case_state import Case
from serving.review.cases.case_summary import describe_subject
from serving.review.letters.case_letters import Audience, CaseLetter
from serving.review.letters.corrections import Correction, CorrectionScorer
from serving.review.letters.own_declarations import DECLARANTS, OwnDeclarations, paper_in_words
from serving.review.letters.remedies import (
    Consequence,
    Remedies,
    consequence_of,
    consequence_of_words,
)
from serving.triage.lane_declarations import Lane, LaneReason
from serving.triage.triage_plan import TriagePlan

# For facts from others, a party learns that they were considered, but not what they showed.
OF_OTHERS = {
    "conveyance": "the conveyance",
    "declared_goods": "what such goods usually weigh and measure",
    "crossing_equipment": "what a consignee of such goods usually receives",
    "declaration": "what such goods are usually declared as",
    "document_conflicts": "whether the documents agree",
    "documents": "the documents that were filed",
    "goods_items": "whether the goods items agree with the declaration",
    "item_outcomes": "what inspections of goods like each of its items found",
    "itinerary": "how such journeys usually go",
    "valuation": "what such goods usually cost",
    "carrier_history": "how the conveyance and its carrier travelled before",
    "confirmed_links": "what inspections lately found among those who took part",
    "consignee_habits": "what the parties to the consignment usually trade",
    "container_history": "where the container was declared before",
    "corridor": "how usual the way is",
    "goods_norms": "what consignments of such goods are usually like",
    "intermediaries": "the intermediaries that took part",
    "like_consignments": "what inspections of similar consignments found",
    "money_flows": "the payments that belong to it",
    "network": "whom the parties to the movement worked with before",
    "pair_history": "how often the parties to the movement met before",
    "partners": "how many partners those who took part have",
    "party_history": "how long and how often the parties have traded",
    "payer_history": "the payments that belong to it",
    "payments": "the payments that belong to it",
    "prior_outcomes": "what earlier inspections found",
    "terminal_and_transit": "what terminals and offices of transit reported",
    "tracking": "where the conveyance was heard",
}

Selection = Literal["lot", "rule", "information", "score", "manual"]

_SELECTION: dict[LaneReason, Selection] = {
    "random": "lot",
    "rule": "rule",
    "watch_list": "information",
    "score": "score",
    "no_score": "manual",
}

MEASURES: dict[Lane, str] = {
    "inspect": "an inspection",
    "control": "an inspection",
    "document_check": "a check of its documents",
    "post_review": "a review after it had gone on",
    "manual": "the procedure without a computer",
}


# The end of a case that was released.
RELEASED = "it went on without a check"


@dataclass(frozen=True)
class OwnSign:
    """One contestable fact: its meaning, what is usual, its source, what it may indicate.

    `strength` is its weight in words; None in letters before December 2026.
    """

    sentence: str
    usual: str
    declared: tuple[str, ...]
    sign_of: str | None
    strength: Strength | None = None


@dataclass(frozen=True)
class LetterReasons:
    """The reasons for or against a look: own facts in full, the others by kind only.

    `strengths` are the weights of the other kinds; empty in letters before December 2026.
    """

    own: tuple[OwnSign, ...] = ()
    others: tuple[str, ...] = ()
    strengths: tuple[Strength, ...] = ()


@dataclass(frozen=True)
class Letter:
    """A letter without its fixed sentences, which the page supplies."""

    audience: Audience
    what: str
    reference: str
    decided_at: datetime
    written_at: datetime
    selection: Selection
    rule: str | None
    was_scored: bool
    measure: str
    ending: str
    speaks_for: LetterReasons
    speaks_against: LetterReasons
    missing: tuple[str, ...]
    corrections: tuple[Correction, ...]
    remedies: Remedies
    is_inspection_at_discretion: bool = False
    consequence: Consequence | None = None

    @property
    def may_be_followed_by(self) -> Consequence:
        """Return what may follow for the reader; older letters imply it by their ending."""
        return self.consequence or consequence_of_words(self.ending)

    @property
    def correctable(self) -> tuple[str, ...]:
        """Return the declared facts that counted for a look, where a correction can begin."""
        return tuple(dict.fromkeys(said for sign in self.speaks_for.own for said in sign.declared))

    @classmethod
    def from_case(
        cls,
        decision: Decision,
        case: Case,
        own: OwnDeclarations,
        writing: "LetterSources",
        at: datetime,
    ) -> "Letter":
        """Return the letter about a decision and the end of its case."""
        selection = _SELECTION[decision.lane_reason]
        by_score = selection == "score"
        return cls(
            audience=own.audience,
            what=subject_of_letter(own),
            reference=decision.decision_id,
            decided_at=decision.scored_at,
            written_at=at,
            selection=selection,
            rule=published_words(writing.plan, decision) if selection == "rule" else None,
            was_scored=decision.unscored is None,
            measure=MEASURES[decision.lane],
            ending=case.result.words if case.result else RELEASED,
            # Only a selection by the score has reasons to disclose.
            speaks_for=_reasons(decision, own, "for") if by_score else LetterReasons(),
            speaks_against=_reasons(decision, own, "against") if by_score else LetterReasons(),
            missing=_missing(decision, own.audience) if by_score else (),
            corrections=writing.scorer.corrections(decision, own) if by_score else (),
            remedies=writing.remedies,
            is_inspection_at_discretion=is_beyond_its_lane(
                decision.lane, case.result.label if case.result else None
            ),
            consequence=consequence_of(case.result),
        )


def letter_in(
    language: Language, letter: Letter, decision: Decision, own: OwnDeclarations
) -> Letter:
    """Return a letter with its sentences in a language, derived again from the decision.

    Translating a stored English sentence would mean guessing its values, and a wrong figure would
    be a false notice. A sentence that this release phrases differently stays in English.
    """
    said: dict[str | None, str | None] = {}
    pairs = zip(decision.reasons_in(), decision.reasons_in(language), strict=True)
    for written, there in pairs:
        said[written.sign_of] = there.sign_of
        for seen, again in zip(written.evidence, there.evidence, strict=True):
            # If this release derives other evidence, the stored sentence stays.
            if seen.feature == again.feature:
                said |= {seen.sentence: again.sentence, seen.usual: again.usual}

    def again_of(reasons: LetterReasons) -> LetterReasons:
        signs = (
            replace(
                sign,
                sentence=said.get(sign.sentence) or sign.sentence,
                usual=said.get(sign.usual) or sign.usual,
                sign_of=said.get(sign.sign_of) or sign.sign_of,
            )
            for sign in reasons.own
        )
        return replace(reasons, own=tuple(signs))

    return replace(
        letter,
        what=subject_of_letter(own, language),
        speaks_for=again_of(letter.speaks_for),
        speaks_against=again_of(letter.speaks_against),
    )


@dataclass(frozen=True)
class LetterSources:
    """The sources of a letter besides the case: remedies, the triage plan, and a scorer."""

    remedies: Remedies
    plan: TriagePlan
    scorer: CorrectionScorer


LETTER = TypeAdapter(Letter)


def case_letter(letter: Letter, recipient: str, purpose: str, writer: Actor) -> CaseLetter:
    """Return the letter as a case stores it: content and digest, not yet released."""
    content = LETTER.dump_json(letter)
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    return CaseLetter(
        letter.audience, recipient, purpose, content.decode(), digest, writer, letter.written_at
    )


def published_words(plan: TriagePlan, decision: Decision) -> str | None:
    """Return the published words of the rule that selected; None if there are none now."""
    # Under another plan a rule of the same name may have other published words.
    if plan.digest != decision.plan:
        return None
    hit = {f"rule “{rule.name}”: {rule.reason}": rule for rule in plan.rules}
    selecting = (hit[words] for words in decision.hits if words in hit)
    lane = "inspect" if decision.lane == "inspect" else "document_check"
    return next((rule.published for rule in selecting if rule.lane == lane), None)


def _reasons(decision: Decision, own: OwnDeclarations, effect: Effect) -> LetterReasons:
    """Return the reasons of one direction, without missing values and habits of the model.

    Decisions of older releases may list such reasons; a letter must not repeat them.
    """
    signs: list[OwnSign] = []
    others: defaultdict[str, float] = defaultdict(float)
    for reason in decision.reasons_in():
        for seen in reason.evidence:
            if reason.effect != effect or (seen.contribution > 0) != (effect == "for"):
                continue
            if not own.holds(seen.feature):
                others[OF_OTHERS.get(reason.family, "other records")] += seen.contribution
            elif _may_be_said(seen, decision):
                facts, strength = own.facts(seen.feature), strength_of(seen.contribution)
                # The name of the sign comes from the first fact, which may be another party's.
                sign = reason.sign_of if seen is reason.evidence[0] else None
                signs.append(OwnSign(seen.sentence, seen.usual, facts, sign, strength))
    return LetterReasons(tuple(signs), tuple(others), tuple(map(strength_of, others.values())))


def _may_be_said(seen: Observation, decision: Decision) -> bool:
    feature = feature_named(seen.feature)
    known = decision.vector.get(feature.known_by) if feature.known_by else None
    if is_absence(feature, seen.value, known) or feature.indicator is None:
        return False
    return agrees(feature, seen.value, seen.comparison, seen.contribution)


CARRIED = "A consignment that you carried by {mode} from {origin} to {destination}, due on {day}."
NAMES_YOU = "A consignment that names you as {audience}, sent from {origin} to {destination}."
NAMES_YOU_WITH_PAPERS = (
    "A consignment that names you as {audience}, sent from {origin} to {destination}, with "
    "{papers}."
)


def subject_of_letter(own: OwnDeclarations, language: Language = ENGLISH) -> str:
    """Describe the subject in one sentence, using only what its reader declared."""
    submission, shipment = own.submission, own.submission.shipment
    if shipment is None or own.audience in DECLARANTS:
        declared = submission.model_copy(update={"journey": None}) if shipment else submission
        return describe_subject(declared, is_marked=False, language=language)
    journey = submission.journey
    if own.audience == "carrier" and journey is not None:
        return language.say(
            CARRIED,
            mode=language.say(journey.mode.replace("_", " ")),
            origin=place_in_words(journey.origin),
            destination=place_in_words(journey.destination),
            day=format_date(journey.due_at, "d MMMM y", locale=language.locale),
        )
    said = {
        "audience": language.say(own.audience),
        "origin": country_in_words(shipment.dispatch_country, language),
        "destination": country_in_words(shipment.destination_country, language),
    }
    if not own.papers:
        return language.say(NAMES_YOU, **said)
    papers = [paper_in_words(paper, language) for paper in own.papers]
    return language.say(NAMES_YOU_WITH_PAPERS, **said, papers=listed(papers, language))


def _missing(decision: Decision, audience: Audience) -> tuple[str, ...]:
    """Return, in words, what this party should have submitted but did not."""
    paths = (path for path in decision.missing if _is_to_submit(path, decision, audience))
    return tuple(map(missing_in_words, paths))


def _is_to_submit(path: str, decision: Decision, audience: Audience) -> bool:
    root, _, of = path.partition(".")
    if root == "documents" and decision.subject_kind == "shipment":
        is_of_carrier = of in TRANSPORT_KINDS and of != "transit"  # a declarant lodges transit
        return audience == "carrier" if is_of_carrier else audience in DECLARANTS
    if decision.subject_kind == "route":
        return root in ("journey", "legs", "documents")
    if audience == "carrier":
        return root in ("journey", "legs")
    return root == "shipment" and audience in DECLARANTS
