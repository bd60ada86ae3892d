"""The Python of the page about the library runs as printed, in the order of the page."""

import re
from pathlib import Path

import matplotlib
import pytest

from features.catalogue import features_by_name
from features.plugins import features_in, modules_at
from tests.conftest import MadeOnce
from tests.docs.test_commands_as_printed import ROOT
from tests.serving.conftest import make_trained_home

PAGE = (ROOT / "docs/library.md").read_text(encoding="utf-8")
MAX_LINES_TO_FIRST_PLOT = 10


def test_the_library_page_runs_as_printed(
    made_once: MadeOnce, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = made_once("trained", make_trained_home) / "home"
    # What the console block makes; other tests type these commands.
    (tmp_path / "shipments").symlink_to(home / "training_sets" / "shipment")
    (tmp_path / ".tidegate").symlink_to(home)
    monkeypatch.chdir(tmp_path)
    matplotlib.use("Agg")
    first, *_ = blocks = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)

    names: dict[str, object] = {}
    for block in blocks:
        if "@shipment_feature(" not in block:
            exec(block, names)
            continue
        (tmp_path / "net_masses.py").write_text(block)
        (own,) = features_in(modules_at(tmp_path / "net_masses.py"), features_by_name().values())
        assert own.name == "net_mass_per_package_kg"

    assert len([line for line in first.splitlines() if line]) <= MAX_LINES_TO_FIRST_PLOT
    pyplot = matplotlib.pyplot
    assert {text.get_text() for text in pyplot.gca().get_yticklabels()} & {*names["data"].frame}  # type: ignore[attr-defined]
    pyplot.close("all")
