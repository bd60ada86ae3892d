"""Erasure of sealed accounts: what was written in the clear for a court ends with its decision.

The recipient's copy is the recipient's. Who needs one to stay in the home holds its subject.
"""

import json
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from features.atomic_dir import flush_folder

ACCOUNT = "account.json"
# In place of a case: its signature proves nothing any more, and it may be anybody's.
UNREADABLE = "unreadable"


def accounts_by_case(folder: Path) -> dict[str, list[Path]]:
    """The folders of the accounts below a folder, by the case that each is of, or UNREADABLE."""
    found: dict[str, list[Path]] = {}
    for file in sorted(folder.rglob(ACCOUNT)):
        found.setdefault(_case_of(file), []).append(file.parent)
    return found


def erase_accounts(folder: Path, erased: Collection[str]) -> dict[str, int]:
    """Delete the accounts of erased cases and those that nobody can read; how many, by case."""
    gone = {}
    for case_id, accounts in accounts_by_case(folder).items():
        if case_id == UNREADABLE or case_id in erased:
            gone[f"{folder.name}/{case_id}"] = len(accounts)
            for account in accounts:
                _delete(account)
    return gone


def _case_of(file: Path) -> str:
    try:
        return str(json.loads(file.read_bytes())["sealed"]["case_id"])
    except (ValueError, KeyError, TypeError):
        return UNREADABLE


def _delete(account: Path) -> None:
    """The file last by which the next run would find what a killed one left."""
    for file in [*account.iterdir()]:
        if file.is_file() and file.name != ACCOUNT:
            file.unlink()
    flush_folder(account)
    (account / ACCOUNT).unlink()
    flush_folder(account)
    with suppress(OSError):  # somebody's folders are in it
        account.rmdir()
