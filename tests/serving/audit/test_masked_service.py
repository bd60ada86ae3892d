"""After the first period nobody is shown who it was; measurement goes on."""

import re
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from serving.audit.decision import Decision
from serving.monitor.rollups import catch_up
from serving.storage.repositories.rollup_repository import RollupRepository
from tests.serving.audit.installation import Installation
from tests.serving.bodies import shipment
from tests.serving.canaries import FILE, MARKS, decided, ended
from tests.serving.conftest import NOW, Service
from tests.serving.review.supervision.test_supervision_served import sign_in_as
from tests.serving.scoring.test_rescoring import payment

MASKED_AT = NOW + timedelta(days=200)
PAGES = (
    "/console/queue",
    "/console/cases/{}",
    "/console/cases/{}/case.pdf",
    "/console/cases/{}/links",
    "/console/cases/{}/links.graphml",
    "/console/cases/{}/letter",
    "/console/decisions",
    "/console/decisions/{}",
    "/console/supervision/reread/{}",
)


def two_cases(place: Installation) -> tuple[str, str]:
    """One that ended and one that is open; they share their parties."""
    with place.serving() as service:
        first = decided(service, shipment_id="canary-first")
        second = decided(service, shipment_id="canary-second")
        ended(service, first)
        service.client.get("/v1/queue", headers=service.key("review"))
    return first, second


@pytest.mark.parametrize("is_held", [False, True])
def test_who_waits_to_be_scored_again_is_scored_no_more_once_it_is_masked(
    place: Installation, *, is_held: bool
) -> None:
    place.settings = place.settings.model_copy(update={"max_rescores_per_subject": 12})
    with place.serving() as service:
        service.services.rescoring.stop()
        service.score(shipment(), service.key("score"))
        paid = {"transactions": [payment(2, "2026-11-24T11:00:00Z")]}
        service.client.post("/v1/records", json=paid, headers=service.key("ingest"))
    retention = place.retention()
    if is_held:
        retention.hold("shipment", "S-1", "ada", "a court asks", MASKED_AT)
    retention.mask("ada", "daily", MASKED_AT)

    with place.serving(NOW + timedelta(hours=1)) as service:
        wait_until(lambda: not service.services.rescoring.queue.due(MASKED_AT, 9))
        assert service.services.decisions.size() == 1 + is_held


def wait_until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.05)


CALLS = (
    "/v1/decisions/{}",
    "/v1/decisions/{}/explanation",
    "/v1/queue",
    "/v1/cases/{}",
    "/v1/cases/{}/letters",
)
NOT_THEIRS = 403
"""What a role is answered about a page of another one."""


def shown(service: Service, case_id: str) -> str:
    """Everything that anyone is shown of a case, by pages and by calls."""
    told = []
    for role in ("reviewer", "auditor", "data_scientist"):
        sign_in_as(service, role)
        told += [service.client.get(page.format(case_id)) for page in PAGES]
    service.client.cookies.clear()
    read = service.key("score", "explain", "review")
    told += [service.client.get(path.format(case_id), headers=read) for path in CALLS]
    assert {answer.status_code for answer in told} - {NOT_THEIRS} == {200}
    return "\n".join(answer.text for answer in told)


def tells(text: str) -> list[str]:
    """Where a mark is found, with what is around it."""
    marks = "|".join(mark.decode() for mark in MARKS)
    return [text[max(0, at.start() - 60) : at.end() + 30] for at in re.finditer(marks, text)]


def test_what_is_masked_is_shown_to_nobody_by_name(file_place: Installation) -> None:
    ended_case, open_case = two_cases(file_place)
    with file_place.serving(MASKED_AT) as service:
        assert tells(shown(service, ended_case))
        assert tells(shown(service, open_case))

    assert file_place.retention().mask("ada", "half a year is over", MASKED_AT) == "2026-12-14"

    with file_place.serving(MASKED_AT) as service:
        for case_id in (ended_case, open_case):
            told = shown(service, case_id)
            assert tells(told) == []
            assert "masked-" in told
            assert "probability" in told  # the score itself is no secret of a party
        (file,) = service.services.cases.files.of_case(ended_case)
        sign_in_as(service, "reviewer")
        path = f"/console/cases/{ended_case}/attachments/{file.sha256}"
        refused = service.client.get(path)
        assert (refused.status_code, FILE in refused.content) == (403, False)
        ended(service, open_case)  # it can still be worked on


def test_one_name_stands_for_one_party_everywhere(file_place: Installation) -> None:
    first, second = two_cases(file_place)
    file_place.retention().mask("ada", "half a year is over", MASKED_AT)

    with file_place.serving(MASKED_AT) as service:
        seen = [service.services.cases.decision(each).submission for each in (first, second)]

    one, other = (each.shipment for each in seen)
    assert one
    assert other
    assert one.consignee_id == other.consignee_id
    assert one.consignee_id.startswith("masked-")
    assert one.shipment_id != other.shipment_id
    assert one.goods_description is None
    assert one.gross_mass_kg == 1250.5


def test_what_is_newer_and_what_is_held_is_shown_as_it_was(file_place: Installation) -> None:
    held, _ = two_cases(file_place)
    later = NOW + timedelta(days=190)
    with file_place.serving(later) as service:
        newer = decided(service, shipment_id="canary-newer")
    retention = file_place.retention()
    retention.mask("ada", "half a year is over", MASKED_AT)
    retention.hold("shipment", "canary-first", "ada", "a court asks for it", MASKED_AT)

    with file_place.serving(MASKED_AT) as service:
        assert "canary-first" in service.services.cases.decision(held).request
        assert "canary-newer" in service.services.cases.decision(newer).request


def test_measuring_and_computing_again_go_on_under_the_mask(file_place: Installation) -> None:
    case_id, _ = two_cases(file_place)
    file_place.retention().mask("ada", "half a year is over", MASKED_AT)

    record = file_place.record(case_id)

    assert record is not None
    assert Decision.model_validate_json(record).submission.subject_id == "canary-first"
    assert catch_up(RollupRepository(file_place.engine()), MASKED_AT) == 2


def test_masking_reaches_no_further_back_when_periods_grow(file_place: Installation) -> None:
    retention = file_place.retention()
    first = retention.mask("ada", "half a year is over", MASKED_AT)
    file = file_place.settings.retention
    file.write_text(file.read_text().replace("180", "400"))

    retention.mask("ada", "a longer period is allowed now", MASKED_AT)

    assert retention.acts.masked_before() == first
