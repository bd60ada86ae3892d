"""Who studies models sees no party, who keeps accounts sees no case, who audits changes nothing."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.identities import party_fields
from features.records import RECORD_FILES
from features.submission import Submission
from serving.access.pseudonyms import Pseudonyms
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.review.cases.test_cases_served import open_case, reviewed
from tests.serving.review.supervision.test_supervision_served import sign_in_as
from training.model.counted_cases import CountedCases
from training.model.model_home import ModelHome
from training.model.model_pointer import GateVerdict

__all__ = ["reviewed"]

NO_PARTIES = {
    "journey_id",
    "conveyance_id",
    "shipment_id",
    "office_id",
    "document_id",
    "subject_id",
    "transaction_id",
    "event_id",
}
NAMES = Pseudonyms(b"a key for this test")


def test_every_id_of_a_record_is_known_to_be_a_party_or_not() -> None:
    fields = {name for record in RECORD_FILES.values() for name in record.model_fields}

    assert {name for name in fields if name.endswith("_id")} == party_fields() | NO_PARTIES
    assert Submission.model_fields.keys().isdisjoint(party_fields())


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_party_has_one_name_and_no_two_share_it(one: str, other: str) -> None:
    assert (NAMES.of(one) == NAMES.of(other)) == (one == other)
    assert re.fullmatch("party-[a-z2-7]{8}", NAMES.of(one))
    assert NAMES.of(one) != Pseudonyms(b"another").of(one)


def test_names_stand_in_for_whole_ids_only() -> None:
    text = NAMES.over("company c-1 is not c-12, nor xc-1", ["c-1", "c-12"])

    assert text == f"company {NAMES.of('c-1')} is not {NAMES.of('c-12')}, nor xc-1"


def parties_of(body: Any) -> set[str]:
    found = re.findall(r'"([a-z_]+_id)": "([^"]+)"', json.dumps(body))
    return {value for name, value in found if name in party_fields()}


def test_a_data_scientist_reads_decisions_without_a_single_party(reviewed: Service) -> None:
    body = shipment(goods_description="goods of c-0012, boxed")
    case_id = open_case(reviewed, goods_description="goods of c-0012, boxed")
    parties = parties_of(body)
    assert "c-0012" in parties
    pages = ("/console/decisions", f"/console/decisions/{case_id}", "/console/models")

    sign_in_as(reviewed, "data_scientist")
    studied = " ".join(reviewed.client.get(page).text for page in pages)
    sign_in_as(reviewed, "auditor")
    audited = " ".join(reviewed.client.get(page).text for page in pages)

    assert {party for party in parties if party in studied} == set()
    assert "c-0012" in audited
    assert reviewed.services.pseudonyms.of("c-0012") in studied
    assert "asked for by another office" in studied


def test_a_rescue_is_not_among_the_decisions_of_those_who_enforce(reviewed: Service) -> None:
    body = route(certified_capacity=12, persons_on_board=41)
    rescue_id = reviewed.score(body, reviewed.key("score")).json()["decision_id"]
    for role, is_for in (("rescue", 0), ("auditor", 1), ("reviewer", 0), ("data_scientist", 0)):
        sign_in_as(reviewed, role)  # type: ignore[arg-type]  # a role
        one = reviewed.client.get(f"/console/decisions/{rescue_id}")
        assert (one.status_code == 200) == bool(is_for), role
        assert ("41 persons" in reviewed.client.get("/console/decisions").text) == bool(is_for)


def test_the_page_of_models_shows_figures_lanes_and_the_run(reviewed: Service) -> None:
    open_case(reviewed)
    folder = reviewed.home / "models" / "tidegate-shipment" / "1"
    told = {"trainer": "alpha", "registered_at": NOW.isoformat(), "run_id": "r0123"}
    (folder / "registration.json").write_text(json.dumps(told))
    sign_in_as(reviewed, "data_scientist")

    page = reviewed.client.get("/console/models").text

    manifest = reviewed.services.models.champion("shipment").model.manifest
    for figure in manifest.metrics.values():
        if figure.value is not None:
            assert f"{figure.value:.3f}" in page
    for words in ("Champion, version 1", "r0123", "trained by alpha", 'href="/console/monitor"'):
        assert words in page
    assert re.search(r"Inspection</td><td class=\"number\">1</td>", page)


def test_the_page_of_models_shows_what_every_gate_said_and_who_waived_it(
    reviewed: Service,
) -> None:
    verdicts = (
        GateVerdict(gate="leakage", verdict="passed", reason="no check refuses"),
        GateVerdict(
            gate="canaries",
            verdict="undecided",
            reason="there are none; waived by grace, asked by ada",
            is_waived=True,
            cases=CountedCases("canaries in the training set", 0, 1),
        ),
        GateVerdict(
            gate="control lane",
            verdict="undecided",
            reason="few",
            not_required_in="trial",
            cases=CountedCases("confirmed subjects", 20, 30, NOW - timedelta(days=100), NOW),
        ),
    )
    models = ModelHome(reviewed.home)
    pointer = models.pointer("tidegate-shipment", "champion")
    assert pointer is not None
    models.point("champion", pointer.model_copy(update={"verdicts": verdicts}))
    reviewed.services.models.refresh()
    sign_in_as(reviewed, "data_scientist")

    page = reviewed.client.get("/console/models").text

    assert re.search(r"Leakage</th><td>passed</td><td>–</td><td[^>]*>no check refuses</td>", page)
    waived = "there are none; waived by grace, asked by ada"
    assert re.search(rf"<td>undecided, waived</td><td>[^<]*</td><td[^>]*>{waived}</td>", page)
    assert "version 1 (champion): 1 of 3 waived" in page
    expected = f"{NOW + timedelta(days=50):%Y}"
    known = rf"Confirmed subjects: 20 are known, about 30 are needed; expected by [^<]*{expected}"
    assert re.search(known, page)
    french = reviewed.client.get("/console/models", headers={"Accept-Language": "fr"})
    assert "Sujets confirmés : 20 connus, environ 30 nécessaires ; attendus d’ici le" in french.text


def post(service: Service, path: str, token: str, **form: str) -> Any:
    return service.client.post(
        f"/console/accounts{path}", data={"form_token": token, **form}, headers=ORIGIN
    )


def test_an_admin_makes_an_account_that_signs_in_once_told_and_ends_it(reviewed: Service) -> None:
    token = sign_in_as(reviewed, "admin")
    page = post(reviewed, "", token, name="maria", role="reviewer", offices="DE004600, DE002100")
    (password,) = re.findall(r'class="secret">([^<]+)<', page.text)
    assert password not in reviewed.client.get("/console/accounts").text
    account = reviewed.services.accounts.find("maria")
    assert account is not None
    assert (account.role, account.offices) == ("reviewer", ("DE004600", "DE002100"))

    post(reviewed, "/disable", token, name="maria")

    reviewed.client.cookies.clear()
    form = {"name": "maria", "password": password}
    assert reviewed.client.post("/console/sign-in", data=form, headers=ORIGIN).status_code == 401


def test_an_admin_makes_a_key_that_works_and_revokes_it(reviewed: Service) -> None:
    token = sign_in_as(reviewed, "admin")
    page = post(reviewed, "/keys", token, name="post", may_score="yes", days="30")
    (key,) = re.findall(r'class="secret">([^<]+)<', page.text)
    headers = {"Authorization": f"Bearer {key}"}
    assert reviewed.client.get("/v1/models", headers=headers).status_code == 200

    post(reviewed, "/keys/revoke", token, name="post")

    assert reviewed.client.get("/v1/models", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("path", "form", "told"),
    [
        ("", {"name": "maria", "role": "king"}, "role"),
        ("", {"name": "<b>", "role": "reviewer"}, "name"),
        ("", {"name": "the admin", "role": "reviewer"}, "`the admin` is or was in use"),
        ("/keys", {"name": "post"}, "what the key may do"),
        ("/keys", {"name": "post", "may_score": "yes", "days": "0"}, "days"),
    ],
)
def test_what_cannot_be_made_is_refused_on_the_page(
    reviewed: Service, path: str, form: dict[str, str], told: str
) -> None:
    page = post(reviewed, path, sign_in_as(reviewed, "admin"), **form)

    assert page.status_code == 422
    assert told in page.text.lower()
    assert 'class="secret"' not in page.text


def test_only_an_admin_changes_accounts_and_not_their_own(reviewed: Service) -> None:
    form = {"name": "maria", "role": "admin"}
    for role in ("auditor", "reviewer", "supervisor", "data_scientist", "rescue"):
        token = sign_in_as(reviewed, role)  # type: ignore[arg-type]  # a role
        assert post(reviewed, "", token, **form).status_code == 403
        assert post(reviewed, "/disable", token, name="the auditor").status_code == 403
    token = sign_in_as(reviewed, "admin")
    assert post(reviewed, "", "x", **form).status_code == 403
    assert post(reviewed, "/disable", token, name="the admin").status_code == 403
    assert reviewed.services.accounts.find("maria") is None
