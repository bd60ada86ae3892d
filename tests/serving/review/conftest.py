"""In review, people act: every service believes their tokens."""

import pytest


@pytest.fixture(autouse=True)
def _believing(trusting: None) -> None:
    """Let every service here believe the tokens of people."""


@pytest.fixture
def blank_papers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each PDF be empty: setting one takes a second, and nobody reads its text here."""
    for paper in ("case_paper", "supervision_paper"):
        monkeypatch.setattr(f"serving.console.papers.{paper}.{paper}", lambda *_: b"%PDF-")
