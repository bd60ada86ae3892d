"""Five letters of invented cases, as `docs/examples/letters.md` prints them.

Run as a module it prints the page. The cases are invented and the contributions chosen, so that the
page depends on the words of features and letters and on no trained model.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from features.catalogue import catalogue, feature_named
from serving.audit.decision import Decision
from serving.explanation.comparison import Comparison
from serving.explanation.reason_ranking import RankedReason, Reasons, Remainder
from serving.explanation.reasons_in_words import ReasonRenderer
from serving.review.case_letters import Audience
from serving.review.corrections import CorrectionScorer
from serving.review.dispositions import Disposition, DispositionCode
from serving.review.letter import Letter, LetterSources
from serving.review.letter_text import sections_of
from serving.review.own_declarations import OwnDeclarations
from serving.review.remedies import Remedies
from serving.triage.triage_plan import TriagePlan
from tests.serving.bodies import route, shipment, submission
from tests.serving.review.decisions import AT, decision
from tests.serving.review.remedies import lay_down_remedies

PLAN = """
[[rules]]
name = "boats"
feature = "mass_kg"
above = 1000.0
lane = "document_check"
reason = "kept in the office"
published = "The papers of inflatable boats above a mass that is laid down are checked."
"""
SEEN: dict[str, tuple[float | None, float, Comparison]] = {
    "tare_ratio": (0.6, 0.41, Comparison("or_less", share=0.97, high=0.2, percentile=98.0)),
    "unit_value_eur_per_kg": (
        7.8,
        -0.3,
        Comparison("between", low=6.0, high=14.0, percentile=40.0),
    ),
    "cash_payment_ratio": (1.0, 0.5, Comparison("or_less", share=0.97, high=0.2, percentile=98.0)),
    "consignee_shipments_30d": (
        4.0,
        -0.2,
        Comparison("between", low=2.0, high=9.0, percentile=40.0),
    ),
}
OF_ROUTE: dict[str, tuple[float | None, float, Comparison]] = {
    "unconnected_leg_count": (
        1.0,
        0.4,
        Comparison("or_less", share=0.98, high=0.0, percentile=99.0),
    ),
    "longest_silence_hours": (
        19.0,
        0.6,
        Comparison("or_less", share=0.96, high=8.0, percentile=97.0),
    ),
    "carrier_journeys": (41.0, -0.4, Comparison("between", low=12.0, high=60.0, percentile=60.0)),
}


class NoHistory:
    """A source of vectors that no letter here needs."""

    def vectors(self, submissions: Any) -> Any:
        raise AssertionError("no letter here is scored again")


def scored(body: dict[str, Any], seen: dict[str, tuple[float | None, float, Comparison]]) -> Any:
    """A decision by its score, with these features in evidence."""
    made = decision(body, lane_reason="score", hits=(), plan=None)
    known = {name: part for name, part in seen.items() if _is_known(name, made.subject_kind)}
    reasons = Reasons(
        reasons=tuple(
            RankedReason(
                feature_named(name).indicator or name, feature_named(name).family, part, (name,)
            )
            for name, (_, part, _) in known.items()
        ),
        comparisons={name: comparison for name, (_, _, comparison) in known.items()},
        remainder=Remainder(features=0, log_odds=0.0),
        families={},
        indicators={},
    )
    values = {name: value for name, (value, _, _) in known.items()}
    parts = {name: part for name, (_, part, _) in known.items()}
    given: Any = SimpleNamespace(**{name: getattr(made, name) for name in Decision.model_fields})
    given.unscored = None
    given.reasons_in = lambda: ReasonRenderer(made.subject_kind, values, parts).reasons(reasons)
    return given


def _is_known(name: str, kind: Any) -> bool:
    return any(feature.name == name for feature in catalogue(kind))


def letters() -> Iterator[tuple[str, Letter]]:
    """Each letter, with what it is an example of."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "lanes.toml").write_text(PLAN)
        plan = TriagePlan.read(Path(folder) / "lanes.toml")
        remedies = Remedies.read(lay_down_remedies(Path(folder)))
    sources = LetterSources(remedies, plan, CorrectionScorer({}, NoHistory()))
    papered = shipment(net_mass_kg=500.2)
    papered["documents"][0] |= {"issuer_id": "c-0012", "number": "INV-88", "gross_mass_kg": 1205.5}
    by_score, drawn = (
        scored(papered, SEEN),
        decision(shipment(), **DRAWN),
    )
    ruled = decision(
        shipment(),
        lane="document_check",
        lane_reason="rule",
        hits=("rule “boats”: kept in the office",),
        plan=plan.digest,
    )
    broken = route()
    first = broken["legs"][0] | {"destination": "GRLES"}
    broken["legs"] = [first, first | {"sequence": 2, "origin": "GRJKH", "destination": "GRPIR"}]
    by_route = scored(broken, OF_ROUTE)
    listed = decision(shipment())
    for title, made, body, audience, code in (
        ("Selected by its score, to the consignee", by_score, papered, "consignee", NOTHING),
        ("Drawn by lot, to the consignee", drawn, shipment(), "consignee", NOTHING),
        ("Selected by a rule, to the consignor", ruled, shipment(), "consignor", IN_ORDER),
        ("A journey selected by its score, to the carrier", by_route, broken, "carrier", NOTHING),
        ("Selected by a watch-list, after a deferral", listed, shipment(), "consignee", NOTHING),
    ):
        yield title, _letter(made, body, audience, code, sources)


DRAWN: dict[str, Any] = {"lane": "control", "lane_reason": "random", "hits": ()}
NOTHING: DispositionCode = "no_finding_after_inspection"
IN_ORDER: DispositionCode = "no_finding_after_document_check"


def _letter(
    made: Any, body: Any, audience: Audience, code: DispositionCode, sources: LetterSources
) -> Letter:
    own = OwnDeclarations.from_submission(submission(body), audience)
    ending = Disposition(code, "nothing_found", "high", "all in order")
    return Letter.from_case(made, ending, own, sources, AT)


HEAD = """\
# Five letters

Letters to traders and carriers, as `tidegate serve` prints them after a case has ended and a second
person has released them. The cases are invented. `tests/docs/test_letters.py` keeps this page as
the code writes it; `python -m tests.docs.letters > docs/examples/letters.md` writes it again.

Read them as a trader: what do I learn, what can I mend, by when must I act and where? And as a
lawyer: is a reason given that did not select, is anything told of others, is a remedy missing?
"""


def letters_page() -> str:
    """The page."""
    parts = [HEAD.rstrip()]
    for title, letter in letters():
        parts.append(f"## {title}")
        for section in sections_of(letter):
            parts.append(" ".join((f"**{section.heading}.**", *section.paragraphs)))
            if section.items:
                parts.append("\n".join(f"- {item}" for item in section.items))
        parts.append(f"Reference {letter.reference}")
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(letters_page())
