"""The way from an agency's own table to a decision and an event works as the page prints it."""

import json
import re
import time
from pathlib import Path
from typing import Any

from tests.docs.test_commands_as_printed import blocks, elsewhere, run, served, typed
from tests.ports import free_port

NAME = "docs/tutorials/own-data.md"
PAGE = (Path(__file__).parents[2] / NAME).read_text(encoding="utf-8")
FILE = re.compile(r"^`([a-z]+\.[a-z]+)`:\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHOWN = re.compile(r"^```console\n\$ ([^\n]*)\n```\n\n```text\n(.*?)^```", re.MULTILINE | re.DOTALL)


def said(command: str, folder: Path) -> list[str]:
    """What a command tells a person, without its bars."""
    with typed(f"COLUMNS=200 {command}", folder) as process:
        _, told = process.communicate()
    return [line for line in told.splitlines() if "━" not in line]


def test_an_own_table_becomes_decisions_and_events(tmp_path: Path) -> None:
    for name, content in FILE.findall(PAGE):
        (tmp_path / name).write_text(content, encoding="utf-8")
    shown = {command: text.splitlines() for command, text in SHOWN.findall(PAGE)}
    port = free_port()
    commands = [elsewhere(each, port) for block in blocks(NAME) for each in block]
    at = commands.index(f"tidegate serve --port {port}")

    for command in commands[:at]:
        if command in shown:
            assert said(command, tmp_path) == shown.pop(command)
        else:
            run(command, tmp_path)
    *preparing, scoring, reading, adding = commands[at + 1 :]
    with served(commands[at], tmp_path):
        for command in preparing:
            assert said(command, tmp_path) == shown.pop(command, [])
        answers = [json.loads(line)["answer"] for line in run(scoring, tmp_path).splitlines()]
        events = events_read(reading, tmp_path)
        added = json.loads(run(adding, tmp_path))

    assert shown == {}, "every text that the page shows was compared"
    assert len(answers) == 40
    assert all(0 < each["probability"] < 1 for each in answers)
    assert not any(each["is_history_missing"] for each in answers)
    opened = {each["decision_id"]: each["type"] for each in events}
    assert {*opened.values()} == {"tidegate.case.opened"}
    assert {*opened} <= {each["decision_id"] for each in answers}
    assert (added["accepted"], added["not_scored"], added["errors"]) == (1, [], [])


def events_read(command: str, folder: Path) -> list[dict[str, Any]]:
    """The events, once there are some: cases are opened a moment after the answers."""
    until = time.monotonic() + 30
    events: list[dict[str, Any]] = []
    while not events and time.monotonic() < until:
        events = json.loads(run(command, folder))["events"]
    return events
