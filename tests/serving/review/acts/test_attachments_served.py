"""Files of a case: what may be attached, by whom, and how it is handed out."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.access.roles import ROLE_SCOPES
from serving.console.uploads import Upload
from serving.errors import ServingError
from serving.review.acts.attachments import MAX_TO_A_CASE, AttachedFile
from serving.review.cases.case_records import CaseAccess
from serving.review.cases.reviewer import Reviewer
from tests.serving.bodies import route
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.people import person
from tests.serving.refusals import refused_with
from tests.serving.review.cases.test_cases_served import open_case, reviewed
from tests.serving.review.supervision.test_supervision_served import sign_in_as

__all__ = ["reviewed"]

PDF = b"%PDF-1.7\n" + bytes(range(256)) + b"\r\n--not the boundary\r\n"


def attach(
    service: Service,
    case_id: str,
    token: str,
    content: bytes = PDF,
    name: str = "list.pdf",
    pages: str = "cases",
) -> Any:
    return service.client.post(
        f"/console/{pages}/{case_id}/attachments",
        data={"form_token": token},
        files={"file": (name, content)},
        headers=ORIGIN,
    )


def download(service: Service, case_id: str, content: bytes = PDF, pages: str = "cases") -> Any:
    digest = hashlib.sha256(content).hexdigest()
    return service.client.get(f"/console/{pages}/{case_id}/attachments/{digest}")


def test_what_was_attached_comes_back_to_the_byte_as_a_download_only(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    page = attach(reviewed, case_id, sign_in_as(reviewed, "reviewer"), name="a “list”.pdf")
    assert "a “list”.pdf" in page.text

    answer = download(reviewed, case_id)

    assert answer.content == PDF
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''a%20")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_attaching_and_reading_a_file_are_events_with_its_digest(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    attach(reviewed, case_id, sign_in_as(reviewed, "reviewer"))
    sign_in_as(reviewed, "auditor")
    download(reviewed, case_id)

    events = [e for e in reviewed.services.cases.events(case_id) if e.action != "read"]

    assert [(e.action, e.by.name, e.text) for e in events] == [
        ("attach", "the reviewer", "list.pdf"),
        ("download", "the auditor", "list.pdf"),
    ]
    assert hashlib.sha256(PDF).hexdigest() in events[0].changed


def test_those_attach_who_review_and_those_read_who_see_the_case(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    attach(reviewed, case_id, sign_in_as(reviewed, "reviewer"))
    for role, scopes in ROLE_SCOPES.items():
        token = sign_in_as(reviewed, role)
        added = attach(reviewed, case_id, token, PDF + role.encode())
        assert (added.status_code == 200) == ("review" in scopes), role
        may_read = bool(scopes & {"review", "audit"})
        assert (download(reviewed, case_id).status_code == 200) == may_read, role


def test_a_file_of_a_rescue_is_handed_to_nobody_who_inspects(reviewed: Service) -> None:
    body = route(certified_capacity=12, persons_on_board=41)
    case_id = reviewed.score(body, reviewed.key("score")).json()["decision_id"]
    rescuer = Reviewer(person("one"), CaseAccess(frozenset(), is_rescue=True))
    file = AttachedFile.from_upload("list.pdf", PDF, 10_000)
    reviewed.services.cases.attach(rescuer, case_id, NOW, file, PDF)

    for role, status in (("reviewer", 404), ("supervisor", 404), ("auditor", 404), ("rescue", 403)):
        sign_in_as(reviewed, role)  # type: ignore[arg-type]  # a role
        assert download(reviewed, case_id).status_code == status


def test_rescuers_attach_to_rescues_and_read_what_is_there_and_nobody_else_does(
    reviewed: Service,
) -> None:
    body = route(certified_capacity=12, persons_on_board=41)
    rescue_id = reviewed.score(body, reviewed.key("score")).json()["decision_id"]
    case_id = open_case(reviewed)
    attach(reviewed, case_id, sign_in_as(reviewed, "reviewer"))
    for role in ROLE_SCOPES:
        token = sign_in_as(reviewed, role)
        sent = attach(reviewed, rescue_id, token, PDF + role.encode(), pages="rescues")
        assert (sent.status_code == 200) == (role == "rescue"), role

    token = sign_in_as(reviewed, "rescue")
    page = attach(reviewed, rescue_id, token, pages="rescues")
    assert "list.pdf" in page.text
    assert f"/console/rescues/{rescue_id}/attachments/" in page.text
    assert download(reviewed, rescue_id, pages="rescues").content == PDF
    assert attach(reviewed, rescue_id, token, pages="rescues").status_code == 409
    assert attach(reviewed, rescue_id, token, b"", pages="rescues").status_code == 422
    for other in ("cases", "rescues"):
        assert attach(reviewed, case_id, token, PDF, pages=other).status_code in {403, 404}
        assert download(reviewed, case_id, pages=other).status_code in {403, 404}
    for role in ROLE_SCOPES:
        sign_in_as(reviewed, role)
        for pages in ("cases", "rescues"):
            answer = download(reviewed, rescue_id, pages=pages)
            assert (answer.status_code == 200) == (role == "rescue" and pages == "rescues"), role


def test_a_file_is_found_under_its_own_case_only(reviewed: Service) -> None:
    case_id, other = open_case(reviewed), open_case(reviewed, "S-2")
    attach(reviewed, case_id, sign_in_as(reviewed, "reviewer"))

    assert download(reviewed, other).status_code == 404


def test_a_form_of_another_session_or_origin_attaches_nothing(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    token = sign_in_as(reviewed, "reviewer")

    assert attach(reviewed, case_id, "x").status_code == 403
    foreign = reviewed.client.post(
        f"/console/cases/{case_id}/attachments",
        data={"form_token": token},
        files={"file": ("list.pdf", PDF)},
        headers={"Origin": "https://example.org"},
    )
    assert foreign.status_code == 403
    assert reviewed.services.cases.files.of_case(case_id) == []


def test_files_have_so_many_bytes_in_a_case_and_from_one_key_in_a_day(
    reviewed: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = reviewed.services.settings
    for name, most in (
        ("max_case_attachment_bytes", 3_000),
        ("max_attachment_bytes_per_day", 5_000),
    ):
        monkeypatch.setitem(settings.__dict__, name, most)
    first, second = open_case(reviewed), open_case(reviewed)
    one, two = reviewed.key("review"), reviewed.key("review")

    def attach_by(key: dict[str, str], case_id: str, number: int) -> tuple[int, str]:
        answer = reviewed.client.post(
            f"/v1/cases/{case_id}/attachments?name={number}.txt",
            content=b"%04d" % number * 250,
            headers=key,
        )
        return answer.status_code, answer.json().get("detail", "")

    assert [attach_by(one, first, n)[0] for n in range(3)] == [200, 200, 200]
    assert attach_by(two, first, 3) == (
        422,
        "the files of a case may have 3000 bytes, and 0 are left",
    )
    assert [attach_by(one, second, n)[0] for n in range(3)] == [200, 200, 429]
    assert attach_by(two, second, 3)[0] == 200


def test_no_file_is_taken_where_the_disk_is_almost_full(
    reviewed: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id, token = open_case(reviewed), sign_in_as(reviewed, "reviewer")
    monkeypatch.setattr("serving.degraded_modes.free_disk_bytes", lambda home: 1_000)

    refused = attach(reviewed, case_id, token)

    assert refused.status_code == 507
    assert "The disk is almost full" in refused.text
    assert reviewed.services.cases.files.of_case(case_id) == []


def test_the_same_content_and_one_too_many_are_refused_in_words(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    token = sign_in_as(reviewed, "reviewer")
    reviewer = Reviewer(person("another"), CaseAccess(frozenset(), is_rescue=False))
    for number in range(MAX_TO_A_CASE - 1):
        content = b"%d" % number
        file = AttachedFile.from_upload(f"{number}.txt", content, 1_000)
        reviewed.services.cases.attach(reviewer, case_id, NOW, file, content)
    attach(reviewed, case_id, token)

    again, more = attach(reviewed, case_id, token), attach(reviewed, case_id, token, b"more")
    program = attach(reviewed, case_id, token, b"MZ\0", name="list.exe")

    assert [each.status_code for each in (again, more, program)] == [409, 422, 415]
    for refused in (again, more, program):  # the form itself, not an error page
        assert 'name="file"' in refused.text
    assert "Attach PDF, PNG, JPEG, TIFF or plain text" in program.text
    assert "a file with this very content" in again.text
    assert f"case may have {MAX_TO_A_CASE} files" in more.text


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.pdf", b"MZ\x90\x00", "media-type-unsupported"),
        ("a.txt", b"\xff\xfe\x00a", "media-type-unsupported"),
        ("a.txt", b"", "unprocessable"),
        ("a.txt", b"x" * 101, "body-too-large"),
        (" \x00/", b"x", "unprocessable"),
    ],
)
def test_what_cannot_be_told_is_no_attachment(name: str, content: bytes, code: str) -> None:
    with refused_with(code):
        AttachedFile.from_upload(name, content, 100)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PDF, "application/pdf"),
        (b"\x89PNG\r\n\x1a\n\x00", "image/png"),
        (b"<script>alert(1)</script>", "text/plain; charset=utf-8"),
        (b"GIF89a\x00", None),
    ],
)
def test_the_content_says_what_a_file_is_whatever_its_name(
    content: bytes, media_type: str | None
) -> None:
    if media_type is None:
        with refused_with("media-type-unsupported"):
            AttachedFile.from_upload("x.html", content, 1_000)
    else:
        assert AttachedFile.from_upload("x.html", content, 1_000).media_type == media_type


def test_a_name_is_a_name_and_no_path() -> None:
    assert AttachedFile.from_upload("..\\../etc/pass\u202ewd.exe", b"x", 10).name == "passwd.txt"
    assert len(AttachedFile.from_upload("x" * 500 + ".txt", b"x", 10).name) == 120


@given(st.binary(max_size=300), st.text('abc"é', max_size=9).filter(lambda n: '"' not in n))
def test_an_upload_is_read_as_it_was_sent(content: bytes, name: str) -> None:
    boundary = "----b0undary"
    if boundary.encode() in content:
        return
    body = (
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="form_token"\r\n\r\nt\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/pdf\r\n\r\n"
        ).encode()
        + content
        + f"\r\n--{boundary}--\r\n".encode()
    )

    upload = Upload.read(f"multipart/form-data; boundary={boundary}", body)

    assert upload == Upload({"form_token": "t"}, name, content)
    for broken in (body[:-10], b"", body.replace(b"filename", b"nofile")):
        with pytest.raises(ServingError):
            Upload.read(f"multipart/form-data; boundary={boundary}", broken)


def by_call(
    service: Service, case_id: str, caller: dict[str, str], content: bytes = PDF, **query: str
) -> Any:
    named = {"name": "C:\\papers\\list.pdf"} | query
    address = f"/v1/cases/{case_id}/attachments"
    return service.client.post(address, content=content, params=named, headers=caller)


def test_a_file_goes_in_and_out_by_call_as_on_the_page(reviewed: Service) -> None:
    case_id, caller = open_case(reviewed), reviewed.key("review")
    address = f"/v1/cases/{case_id}/attachments"

    put = by_call(reviewed, case_id, caller)
    listed = reviewed.client.get(address, headers=caller).json()
    told = reviewed.client.get(f"{address}/{put.json()['sha256']}", headers=caller)
    sign_in_as(reviewed, "reviewer")

    assert put.status_code == 200, put.text
    assert listed == {"case_id": case_id, "attachments": [put.json()]}
    assert (put.json()["name"], put.json()["size_bytes"]) == ("list.pdf", len(PDF))
    assert told.content == PDF
    assert "sandbox" in told.headers["Content-Security-Policy"]
    assert told.headers["Content-Disposition"].startswith("attachment;")
    assert download(reviewed, case_id).content == PDF
    events = [e for e in reviewed.services.cases.events(case_id) if e.action != "read"]
    assert [(e.action, e.text) for e in events] == [
        ("attach", "list.pdf"),
        ("download", "list.pdf"),
        ("download", "list.pdf"),
    ]


def test_what_is_no_attachment_or_not_the_callers_is_refused_by_call(reviewed: Service) -> None:
    case_id, caller = open_case(reviewed), reviewed.key("review")
    most = reviewed.services.settings.max_attachment_bytes
    assert by_call(reviewed, case_id, caller).status_code == 200

    for content, status in ((PDF, 409), (b"MZ\0", 415), (b"", 422), (b"a" * (most + 1), 413)):
        assert by_call(reviewed, case_id, caller, content).status_code == status
    for name in ("", " / "):
        assert by_call(reviewed, case_id, caller, b"a", name=name).status_code == 422
    assert by_call(reviewed, case_id, caller, b"a", nome="a").status_code == 422
    zipped = caller | {"Content-Encoding": "gzip"}
    assert by_call(reviewed, case_id, zipped, b"a").status_code == 415
    assert by_call(reviewed, "of-nobody", caller, b"a").status_code == 404
    rescuer, scorer = reviewed.key("rescue"), reviewed.key("score")
    for by, status in ((rescuer, 404), (scorer, 403), ({}, 401)):
        assert by_call(reviewed, case_id, by, b"a").status_code == status
        for place in ("", f"/{hashlib.sha256(PDF).hexdigest()}"):
            address = f"/v1/cases/{case_id}/attachments{place}"
            assert reviewed.client.get(address, headers=by).status_code == status
    address = f"/v1/cases/{case_id}/attachments/{'0' * 64}"
    assert reviewed.client.get(address, headers=caller).status_code == 404
    assert len(reviewed.services.cases.files.of_case(case_id)) == 1
