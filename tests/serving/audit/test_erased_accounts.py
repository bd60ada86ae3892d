"""Sealed accounts end with their decisions, whatever folder of HOME/accounts they are in."""

import json
from pathlib import Path

import pytest

from serving.audit.erased_accounts import ACCOUNT, accounts_by_case, erase_accounts


@pytest.fixture
def accounts(tmp_path: Path) -> Path:
    """Accounts of three cases, one of which has two."""
    for name, case_id in (("1", "d-1"), ("2026/again", "d-1"), ("2", "d-2"), ("2/3", "d-3")):
        write(tmp_path / "accounts" / name, json.dumps({"sealed": {"case_id": case_id}}))
    return tmp_path / "accounts"


def write(folder: Path, account: str) -> None:
    folder.mkdir(parents=True)
    for name, content in ((ACCOUNT, account), ("account.md", "words")):
        (folder / name).write_text(content)


def test_all_accounts_of_an_erased_case_go_and_no_file_of_another(accounts: Path) -> None:
    assert erase_accounts(accounts, {"d-1", "d-2"}) == {"accounts/d-1": 2, "accounts/d-2": 1}

    left = sorted(str(file.relative_to(accounts)) for file in accounts.rglob("*.*"))
    assert left == ["2/3/account.json", "2/3/account.md"]
    assert erase_accounts(accounts, {"d-1", "d-2"}) == {}


@pytest.mark.parametrize("content", ["", "[]", "{}", "{", '{"sealed": "d-3"}'])
def test_an_account_that_nobody_can_read_goes_with_the_first_erasure(
    accounts: Path, content: str
) -> None:
    (accounts / "1" / ACCOUNT).write_text(content)

    assert erase_accounts(accounts, set()) == {"accounts/unreadable": 1}
    assert accounts_by_case(accounts).keys() == {"d-1", "d-2", "d-3"}


@pytest.mark.parametrize("deleted_before", [0, 1])
def test_what_a_killed_run_left_of_an_account_is_found_by_the_next(
    accounts: Path, monkeypatch: pytest.MonkeyPatch, deleted_before: int
) -> None:
    delete, turns = Path.unlink, iter(range(deleted_before))

    def delete_until_killed(file: Path) -> None:
        next(turns)
        delete(file)

    with monkeypatch.context() as killed:
        killed.setattr(Path, "unlink", delete_until_killed)
        with pytest.raises(StopIteration):
            erase_accounts(accounts, {"d-3"})

    assert erase_accounts(accounts, {"d-3"}) == {"accounts/d-3": 1}
    assert not (accounts / "2" / "3").exists()


def test_a_home_without_accounts_has_none_to_erase(tmp_path: Path) -> None:
    assert erase_accounts(tmp_path / "accounts", {"d-1"}) == {}
