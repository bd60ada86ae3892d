"""An audit of dependencies passes only where somebody who knows advisories was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.audit_dependencies import (
    ACCEPTED,
    CANARY,
    AuditedPackage,
    accepted_advisories,
    audit_locks,
    judge_packages,
)

TODAY = date(2026, 11, 27)
HASH = "--hash=sha256:" + "0" * 64


@contextmanager
def osv(known: dict[str, str]) -> Iterator[list[str]]:
    """A database of advisories that knows one of each package that is named; options for it."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = asked["package"]["name"]
            vulns = [advisory(known[name], name)] if name in known else []
            body = json.dumps({"vulns": vulns} if vulns else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is said."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/v1/query"
    yield ["--vulnerability-service", "osv", "--osv-url", address]
    server.shutdown()


def advisory(name: str, package: str) -> dict[str, object]:
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]
    affected = [{"package": {"name": package, "ecosystem": "PyPI"}, "ranges": ranges}]
    return {
        "id": f"PYSEC-{name}",
        "aliases": [name],
        "affected": affected,
        "summary": "",
        "published": "2014-05-19T14:55:00Z",
    }


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "some.lock"
    file.write_text(f"jinja2==3.1.6 {HASH}\nrequests==2.34.2 {HASH}\n")
    return file


def test_a_service_that_knows_no_advisory_of_the_canary_says_nothing(lock: Path) -> None:
    with osv({}) as service:
        audited = audit_locks(lock, {}, TODAY, service)
    assert audited.verdict == "undecided"
    assert " ".join(CANARY) in audited.says[0]


def test_a_service_that_cannot_be_reached_says_nothing(lock: Path) -> None:
    with osv({"jinja2": "CVE-2014-1402"}) as service:
        pass
    assert audit_locks(lock, {}, TODAY, service).verdict == "undecided"


def test_an_advisory_of_a_locked_package_is_refused_by_name(lock: Path) -> None:
    known = {"jinja2": "CVE-2014-1402", "requests": "CVE-2026-1"}
    with osv(known) as service:
        audited = audit_locks(lock, {"CVE-2014-1402": TODAY}, TODAY, service)
    assert (audited.verdict, audited.says) == ("refused", ("requests 2.34.2: CVE-2026-1",))


def test_a_lock_without_advisories_passes_once_the_canary_was_reported(lock: Path) -> None:
    lock.write_text(f"requests==2.34.2 {HASH}\n")
    with osv({"jinja2": "CVE-2014-1402"}) as service:
        assert audit_locks(lock, {}, TODAY, service).verdict == "passed"


def test_a_package_that_was_skipped_is_never_passed() -> None:
    skipped = AuditedPackage("requests", "2.34.2", skipped="not found")
    assert judge_packages([skipped], {}, TODAY).verdict == "undecided"


def test_an_advisory_is_accepted_until_its_day_and_no_longer() -> None:
    package = AuditedPackage("requests", "2.34.2", ("CVE-2026-1",))
    accepted = {"CVE-2026-1": TODAY}
    assert judge_packages([package], accepted, TODAY).verdict == "passed"
    assert judge_packages([package], accepted, TODAY + timedelta(days=1)).verdict == "refused"


def test_every_advisory_that_is_accepted_has_a_reason_and_a_day(tmp_path: Path) -> None:
    assert accepted_advisories(ACCEPTED)
    file = tmp_path / "accepted.toml"
    file.write_text('[[accepted]]\nid = "CVE-1"\nuntil = 2026-12-31\nbecause = " "\n')
    with pytest.raises(ValueError, match="accepted for no reason"):
        accepted_advisories(file)
