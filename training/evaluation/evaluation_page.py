"""The evaluation report as one self-contained HTML file."""

from collections.abc import Iterable, Mapping

from training.confidence_intervals import Estimate
from training.evaluation.evaluation_report import (
    OF_THESE_ALONE,
    CapacityFigures,
    EvaluationReport,
    Figures,
    InspectionFindings,
    JointProxyFigures,
    PopulationSection,
    Stability,
    TypologyRecall,
)
from training.evaluation.html_page import document, footnote, table
from training.leakage.finding import LeakageFinding
from training.parameters import GATE_SHARE

CAPACITY = ("share inspected", "precision", "recall", "lift", "value captured")

MAX_PROXIES = 10

ORACLE_CAVEAT = (
    "Shares of the best possible are of an invented world of this size and of these parameters "
    "alone. Read 1 % and 2 % first: networks move about 5 % of its traffic, so at 5 % it is enough "
    "to tell whether a network moves a subject, which flatters."
)


def render_evaluation(report: EvaluationReport, pictures: Mapping[str, bytes]) -> str:
    """Return the whole page; text from data is escaped, pictures are PNG."""
    parts = (footnote(report.population_in_words), *sections(report))
    return document(f"Evaluation of {report.name}", parts, pictures)


def sections(report: EvaluationReport) -> Iterable[str]:
    """Yield the report's tables as HTML: all traffic first, then inspected subjects."""
    if report.population is not None:
        yield from _population(report.population)
    yield _strata(report)
    yield from _inspected(report)
    yield from _oracle(report)
    if report.stability is not None:
        yield _stability(report.stability)
    if report.population is not None and report.population.groups:
        yield _group_referrals(report.population)
    yield _groups(report)
    yield _typologies(
        "By typology, confirmed subjects in the highest 5 % of all inspected", report.typologies
    )
    if report.findings is not None:
        yield from _findings(report.findings)
    yield from _proxies(report)
    if report.cold:
        cold_head = ("new in", "labelled", "confirmed", "ROC-AUC", "precision at 5 %")
        cold_rows = [
            (c.column, str(c.labelled), str(c.confirmed), spelt(c.roc_auc), spelt(c.precision))
            for c in report.cold
        ]
        yield table(
            "Among those who were inspected, on values that no earlier label spoke of",
            cold_head,
            cold_rows,
        )
    if report.leakage:
        leakage_rows = [(f.check, f.evidence, _answer(f)) for f in report.leakage]
        yield table("Leakage checks", ("check", "found", ""), leakage_rows, of_words=True)
    unseen = [(name, str(count)) for name, count in report.never_seen.items() if count]
    if unseen:
        yield table("Never seen in fitting", ("feature", "subjects"), unseen)


def _population(population: PopulationSection) -> Iterable[str]:
    of_whom = (
        f"Of {population.of_whom}. Brackets are 95 % intervals, dashes too few draws. "
        f"{OF_THESE_ALONE}"
    )
    told = population.figures.refusal is None
    if rows := [*inspecting_finds(population)]:
        head = ("inspected", "precision", "recall", "lift")
        yield table("What inspecting finds, of all traffic", head, rows, caption=of_whom)
    if told:
        yield table(
            "What these figures rest on", ("figure", "value"), _overall(population), caption=of_whom
        )
        yield from _bands(population)
    if population.bounds:
        bounds = [
            (b.assumption, b.instead, b.figure, f"{b.low:.4f} to {b.high:.4f}")
            for b in population.bounds
        ]
        caption = (
            "No draw can test these. Bounds hold for the figure as estimated; its interval comes "
            "on top, but where results are not known it is included."
        )
        head = ("assumed", "if instead", "figure", "lies in")
        yield table("What is assumed", head, bounds, caption=caption, of_words=True)


def inspecting_finds(population: PopulationSection) -> Iterable[tuple[str, str, str, str]]:
    """Yield precision, recall and lift of inspecting shares by the model, and of the status quo."""
    if population.figures.refusal is None:
        for at in population.figures.at_share:
            figures = spelt(at.precision), spelt(at.recall), spelt(at.lift, places=2)
            yield f"highest {100 * at.share:.3g} % by the model", *figures
    yield from _as_it_was(population)


def _as_it_was(population: PopulationSection) -> Iterable[tuple[str, str, str, str]]:
    """Yield the capacity that was used: as many subjects by the model, and the status quo."""
    if (was := population.status_quo) is None:
        return
    yield (
        f"highest {100 * was.share:.3g} % by the model, as many as were inspected",
        spelt(was.model_precision),
        spelt(was.model_recall),
        spelt(was.model_lift, places=2),
    )
    yield (
        f"status quo: the {was.inspected:,} ({100 * was.share:.3g} %) that were inspected",
        spelt(was.precision),
        spelt(was.recall),
        spelt(was.lift, places=2),
    )


def _overall(population: PopulationSection) -> Iterable[tuple[str, str]]:
    figures, calibration = population.figures, population.calibration
    yield "share that would be confirmed", spelt(figures.prevalence, places=4)
    yield "ROC-AUC", spelt(figures.roc_auc)
    yield (
        "confirmed for each one that probabilities promise, 1 is right",
        spelt(calibration.observed_over_expected, places=2),
    )
    yield (
        f"the same among the highest {calibration.top_share:.0%}",
        spelt(calibration.top_observed_over_expected, places=2),
    )
    yield "slope of log-odds, 1 is right", spelt(calibration.slope, places=2)
    yield "results that were drawn with a probability", f"{figures.drawn:,}"
    yield "worth so many drawn evenly", f"{figures.effective_size:,.0f}"
    yield "results of tips, which stand for themselves", f"{figures.certain:,}"
    yield "results in no figure, of an officer's discretion", f"{figures.uncounted:,}"
    yield (
        "share of results that are inconclusive or still to come",
        f"{population.unknown_share:.1%}",
    )


def _bands(population: PopulationSection) -> Iterable[str]:
    rows = [
        (
            f"{band.mean_probability:.4f}",
            spelt(band.share, places=4),
            f"{band.subjects:,}",
            f"{band.inspected:,}",
            f"{band.confirmed:,}",
        )
        for band in reversed(population.bands)
    ]
    head = ("mean probability", "share that would be confirmed", "subjects", "results", "confirmed")
    caption = f"Bands by score of {population.of_whom}, as fine as the draws allow."
    if rows:
        yield table("What probabilities mean, of all traffic", head, rows, caption=caption)


def _strata(report: EvaluationReport) -> str:
    head = (
        "selected by",
        "labelled",
        "confirmed",
        "share confirmed",
        "precision",
        "recall",
        "lift",
        "ROC-AUC",
        "calibration error",
    )
    rows = [
        (
            s.selected_by,
            f"{s.labelled:,}",
            f"{s.confirmed:,}",
            spelt(s.prevalence),
            spelt(s.precision),
            spelt(s.recall),
            spelt(s.lift, places=2),
            spelt(s.roc_auc),
            spelt(s.ece),
        )
        for s in report.strata
    ]
    caption = (
        f"{_labelled(report)}, each ranked among its own and cut at 5 % of them. That tips are "
        "confirmed more often than draws is no skill of the model; only ranking within a row is."
    )
    return table("Within each way of selection", head, rows, caption=caption)


def _inspected(report: EvaluationReport) -> Iterable[str]:
    caption = (
        f"{_labelled(report)}, each counted once. This mixes tips with draws: who was selected, "
        "and why, makes these figures as much as the model does. They say nothing of all traffic."
    )
    yield _figures("Among those who were inspected", report.inspected, caption)
    if (at := report.at_office_capacity) is not None:
        title = "Among those who were inspected, every office taking as many of its own as it did"
        yield table(title, CAPACITY, [_capacity(at)], caption=f"{_labelled(report)}.")


def _labelled(report: EvaluationReport) -> str:
    window, counts = report.window, report.inspected
    return (
        f"{counts.labelled:,} labelled subjects, {counts.confirmed:,} confirmed, declared from "
        f"{window.begins:%Y-%m-%d} until before {window.ends:%Y-%m-%d}"
    )


def _oracle(report: EvaluationReport) -> Iterable[str]:
    head = ("share inspected", "precision", "best possible", "share of the best")
    among = (
        ("Beside the oracle (all subjects)", report.oracle),
        ("Beside the oracle, among known typologies", report.oracle_known),
    )
    for title, oracle in among:
        if oracle:
            rows = [
                (
                    f"{o.share:.0%}",
                    spelt(o.precision),
                    spelt(o.oracle_precision),
                    spelt(o.share_of_oracle),
                )
                for o in oracle
            ]
            yield table(title, head, rows)
    if report.oracle:
        yield footnote(ORACLE_CAVEAT)
    title = "By typology, true cases in the highest 5 % of all subjects"
    yield _typologies(title, report.oracle_typologies)


def _typologies(title: str, typologies: tuple[TypologyRecall, ...]) -> str:
    rows = [
        (t.typology, f"{t.cases:,}", spelt(t.recall), "new" if t.is_new else "") for t in typologies
    ]
    return table(title, ("typology", "cases", "recall", ""), rows) if rows else ""


def _findings(findings: InspectionFindings) -> Iterable[str]:
    caption = (
        f"{findings.inspected:,} inspections, of which {findings.labelled:,} are labels. "
        f"{findings.other_offences:,} found another offence and no smuggling: these are neither "
        f"cases nor clean, and in no figure of the model. {findings.unsettled:,} settled nothing."
    )
    offences = [
        (o.offence.replace("_", " "), f"{o.confirmed:,}", f"{o.without_smuggling:,}")
        for o in findings.offences
    ]
    if offences:
        head = ("offence", "with smuggling", "without")
        yield table("What inspections found, by class of offence", head, offences, caption=caption)
    examined = [
        (e.examination.replace("_", " "), f"{e.labelled:,}", f"{e.confirmed:,}", spelt(e.hit_rate))
        for e in findings.examinations
    ]
    if examined:
        yield table(
            "What inspections found, by how they examined",
            ("examination", "labelled", "confirmed", "share confirmed"),
            examined,
            caption="Of those who were examined so, which follows what was suspected: this ranks "
            "no method. Nothing is said of fewer than 30.",
        )


def _stability(stability: Stability) -> str:
    rows = [(f"{a.share:.0%}", spelt(a.common)) for a in stability.agreement]
    title = (
        f"Beside the champion {stability.champion[:19]}… on {stability.subjects:,} subjects: rank "
        f"correlation {spelt(Estimate(stability.rank_correlation))}"
    )
    return table(title, ("share inspected", "in the champion's highest too"), rows)


def _proxies(report: EvaluationReport) -> Iterable[str]:
    if report.proxies:
        rows = [
            (proxy.feature, f"{proxy.information_share:.3f}")
            for proxy in report.proxies[:MAX_PROXIES]
        ]
        yield table("What features tell about the region of origin", ("feature", "share"), rows)
    if report.joint_proxy is not None:
        yield _joint_proxy(report.joint_proxy)


def _joint_proxy(joint: JointProxyFigures) -> str:
    rows = [
        ("all features together name the region, share right", f"{joint.accuracy:.3f}"),
        ("the commonest region, share of subjects", f"{joint.largest_share:.3f}"),
        ("the score tells of the region, share", f"{joint.score_share:.3f}"),
        (
            f"the same of the {joint.unconfirmed:,} that turned out to be nothing",
            spelt(Estimate(joint.score_share_of_unconfirmed)),
        ),
    ]
    title = f"What all features and the score tell about {joint.regions} regions of origin"
    return table(title, ("what", "share"), rows)


def _group_referrals(population: PopulationSection) -> str:
    head = (
        "group",
        "subjects",
        "referred",
        "times as often as all",
        "times as precise as all",
        "referred too often, probability",
    )
    rows = [
        (
            f"{g.by}: {g.group}",
            f"{g.subjects:,}",
            f"{g.referred:,.0f}",
            spelt(g.ratio, places=1),
            spelt(g.precision_ratio, places=1),
            f"{g.p_above:.0%}",
        )
        for g in population.groups
    ]
    caption = (
        f"Of {population.of_whom}, if the highest {GATE_SHARE:.0%} are referred; the worst group "
        f"first. Too often is more than {population.groups[0].largest_ratio:g} times as often as "
        "all, and as its risk explains."
    )
    return table("Referrals by group, of all traffic", head, rows, caption=caption)


def _groups(report: EvaluationReport) -> str:
    head = (
        "group",
        "labelled",
        "confirmed",
        "share confirmed",
        "referred",
        "precision if referred",
        "referred though clean",
    )
    rows = [
        (
            f"{g.by}: {g.group}",
            str(g.labelled),
            str(g.confirmed),
            spelt(g.prevalence),
            spelt(g.referred),
            spelt(g.precision),
            spelt(g.false_referral),
        )
        for g in report.groups
    ]
    caption = f"{_labelled(report)}; the highest 5 % of all of them are referred."
    return table("By group, among those who were inspected", head, rows, caption=caption)


def _figures(title: str, figures: Figures, caption: str) -> str:
    rows = [_capacity(at) for at in figures.at_capacity]
    overall = (
        ("ROC-AUC", spelt(figures.roc_auc)),
        ("PR-AUC", spelt(figures.pr_auc)),
        ("Brier score", spelt(figures.brier, places=4)),
        ("log loss", spelt(figures.log_loss, places=4)),
        ("calibration error", spelt(figures.ece, places=4)),
        ("mean probability", f"{figures.mean_probability:.4f}"),
        ("share confirmed", spelt(figures.prevalence, places=4)),
    )
    return table(title, CAPACITY, rows, caption=caption) + table("", ("figure", "value"), overall)


def _capacity(at: CapacityFigures) -> tuple[str, ...]:
    return (
        f"{100 * at.share:.3g}%",
        spelt(at.precision),
        spelt(at.recall),
        spelt(at.lift, places=2),
        spelt(at.value_captured),
    )


def spelt(estimate: Estimate, places: int = 3) -> str:
    """Format an estimate as `0.412 [0.380, 0.447]`; a dash if it is unknown."""
    if estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.{places}f}"
    return f"{estimate.value:.{places}f} [{estimate.low:.{places}f}, {estimate.high:.{places}f}]"


def _answer(finding: LeakageFinding) -> str:
    return "refused" if finding.is_refusal else ""
