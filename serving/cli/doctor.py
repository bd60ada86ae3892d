"""`tidegate doctor`: checks for what is missing or unsafe on this machine."""

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from serving.cli.init import HomeFile, path_of
from serving.cli.opened_home import CommandOutput, OpenedHome, on_home
from serving.cli.output import results

if TYPE_CHECKING:
    from serving.package_extras import CheckResult

MARKS = {
    "good": "[green]good[/]    ",
    "doubtful": "[yellow]doubtful[/]",
    "wrong": "[red]wrong[/]   ",
}


@on_home
def doctor(
    at: OpenedHome,
    file: Annotated[
        HomeFile | None,
        typer.Argument(help="Check HOME/FILE.toml alone; exit 1 while anything is missing in it."),
    ] = None,
) -> CommandOutput:
    """Look at everything a service needs from this machine; exit 1 where something is wrong."""
    if file is HomeFile.IMPACT:
        return _impact(at)
    if file is not None:
        return _one_file(at, file)
    findings = list(_findings(at))
    # Grades are coloured, which the lines of an output cannot be.
    if not at.as_json:
        for each in findings:
            results.print(f"{MARKS[each.grade]}  {escape(f'{each.what:<28} {each.says}')}")
    exit_code = 1 if any(finding.grade == "wrong" for finding in findings) else 0
    return CommandOutput([asdict(finding) for finding in findings], (), (), exit_code)


def _impact(at: OpenedHome) -> CommandOutput:
    from serving.audit.impact_assessment import missing_from

    file = at.settings.impact
    lacks = missing_from(file, at.now.date())
    document = {
        "file": str(file),
        "is_whole": not lacks,
        "missing": [{"field": lack.field, "reason": lack.reason} for lack in lacks],
    }
    notes = [f"{lack.field}: {lack.reason}" for lack in lacks]
    if not lacks:
        notes = [f"{file}: every question has an answer; live use may begin"]
    return CommandOutput(document, (), notes, 1 if lacks else 0)


def _one_file(at: OpenedHome, file: HomeFile) -> CommandOutput:
    """Validate one file; a refusal is raised as the command's error."""
    from serving.audit.retention_periods import Periods
    from serving.review.letters.remedies import Remedies

    path = path_of(at, file)
    if file is HomeFile.LETTERS:
        Remedies.read(path)
        says = f"{path}: whole; letters can be written"
    else:
        Periods.read(path)
        says = f"{path}: whole; see `tidegate retention due`"
    return CommandOutput.note(says, file=str(path), is_whole=True)


def _findings(at: OpenedHome) -> "Iterator[CheckResult]":
    """Yield findings; the installation comes first, because the other checks depend on it."""
    from serving.extras import extras
    from serving.package_extras import CheckResult, examine_installation

    installation = list(examine_installation())
    yield from installation
    if any(each.grade == "wrong" for each in installation):
        return
    # The checks of a service import its packages.
    if not extras().get("serve", True):
        yield CheckResult(
            "service", "doubtful", "nothing of it is looked at without tidegate[serve]"
        )
        return
    from serving.cli.unread_variables import unread_variables
    from serving.doctor.all_checks import run_checks

    # A misspelt setting would silently have its default.
    for says in unread_variables(os.environ):
        yield CheckResult("settings", "doubtful", says)
    yield from run_checks(at.settings)
    yield from _registrations(at.home)
    yield from _signed_beside_models(at.home)


def _registrations(home: Path) -> "Iterator[CheckResult]":
    """Yield versions whose trainer is not, or not validly, signed by the home's key."""
    from features.errors import TidegateError
    from serving.package_extras import CheckResult
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
    """Yield waivers and canaries whose signature by the home is not valid."""
    from features.errors import TidegateError
    from features.records import SUBJECT_KINDS
    from serving.package_extras import CheckResult
    from training.gates.canary_file import CanaryFile, canary_path
    from training.gates.waiver import WAIVER, Waiver
    from training.model.model_home import ModelHome

    checks: dict[str, Callable[[bytes], object]] = {
        f"waiver of {file.parent.parent.name}/{file.parent.name}": partial(
            Waiver.of_model, file.parent
        )
        for file in sorted(home.glob(f"models/*/[0-9]*/{WAIVER}"))
    }
    checks |= {
        f"canaries of {kind}s": partial(CanaryFile.of_home, home, kind)
        for kind in SUBJECT_KINDS
        if canary_path(home, kind).exists()
    }
    for what, read in checks.items():
        try:
            read(ModelHome(home).public_key)
        except (TidegateError, OSError) as refusal:
            yield CheckResult(what, "wrong", str(refusal))
