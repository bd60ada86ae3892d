"""The effect report as one HTML file, and its figures as CSV."""

import csv
import io

from serving.effect.effect_report import EffectReport, Figure
from serving.web.figure_words import NOT_ENOUGH, share_in_words, times_in_words
from serving.web.html import STATIC, environment

COLUMNS = ("section", "group", "figure", "unit", "value", "low", "high")


def effect_file(report: EffectReport) -> str:
    """Return the report as one HTML file, including its style sheet."""
    style = (STATIC / "console.css").read_text(encoding="utf-8")
    template = environment().get_template("effect_file.html")
    return template.render(style=style, report=report, words=figure_in_words)


def effect_csv(report: EffectReport) -> str:
    """Return every figure on a line of its own; shares are fractions of 1.

    A figure that too little supports has an empty value; it may have an interval.
    """
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(COLUMNS)
    for section in report.sections:
        for group, figures in section.rows:
            for column, figure in zip(section.columns, figures, strict=True):
                # A single column is named by its rows.
                name = group if len(section.columns) == 1 else column
                of = "" if len(section.columns) == 1 else group
                known = figure.estimate
                numbers = (known.value, known.low, known.high)
                lines.writerow([section.title, of, name, figure.unit, *map(_number, numbers)])
    return out.getvalue()


def figure_in_words(figure: Figure) -> str:
    """Return a figure as text, with its interval if it is an estimate.

    >>> from training.confidence_intervals import Estimate
    >>> figure_in_words(Figure(Estimate(1234.4, 900, 2000), "count"))
    '1,234 (900–2,000)'
    >>> figure_in_words(Figure(Estimate(None), "hours"))
    'not enough data'
    """
    known = figure.estimate
    if figure.unit == "share":
        return share_in_words(known)
    if figure.unit == "times":
        return times_in_words(known)
    if figure.unit == "hours":
        return NOT_ENOUGH if known.value is None else f"{known.value:,.1f} h"
    if known.low is None or known.high is None:
        return NOT_ENOUGH if known.value is None else f"{known.value:,.0f}"
    span = f"{known.low:,.0f}–{known.high:,.0f}"
    return span if known.value is None else f"{known.value:,.0f} ({span})"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
