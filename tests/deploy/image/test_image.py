"""The Dockerfile, the compose file and the chart: linted, rendered, and true to the service."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import pytest
import yaml

from serving.settings import Settings

DEPLOY = Path(__file__).parents[3] / "deploy"
CHART = DEPLOY / "chart"
KUBERNETES = "1.34"
EVERYTHING: dict[str, Any] = {
    "ingress": {"host": "tidegate.example.org", "className": "nginx", "tlsSecretName": "tls"},
    "home": {"storageClass": "shared"},
    "live": True,
}
KNOWN_SETTINGS = {f"TIDEGATE_{name.upper()}" for name in Settings.model_fields}


def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return read


def rendered(values: dict[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """Every object of the chart, by its kind."""
    texts = helm_python.Chart.load(CHART).render(values or {}, name="gate", namespace="customs")
    objects = [
        each
        for name, text in texts.items()
        if name.endswith(".yaml")
        for each in yaml.safe_load_all(text)
        if each
    ]
    return {each["kind"]: each for each in objects}


def pods(values: dict[str, Any] | None = None) -> Iterator[dict[str, Any]]:
    for each in rendered(values).values():
        if "template" in each.get("spec", {}):
            yield each["spec"]["template"]["spec"]


def test_the_dockerfile_has_no_lint() -> None:
    answer = subprocess.run(
        ["hadolint", "--failure-threshold", "info", str(DEPLOY / "Dockerfile")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (answer.returncode, answer.stdout) == (0, "")


def test_what_the_dockerfile_copies_is_there_and_not_ignored() -> None:
    ignored = (DEPLOY.parent / ".dockerignore").read_text().splitlines()
    allowed = [line[1:] for line in ignored if line.startswith("!")]
    text = (DEPLOY / "Dockerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE):
        for name in line.split()[:-1]:
            assert (DEPLOY.parent / name).exists()
            assert any(Path(name).match(each) or Path(name).parts[0] == each for each in allowed)


def test_the_chart_has_no_lint() -> None:
    report = helm_python.lint(CHART, EVERYTHING, strict=True)

    assert [each for each in report["messages"] if each["severity"] > 1] == []
    assert report["errors"] == []


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["as it is", "with everything"])
def test_kubernetes_knows_every_object_of_the_chart(values: dict[str, Any]) -> None:
    objects = rendered(values)

    for each in objects.values():
        kubernetes_validate.validate(each, KUBERNETES, strict=True)
    kinds = {"Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler"}
    kinds |= {"NetworkPolicy", "PersistentVolumeClaim", "Job"}
    assert set(objects) == (kinds | {"Ingress"} if values else kinds)


def test_a_pod_runs_as_nobody_on_a_read_only_root() -> None:
    for pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}


def test_a_claim_that_is_there_is_used() -> None:
    values = {"home": {"existingClaim": "ours"}}

    assert "PersistentVolumeClaim" not in rendered(values)
    claims = [pod["volumes"][0]["persistentVolumeClaim"]["claimName"] for pod in pods(values)]
    assert claims == ["ours", "ours"]


def test_traffic_reaches_the_pods_of_the_service_and_not_the_migration() -> None:
    objects = rendered()

    selected = objects["Service"]["spec"]["selector"]
    assert objects["Deployment"]["spec"]["template"]["metadata"]["labels"] == selected
    of_migration = objects["Job"]["spec"]["template"]["metadata"]["labels"]
    assert not selected.items() <= of_migration.items()


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"replica": 3}, id="a misspelt value"),
        pytest.param({"replicas": {"min": 0}}, id="no replica"),
        pytest.param({"settings": {"PUBLIC_ADDRESS": "x"}}, id="a setting of nobody"),
    ],
)
def test_values_that_mean_nothing_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(helm_python.HelmError):
        rendered(values)


def test_every_setting_that_chart_and_compose_file_name_exists() -> None:
    texts = [(DEPLOY / "compose.yaml").read_text(), (CHART / "values.yaml").read_text()]
    texts += [each.read_text() for each in (CHART / "templates").glob("*.tpl")]

    named = set(re.findall(r"TIDEGATE_[A-Z_]+", "".join(texts)))

    assert named
    assert named <= KNOWN_SETTINGS


def test_every_file_that_the_compose_file_mounts_is_there() -> None:
    mounted = [
        volume.split(":")[0]
        for service in compose()["services"].values()
        for volume in service.get("volumes", ())
    ]
    named = set(compose()["volumes"])
    files = [each for each in mounted if each.startswith(".")]

    assert files
    assert [each for each in files if not (DEPLOY / each).exists()] == []
    assert {each for each in mounted if not each.startswith(".")} == named


def test_every_image_of_others_has_a_fixed_version() -> None:
    for service in compose()["services"].values():
        assert re.search(r":v?\d+\.\d+|:\d+-", service["image"]), service["image"]


def test_prometheus_understands_what_the_compose_file_gives_it(tmp_path: Path) -> None:
    text = (DEPLOY / "compose" / "prometheus.yaml").read_text()
    (tmp_path / "key").write_text("tg_key")
    text = text.replace("/etc/prometheus/alerts", str(DEPLOY / "alerts"))
    (tmp_path / "prometheus.yaml").write_text(
        text.replace("/run/secrets/prometheus_key", str(tmp_path / "key"))
    )

    answer = subprocess.run(
        ["promtool", "check", "config", str(tmp_path / "prometheus.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
