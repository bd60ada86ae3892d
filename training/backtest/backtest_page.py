"""A comparison of policies as one HTML file."""

from collections.abc import Iterable

from training.backtest.backtest_plots import backtest_pictures
from training.backtest.policy_figures import LoggedEvidence, PolicyFigures, TypologyCount
from training.backtest.prevalence import Counting
from training.confidence_intervals import Estimate
from training.estimation.sensitivity import SensitivityBound
from training.evaluation.evaluation_page import spelt
from training.evaluation.html_page import as_png, document, footnote, table

Policies = tuple[PolicyFigures, ...]

WAYS: dict[Counting, str] = {
    "naive": "the share confirmed of those inspected, as if they were everybody (misleads)",
    "weighted": "every result stands for 1 / its probability, or for one (misleads with many tips)",
    "stratified": "what was selected for certain stands for itself, draws for all the rest",
}


def render_backtest(policies: Policies, subject: str, *, is_invented: bool) -> str:
    """Return the whole page; text from data is escaped."""
    parts = (
        footnote(how_measured(policies[0], subject)),
        _found(policies, subject),
        *(footnote(f"{each.name}: {office_capacity_in_words(each)}") for each in policies),
        _refusals(policies),
        _typologies(policies, is_invented=is_invented),
        # In a logged history the figures are the same for all policies.
        _own_prevalence(policies) if is_invented else _prevalence(policies[0], subject),
        _bounds(policies),
    )
    title = f"Policies replayed over {len(policies[0].weeks)} weeks of {subject}s"
    return document(title, parts, as_png(backtest_pictures(policies)))


def how_measured(policy: PolicyFigures, subject: str) -> str:
    """Describe the subjects of all figures, their evidence and their assumptions."""
    whom = (
        f"All {policy.subjects:,} {subject}s declared from {policy.begins:%Y-%m-%d} until before "
        f"{policy.ends:%Y-%m-%d} (UTC)."
    )
    if policy.weeks_counted < len(policy.weeks):
        late = len(policy.weeks) - policy.weeks_counted
        whom += f" The last {late} weeks are left out: too many of their results are to come."
    if policy.evidence is None:
        return (
            f"{whom} An invented world tells what every subject was, so hits are counted, and "
            "every inspection is taken to find what there is."
        )
    return f"{whom} {_rests_on(policy.evidence)}"


def office_capacity_in_words(policy: PolicyFigures) -> str:
    """Describe the planning period of offices, and the cost of not sharing capacity."""
    capacity = policy.office_capacity
    if capacity is None:
        return 'All offices share one capacity (capacity_of = "all").'
    said = (
        f"Each of {capacity.offices:,} offices has capacity for its own subjects alone "
        f'(capacity_of = "office"). {capacity.planning:,} of them have room for fewer than eight '
        "inspections a week"
    )
    said += f" and plan over up to {capacity.longest_period} weeks." if capacity.planning else "."
    if capacity.hits_if_shared.value is None or policy.hits.value is None:
        return f"{said} What sharing it would find cannot be said."
    return (
        f"{said} They confirm {spelt(policy.hits, places=0)}; as many inspections by the same "
        f"scores, shared by all offices, {spelt(capacity.hits_if_shared, places=0)}."
    )


def _rests_on(evidence: LoggedEvidence) -> str:
    return (
        "Nobody knows what subjects were that nobody inspected, so figures are estimated from "
        f"inspections that were made: {evidence.drawn:,} results that were drawn with a "
        f"probability (worth {evidence.effective_size:,.0f} drawn evenly) stand for all subjects "
        f"that no tip selected, {evidence.certain:,} results of tips for tipped subjects alone, "
        f"and {evidence.uncounted:,} of an officer's discretion for nobody. "
        f"{evidence.unknown_share:.1%} of the results are inconclusive or still to come, and are "
        "taken to be like the others; a hit is what such an inspection confirms, not all that is "
        "smuggled. Brackets are 95 % intervals. Also tipped: confirmed subjects of the policy that "
        "a tip had led to without it."
    )


def _found(policies: Policies, subject: str) -> str:
    last = "also tipped" if policies[0].evidence is not None else "of the best"
    head = ("policy", "inspected", "share", "hits", "precision", "recall", "lift", "per hit", last)
    title = f"Of {policies[0].subjects:,} {subject}s: what was found, and the work it took"
    return table(title, head, [_status_quo(policies[0]), *map(_policy, policies)])


def _status_quo(policy: PolicyFigures) -> tuple[str, ...]:
    made = policy.inspections_made
    return (
        "as it was, without a policy",
        f"{made.inspected:,}",
        f"{made.inspected / policy.subjects:.1%}",
        f"{made.hits:,.0f}",
        spelt(made.precision),
        spelt(made.recall),
        spelt(made.lift, places=1),
        _number(made.inspected / made.hits if made.hits else None, places=1),
        "–",
    )


def _policy(policy: PolicyFigures) -> tuple[str, ...]:
    return (
        policy.name,
        f"{policy.inspected:,}",
        f"{policy.inspected / policy.subjects:.1%}",
        spelt(policy.hits, places=0),
        spelt(policy.precision),
        spelt(policy.recall),
        spelt(policy.lift, places=1),
        _number(policy.inspections_per_hit, places=1),
        _number(policy.share_of_best) if policy.hits_of_tips is None else f"{policy.hits_of_tips}",
    )


def _refusals(policies: Policies) -> str:
    rows = [(p.name, p.refusal) for p in policies if p.refusal is not None]
    title = "Of these policies, what they would find cannot be said"
    return table(title, ("policy", "why"), rows, of_words=True) if rows else ""


def _typologies(policies: Policies, *, is_invented: bool) -> str:
    names = sorted({(t.typology, t.is_new) for p in policies for t in p.typologies})
    if not names:
        return ""
    head = ("typology", *(f"{p.name}: found, weeks to find" for p in policies))
    rows = (
        (f"{name} (new)" if is_new else name, *(_typology(name, p) for p in policies))
        for name, is_new in names
    )
    cases = "all true cases" if is_invented else "only subjects that an inspection confirmed"
    return table(f"By typology, {cases}; new is what had never been confirmed before", head, rows)


def _typology(name: str, policy: PolicyFigures) -> str:
    figures = next((t for t in policy.typologies if t.typology == name), None)
    return "–" if figures is None else _in_words(figures)


def _in_words(figures: TypologyCount) -> str:
    weeks = "never" if figures.weeks_to_find is None else str(figures.weeks_to_find)
    return f"{figures.found} of {figures.subjects}, {weeks}"


def _own_prevalence(policies: Policies) -> str:
    """Return the prevalence that each policy would estimate itself, next to the truth."""
    head = (
        "policy", "way of counting", "all weeks", "quarters", "mean", "mean error", "± sd", "held",
    )  # fmt: skip
    rows: Iterable[tuple[str, ...]] = (
        (
            policy.name,
            WAYS[estimate.way],
            spelt(estimate.estimate, places=4),
            str(estimate.blocks),
            _number(estimate.mean, places=4),
            _number(estimate.bias, places=4),
            _number(estimate.deviation, places=4),
            f"{estimate.held} of {estimate.blocks}",
        )
        for policy in policies
        for estimate in policy.prevalence
    )
    title = (
        "What each policy would believe of all traffic from its own inspections: the share that "
        "would be confirmed, beside the truth"
    )
    return table(title, head, rows, of_words=True)


def _prevalence(policy: PolicyFigures, subject: str) -> str:
    """Return the prevalence by actual inspections, which is the same for every policy."""
    rows = [
        (WAYS[each.way], _or_why(each.estimate, each.refusal, places=4))
        for each in policy.prevalence
    ]
    title = (
        f"Of all {policy.subjects:,} {subject}s, the share that an inspection would confirm, "
        "counted in three ways from the inspections that were made; believe the last"
    )
    return table(title, ("way of counting", "share"), rows, of_words=True)


def _or_why(estimate: Estimate, refusal: str | None, places: int) -> str:
    return spelt(estimate, places=places) if refusal is None else f"unknown: {refusal}"


def bounds_of(policies: Policies) -> dict[SensitivityBound, str]:
    """Return the assumptions, each with the names of the policies that depend on it."""
    every = dict.fromkeys(bound for policy in policies for bound in policy.bounds)
    return {
        bound: ", ".join(policy.name for policy in policies if bound in policy.bounds)
        for bound in every
    }


def _bounds(policies: Policies) -> str:
    rows = [
        (names, b.assumption, b.instead, b.figure, f"{b.low:.4f} to {b.high:.4f}")
        for b, names in bounds_of(policies).items()
    ]
    head = ("policy", "assumed", "if instead", "figure", "lies in")
    return table("What is assumed", head, rows, of_words=True) if rows else ""


def _number(value: float | None, places: int = 3) -> str:
    return "–" if value is None else f"{value:.{places}f}"
