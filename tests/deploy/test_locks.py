"""Every package is locked, and a host that serves has no more of them than it needs."""

import re
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)(.*)$", re.MULTILINE)
NEVER_SERVED = {
    *("mlflow", "lightgbm", "shap", "scikit-learn", "matplotlib", "optuna", "flask", "gunicorn"),
    *("docker", "gitpython", "pytest", "playwright", "schemathesis", "hypothesis", "ruff", "mypy"),
}


def pins(lock: str) -> set[tuple[str, str]]:
    return {found[:2] for found in PINNED.findall((ROOT / lock).read_text())}


def closure(requirement: Requirement, known: set[str]) -> set[str]:
    """The names of everything that a requirement needs on this machine."""
    name = requirement.name.lower().replace("_", "-").replace(".", "-")
    extras = requirement.extras or {""}
    if name in known and not requirement.extras:
        return known
    known = known | {name}
    for text in distribution(name).requires or ():
        needed = Requirement(text)
        marker = needed.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
            known = closure(needed, known)
    return known


@pytest.mark.parametrize("lock", ["requirements-serve.lock", "requirements-train.lock"])
def test_all_locks_name_the_same_versions(lock: str) -> None:
    assert pins(lock) <= pins("requirements.lock")


@pytest.mark.parametrize(
    "lock",
    [
        "requirements.lock",
        "requirements-serve.lock",
        "requirements-train.lock",
        "requirements-uv.lock",
    ],
)
def test_every_package_of_a_lock_has_its_digests_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text)


def test_a_host_that_trains_has_all_but_the_tools_of_tests() -> None:
    locked = {name for name, _ in pins("requirements-train.lock")}

    assert locked >= {name for name, _ in pins("requirements-serve.lock")} | {"mlflow", "lightgbm"}
    assert not locked & {"pytest", "playwright", "schemathesis", "hypothesis", "ruff", "mypy"}


def test_a_host_that_serves_has_what_serving_needs_and_nothing_else() -> None:
    needed = closure(Requirement("tidegate[serve,telemetry]"), set()) - {"tidegate"}
    locked = {name.replace(".", "-") for name, _ in pins("requirements-serve.lock")}

    assert needed <= locked
    of_other_machines = {"colorama", "tzdata"}
    assert locked - needed <= of_other_machines
    assert not locked & NEVER_SERVED
