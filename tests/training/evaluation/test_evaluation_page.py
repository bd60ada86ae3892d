"""What a stranger reads on the page of an evaluation: whom every figure speaks of."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.evaluation.test_population_section import section, window_of
from tests.training.planted import INPUTS
from training.confidence_intervals import Estimate
from training.data.training_set import TrainingSet
from training.evaluation.evaluate import evaluate_model
from training.evaluation.evaluation_page import render_evaluation
from training.evaluation.evaluation_plots import evaluation_pictures
from training.evaluation.evaluation_report import (
    EvaluationReport,
    ExaminationFigures,
    InspectionFindings,
    OffenceCount,
    PopulationSection,
)
from training.evaluation.html_page import as_png
from training.evaluation.labelled_window import LabelledWindow
from training.leakage.finding import LeakageFinding
from training.parameters import EvaluationParameters


@pytest.fixture(scope="module")
def report(planted: Path) -> EvaluationReport:
    """Of the planted world's last two fifths, with what holds of all its traffic."""
    data = TrainingSet.read(planted, "shipment", INPUTS)
    window = window_of(data)
    late = data.frame["late_payments_30d"].to_numpy()[window.rows]
    labelled = LabelledWindow(data, window.rows, 1 / (1 + np.exp(3 - late)))
    parameters = EvaluationParameters(redraws=20)
    found = evaluate_model("tidegate-shipment", labelled, window.figures, parameters, seed=1)
    return found.model_copy(update={"population": section(data)})


@pytest.fixture(scope="module")
def population(report: EvaluationReport) -> PopulationSection:
    assert report.population is not None
    return report.population


def test_the_page_needs_nothing_beside_it_and_escapes_what_data_says(
    report: EvaluationReport,
) -> None:
    group = report.groups[0].model_copy(update={"group": "<script>alert(1)</script>"})
    hostile = report.model_copy(update={"groups": (group, *report.groups[1:])})

    html = render_evaluation(hostile, as_png(evaluation_pictures(hostile)))

    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "http" not in html.replace("http-equiv", "")
    assert html.count("data:image/png;base64,") == 3


def test_every_table_of_figures_says_whom_it_speaks_of(
    report: EvaluationReport, population: PopulationSection
) -> None:
    html = render_evaluation(report, {})
    said = dict(re.findall(r"<h2>([^<]*)</h2><p><small>([^<]*)</small></p>", html))

    for title in (
        "What inspecting finds, of all traffic",
        "What probabilities mean, of all traffic",
    ):
        assert population.of_whom in said[title]
    for title in ("Within each way of selection", "Among those who were inspected"):
        assert f"{report.inspected.labelled:,} labelled subjects" in said[title]
    assert "no skill of the model" in said["Within each way of selection"]
    assert html.index("of all traffic") < html.index("Among those who were inspected")


def test_the_status_quo_stands_under_as_many_by_the_models_order(report: EvaluationReport) -> None:
    rows = re.findall(r"<tr><td>([^<]*)</td>", render_evaluation(report, {}))
    was = next(place for place, row in enumerate(rows) if row.startswith("status quo"))
    assert rows[was - 1].endswith("by the model, as many as were inspected")


def test_pictures_show_what_is_known_with_its_interval_and_the_status_quo(
    report: EvaluationReport, population: PopulationSection
) -> None:
    drawn = evaluation_pictures(report)
    was = population.status_quo

    assert was is not None
    for axes in (*drawn["at_capacity"].axes, *drawn["lift"].axes):
        name = axes.get_ylabel().removesuffix(", 95 % interval")
        by_model = [getattr(at, name) for at in population.figures.at_share]
        known = [e.value for e in (*by_model, getattr(was, f"model_{name}")) if e.value is not None]
        points = {box.get_label(): box[0].get_ydata().tolist() for box in axes.containers}
        assert points["by the model's order"] == known != []
        assert points["status quo, as was inspected"] == [getattr(was, name).value]
    (bands,) = drawn["reliability"].axes[0].containers
    assert bands[0].get_ydata().tolist() == [band.share.value for band in population.bands]


def test_where_nothing_can_be_said_of_all_traffic_the_page_says_why_and_draws_none_of_it(
    report: EvaluationReport, population: PopulationSection
) -> None:
    refused = population.model_copy(
        update={
            "figures": replace(
                population.figures, refusal="too few were drawn", prevalence=Estimate(None)
            ),
            "status_quo": None,
            "bounds": (),
        }
    )
    silent = report.model_copy(update={"population": refused})

    assert evaluation_pictures(silent) == {}
    html = render_evaluation(silent, {})
    assert "Nothing can be said of all" in html
    assert "too few were drawn" in html
    assert "What inspecting finds" not in html


def test_evidence_of_leakage_may_break_lines(report: EvaluationReport) -> None:
    long = LeakageFinding(
        check="pair lookup", features=("a", "b"), evidence="word " * 200, is_refusal=True
    )
    html = render_evaluation(report.model_copy(update={"leakage": (long,)}), {})

    assert re.search(r'<h2>Leakage checks</h2><table class="texts">', html)
    assert "<td>pair lookup</td><td>word word" in html


def test_a_report_of_before_figures_of_all_traffic_is_read(report: EvaluationReport) -> None:
    stored = report.model_dump(mode="json")
    del stored["population"]
    former = stored | {
        "weighted": stored["inspected"],
        "random_lane": stored["inspected"],
        "population_precision": {"value": 0.1, "low": 0.05, "high": 0.2},
    }

    read = EvaluationReport.model_validate_json(json.dumps(former))

    assert read.population is None
    assert read.inspected == report.inspected
    assert read.population_in_words == "Figures of all traffic were not measured."
    assert "Figures of all traffic were not measured." in render_evaluation(
        read, as_png(evaluation_pictures(read))
    )
    assert not any(name.startswith("population_") for name in read.metrics)


def test_a_report_with_figures_of_all_traffic_survives_json(report: EvaluationReport) -> None:
    assert EvaluationReport.model_validate_json(report.model_dump_json()) == report


def test_other_offences_are_told_and_said_to_be_in_no_figure(report: EvaluationReport) -> None:
    findings = InspectionFindings(
        inspected=90,
        labelled=80,
        other_offences=7,
        unsettled=3,
        offences=(OffenceCount(offence="document_fraud", confirmed=2, without_smuggling=5),),
        examinations=(ExaminationFigures(examination="scan", labelled=29, confirmed=4),),
    )

    told = render_evaluation(report.model_copy(update={"findings": findings}), {})

    assert "7 found another offence and no smuggling" in told
    assert re.search(r"document fraud</td><td[^>]*>2</td><td[^>]*>5</td>", told)
    assert re.search(r"scan</td><td[^>]*>29</td><td[^>]*>4</td><td[^>]*>–</td>", told)
    assert "document fraud" not in render_evaluation(report, {})
