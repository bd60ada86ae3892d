"""Check locked packages for known advisories: `python -m deploy.audit_dependencies LOCK…`.

An advisory service that is unreachable or knows no package reports nothing, which looks like
safety. So the audit first asks about an old release with well-known advisories: if none is
reported, the verdict is undecided. Exit codes: 0 passed, 1 refused, 3 undecided.
"""

import argparse
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

Verdict = Literal["passed", "refused", "undecided"]

# Advisories on this release (CVE-2014-1402 and later) are in every database.
CANARY = ("jinja2", "2.4.1")

ACCEPTED = Path(__file__).with_name("accepted_advisories.toml")
EXIT_CODES: Mapping[Verdict, int] = {"passed": 0, "refused": 1, "undecided": 3}


@dataclass(frozen=True)
class AuditedPackage:
    """The service's report on one package; `skipped` is the reason if it has none."""

    name: str
    version: str
    advisories: tuple[str, ...] = ()
    skipped: str = ""


@dataclass(frozen=True)
class DependencyAudit:
    """The verdict on a lock, and its reasons."""

    verdict: Verdict
    says: tuple[str, ...]


def audit_locks(
    lock: Path, accepted: Mapping[str, date], today: date, service: Sequence[str] = ()
) -> DependencyAudit:
    """Query the advisories of a lock's packages; `service` are options of pip-audit.

    `accepted` maps advisory ids to the last day on which they are accepted.
    """
    with TemporaryDirectory() as folder:
        canary = Path(folder) / "canary.txt"
        canary.write_text("==".join(CANARY) + "\n")
        if not any(package.advisories for package in _asked(canary, service)):
            return DependencyAudit(
                "undecided",
                (f"no advisory was reported of {' '.join(CANARY)}, of which there are several",),
            )
    return judge_packages(_asked(lock, service), accepted, today)


def judge_packages(
    packages: Iterable[AuditedPackage], accepted: Mapping[str, date], today: date
) -> DependencyAudit:
    """Return the verdict on packages; any advisory not accepted today refuses them."""
    found, unknown = [], []
    for package in packages:
        named = f"{package.name} {package.version}".strip()
        if package.skipped:
            unknown.append(f"{named}: {package.skipped}")
        for advisory in package.advisories:
            until = accepted.get(advisory)
            if until is None:
                found.append(f"{named}: {advisory}")
            elif today > until:
                found.append(f"{named}: {advisory}, accepted until {until} only")
    if found:
        return DependencyAudit("refused", tuple(found))
    if unknown:
        return DependencyAudit("undecided", tuple(unknown))
    return DependencyAudit("passed", ())


def accepted_advisories(file: Path) -> dict[str, date]:
    """Return the last day of each accepted advisory; raises ValueError without a reason."""
    entries = tomllib.loads(file.read_text(encoding="utf-8")).get("accepted", [])
    for entry in entries:
        if not entry["because"].strip():
            raise ValueError(f"{file}: {entry['id']} is accepted for no reason")
    return {entry["id"]: entry["until"] for entry in entries}


def _asked(requirements: Path, service: Sequence[str]) -> list[AuditedPackage]:
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(requirements)]
    # A lock lists all packages, so there is nothing to resolve.
    command += ["--disable-pip", "--no-deps", "--format", "json", "--progress-spinner", "off"]
    answer = subprocess.run(  # noqa: S603  # fixed words and a file of the repository
        [*command, *service], capture_output=True, text=True, check=False
    )
    try:
        found: list[dict[str, Any]] = json.loads(answer.stdout)["dependencies"]
    except (ValueError, KeyError):
        reason = answer.stderr.strip().splitlines()[-1:] or ["pip-audit said nothing"]
        return [AuditedPackage(requirements.name, "", skipped=reason[0])]
    return [_package(entry) for entry in found]


def _package(entry: dict[str, Any]) -> AuditedPackage:
    advisories = (
        next((alias for alias in found["aliases"] if alias.startswith("CVE-")), found["id"])
        for found in entry.get("vulns", [])
    )
    return AuditedPackage(
        entry["name"],
        entry.get("version", ""),
        tuple(sorted(set(advisories))),
        entry.get("skip_reason", ""),
    )


def main() -> None:
    """Audit the given locks, and print the verdicts."""
    parser = argparse.ArgumentParser(description="Advisories of what a lock names.")
    parser.add_argument("locks", nargs="+", type=Path)
    parser.add_argument("--osv-url", help="A mirror of the OSV database; PyPI's without.")
    given = parser.parse_args()
    service = ["--vulnerability-service", "osv", "--osv-url", given.osv_url]
    accepted = accepted_advisories(ACCEPTED)
    worst = 0
    for lock in given.locks:
        audited = audit_locks(lock, accepted, date.today(), service if given.osv_url else ())  # noqa: DTZ011  # a day of people
        print(f"{lock}: {audited.verdict}", *audited.says[:20], sep="\n  ")
        worst = max(worst, EXIT_CODES[audited.verdict])
    sys.exit(worst)


if __name__ == "__main__":
    main()
