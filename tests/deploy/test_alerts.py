"""Alert rules and dashboard: each alert fires where it should, and nowhere else."""

import json
import re
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from serving.degraded_modes import MEANINGS

ROOT = Path(__file__).parents[2]
RULE_FILES = sorted((ROOT / "deploy/alerts").glob("*.yaml"))
RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for file in RULE_FILES
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
}
LIMITS: dict[str, dict[str, Any]] = tomllib.loads(
    (ROOT / "tests/deploy/alert_limits.toml").read_text()
)
RUNBOOK = ROOT / "docs/operations/alerts.md"
DASHBOARD = json.loads((ROOT / "deploy/grafana/tidegate.json").read_text())
FOR_MODES = {
    found[1]: name
    for name, rule in RULES.items()
    if (found := re.search(r'tidegate_degraded\{mode="(\w+)"', rule["expr"]))
}


def series(figures: dict[str, str]) -> list[dict[str, str]]:
    return [{"series": name, "values": values} for name, values in figures.items()]


def expected(alert: str, at: str, *, fires: bool) -> dict[str, Any]:
    firing = f'count(ALERTS{{alertname="{alert}", alertstate="firing"}})'
    samples = [{"labels": "{}", "value": 1}] if fires else []
    return {"expr": firing, "eval_time": at, "exp_samples": samples}


def trend_tests(every_min: int) -> Iterator[dict[str, Any]]:
    """For every trend whose figures lie so far apart: fires beyond its limit, silent within."""
    for alert, limit in LIMITS.items():
        if limit.get("every", 1) != every_min:
            continue
        for fires in (True, False):
            figures = limit["fires" if fires else "stays_silent"]
            yield {
                "name": f"{alert} {'fires' if fires else 'stays silent'}",
                "interval": f"{every_min}m",
                "input_series": series(figures),
                "promql_expr_test": [expected(alert, limit["at"], fires=fires)],
            }


def condition_tests() -> Iterator[dict[str, Any]]:
    """For every condition: silent before it, fires within five seconds, ends a minute after it."""
    samples = {
        alert: (f'tidegate_degraded{{mode="{mode}"}}', "0x9 1x19 0x200")
        for mode, alert in FOR_MODES.items()
    }
    samples["TidegateDown"] = ('up{job="tidegate"}', "1x9 0x19 1x200")
    for alert, (name, values) in samples.items():
        yield {
            "name": alert,
            "interval": "1s",
            "input_series": series({name: values}),
            "promql_expr_test": [
                expected(alert, "9s", fires=False),
                expected(alert, "15s", fires=True),
                expected(alert, "60s", fires=True),
                expected(alert, "100s", fires=False),
            ],
        }


def promtool(*arguments: str | Path) -> None:
    """Run promtool, and show what it says if it fails."""
    command = ["promtool", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def run_tests(folder: Path, every: str, tests: Iterable[dict[str, Any]]) -> None:
    """Let promtool run unit tests whose rules are evaluated that often."""
    rule_files = [str(file) for file in RULE_FILES]
    file = folder / "tests.yaml"
    file.write_text(
        yaml.safe_dump(
            {"rule_files": rule_files, "evaluation_interval": every, "tests": list(tests)}
        )
    )
    promtool("test", "rules", file)


def test_every_condition_fires_within_five_seconds_and_ends(tmp_path: Path) -> None:
    run_tests(tmp_path, "1s", condition_tests())


@pytest.mark.parametrize("every_min", sorted({limit.get("every", 1) for limit in LIMITS.values()}))
def test_every_trend_fires_beyond_its_limit_and_not_within(every_min: int, tmp_path: Path) -> None:
    run_tests(tmp_path, f"{every_min}m", trend_tests(every_min))


def test_every_alert_has_a_unit_test() -> None:
    assert sorted(RULES) == sorted({*LIMITS, *FOR_MODES.values(), "TidegateDown"})


def test_every_degraded_mode_has_an_alert() -> None:
    assert set(FOR_MODES) == set(MEANINGS)


def test_every_alert_has_a_section_in_the_runbook() -> None:
    sections = re.findall(r"^### (\w+)$", RUNBOOK.read_text(), re.MULTILINE)

    assert sections == list(RULES)
    for name, rule in RULES.items():
        link = f"docs/operations/alerts.md#{name.lower()}"
        assert rule["annotations"]["runbook"] == link
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_the_rules_are_valid() -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", *RULE_FILES)


def queries_of_rules() -> list[str]:
    return [rule["expr"] for rule in RULES.values()]


def panel_queries() -> list[str]:
    targets = [target for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
    return [target["expr"] for target in targets]


def test_every_query_of_the_dashboard_can_be_evaluated(tmp_path: Path) -> None:
    queries = [
        {"record": f"panel:{number}", "expr": query.replace("$__rate_interval", "5m")}
        for number, query in enumerate(panel_queries())
    ]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": queries}]}))

    promtool("check", "rules", file)
    assert len(queries) > 20


def test_the_panels_of_the_dashboard_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + column, place["y"] + row)
            for column in range(place["w"])
            for row in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(column for column, _ in cells) < 24
        taken |= cells
