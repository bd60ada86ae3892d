"""A case as PDF: the content of its page, its acts and results, and proof.

The case is attached as canonical JSON and its digest is printed, so that anyone can recompute it.
Other cases are left out, because the recipient may not be allowed to know of them.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from features.signed_documents import canonical_json
from serving.console.amended_declaration import AmendedDeclaration
from serving.console.case_history import EventView
from serving.console.case_view import CaseView
from serving.console.charts.case_pictures import CasePictures
from serving.console.charts.document_grid import DocumentGrid
from serving.console.charts.goods_table import GoodsTable
from serving.console.charts.route_map import HEIGHT_PX, WIDTH_PX, RouteMap
from serving.console.papers.paper import Paper
from serving.explanation.formatting import listed, readable
from serving.integrity.hash_chain import LogHead
from serving.review.cases.case_of_decision import CASE
from serving.review.cases.case_records import CaseFile, CaseRow, StoredEvent
from serving.review.cases.case_state import Case
from serving.triage.lane_declarations import shown_lane
from serving.web.html import instant_in_words

FORMAT = "tidegate-case-1"
ATTACHED = "case.json"
OFFER = (
    "A score is an offer of attention. It is not evidence, and it decides nothing: a person does."
)
# Documents per table; further ones get further tables.
COLUMNS_TOGETHER = 4

# Events that only record reads; they are in the audit log.
_NOT_PRINTED = frozenset({"read", "download", "read_message", "justify"})


@dataclass(frozen=True)
class PrintedCase:
    """A case as its reader may see it; `proof` is the log position of its newest decision.

    `is_score_shown` is false if the reader may not see the score, or not yet.
    """

    row: CaseRow
    headline: str
    state: Case
    view: CaseView
    amended: AmendedDeclaration
    pictures: CasePictures
    events: tuple[StoredEvent, ...]
    files: tuple[CaseFile, ...]
    proof: LogHead
    is_score_shown: bool
    is_live: bool

    @property
    def acts(self) -> tuple[StoredEvent, ...]:
        """Acts on the case, without reads."""
        return tuple(event for event in self.events if event.action not in _NOT_PRINTED)

    @property
    def at(self) -> datetime:
        """Time of the last act, or of the opening.

        The document has this date, because a clock would change its bytes.
        """
        acts = self.acts
        return acts[-1].at if acts else self.row.opened_at

    @property
    def has_score(self) -> bool:
        """Return whether the score is shown; a random draw has none to show."""
        is_told = self.is_score_shown and not self.view.is_drawn
        return is_told and self.view.decision.score is not None


def stated_case(printed: PrintedCase) -> dict[str, Any]:
    """Return a case as JSON with the field names of the API."""
    row, view, decision = printed.row, printed.view, printed.view.decision
    names = ("case_id", "subject_kind", "subject_id", "office_id", "mode")
    score: dict[str, Any] | None = None
    if printed.has_score and decision.score is not None:
        why = {"contributions", "base_log_odds"} if not view.is_explained else None
        score = decision.score.model_dump(mode="json", exclude=why)
    reasons = [
        {
            "indicator": each.indicator,
            "effect": each.effect,
            "strength": each.strength,
            "facts": [[fact.feature, fact.sentence, fact.usual] for fact in each.evidence],
        }
        for each in (*view.reasons_for, *view.reasons_against)
    ]
    return {
        "format": FORMAT,
        "as_of": printed.at.isoformat(),
        "case": {name: getattr(row, name) for name in names}
        | {"opened_at": row.opened_at.isoformat(), "due_at": row.due_at.isoformat()}
        | {"lane": None if view.is_blind else shown_lane(row.lane), "what": row.what},
        "state": CASE.dump_python(printed.state, mode="json"),
        "decision": {
            "decision_id": decision.decision_id,
            "scored_at": decision.scored_at.isoformat(),
            "caller": decision.caller_name,
            "log_position": printed.proof.size,
            "log_link": printed.proof.head,
            "model": decision.model.model_dump(mode="json") if decision.model else None,
            "unscored": decision.unscored,
        },
        "submission": json.loads(decision.request),
        "withdrawn_at": (at := printed.amended.withdrawn_at) and at.isoformat(),
        "amended": [each._asdict() for each in printed.amended.changes],
        "reasons": reasons,
        "missing": list(decision.missing),
        "is_score_shown": printed.is_score_shown,
        "score": score,
        "acts": [
            asdict(event) | {"at": event.at.isoformat(), "changed": json.loads(event.changed)}
            for event in printed.acts
        ],
        "files": [
            asdict(file) | {"attached_at": file.attached_at.isoformat()} for file in printed.files
        ],
    }


def case_paper(printed: PrintedCase) -> bytes:
    """Return the PDF of a case; the same state gives the same bytes."""
    stated = canonical_json(stated_case(printed))
    digest = hashlib.sha256(stated).hexdigest()
    notes = (f"{printed.view.title} · case {printed.row.case_id}", f"SHA-256 {digest}")
    paper = Paper(f"{printed.view.title}: {printed.headline}", notes, printed.at)
    paper.attach(ATTACHED, stated, "application/json")
    _write_summary(paper, printed)
    _write_proof(paper, printed, digest)
    _write_evidence(paper, printed)
    _write_pictures(paper, printed.pictures)
    _write_reasons(paper, printed.view)
    _write_score(paper, printed)
    _write_acts(paper, printed)
    _write_caveats(paper, printed)
    return paper.content()


def _write_summary(paper: Paper, printed: PrintedCase) -> None:
    row, state = printed.row, printed.state
    if printed.headline != row.what:
        paper.text(row.what)
    waits = state.waiting_until and instant_in_words(state.waiting_until)
    is_due_known = printed.view.decision.submission.journey is not None
    due_at = instant_in_words(row.due_at) if is_due_known else ""
    paper.pairs(
        [
            ("Case", row.case_id),
            ("Lane", printed.view.lane),
            ("Why it is here", row.why if _is_why_told(printed.view) else ""),
            ("Office", row.office_id or ""),
            ("Opened", instant_in_words(row.opened_at)),
            ("Conveyance due", due_at),
            ("State", readable(state.status)),
            ("With", state.owner.shown if state.owner else "nobody"),
            ("Waits until", waits or ""),
            ("Action", state.action.in_words if state.action else ""),
            ("Said with it", state.action.text if state.action else ""),
            *_result_pairs(state),
            ("As of", f"{instant_in_words(printed.at)}, the last act"),
        ]
    )
    if at := printed.amended.withdrawn_at:
        known = instant_in_words(at)
        paper.text(f"This declaration was withdrawn, as is known since {known}.")
    for change in printed.amended.changes:
        paper.text(f"Amended: {change.words}, {change.before} → {change.after}.")


def _is_why_told(view: CaseView) -> bool:
    """Return whether a list, rule or danger selected the case; otherwise the score explains it."""
    decision = view.decision
    is_named = decision.lane_reason in ("watch_list", "rule") and not view.is_blind
    return bool(decision.life_at_risk) or is_named


def _result_pairs(state: Case) -> Iterator[tuple[str, str]]:
    result = state.result
    if result is None:
        return
    yield "Result", f"{result.words}: {readable(result.reason)}, confidence {result.confidence}"
    yield "Said with it", result.text
    found = asdict(result.finding)
    stated = (f"{name.replace('_', ' ')} {value}" for name, value in found.items() if value)
    yield "Stated of it", ", ".join(stated)
    yield "Ended by", listed([who.shown for who in state.ended_by])


def _write_proof(paper: Paper, printed: PrintedCase, digest: str) -> None:
    decision = printed.view.decision
    model = decision.model
    paper.heading("What proves it")
    paper.pairs(
        [
            ("SHA-256 of the case", digest),
            ("Decision", decision.decision_id),
            ("Made", f"{instant_in_words(decision.scored_at)} for {decision.caller_name}"),
            ("Place in the log", f"decision number {printed.proof.size}"),
            ("Link of the chain there", printed.proof.head),
            ("Model", f"{model.name}, version {model.version}" if model else "none was asked"),
            ("Digest of the model", model.digest if model else ""),
        ]
    )
    paper.text(
        f"The case stands as canonical JSON in the file {ATTACHED} that is attached to this PDF: "
        "its SHA-256 is the first above. tidegate verify-log proves the log of decisions; tidegate "
        "tidegate export writes this decision with its link for deploy/verify/verify_decision.py, "
        "which proves it with Python alone.",
        is_small=True,
    )


def _write_evidence(paper: Paper, printed: PrintedCase) -> None:
    view = printed.view
    if view.is_drawn:
        paper.heading("Selected at random")
        paper.text("No fact about it led to this check, so no reason is given.")
    elif view.leading_facts:
        paper.heading("What stands out")
        for fact, reason in view.leading_facts:
            paper.lines([f"{fact.sentence} ({fact.usual})"])
            if reason and reason.check:
                paper.text(f"Check: {reason.check}")
    paper.heading("What was declared")
    paper.pairs(view.facts)
    paper.heading("What is missing")
    paper.lines(view.missing or ("Nothing is missing.",))


def _write_pictures(paper: Paper, pictures: CasePictures) -> None:
    if pictures.goods.rows:
        _write_goods(paper, pictures.goods)
    if pictures.documents.columns:
        paper.heading("Declaration and documents")
        for first in range(0, len(pictures.documents.columns), COLUMNS_TOGETHER):
            _write_documents(paper, pictures.documents, first)
    if pictures.payments.rows:
        paper.heading("Payments")
        head = ("Paid", "Payer", "Payee", "Amount", "EUR", "By, for", "Reference")
        rows = [
            (
                f"{each.paid_at:%-d %b %Y, %H:%M}",
                f"{each.payer.party_id}\n{each.payer.roles or 'not in the declaration'}",
                f"{each.payee.party_id}\n{each.payee.roles or 'not in the declaration'}",
                f"{each.amount:,.2f} {each.currency}",
                f"{each.amount_eur:,.0f}" if each.amount_eur is not None else "no rate",
                f"{each.method}, {each.purpose}",
                each.reference,
            )
            for each in pictures.payments.rows
        ]
        paper.table(head, rows, (3, 4, 4, 3, 2, 4, 3))
    paper.heading("Timeline")
    line = pictures.timeline
    told = [(mark.at, f"{mark.at:%-d %b %Y, %H:%M}", mark.row, mark.words) for mark in line.marks]
    told += [
        (
            span.begins,
            f"{span.begins:%-d %b %Y, %H:%M} to {span.ends:%-d %b %Y, %H:%M}",
            span.row,
            span.words,
        )
        for span in line.spans
    ]
    paper.table(("When (UTC)", "Row", "What"), [row[1:] for row in sorted(told)], (3, 1.4, 6))
    if pictures.route:
        _write_route(paper, pictures.route)


def _write_goods(paper: Paper, goods: GoodsTable) -> None:
    paper.heading("Goods items")
    head = ("Item", "Goods", "Description", "Origin", "Gross mass", "Value", "Packages")
    rows = [
        (
            f"{each.number}\nadded {each.known_at:%-d %b %Y}"
            if each.known_at
            else f"{each.number}",
            each.goods,
            _cell(*_said(each.description)),
            _cell(*_said(each.origin)),
            each.gross_mass or "–",
            each.value or "–",
            each.packages or "–",
        )
        for each in goods.rows
    ]
    mass, value, packages = (_cell(*_said(cell)) for cell in goods.sums)
    rows.append(("Together", "", "", "", mass, value, packages))
    paper.table(head, rows, (1.6, 5, 4, 3, 2.4, 3, 2))


def _write_documents(paper: Paper, grid: DocumentGrid, first: int) -> None:
    shown = slice(first, first + COLUMNS_TOGETHER)
    columns = grid.columns[shown]
    rows = [
        (row.name, row.declared or "–", *(_cell(*_said(cell)) for cell in row.cells[shown]))
        for row in grid.rows
    ]
    about = {
        "Number": [each.number or "–" for each in columns],
        "Issuer": [each.issuer or "–" for each in columns],
        "Issued": [f"{each.issued_at:%-d %b %Y}" if each.issued_at else "–" for each in columns],
        "Expires": [
            _cell(f"{each.expires_at:%-d %b %Y}", ("before it was declared",) * each.is_expired)
            if each.expires_at
            else "–"
            for each in columns
        ],
        "Received": [f"{each.received_at:%-d %b %Y, %H:%M}" for each in columns],
    }
    rows += [(name, "", *cells) for name, cells in about.items()]
    head = ("", "Declared", *(each.name.capitalize() for each in columns))
    paper.table(head, rows, (2, 3, *(3 for _ in columns)))


def _said(cell: Any) -> tuple[str, tuple[str, ...]]:
    return cell.words, cell.differs


def _cell(words: str, differs: tuple[str, ...]) -> str:
    """Return the value of a document; a difference is marked and described."""
    mark = "≠ " if differs else ""
    return "\n".join([f"{mark}{words or '–'}", *differs])


def _write_route(paper: Paper, route: RouteMap) -> None:
    paper.heading("Route", room_mm=130)
    labels = [*route.countries, *(stop.label for stop in route.stops if stop.label)]
    paper.picture(_map_svg(route), (WIDTH_PX, HEIGHT_PX), labels)
    paper.text(
        "Grey: declared legs, straight from place to place. Blue: between positions. Dashed: no "
        "report for more than 6 hours. Land and borders: Natural Earth.",
        is_small=True,
    )
    legs = [
        (
            str(leg.sequence),
            leg.origin,
            leg.destination,
            readable(leg.mode or "not stated"),
            f"{leg.departed_at:%-d %b %Y, %H:%M}" if leg.departed_at else "not known",
            f"{leg.arrived_at:%-d %b %Y, %H:%M}" if leg.arrived_at else "not yet",
        )
        for leg in route.legs
    ]
    paper.table(("Leg", "From", "To", "By", "Left", "Arrived"), legs, (1, 4, 4, 2, 3, 3))
    if route.unplaced:
        paper.text(f"Not on the map, as their place is not known: {', '.join(route.unplaced)}.")


def _map_svg(route: RouteMap) -> str:
    """Return the map as SVG, without its labels."""

    # Labels are written by the PDF library, which embeds the font and shapes text.
    def line(spots: Any, stroke: str, more: str = "") -> str:
        points = " ".join(f"{spot.x},{spot.y}" for spot in spots)
        return f'<polyline points="{points}" fill="none" stroke="{stroke}" {more}/>'

    # On the open sea there is no land to draw.
    def area(path: str, drawn: str) -> str:
        return f'<path transform="scale(.5)" d="{path}" {drawn}/>' if path else ""

    heard = [each.spot for each in route.travelled]
    parts = [
        f'<rect width="{WIDTH_PX}" height="{HEIGHT_PX}" fill="#e9f0f5"/>',
        area(route.land.land, 'fill="#dde1db" stroke="#a9b2ab"'),
        area(route.land.borders, 'fill="none" stroke="#b9c0b9"'),
        line(route.expected, "#5b6672", 'stroke-width="2"') if len(route.expected) > 1 else "",
        line(heard, "#1f5a96", 'stroke-width="2.5"') if len(heard) > 1 else "",
        *(
            line(
                (each.begins.spot, each.ends.spot),
                "#a3401a",
                'stroke-width="3" stroke-dasharray="8 6"',
            )
            for each in route.silences
        ),
        *(
            f'<circle cx="{stop.spot.x}" cy="{stop.spot.y}" r="5" fill="#1c2733"/>'
            for stop in route.stops
        ),
    ]
    box = f'viewBox="0 0 {WIDTH_PX:.0f} {HEIGHT_PX:.0f}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{"".join(parts)}</svg>'


def _write_reasons(paper: Paper, view: CaseView) -> None:
    if not view.is_explained or view.is_drawn or view.is_blind or view.decision.unscored:
        return
    for title, reasons in (
        ("What speaks for a closer look", view.reasons_for),
        ("What speaks against", view.reasons_against),
    ):
        paper.heading(title)
        if not reasons:
            paper.text("None.")
        for each in reasons:
            called = f"Indicator: {each.sign_of}" if each.sign_of else each.topic.capitalize()
            paper.text(f"{called} ({each.indicator}), {each.strength}")
            paper.lines(f"{fact.sentence} ({fact.usual})" for fact in each.evidence)
            if each.check:
                paper.text(f"Check: {each.check}")
    if view.unweighted:
        paper.heading("Also uncommon, though the score does not rise by it")
        for fact in view.unweighted:
            paper.text(f"Indicator: {fact.sign_of} ({fact.indicator})")
            paper.lines([f"{fact.sentence} ({fact.usual})"])
            paper.text(f"Check: {fact.check}")


def _write_score(paper: Paper, printed: PrintedCase) -> None:
    view, decision = printed.view, printed.view.decision
    paper.heading("The score")
    if view.is_drawn:
        paper.text("Not shown: the case was selected at random, whatever its score.")
    elif decision.score is None:
        paper.text("There is no score: no model was asked. That says nothing about the risk.")
    elif not printed.is_score_shown:
        paper.text("It is shown after the first judgement of whoever reads the case.")
    else:
        paper.text(view.estimate or "")
        paper.text(
            f"{decision.score.percentile:.0f} % of the newest cases in training scored lower."
        )
        if view.is_explained:
            _write_sum(paper, view)


def _write_sum(paper: Paper, view: CaseView) -> None:
    """Write the table from the average case to this one, in log-odds."""
    score, reasons = view.decision.result.score, view.decision.known_reasons
    rows = [("Average case", f"{score.base_log_odds:+.3f}")]
    rows += [
        (f"{each.indicator}: {each.topic}", f"{each.log_odds:+.3f}")
        for each in view.decision.reasons_in()
    ]
    rows.append(
        (f"{reasons.remainder.features} weaker facts", f"{reasons.remainder.log_odds:+.3f}")
    )
    rows += [(readable(name), f"{each:+.3f}") for name, each in reasons.habits.named.items()]
    rest = reasons.habits.rest
    rows.append((f"{rest.features} other values that are no indicator", f"{rest.log_odds:+.3f}"))
    rows.append(("This case", f"{score.log_odds:+.3f}"))
    paper.table(("Part", "Log-odds"), rows, (5, 1))


def _write_acts(paper: Paper, printed: PrintedCase) -> None:
    paper.heading("What happened with this case")
    if not printed.acts:
        paper.text("Nothing yet.")
    for event in map(EventView.from_event, printed.acts):
        moves = "".join(f"\n    {name}: {old} → {new}" for name, old, new in event.moves)
        said = f": “{event.text}”" if event.text else ""
        paper.text(f"{instant_in_words(event.at)}  {event.actor}: {event.words}{said}{moves}")
    if printed.files:
        paper.heading("Files")
        paper.pairs(
            (file.name, f"{file.size_bytes:,} bytes\n{file.sha256}") for file in printed.files
        )


def _write_caveats(paper: Paper, printed: PrintedCase) -> None:
    decision = printed.view.decision
    paper.heading("To be kept in mind")
    told = [OFFER]
    if not printed.is_live:
        told.append("Trial: nothing here may be used to decide about anyone.")
    if decision.is_history_missing:
        told.append(
            "Most of the history was missing: what is said of earlier traffic is not whole."
        )
    if decision.score and decision.score.is_unlike_training and printed.has_score:
        values = listed([readable(name) for name in decision.score.outside])
        told.append(f"Values beyond all cases in training, so trust the score less: {values}.")
    if decision.unseen:
        told.append(f"New to the model: {listed([readable(name) for name in decision.unseen])}.")
    told.append(
        "Other cases, and who read this one, are not on this paper; the audit log has both."
    )
    paper.lines(told)
