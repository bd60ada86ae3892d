"""The model card of a champion: purpose, measured performance and limits.

All of it comes from the manifest, the report, the registration and the gates' verdicts.
"""

from collections.abc import Iterable
from datetime import datetime

from training.evaluation.evaluation_page import spelt
from training.evaluation.evaluation_report import (
    EvaluationReport,
    Figures,
    PopulationSection,
)
from training.gates.verdict import Verdict
from training.model.manifest import Manifest, TrainingWindow, WindowFigures
from training.model.model_registration import Registration
from training.parameters import GATE_SHARE

MODEL_CARD = "model_card.md"


def model_card(
    manifest: Manifest,
    report: EvaluationReport,
    registration: Registration,
    approver: str,
    verdicts: Iterable[Verdict],
    at: datetime,
) -> str:
    """Return the card in Markdown as of `at`; brackets are 95 % intervals."""
    parts = (
        f"# {registration.name}, version {registration.version}",
        _who(registration, approver),
        _purpose(manifest),
        "## Data\n\n" + _windows(manifest.training_window),
        f"Training set `{manifest.training_set_digest}`, catalogue `{manifest.catalogue}`.",
        "## What it was measured to do\n\n" + report.population_in_words,
        *_measured(report),
        "## Groups\n\n" + _groups(report),
        "## Leakage\n\n" + _leakage(report),
        "## Limits\n\n" + _listed(_limits(report)),
        "## Gates\n\n"
        + _listed(
            f"{verdict.gate}, {verdict.answer}: {_plain(verdict.in_words(at))}"
            for verdict in verdicts
        ),
    )
    return "\n\n".join(parts) + "\n"


def _who(registration: Registration, approver: str) -> str:
    return _listed(
        (
            f"Trained by {_plain(registration.trainer)}, registered on "
            f"{registration.registered_at:%Y-%m-%d}.",
            f"Approved by {_plain(approver)}, who answers for its use.",
            f"Artefact `{registration.digest}`, run `{registration.run_id}`.",
        )
    )


def _purpose(manifest: Manifest) -> str:
    return (
        "## What it is for\n\n"
        f"Ranking {manifest.subject}s by their risk of smuggling, so that people with room for few "
        "inspections choose them well. Every score comes with the contributions that make it up.\n"
        "\n## What it is not for\n\n"
        + _listed(
            (
                "Judging persons. It scores routes and shipments and nothing else.",
                "Deciding alone. A score is a reason to look, never proof of an offence.",
                "Declarations unlike those below: another border, other kinds of goods, other "
                "years need their own evaluation first.",
            )
        )
    )


def _windows(windows: TrainingWindow) -> str:
    def row(name: str, window: WindowFigures) -> tuple[str, ...]:
        numbers = f"{window.labelled:,}", f"{window.confirmed:,}"
        return name, f"{window.begins:%Y-%m-%d}", f"{window.ends:%Y-%m-%d}", *numbers

    names = ("fit", "calibration", "evaluation")
    rows = [row(name, getattr(windows, name)) for name in names]
    return _table(("window", "from", "until before", "labelled", "confirmed"), rows)


def _measured(report: EvaluationReport) -> Iterable[str]:
    if report.population is not None:
        yield "### All traffic\n\n" + _population(report.population)
    yield "### All inspected, which describes what was chosen\n\n" + _figures(report.inspected)
    if report.at_office_capacity is not None:
        at = report.at_office_capacity
        yield (
            f"Where every office inspects as many of its own as it did, {at.share:.1%} of labelled "
            f"subjects: precision {spelt(at.precision)}, recall {spelt(at.recall)}, lift "
            f"{spelt(at.lift, places=2)}, value captured {spelt(at.value_captured)}."
        )


def _population(population: PopulationSection) -> str:
    figures, calibration = population.figures, population.calibration
    rows = [
        (f"{at.share:.3g}", spelt(at.precision), spelt(at.recall), spelt(at.lift, places=2))
        for at in figures.at_share
    ]
    told = (
        f"ROC-AUC {spelt(figures.roc_auc)}. Confirmed for each one expected by the probabilities: "
        f"{spelt(calibration.observed_over_expected, places=2)}, among the highest "
        f"{calibration.top_share:.0%} {spelt(calibration.top_observed_over_expected, places=2)}; "
        f"slope {spelt(calibration.slope, places=2)}.\n\n"
    )
    assumed = _listed(
        f"If not {bound.assumption}, but {bound.instead}: {bound.figure} {bound.low:.4f} to "
        f"{bound.high:.4f}."
        for bound in population.bounds
    )
    ordered = _table(("inspected", "precision", "recall", "lift"), rows)
    return "\n\n".join((told + ordered, *_calibration_curve(population), assumed))


def _calibration_curve(population: PopulationSection) -> Iterable[str]:
    """Yield the points of the reliability plot, from low scores to high; none if unknown."""
    if population.figures.refusal is None:
        head = ("subjects", "mean probability given", "share that would be confirmed")
        rows = [
            (f"{band.subjects:,}", f"{band.mean_probability:.4f}", spelt(band.share, places=4))
            for band in population.bands
        ]
        yield "Calibration curve:\n\n" + _table(head, rows)


def _figures(figures: Figures) -> str:
    head = ("inspected", "precision", "recall", "lift")
    rows = [
        (f"{at.share:.3g}", spelt(at.precision), spelt(at.recall), spelt(at.lift, places=2))
        for at in figures.at_capacity
    ]
    return (
        f"{figures.labelled:,} labelled, {figures.confirmed:,} confirmed. "
        f"ROC-AUC {spelt(figures.roc_auc)}, PR-AUC {spelt(figures.pr_auc)}, "
        f"calibration error {spelt(figures.ece)}.\n\n" + _table(head, rows)
    )


def _groups(report: EvaluationReport) -> str:
    head = ("group", "labelled", "referred", "precision", "false referral")
    rows = [
        (
            _plain(f"{group.by}: {group.group}"),
            f"{group.labelled:,}",
            spelt(group.referred),
            spelt(group.precision),
            spelt(group.false_referral),
        )
        for group in report.groups
    ]
    return f"Under the cut that takes the highest {GATE_SHARE:.0%}.\n\n" + _table(head, rows)


def _leakage(report: EvaluationReport) -> str:
    if not report.leakage:
        return "No check found anything."
    return _listed(
        f"{finding.check} ({'refusal' if finding.is_refusal else 'warning'}): "
        f"{_plain(finding.evidence)}"
        for finding in report.leakage
    )


def _limits(report: EvaluationReport) -> Iterable[str]:
    yield "Labels exist only where somebody looked; what nobody inspects, nobody confirms."
    if report.population is None or report.population.figures.refusal is not None:
        yield "Too few subjects were drawn with a probability to measure it on all traffic."
    for unseen in report.cold:
        yield (
            f"New values of {unseen.column}: {unseen.labelled:,} labelled, ROC-AUC "
            f"{spelt(unseen.roc_auc)}, precision {spelt(unseen.precision)}."
        )
    for typology in report.typologies:
        if typology.is_new:
            yield (
                f"{_plain(typology.typology)} was never confirmed before the evaluation: "
                f"{typology.cases:,} cases, recall at {GATE_SHARE:.0%} {spelt(typology.recall)}."
            )
    for column, count in report.never_seen.items():
        if count:
            yield f"{column}: {count:,} evaluated subjects hold a value it was never fitted on."


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _plain(text: str) -> str:
    """Return text from data on one line, escaped so that it opens no table cell or tag."""
    line = " ".join(text.split())
    return line.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")
