"""Erasure of sealed disclosures: clear text written for a court ends with its decision.

The recipient's copy belongs to the recipient. To keep one in the home, place a hold on its subject.
"""

import json
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from features.atomic_dir import flush_folder

ACCOUNT = "account.json"
# In place of a case id: a file that cannot be read proves nothing and may concern anybody.
UNREADABLE = "unreadable"


def accounts_by_case(folder: Path) -> dict[str, list[Path]]:
    """Return the folders of disclosures below a folder by case, or under UNREADABLE."""
    found: dict[str, list[Path]] = {}
    for file in sorted(folder.rglob(ACCOUNT)):
        found.setdefault(_case_of(file), []).append(file.parent)
    return found


def erase_accounts(folder: Path, erased: Collection[str]) -> dict[str, int]:
    """Delete disclosures of erased cases and unreadable ones; return how many, by case."""
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
    """Delete a disclosure's files, last the one by which an interrupted run is found again."""
    for file in [*account.iterdir()]:
        if file.is_file() and file.name != ACCOUNT:
            # The deletions must reach the disk in this order.
            file.unlink()
    flush_folder(account)
    (account / ACCOUNT).unlink()
    flush_folder(account)
    # Other people's files may be in the folder.
    with suppress(OSError):
        account.rmdir()
