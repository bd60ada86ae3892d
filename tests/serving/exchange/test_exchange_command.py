"""`tidegate exchange`: administrators approve partners, officers send, and another approves."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from features.errors import TidegateError
from serving.cli.main import app
from tests.serving.exchange.exchanged import DETAILS

PUBLIC_KEY = "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"
TERMS = "--kind container --kind vessel --marking amber --purpose risk_assessment"


def run(line: str, home: Path, *more: str) -> Any:
    """What a command prints as JSON; its error is raised as it is."""
    arguments = ["exchange", *line.split(), *more, "--home", str(home), "--json"]
    result = CliRunner().invoke(app, arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def joined(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    assert run("join north --by Ada", home)["name"] == "north"
    run(f"partner south --public-key {PUBLIC_KEY} {TERMS} --by Ada", home)
    return home


def made(home: Path, kind: str) -> Any:
    file = home.parent / "details.json"
    file.write_text(json.dumps(DETAILS[kind]))
    return run(f"make {kind} {file} --handling B2 --purpose risk_assessment", home)


def test_an_object_that_names_a_vessel_leaves_after_a_second_person_approved(joined: Path) -> None:
    vessel = made(joined, "vessel")
    assert vessel["nominal"]
    (sending,) = run(f"send {vessel['object_id']} --by Olga", joined)
    assert run("list sendings", joined) == []
    assert [each["delivery_id"] for each in run("list waiting", joined)] == [sending["delivery_id"]]

    with pytest.raises(TidegateError, match="another person"):
        run(f"approve {sending['delivery_id']} --by Olga", joined)
    run(f"approve {sending['delivery_id']} --by Paul", joined)
    (left,) = run("list sendings", joined)
    assert (left["proposed_by"], left["approved_by"]) == ("Olga", "Paul")


def test_a_recall_goes_to_all_that_got_the_object(joined: Path) -> None:
    container = made(joined, "container")
    run(f"send {container['object_id']} --to south --by Olga", joined)

    assert run(f"recall {container['object_id']} --by Olga", joined)["recipients"] == 1
    assert [each["is_recall"] for each in run("list sendings", joined)] == [False, True]
    assert run("list objects", joined)[0]["recalled_at"] is not None


def test_lists_show_no_content(joined: Path) -> None:
    made(joined, "container")

    assert "MSKU9070323" not in json.dumps(run("list objects", joined))
    assert [each["name"] for each in run("list", joined)] == ["north", "south"]


def test_an_ended_partner_gets_nothing_more(joined: Path) -> None:
    container = made(joined, "container")
    run("partner south --end --by Ada", joined)

    with pytest.raises(TidegateError, match="not-approved"):
        run(f"send {container['object_id']} --to south --by Olga", joined)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("join North --by Ada", "small letters"),
        ("join other --by Ada", "already"),
        ("partner west --by Ada", "--public-key"),
        (f"partner west --public-key {PUBLIC_KEY} --kind person --by Ada", "no kind 'person'"),
        (f"partner west --public-key {PUBLIC_KEY} --by-rule container --by Ada", "--kind too"),
        (f"partner west --public-key {PUBLIC_KEY} --marking white --by Ada", "a marking of"),
        (f"partner north --public-key {PUBLIC_KEY} --by Ada", "no partner of its own"),
        ("send infrastructure--x --by Olga", "no such object"),
    ],
)
def test_a_wrong_line_is_refused_with_what_to_do(joined: Path, line: str, says: str) -> None:
    with pytest.raises(TidegateError, match=says):
        run(line, joined)
