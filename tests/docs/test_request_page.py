"""The request that the page of clients prints is taken, and its answer has the fields of today."""

import json
import re
from pathlib import Path

import pytest

from serving.api.answers import DecisionAnswer, ExplainedDecisionAnswer
from serving.request_parsing import read_submission

PAGE = (Path(__file__).parents[2] / "docs" / "clients.md").read_text(encoding="utf-8")
BODY, ANSWER, EXPLAINED = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[:3]


def test_the_request_is_taken_and_the_answer_has_every_field() -> None:
    read_submission(BODY.encode())

    assert {*json.loads(ANSWER)} == {*DecisionAnswer.model_fields}
    assert {*json.loads(EXPLAINED)} <= {*ExplainedDecisionAnswer.model_fields}


def test_a_reason_is_the_sum_of_the_contributions_that_are_shown() -> None:
    explained = json.loads(EXPLAINED)
    (reason,) = explained["reasons"]

    shown = sum(each["contribution"] for each in explained["contributions"])
    assert reason["log_odds"] == pytest.approx(shown)
