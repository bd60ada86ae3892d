"""`tidegate doctor`: what is missing or unsafe on this machine."""

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home, Json
from serving.cli.output import print_json, results

if TYPE_CHECKING:
    from serving.installation import CheckResult

MARKS = {
    "good": "[green]good[/]    ",
    "doubtful": "[yellow]doubtful[/]",
    "wrong": "[red]wrong[/]   ",
}


def doctor(
    home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None, as_json: Json = False
) -> None:
    """Look at everything a service needs from this machine; exit 1 where something is wrong."""
    findings = list(_findings(home, database_url))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            results.print(f"{MARKS[finding.grade]}  {escape(f'{finding.what:<28} {finding.says}')}")
    if any(finding.grade == "wrong" for finding in findings):
        raise typer.Exit(1)


def _findings(home: Path, database_url: str | None) -> "Iterator[CheckResult]":
    """Of the installation first: without it, nothing that a service needs can be looked at."""
    from serving.extras import extras
    from serving.installation import CheckResult, examine_installation

    installation = list(examine_installation())
    yield from installation
    if any(each.grade == "wrong" for each in installation):
        return
    if not extras().get("serve", True):
        yield CheckResult(
            "service", "doubtful", "nothing of it is looked at without tidegate[serve]"
        )
        return
    from serving.cli.unread_variables import unread_variables
    from serving.doctor.all_checks import run_checks
    from serving.settings import settings_of

    settings = settings_of(home, database_url)
    for says in unread_variables(os.environ):
        yield CheckResult("settings", "doubtful", says)
    yield from run_checks(settings)
    yield from _registrations(settings.home)
    yield from _signed_beside_models(settings.home)


def _registrations(home: Path) -> "Iterator[CheckResult]":
    """Versions of whose trainer the home's signature says nothing, or something else."""
    from features.errors import TidegateError
    from serving.installation import CheckResult
    from training.model.model_home import ModelHome
    from training.model.model_registration import REGISTRATION

    for folder in sorted(home.glob("models/*/[0-9]*/")):
        what = f"{folder.parent.name}/{folder.name}"
        if not (folder / REGISTRATION).exists():
            why = f"nothing says who trained it: {REGISTRATION} is missing, and no seat takes it"
            yield CheckResult(what, "wrong", why)
            continue
        try:
            is_signed = bool(ModelHome(home).registration_of(folder).signature)
        except (TidegateError, OSError) as refusal:
            yield CheckResult(what, "wrong", str(refusal))
            continue
        if not is_signed:
            why = "nobody signed who trained it; it serves by a waiver of the gate approver alone"
            yield CheckResult(what, "doubtful", why)


def _signed_beside_models(home: Path) -> "Iterator[CheckResult]":
    """Waivers of gates, and canaries, that are not as the home signed them."""
    from features.errors import TidegateError
    from features.records import SUBJECT_KINDS
    from serving.installation import CheckResult
    from training.gates.canary_file import CanaryFile, file_of
    from training.gates.waiver import WAIVER, Waiver
    from training.model.model_home import ModelHome

    checks: dict[str, Callable[[bytes], object]] = {
        f"waiver of {file.parent.parent.name}/{file.parent.name}": partial(Waiver.read, file.parent)
        for file in sorted(home.glob(f"models/*/[0-9]*/{WAIVER}"))
    }
    checks |= {
        f"canaries of {kind}s": partial(CanaryFile.read, home, kind)
        for kind in SUBJECT_KINDS
        if file_of(home, kind).exists()
    }
    for what, read in checks.items():
        try:
            read(ModelHome(home).public_key)
        except (TidegateError, OSError) as refusal:
            yield CheckResult(what, "wrong", str(refusal))
