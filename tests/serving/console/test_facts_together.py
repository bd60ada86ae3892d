"""The fold of a case page on which facts counted together."""

import re

import pytest

from serving.audit.decision import Decision
from serving.review.cases.cases import Cases
from tests.serving.conftest import Service
from tests.serving.console.test_blind_judgements import PART, judge
from tests.serving.console.test_rescue_board import text_of
from tests.serving.review.cases.test_cases_served import open_case
from tests.serving.review.supervision.test_supervision_served import sign_in_as


def test_a_reader_opens_which_facts_counted_together_in_their_language(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    address = f"/console/cases/{case_id}/together"
    judge(reviewed, case_id)

    page = reviewed.client.get(f"/console/cases/{case_id}").text
    english = reviewed.client.get(address, headers=PART).text
    french = reviewed.client.get(address, headers=PART | {"Accept-Language": "fr"}).text
    whole = reviewed.client.get(address, follow_redirects=False)

    assert f'hx-get="{address}"' in page
    told = re.findall(r'class="reason (?:for|against)">', english)
    assert 1 <= len(told) <= 6
    assert text_of(english).count("Together, this") == len(told)
    assert text_of(french).count(", avec : ") == len(told)
    assert (whole.status_code, whole.headers["location"]) == (303, f"/console/cases/{case_id}")
    read = [each for each in reviewed.services.cases.events(case_id) if each.action == "read"]
    assert len(read) == 4  # the part that tells the score after a judgement is the first


def test_facts_together_of_a_random_draw_or_an_unjudged_blind_case_are_refused(
    reviewed: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    object.__setattr__(reviewed.services.cases, "blind_share", 1.0)
    case_id = open_case(reviewed)
    address = f"/console/cases/{case_id}/together"
    sign_in_as(reviewed, "reviewer")

    blind = reviewed.client.get(address, headers=PART)
    judge(reviewed, case_id)
    judged = reviewed.client.get(address, headers=PART)
    decision = Decision.model_validate_json(reviewed.services.decisions.record(case_id) or "")
    drawn = decision.model_copy(update={"lane": "control", "lane_reason": "random"})
    monkeypatch.setattr(Cases, "decision", lambda *_: drawn)
    at_random = reviewed.client.get(address, headers=PART)

    assert [blind.status_code, judged.status_code, at_random.status_code] == [403, 200, 403]
    assert "judge the case first" in text_of(blind.text).lower()
    assert "drawn at random" in text_of(at_random.text)
