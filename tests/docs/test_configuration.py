"""The configuration page is made of the settings, and every setting says what it means."""

from pathlib import Path

import pytest

from deploy.settings_page import settings_page
from serving.settings import FixedLimits, Settings

ROOT = Path(__file__).parents[2]


def test_the_configuration_page_is_the_one_that_the_settings_make() -> None:
    committed = (ROOT / "docs" / "configuration.md").read_text()

    assert committed == settings_page(), "run `make docs`"


@pytest.mark.parametrize(
    "name", sorted(Settings.model_fields.keys() - FixedLimits.model_fields.keys())
)
def test_every_setting_has_a_meaning_and_a_row(name: str) -> None:
    description = Settings.model_fields[name].description

    assert description
    assert description.endswith(".")
    assert f"| `TIDEGATE_{name.upper()}` |" in settings_page()


def test_a_row_shows_type_bounds_and_default() -> None:
    rows = {
        line.split("`")[1]: line for line in settings_page().splitlines() if line.startswith("| `")
    }

    assert "| number, > 0, ≤ 1 | `0.01` |" in rows["TIDEGATE_CONTROL_PROBABILITY"]
    assert "| text, like `^https?://` | – |" in rows["TIDEGATE_PUBLIC_ADDRESS"]
    assert "| secret | – |" in rows["TIDEGATE_DATABASE_URL"]
    assert "| true or false | `false` |" in rows["TIDEGATE_IS_LIVE"]
