"""The page of standard messages: its commands run as printed, and its table names every format."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.messages.formats import FORMATS
from serving.cli.main import app
from tests.conformance.trial_of_samples import OWN
from tests.docs.test_commands_as_printed import ROOT, blocks

FILES = {
    "declaration.xml": "ubl/import_declaration.xml",
    "waybill.xml": "ubl/waybill.xml",
    "statement.xml": "iso20022/camt.053.xml",
    "manifest.edi": "edifact/cuscar.edi",
}


def test_the_commands_of_the_page_do_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, sample in FILES.items():
        shutil.copy(OWN / sample, tmp_path / name)

    (commands,) = blocks("docs/messages.md")
    for command in commands:
        _, *arguments = shlex.split(command)
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, (command, done.output)

    assert {file.name for file in (tmp_path / "records").iterdir()} == {
        *("documents.parquet", "goods_items.parquet", "shipments.parquet"),
        *("report.json", "sources.ndjson"),
    }
    assert (tmp_path / "payments" / "transactions.parquet").exists()


def test_the_table_names_every_format() -> None:
    page = (ROOT / "docs" / "messages.md").read_text()

    assert set(re.findall(r"^\| `([a-z0-9_]+)` \|", page, re.MULTILINE)) == set(FORMATS)
