"""One explained score as text."""

from textwrap import fill, wrap
from typing import Any

from serving.explanation.formatting import listed, readable
from serving.explanation.missing_inputs import missing_in_words
from serving.explanation.reason_ranking import MAX_CHECKS
from serving.triage.lane_declarations import LaneReason

WIDTH = 78
WHY: dict[LaneReason, str] = {
    "life_at_risk": "for signs of danger to life",
    "watch_list": "for what an authority looks for",
    "rule": "by a rule",
    "score": "by its score",
    "random": "drawn by chance, whatever its score",
    "no_score": "as no model could be asked",
}


def explained(answer: dict[str, Any], declared_at: str) -> str:
    """Return an answer with its explanation as text; its numbers add up to the printed log-odds."""
    reasons = answer["reasons"]
    # Round each part first, so that the printed numbers add up exactly.
    total = round(answer["log_odds"], 3)
    base = round(answer["base_log_odds"], 3)
    named = sum(round(reason["log_odds"], 3) for reason in reasons)
    counted = {name: round(part, 3) for name, part in answer["habits"]["named"].items()}
    habits = round(answer["habits"]["log_odds"], 3) - sum(counted.values())
    others = answer["habits"]["features"] - len(counted)
    weaker = answer["remainder"]["features"]
    lines = [
        f"{answer['subject_kind'].title()} {answer['subject_id']}, declared {declared_at}",
        f"Lane {answer['lane'].replace('_', ' ')}, {WHY[answer['lane_reason']]}.",
        *wrap(answer["estimate_in_words"], WIDTH),
        f"{answer['percentile']:.0f} % of the newest cases in training scored lower. What is usual "
        "was learnt in training.",
        "",
        _line("The average case, before anything is known of it", base),
        *_side("What speaks for a closer look", reasons, "for"),
        *_checks(reasons),
        *_side("What speaks against", reasons, "against"),
        "",
        _line(
            f"{weaker} weaker fact" if weaker == 1 else f"{weaker} weaker facts together",
            round(total - base - named - sum(counted.values()) - habits, 3),
        ),
        *(
            _line(f"Counted, but no indicator: {readable(name)}", part)
            for name, part in counted.items()
        ),
        _line(f"{others} other values that are no indicator", habits),
        _line("The score: the sum of all above, in log-odds", total),
    ]
    if answer["missing"]:
        missing = listed([missing_in_words(path) for path in answer["missing"]])
        lines += ["", f"Not submitted, and missed: {missing}."]
    return "\n".join(lines)


def _side(title: str, reasons: list[dict[str, Any]], effect: str) -> list[str]:
    own = [reason for reason in reasons if reason["effect"] == effect]
    if not own:
        return []
    return ["", title, *(_reason(reason) for reason in own)]


def _checks(reasons: list[dict[str, Any]]) -> list[str]:
    """Return what to examine first, as the page of a case shows it."""
    checks = dict.fromkeys(reason["check"] for reason in reasons if reason["check"])
    if not checks:
        return []
    return ["", "What to check first", *map(_check, [*checks][:MAX_CHECKS])]


def _check(text: str) -> str:
    return fill(text, WIDTH, initial_indent="  ", subsequent_indent="    ")


def _reason(reason: dict[str, Any]) -> str:
    return _line(f"  {reason['words']}", round(reason["log_odds"], 3))


def _line(text: str, number: float) -> str:
    """Return the text, wrapped if long, with the number right-aligned on its last line."""
    indent = " " * (len(text) - len(text.lstrip()))
    lines, room = [indent], WIDTH - 9
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines[-1].strip() else f"{lines[-1]}{word}"
        if len(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(f"{indent}  {word}")
    lines[-1] = f"{lines[-1]:<{room}} {number:>+8.3f}"
    return "\n".join(lines)
