"""Checks of the home: its folder, keys and models."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from features.errors import TidegateError
from features.home_keys import (
    KEY_FILES,
    PUBLIC_FILES,
    SIGNING,
    has_models,
    is_blank_home,
    is_public_file_of,
    read_key,
)
from serving.models.model_pool import MODEL_NAMES, ROLES, load_role
from serving.models.slot_approvals import SlotApprovals
from serving.package_extras import CheckGrade, CheckResult
from serving.settings import Settings
from serving.storage.engine import sqlite_version

MIN_FREE_BYTES = 1 << 30


def home_folder(home: Path) -> CheckResult:
    """Check that the home is a folder in which its user can work."""
    # lexists: a dangling link is reported as such, not as a missing home.
    if not os.path.lexists(home):
        says = f"{home} is not there, or cannot be reached; `tidegate init` makes one"
        return CheckResult("home", "wrong", says)
    if not os.path.isdir(home):
        return CheckResult("home", "wrong", f"{home} is no folder")
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        return CheckResult("home", "wrong", f"user {os.getuid()} cannot read and write {home}")
    return CheckResult("home", "good", f"{home.absolute()}")


def sqlite() -> CheckResult:
    """Check for SQLite's WAL-reset bug; Tidegate's own write lock avoids it."""
    version = sqlite_version()
    is_fixed = tuple(map(int, version.split("."))) >= (3, 51, 3)
    says = "" if is_fixed else "; has the WAL-reset bug, so let nothing but tidegate write the file"
    return CheckResult("sqlite", "good" if is_fixed else "doubtful", f"{version}{says}")


def disk(home: Path, reserve_bytes: int) -> CheckResult:
    """Check that there is more disk space than the reserve for decisions."""
    free = shutil.disk_usage(home).free
    says = f"{free / 2**30:.1f} GiB free below {home}"
    if free < reserve_bytes:
        says += f"; what is left of {reserve_bytes / 2**30:.1f} GiB is kept for decisions, and "
        return CheckResult("disk", "wrong", f"{says}attachments, messages and bulk are refused")
    grade: CheckGrade = "good" if free > MIN_FREE_BYTES else "doubtful"
    return CheckResult("disk", grade, says)


def privacy(settings: Settings) -> CheckResult:
    """Check that no other user of this machine can read or lock files of the home.

    Anyone who can open a file or folder can also lock it, and so block its writers.
    """
    home, what = settings.home, "privacy"
    places = (settings.records, settings.state, home / "tidegate.db", home / "training_sets")
    open_files = [file for place in places for file in _open_to_others(place)]
    if open_files:
        some = ", ".join(map(str, open_files[:3]))
        return CheckResult(what, "wrong", f"others can read {some}; chmod -R go= {home}")
    # A home within private folders is out of reach, whatever its own mode.
    if home.stat().st_mode & 0o055 and _is_reachable(home):
        says = f"others can look into {home}, and lock it; chmod 700 {home}"
        return CheckResult(what, "doubtful", says)
    return CheckResult(what, "good", "nobody but its owner reads the home")


def _open_to_others(place: Path) -> Iterator[Path]:
    """Yield the files at or below a path that others can read."""
    if not place.exists() or not _is_reachable(place):
        return
    if place.is_dir():
        for each in sorted(place.iterdir()):
            yield from _open_to_others(each)
    elif place.stat().st_mode & 0o044:
        yield place


def _is_reachable(place: Path) -> bool:
    """Return whether others can enter every folder of the path."""
    return all(folder.stat().st_mode & 0o011 for folder in place.resolve().parents)


def keys(folder: Path, *, is_bound: bool) -> Iterator[CheckResult]:
    """Check that all keys exist and are private; if `is_bound`, a start creates none."""
    if is_blank_home(folder):
        yield CheckResult("keys", "doubtful", "not there yet; `tidegate init` makes them")
        return
    broken = list(_broken_keys(folder, is_bound=is_bound))
    yield from broken
    files = [folder / name for name in KEY_FILES.values() if name not in {b.what for b in broken}]
    for file in (*filter(Path.exists, files), *sorted(folder.rglob("data/**/*.key"))):
        name = str(file.relative_to(folder))
        is_private = not file.stat().st_mode & 0o077
        says = (
            "readable by its owner only" if is_private else f"others can read it; chmod 600 {file}"
        )
        yield CheckResult(name, "good" if is_private else "wrong", says)


def _broken_keys(folder: Path, *, is_bound: bool) -> Iterator[CheckResult]:
    """Yield faults of missing or truncated keys, and of mismatched public keys."""
    for name, file in KEY_FILES.items():
        is_needed = is_bound or (name == SIGNING and has_models(folder))
        if not (folder / file).exists() and not is_needed:
            yield CheckResult(file, "doubtful", "not there yet; the first start makes it")
            continue
        try:
            content = read_key(folder, name)
        except TidegateError as refusal:
            yield CheckResult(file, "wrong", str(refusal))
            continue
        if name in PUBLIC_FILES and not is_public_file_of(folder, name, content):
            says = f"is not the public half of {file}; put it back from the copy of HOME/keys"
            yield CheckResult(PUBLIC_FILES[name], "wrong", says)


def models(settings: Settings, approvals: SlotApprovals | None) -> Iterator[CheckResult]:
    """Check that each slot has a model that may be served, in live use with its approvals."""
    for kind, name in MODEL_NAMES.items():
        for role in ROLES:
            if not (settings.models / name / f"{role}.json").exists():
                if role == "champion":
                    yield CheckResult(
                        name, "wrong", f"no champion; run `tidegate train --subject {kind}`"
                    )
                continue
            try:
                found = load_role(
                    settings.models / name, role, settings.keys / "signing.pub", approvals
                )
            except OSError as refusal:
                says = f"{refusal.filename}: {refusal.strerror}"
                yield CheckResult(f"{name}@{role}", "wrong", says)
            except (TidegateError, ValueError) as refusal:
                yield CheckResult(f"{name}@{role}", "wrong", str(refusal))
            else:
                yield CheckResult(
                    f"{name}@{role}", "good", f"version {found.version}, checked whole"
                )
