"""What a case shares with others is held to a digest that an event of the case has."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from serving.storage.verification.audit_verification import verify_audit_log
from tests.serving.review.cases.decisions import decision
from tests.serving.review.cases.test_case_graph import PAYER, Linked, body


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Linked]:
    made = Linked(tmp_path)
    yield made
    made.reviewing.decisions.close()


def findings(office: Linked) -> list[str]:
    return [str(finding) for finding in verify_audit_log(office.engine).findings]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE case_links SET roles = 'consignor' WHERE roles = 'payer' AND case_id = 'd-1'",
        "DELETE FROM case_links WHERE roles = 'payer' AND case_id = 'd-1'",
        "DELETE FROM case_links WHERE case_id = 'd-1'",
        "INSERT INTO case_links (case_id, kind, value, seq) SELECT 'd-1', kind, value, seq "
        "FROM case_links WHERE case_id = 'd-2' AND roles = 'payer'",
        "UPDATE case_links SET seq = seq + 1 WHERE case_id = 'd-1'",
    ],
)
def test_whoever_links_cases_or_parts_them_behind_the_service_s_back_is_found(
    office: Linked, statement: str
) -> None:
    office.share(1)
    office.share(2, "c-other")
    office.graph("d-1")
    assert findings(office) == []

    with office.engine.begin() as connection:
        changed = connection.execute(text(statement)).rowcount

    assert changed
    (finding,) = findings(office)
    assert finding.startswith("case_links d-1: ")


def test_links_of_a_later_score_are_told_too(office: Linked) -> None:
    office.share(1, payer="c-none")
    office.graph("d-1")
    office.log(decision(body(1, PAYER), decision_id="d-9", rescores="d-1"))
    office.graph("d-1")
    assert findings(office) == []

    with office.engine.begin() as connection:
        connection.execute(
            text("DELETE FROM case_links WHERE seq = (SELECT max(seq) FROM case_links)")
        )

    assert findings(office)
