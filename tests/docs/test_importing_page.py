"""The worked example of the page on importing does what the page prints."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.ingest.record_files import read_records
from features.mapping.mapping import FieldMapping, TableMapping
from serving.cli.main import app

PAGE = (Path(__file__).parents[2] / "docs" / "importing.md").read_text(encoding="utf-8")
FILE = re.compile(r"`([a-z]+\.[a-z]+)`[^\n]*:\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHOWN = re.compile(r"^```console\n\$ (.*?)\n```\n\n```text\n(.*?)^```", re.MULTILINE | re.DOTALL)


def told(line: str) -> list[str]:
    """What a command says, without its bar."""
    result = CliRunner().invoke(app, shlex.split(line)[1:], catch_exceptions=False)
    return [each for each in result.stderr.splitlines() if not each.startswith("inputs read")]


def test_what_is_typed_says_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = dict(FILE.findall(PAGE))
    for name, content in files.items():
        Path(name).write_text(content, encoding="utf-8")

    said = {line: told(line) for line, _ in SHOWN.findall(PAGE)}

    assert said == {line: shown.splitlines() for line, shown in SHOWN.findall(PAGE)}
    assert {*files} == {"declarations.csv", "operators.csv", "mapping.toml"}
    assert len(said) == 2
    first = read_records(Path("records"), "shipments").to_pylist()[0]
    assert first["gross_mass_kg"] == pytest.approx(9_281.5 * 0.45359237)
    assert (first["declared_value"], first["currency"]) == (31_400.0, "EUR")
    assert (first["hs_code"], first["dispatch_country"]) == ("890310", "TR")
    assert (first["office_id"], first["declared_at"].isoformat()) == (
        "PT000010",
        "2026-03-02T09:15:00+00:00",
    )


@pytest.mark.parametrize("model", [FieldMapping, TableMapping])
def test_the_page_tells_everything_that_a_mapping_can_say(model: type[FieldMapping]) -> None:
    assert [name for name in model.model_fields if f"`{name}" not in PAGE] == []
