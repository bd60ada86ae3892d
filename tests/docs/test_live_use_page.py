"""The plans of lanes that the page on live use shows are taken as they stand."""

import re
from pathlib import Path

from serving.triage.triage_plan import TriagePlan

PAGE = Path(__file__).parents[2] / "docs" / "live_use.md"


def test_the_plan_that_the_page_shows_is_taken(tmp_path: Path) -> None:
    capacities, looked_for = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    shown = tmp_path / "lanes.toml"
    shown.write_text(looked_for + capacities)

    plan = TriagePlan.read(shown)

    assert [*plan.offices] == ["SGSIN"]
    assert [entry.kind for entry in plan.watched] == ["container"]
    assert [rule.lane for rule in plan.rules] == ["inspect"]
