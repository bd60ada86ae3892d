"""Policies side by side as one HTML file."""

from collections.abc import Iterable

from training.backtest.backtest_plots import pictures
from training.backtest.policy_figures import PolicyFigures, TypologyCount
from training.evaluation.evaluation_page import spelt
from training.evaluation.html_page import document, note, table

Policies = tuple[PolicyFigures, ...]


def page(policies: Policies, subject: str, *, is_invented: bool) -> str:
    """The whole page; texts from data are escaped."""
    parts = (_how_measured(is_invented=is_invented), _found(policies), _typologies(policies))
    title = f"Policies replayed over {len(policies[0].weeks)} weeks of {subject}s"
    return document(title, (*parts, _prevalence(policies)), pictures(policies))


def _how_measured(*, is_invented: bool) -> str:
    invented = "An invented world tells what every subject was, so hits are counted."
    logged = (
        "Only inspections that were really made tell of hits: each stands for as many as its "
        "recorded probability says. Brackets are 95 % intervals over weeks."
    )
    return note(invented if is_invented else logged)


def _found(policies: Policies) -> str:
    head = ("policy", "inspected", "of", "hits", "precision", "of the best", "per hit", "fits")
    rows = (
        (
            p.name,
            f"{p.inspected:,}",
            f"{p.subjects:,}",
            spelt(p.hits, places=0),
            spelt(p.precision),
            _number(p.share_of_best),
            _number(p.inspections_per_hit, places=1),
            str(p.fits),
        )
        for p in policies
    )
    return table("What was found, and the work it took", head, rows)


def _typologies(policies: Policies) -> str:
    names = sorted({(t.typology, t.is_new) for p in policies for t in p.typologies})
    if not names:
        return ""
    head = ("typology", *(f"{p.name}: found, weeks to find" for p in policies))
    rows = (
        (f"{name} (new)" if is_new else name, *(_typology(name, p) for p in policies))
        for name, is_new in names
    )
    return table("By typology; new is what had never been confirmed before", head, rows)


def _typology(name: str, policy: PolicyFigures) -> str:
    figures = next((t for t in policy.typologies if t.typology == name), None)
    return "–" if figures is None else _in_words(figures)


def _in_words(figures: TypologyCount) -> str:
    weeks = "never" if figures.weeks_to_find is None else str(figures.weeks_to_find)
    return f"{figures.found} of {figures.subjects}, {weeks}"


def _prevalence(policies: Policies) -> str:
    head = ("policy and way of counting", "quarters", "mean", "bias", "± sd")
    rows: Iterable[tuple[str, ...]] = (
        (
            f"{policy.name}: {estimate.way}",
            str(estimate.blocks),
            _number(estimate.mean, places=4),
            _number(estimate.bias, places=4),
            _number(estimate.deviation, places=4),
        )
        for policy in policies
        for estimate in policy.prevalence
    )
    return table("What each policy would believe of all traffic", head, rows)


def _number(value: float | None, places: int = 3) -> str:
    return "–" if value is None else f"{value:.{places}f}"
