"""Checks of the witnesses of the log."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from features.errors import TidegateError
from serving.doctor.found_database import FoundDatabase
from serving.integrity.log_check import LogCheck, WitnessReport
from serving.integrity.witnesses import FileWitness, Witness, witnesses_of
from serving.package_extras import CheckResult
from serving.settings import Settings


def witnesses(settings: Settings, found: FoundDatabase) -> Iterator[CheckResult]:
    """Check where witnesses are and whether one of them lacks checkpoints."""
    try:
        known = witnesses_of(settings)
    except TidegateError as refusal:
        yield CheckResult("witness", "wrong", str(refusal))
        return
    for each in known:
        if isinstance(each, FileWitness) and not each.path.parent.is_dir():
            yield CheckResult("witness", "wrong", f"{each.path.parent} is not there")
            return
    check = _log_check(found)
    apart = sum(_is_apart(each, settings.home) for each in known)
    doubts = [says for each in check.witnesses if (says := _lack(each, check))] if check else []
    if not apart:
        doubts.append(_NO_WITNESS if settings.witness is None else _NOT_APART)
    if check and check.verdict.foreign:
        doubts.append(f"{check.verdict.foreign} checkpoints are of another database")
    says = "; ".join(doubts) or f"{apart} apart from the log, and none is behind"
    yield CheckResult("witness", "doubtful" if doubts else "good", says)


_NO_WITNESS = (
    "checkpoints stay in the home, where whoever changes the log can change them; set "
    "TIDEGATE_WITNESS to a file on another machine"
)
_NOT_APART = "none is apart: all are on the same disk as the log they bear witness to"


def _is_apart(witness: Witness, home: Path) -> bool:
    """Return whether a witness is on another disk or machine than the home, if known."""
    if not isinstance(witness, FileWitness):
        return True
    # Another path on the same disk would be lost or changed together with the log.
    return witness.path.parent.stat().st_dev != home.stat().st_dev


def _lack(report: WitnessReport, check: LogCheck) -> str:
    """Return the fault of a witness; empty if it is fine or unknown."""
    if report.failure:
        return f"{report.name} {report.failure}"
    if report.newest is None or report.newest >= check.newest_number:
        return ""
    return f"{report.name} is behind: it has {report.newest} of {check.newest_number} checkpoints"


def _log_check(found: FoundDatabase) -> LogCheck | None:
    """Return each witness's reading of the log; None if the log cannot be opened."""
    if found.is_missing:
        return None
    # Another check reports what is wrong with the database.
    with suppress(TidegateError):
        return found.log_check
    return None
