"""What a scrape of `/metrics` says of the release, the models, the processes and what is kept."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from serving.access.actors import SERVICE
from serving.app import create_app
from serving.console.all_pages import page_routes
from serving.settings import Settings
from serving.storage.backup.backup_writer import write_backup
from tests.browser.test_every_page import paths_read
from tests.deploy.test_alerts import panel_queries, queries_of_rules
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service, services_of
from tests.serving.world import train_and_promote

SCRAPE_BYTES = 60_000


def figures(client: TestClient) -> dict[str, float]:
    """The value of every series, by its name and labels."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        sample.name + "".join(f" {key}={value}" for key, value in sorted(sample.labels.items())): (
            sample.value
        )
        for family in families
        for sample in family.samples
    }


def test_the_release_and_the_models_that_score_are_told(service: Service) -> None:
    before = figures(service.client)
    train_and_promote(service.home, "shipment", "2", seed=8)
    service.services.models.refresh()
    after = figures(service.client)

    (build,) = (name for name in after if name.startswith("tidegate_build_info"))
    assert re.fullmatch(r"tidegate_build_info python=3\.\d+\.\d+ version=\d+\.\d+\.\d+", build)
    first, second = (
        f"tidegate_model_info model=tidegate-shipment version={number}" for number in "12"
    )
    assert (before[first], after[first], after[second]) == (1, 0, 1)
    assert second not in before


def test_the_process_is_measured_as_usual(service: Service) -> None:
    told = figures(service.client)

    assert told["process_resident_memory_bytes"] > 1e7
    assert told["process_cpu_seconds_total"] > 0
    assert 0 < told["process_open_fds"] < told["process_max_fds"]
    assert told["process_start_time_seconds"] > 1.7e9


def test_what_an_operator_must_keep_is_told_with_its_instant(home: Path, tmp_path: Path) -> None:
    settings = Settings(home=home, witness=str(tmp_path / "outside"))
    with TestClient(create_app(settings, clock=lambda: NOW)) as client:
        service = Service(client, services_of(client), home)
        service.score(shipment(), service.key("score"))
        services = service.services
        services.log_writer.checkpoints.write_if_due(is_last=True)
        before = figures(client)
        write_backup(settings, tmp_path / "backup.tar", SERVICE, NOW + timedelta(hours=1))
        services.witnesses.deliver_all()
        services.rollups.keep_report("shipment", NOW - timedelta(days=1), "{}")
        services.rollups.keep_report("route", NOW - timedelta(days=2), "{}")
        after = figures(client)

    kept = "tidegate_last_timestamp_seconds of="
    assert before[f"{kept}checkpoint"] == NOW.timestamp()
    # A thread hands checkpoints to the witness, perhaps before the scrape and perhaps after.
    assert before[f"{kept}witnessed"] in {0, NOW.timestamp()}
    assert before[f"{kept}backup"] == 0
    assert f"{kept}monitoring" not in before
    assert after[f"{kept}backup"] == (NOW + timedelta(hours=1)).timestamp()
    assert after[f"{kept}witnessed"] == NOW.timestamp()
    # The kind whose report is older.
    assert after[f"{kept}monitoring"] == (NOW - timedelta(days=2)).timestamp()


def test_a_scrape_is_short_after_every_route_was_called(service: Service) -> None:
    service.score(shipment(), service.key("score"))
    requests = service.services.metrics.requests
    pages = {path for route in page_routes() for path in paths_read(route)}
    routes = {*service.client.get("/openapi.json").json()["paths"], *pages}
    for route in routes:
        for method, status in (("GET", 200), ("POST", 422)):
            requests.observe(method, route, status, 0.01)

    scrape = service.client.get("/metrics").text

    assert len(routes) > 100
    assert "_created" not in scrape
    assert len(scrape) <= SCRAPE_BYTES


@pytest.mark.parametrize(
    ("path", "area"),
    [("/v1/switches", "api"), ("/console/sign-in", "console"), ("/health/live", "other")],
)
def test_durations_are_told_by_the_part_of_the_service(
    service: Service, path: str, area: str
) -> None:
    series = f"tidegate_request_seconds_count area={area}"
    before = figures(service.client).get(series, 0)
    service.client.get(path)
    counted = f"tidegate_requests_total method=GET route={path}"

    after = figures(service.client)

    # The first scrape itself is of the area `other`.
    assert after[series] == before + (2 if area == "other" else 1)
    assert [name for name in after if name.startswith(counted)]


def test_scoring_has_durations_of_its_own(service: Service) -> None:
    service.score(shipment(), service.key("score"))

    assert figures(service.client)["tidegate_request_seconds_count area=scores"] == 1


def test_alerts_and_dashboard_read_every_metric_and_no_other(service: Service) -> None:
    service.score(shipment(), service.key("score"))
    scrape = service.client.get("/metrics").text
    # Only several workers count those that were replaced.
    there = {"tidegate_workers_replaced_total"}
    for name, kind in re.findall(r"^# TYPE (\w+) (\w+)$", scrape, re.MULTILINE):
        endings = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        there |= {name + ending for ending in endings}

    queries = " ".join(queries_of_rules() + panel_queries())
    read = set(re.findall(r"\b(?:tidegate|process)_\w+", queries))

    assert read <= there
    ours = {name for name in there if re.match(r"tidegate_(?!.*_(bucket|sum|count)$)", name)}
    assert ours <= read
