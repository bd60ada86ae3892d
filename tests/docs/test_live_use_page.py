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


def test_each_step_of_processing_has_a_regime_a_ground_and_an_authority() -> None:
    section = PAGE.read_text().partition("### Which law governs which step\n")[2]
    table = section.partition("| step |")[2].partition("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table]
    regimes = ("GDPR", "LED", "customs law", "law of the sea", "that of who lists", "the regime")

    assert len(rows) > 12
    for step, regime, ground, authority in rows:
        assert any(each in regime for each in regimes), step
        assert ground, step
        assert authority, step
