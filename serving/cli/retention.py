"""`tidegate retention`: masking, and erasure by destroying keys, each with person and reason."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.approved_acts import Approvals
from serving.cli.opened_home import CommandOutput, OpenedHome, on_existing_home
from serving.cli.options import Subject, stated_day
from serving.cli.output import progress_bar

if TYPE_CHECKING:
    from serving.audit.erasure import DueForErasure, OutOfOrder
    from serving.audit.retention import Retention, WaitingErasure
    from serving.audit.retention_periods import RetentionCutoffs

retention = typer.Typer(
    help="The end of data: what is due, masking, holds, and erasure by two persons.",
    no_args_is_help=True,
)

By = Annotated[str | None, typer.Option(help="Who does it. A name is enough in a trial.")]
Because = Annotated[str, typer.Option(help="Why, in words.")]
Today = Annotated[
    str | None,
    typer.Option(
        help="The day it is (2026-11-27) by a calendar, where nothing was written for days."
    ),
]


@retention.command()
@on_existing_home
def due(
    at: OpenedHome,
    acts: Annotated[
        bool, typer.Option("--acts", help="List every act so far instead: who, when and why.")
    ] = False,
) -> CommandOutput:
    """Show what is due today, and how much of it must stay; nothing is changed."""
    if acts:
        return _acts(at)
    opened = opened_retention(at)
    cutoffs = opened.cutoffs(at.now.date())
    found = opened.due(cutoffs, at.now)
    wrong = [each for each in opened.erasure.out_of_order(at.now) if not each.is_settled]
    masked = opened.acts.masked_before()
    document = {
        "before": asdict(cutoffs),
        "due": asdict(found),
        "masked_before": masked or None,
        "out_of_order": [asdict(each) for each in wrong],
    }
    if at.as_json:
        return CommandOutput(document)
    notes = [
        f"masked: decisions before {masked or 'no day'}; due: before {cutoffs.mask}",
        _extent(cutoffs, found),
        f"of the decisions must stay: {found.open_cases:,} with open cases, {found.frozen:,} "
        f"frozen with incidents, {found.held:,} held, {found.out_of_order:,} out of order",
        *(f"out of order: {each}" for each in wrong),
    ]
    if wrong:
        notes.append(
            "they are neither masked nor erased until two persons agree that the clock was wrong: "
            "see `tidegate retention overrule --help`"
        )
    return CommandOutput(document, (), notes)


def _acts(at: OpenedHome) -> CommandOutput:
    at.record_reading("read", "retention_acts")
    acts = opened_retention(at).acts.all()
    lines = []
    for act in acts:
        lines.append(f"{act.number:>5}  {act.at[:16]}  {act.action:<8} {act.by}: {act.because}")
        facts = ", ".join(f"{name} {value}" for name, value in act.details.items() if name != "due")
        lines.append(f"{'':>24}{facts}")
    return CommandOutput([asdict(act) for act in acts], lines)


@retention.command()
@on_existing_home
def mask(
    at: OpenedHome,
    by: Annotated[str, typer.Option(help="Who does it.")],
    because: Because,
    correct: Annotated[
        bool,
        typer.Option("--correct", help="Take back what a wrong clock masked before its time."),
    ] = False,
    today: Today = None,
) -> CommandOutput:
    """Mask decisions whose first period is over: ids give way to short names, texts to none."""
    before = opened_retention(at, today).mask(by, because, at.now, is_correction=correct)
    says = f"decisions before {before} are masked, within a minute in every process"
    return CommandOutput({"masked_before": before}, (), (says,))


@retention.command()
@on_existing_home
def erase(
    at: OpenedHome,
    because: Because,
    proposal: Annotated[
        int | None, typer.Argument(help="The number of a proposal to agree to; proposes without.")
    ] = None,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Cancel the proposal, which nobody carried out yet.")
    ] = False,
    by: By = None,
    approval_file: Approvals = None,
    today: Today = None,
) -> CommandOutput:
    """Propose to erase what is over today; with a number, agree to what another person proposed.

    Run again after the days of waiting (`[erasure] wait_days` of HOME/retention.toml), it erases.
    In live use two persons agree to it (`tidegate approvals`), once. Its keys are destroyed, and
    all that is left in files. A service over a file must be stopped meanwhile; workers over
    PostgreSQL go on, and are best started again afterwards. The certificate is signed, in
    HOME/erasures.
    """
    if proposal is None:
        if cancel:
            raise typer.BadParameter("want the number of a proposal with --cancel")
        return _propose(at, _name(by), because, today)
    if cancel:
        opened_retention(at).cancel(proposal, _name(by), because, at.now)
        says = f"proposal {proposal} is cancelled; nothing was erased"
        return CommandOutput.note(says, cancelled=proposal)
    return _erase(at, proposal, because, by, approval_file or [], today)


def _propose(at: OpenedHome, by: str, because: str, today: str | None) -> CommandOutput:
    opened = opened_retention(at, today)
    number = opened.propose(by, because, at.now)
    cutoffs = opened.cutoffs(at.now.date())
    notes = (
        _extent(cutoffs, opened.due(cutoffs, at.now)),
        f"another person may follow: tidegate retention erase {number} --by …",
    )
    return CommandOutput({"proposal": number}, (str(number),), notes)


def _erase(
    at: OpenedHome, number: int, because: str, by: str | None, files: list[Path], today: str | None
) -> CommandOutput:
    from serving.storage.write_lock import hold_for_service

    where = at.settings.database
    # Take the lock before the approval is used up: a running service would prevent the act.
    service_lock = hold_for_service(where) if isinstance(where, Path) else None
    try:
        by = _erasing(at, number, by, files)
        done = opened_retention(at, today).erase(number, by, because, at.now)
    finally:
        if service_lock:
            service_lock.close()
    if not isinstance(done, Path):
        return _waiting(done)
    notes = (
        f"erased; the certificate: {done}",
        "copies of HOME/keys made before now bring back what was erased: replace them",
    )
    return CommandOutput(json.loads(done.read_text()), (), notes)


def _waiting(waiting: "WaitingErasure") -> CommandOutput:
    number = waiting.proposal
    notes = (
        _extent(waiting.cutoffs, waiting.due),
        f"nothing is erased yet: from {waiting.erases_from} on (UTC), run "
        f"`tidegate retention erase {number} --by … --because …` again; until then, anyone may "
        f"`tidegate retention erase {number} --cancel --by … --because …`",
    )
    return CommandOutput(asdict(waiting), (), notes)


@retention.command()
@on_existing_home
def hold(
    at: OpenedHome,
    because: Because,
    subject: Annotated[Subject | None, typer.Argument(help="What is held.")] = None,
    subject_id: Annotated[str | None, typer.Argument(help="Its id.")] = None,
    lift: Annotated[
        int | None, typer.Option(min=1, help="End the hold of this number instead.")
    ] = None,
    by: By = None,
    approval_file: Approvals = None,
) -> CommandOutput:
    """Keep all there is on a subject, unmasked, until the hold is lifted.

    In live use two persons agree to lift it (`tidegate approvals`): an erasure that others agreed
    to before would take with it what was evidence until now.
    """
    if (lift is None) == (subject is None):
        raise typer.BadParameter("want a subject and its id, or --lift with the number of a hold")
    if lift is not None:
        name = _lifting(at, lift, by, approval_file or [])
        opened_retention(at).lift(lift, name, because, at.now)
        return CommandOutput.note(f"hold {lift} is lifted", lifted=lift)
    if subject is None or subject_id is None:
        raise typer.BadParameter("want the id of what is held")
    number = opened_retention(at).hold(subject.value, subject_id, _name(by), because, at.now)
    says = f"to end it: tidegate retention hold --lift {number} --by …"
    return CommandOutput({"hold": number}, (str(number),), (says,))


@retention.command()
@on_existing_home
def overrule(
    at: OpenedHome,
    today: Annotated[
        str, typer.Option(help="The day it is (2026-11-27) by a calendar, and by the clock.")
    ],
    because: Because,
    by: By = None,
    approval_file: Approvals = None,
) -> CommandOutput:
    """State that the clock was wrong: ahead of today for newest entries, or out of order.

    Newest entries that are dated after today keep nobody from masking and erasing any more; every
    other entry does. The period of what is out of order (`tidegate retention due` lists it) counts
    from the entry before it. In live use two persons agree to it (`tidegate approvals`), since by a
    clock that is set back an erasure would wait for fewer days than it should.
    """
    opened = opened_retention(at, today)
    wrong = [each for each in opened.erasure.out_of_order(at.now) if not each.is_settled]
    later = opened.clock.dated_later(at.now, may_be_none=bool(wrong))
    name = _overruling(at, today, later, wrong, by, approval_file or [])
    number = opened.overrule(later, name, because, at.now)
    notes = [
        f"the newest {what}, dated {dated:%Y-%m-%d %H:%M}, does not count for the time"
        for what, dated in later.items()
    ]
    notes += [f"{each}: counts from {each.counts_from[:10]}" for each in wrong]
    return CommandOutput({"act": number}, (str(number),), notes)


def _extent(cutoffs: "RetentionCutoffs", found: "DueForErasure") -> str:
    """Return as text how much an erasure covers, and before which days."""
    return (
        f"to erase: {found.decisions:,} decisions before {cutoffs.decisions}, "
        f"{found.records:,} records before {cutoffs.records}, files before {cutoffs.files}"
        + (f", {found.accounts:,} sealed accounts of cases" if found.accounts else "")
    )


def _name(by: str | None) -> str:
    if by is None:
        raise typer.BadParameter("want --by, who does it")
    return by


def _erasing(at: OpenedHome, number: int, by: str | None, files: list[Path]) -> str:
    """Return who erases: by name in a trial, by two people's approvals in live use."""
    from serving.audit.retention import no_proposal
    from serving.cli.approved_acts import act_of_erasure, live_use
    from training.model.model_home import ModelHome

    live = live_use(at.settings, is_signed=bool(files))
    if live is None:
        return _name(by)
    proposals = {act.number: act for act in live.retention_acts.all("propose")}
    if number not in proposals:
        raise no_proposal(number, proposals)
    act = act_of_erasure(proposals[number], ModelHome(at.home).public_key)
    done = live.retention_acts.all("agree", "erase")
    # The approvals were used up by an earlier run, so this run only carries the erasure out.
    if number in {each.details["proposal"] for each in done}:
        return by or at.by.identity
    return live.used_up(act, files, by).approver


def _lifting(at: OpenedHome, number: int, by: str | None, files: list[Path]) -> str:
    """Return who lifts a hold: by name in a trial, by two people's approvals in live use."""
    from serving.audit.errors import RetentionRefused
    from serving.cli.approved_acts import act_of_lifting, live_use
    from training.model.model_home import ModelHome

    live = live_use(at.settings, is_signed=bool(files))
    if live is None:
        return _name(by)
    holds = {act.number: act for act in live.retention_acts.holds()}
    if number not in holds:
        raise RetentionRefused(
            f"there is no hold {number}; `tidegate retention due --acts` has them"
        )
    act = act_of_lifting(holds[number], ModelHome(at.home).public_key)
    return live.used_up(act, files, by).approver


def _overruling(
    at: OpenedHome,
    today: str,
    later: Mapping[str, datetime],
    wrong: "list[OutOfOrder]",
    by: str | None,
    files: list[Path],
) -> str:
    """Return who overrules entries: by name in a trial, by two people in live use."""
    from serving.cli.approved_acts import act_of_overruling, live_use
    from training.model.model_home import ModelHome

    live = live_use(at.settings, is_signed=bool(files))
    if live is None:
        return _name(by)
    act = act_of_overruling(stated_day(today), later, ModelHome(at.home).public_key, wrong)
    return live.used_up(act, files, by).approver


def opened_retention(at: OpenedHome, today: str | None = None) -> "Retention":
    """Return the retention of a home; `today` is the day stated by a person."""
    from serving.audit.retention import Retention
    from serving.storage.keys.key_destruction import DatabaseErasure
    from serving.storage.newest_instants import clock_check

    return Retention(
        at.settings,
        DatabaseErasure(at.engine),
        at.stores.retention_acts,
        lambda: _remake_state(at),
        clock_check(at.engine, at.settings, stated_day(today) if today else None),
    )


def _remake_state(at: OpenedHome) -> None:
    """Rebuild the online feature store without the erased data."""
    from serving.history.client import rebuild_history

    shared = at.stores.online_store
    if shared is None and not at.settings.state.exists():
        return
    with progress_bar("the online feature store") as progress:
        decisions, records = at.stores.decisions, at.stores.records
        rebuild_history(at.settings, decisions, records, shared, progress=progress)
