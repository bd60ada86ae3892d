"""The people of the demonstration at a case that changes while they read it."""

from pathlib import Path

from serving.cli.demo_people import REVIEWER, SignedIn, make_accounts
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.note import note_case
from serving.settings import Settings
from tests.browser.served_site import served
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW
from tests.serving.people import reviewer
from tests.serving.review.cases.test_cases_served import PLAN

INSPECT = {"kind": "inspect"}


def test_who_reads_a_case_that_changes_meanwhile_reads_on_and_acts(home: Path) -> None:
    (home / "lanes.toml").write_text(PLAN)
    with served(Settings(home=home), lambda: NOW) as site:
        cases = site.services.cases
        passwords = make_accounts(site.services.accounts, NOW)
        case_id = site.score(shipment(shipment_id="S-1"), "S-1")["decision_id"]

        class Interrupted(SignedIn):
            def open_page(self, path: str) -> str:
                page = super().open_page(path)
                if case_id in path:
                    note_case(
                        ActRequest(cases, reviewer("ana"), case_id, NOW), "the seal was changed"
                    )
                return page

        person = Interrupted(site.address, REVIEWER, passwords[REVIEWER])
        person.open_page("/console/queue")

        assert person.act(f"/console/cases/{case_id}", "actions", INSPECT)
        assert cases.case(reviewer("ana"), case_id)[1].status == "action_ordered"
