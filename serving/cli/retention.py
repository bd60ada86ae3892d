"""`tidegate retention`: masking, then erasure by destroying keys, each act with who and why."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.approved_acts import Approvals
from serving.cli.audit import write_reading
from serving.cli.database import opened_database
from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home, Json, Subject, stated_day
from serving.cli.output import messages, print_json, progress_bar

if TYPE_CHECKING:
    from serving.audit.erasure import DueForErasure, OutOfOrder
    from serving.audit.retention import Retention, WaitingErasure
    from serving.audit.retention_periods import RetentionCutoffs
    from serving.settings import Settings

retention = typer.Typer(
    help="The end of data: what is due, masking, and erasure by two persons.",
    no_args_is_help=True,
)

By = Annotated[str, typer.Option(help="Who does it.")]
Because = Annotated[str, typer.Option(help="Why, in words.")]
Proposal = Annotated[int, typer.Argument(help="The number of the proposal.")]
ClaimedBy = Annotated[str | None, typer.Option(help="Who does it. A name is enough in a trial.")]
Today = Annotated[
    str | None,
    typer.Option(
        help="The day it is (2026-11-27) by a calendar, where nothing was written for days."
    ),
]


@retention.command()
def init(home: Home = DEFAULT_HOME) -> None:
    """Lay down HOME/retention.toml, for the deployer's periods."""
    from serving.audit.retention_periods import lay_down
    from serving.settings import settings_of

    file = settings_of(home).retention
    lay_down(file)
    messages.print(f"{file}: give every period, then see `tidegate retention due`")


@retention.command()
def due(home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
    """Say what is due today, and how much of it must stay; nothing is changed."""
    opened = opened_retention(home, database_url)
    cutoffs = opened.cutoffs(_now().date())
    found = opened.due(cutoffs, _now())
    wrong = [each for each in opened.erasure.out_of_order(_now()) if not each.is_settled]
    masked = opened.acts.masked_before()
    if as_json:
        print_json(
            {
                "before": asdict(cutoffs),
                "due": asdict(found),
                "masked_before": masked or None,
                "out_of_order": [asdict(each) for each in wrong],
            }
        )
        return
    messages.print(f"masked: decisions before {masked or 'no day'}; due: before {cutoffs.mask}")
    messages.print(_extent(cutoffs, found))
    messages.print(
        f"of the decisions must stay: {found.open_cases:,} with open cases, {found.frozen:,} "
        f"frozen with incidents, {found.held:,} held, {found.out_of_order:,} out of order"
    )
    for each in wrong:
        messages.print(f"out of order: {each}", markup=False)
    if wrong:
        messages.print(
            "they are neither masked nor erased until two persons agree that the clock was wrong: "
            "see `tidegate retention overrule --help`"
        )
    if found.in_the_clear:
        messages.print(
            f"{found.in_the_clear:,} more were kept in the clear by an older release, and have no "
            "key to destroy"
        )


@retention.command()
def mask(
    by: By,
    because: Because,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
    correct: Annotated[
        bool,
        typer.Option("--correct", help="Take back what a wrong clock masked before its time."),
    ] = False,
    today: Today = None,
) -> None:
    """Mask decisions whose first period is over: ids give way to short names, texts to none."""
    opened = opened_retention(home, database_url, today)
    before = opened.mask(by, because, _now(), is_correction=correct)
    if as_json:
        print_json({"masked_before": before})
    messages.print(f"decisions before {before} are masked, within a minute in every process")


@retention.command()
def propose(
    by: By,
    because: Because,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
    today: Today = None,
) -> None:
    """Propose to erase what is over today; another person then runs `erase` with its number."""
    opened = opened_retention(home, database_url, today)
    number = opened.propose(by, because, _now())
    _print_number("proposal", number, as_json=as_json)
    cutoffs = opened.cutoffs(_now().date())
    messages.print(_extent(cutoffs, opened.due(cutoffs, _now())))
    messages.print(f"another person may follow: tidegate retention erase {number} --by …")


@retention.command()
def erase(
    proposal: Proposal,
    because: Because,
    by: ClaimedBy = None,
    approval_file: Approvals = None,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
    today: Today = None,
) -> None:
    """Agree to what another proposed; run again after the days of waiting, erase it.

    In live use two persons agree to it (`tidegate approvals`), once. Its keys are destroyed, and
    all that is left beside. A service over a file must be stopped meanwhile; workers over
    PostgreSQL go on, and are best started again afterwards. What it says is signed, in
    HOME/erasures. HOME/retention.toml sets the days (`[erasure] wait_days`).
    """
    from serving.settings import settings_of
    from serving.storage.write_lock import hold_for_service

    settings = settings_of(home, database_url)
    where = settings.database
    service_lock = hold_for_service(where) if isinstance(where, Path) else None
    try:  # nobody's approval is used up while a service keeps from what it is for
        by = _two_for(proposal, settings, by, approval_file or [])
        done = opened_retention(home, database_url, today).erase(proposal, by, because, _now())
    finally:
        if service_lock:
            service_lock.close()
    if not isinstance(done, Path):
        _print_waiting(done, as_json=as_json)
        return
    if as_json:
        import json

        print_json(json.loads(done.read_text()))
    messages.print(f"erased; the certificate: {done}")
    messages.print("copies of HOME/keys made before now bring back what was erased: replace them")


@retention.command()
def cancel(
    proposal: Proposal,
    by: By,
    because: Because,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
) -> None:
    """Cancel a proposal that was not carried out yet."""
    opened_retention(home, database_url).cancel(proposal, by, because, _now())
    messages.print(f"proposal {proposal} is cancelled; nothing was erased")


def _print_waiting(waiting: "WaitingErasure", *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(waiting))
    messages.print(_extent(waiting.cutoffs, waiting.due))
    number = waiting.proposal
    messages.print(
        f"nothing is erased yet: from {waiting.erases_from} on (UTC), run "
        f"`tidegate retention erase {number} --by … --because …` again; until then, anyone may "
        f"`tidegate retention cancel {number} --by … --because …`"
    )


@retention.command()
def hold(
    subject: Annotated[Subject, typer.Argument(help="What is held.")],
    subject_id: Annotated[str, typer.Argument(help="Its id.")],
    by: By,
    because: Because,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Keep all there is on a subject, unmasked, until the hold is lifted."""
    opened = opened_retention(home, database_url)
    number = opened.hold(subject.value, subject_id, by, because, _now())
    _print_number("hold", number, as_json=as_json)
    messages.print(f"to end it: tidegate retention lift {number} --by …")


@retention.command()
def lift(
    number: Annotated[int, typer.Argument(help="The number of the hold.")],
    because: Because,
    by: ClaimedBy = None,
    approval_file: Approvals = None,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
) -> None:
    """End a hold: what it kept may be masked and erased again.

    In live use two persons agree to it (`tidegate approvals`): an erasure that others agreed to
    before would take with it what was evidence until now.
    """
    from serving.settings import settings_of

    name = _lifting(number, settings_of(home, database_url), by, approval_file or [])
    opened_retention(home, database_url).lift(number, name, because, _now())
    messages.print(f"hold {number} is lifted")


@retention.command()
def overrule(
    today: Annotated[
        str, typer.Option(help="The day it is (2026-11-27) by a calendar, and by the clock.")
    ],
    because: Because,
    by: ClaimedBy = None,
    approval_file: Approvals = None,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Say that the clock was wrong: ahead of today for newest entries, or out of order.

    Newest entries that are dated after today keep nobody from masking and erasing any more; every
    other entry does. The period of what is out of order (`tidegate retention due` lists it) counts
    from the entry before it. In live use two persons agree to it (`tidegate approvals`), since by a
    clock that is set back an erasure would wait for fewer days than it should.
    """
    from serving.settings import settings_of

    opened, now = opened_retention(home, database_url, today), _now()
    wrong = [each for each in opened.erasure.out_of_order(now) if not each.is_settled]
    later = opened.clock.dated_later(now, may_be_none=bool(wrong))
    settings = settings_of(home, database_url)
    name = _overruling(today, (later, wrong), settings, by, approval_file or [])
    number = opened.overrule(later, name, because, now)
    for what, at in later.items():
        messages.print(f"the newest {what}, dated {at:%Y-%m-%d %H:%M}, says nothing of the time")
    for each in wrong:
        messages.print(f"{each}: counts from {each.counts_from[:10]}", markup=False)
    _print_number("act", number, as_json=as_json)


@retention.command()
def acts(
    home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None, as_json: Json = False
) -> None:
    """Every act so far: who, when and why."""
    write_reading("read", "retention_acts", home=home, database_url=database_url)
    acts = opened_retention(home, database_url).acts.all()
    if as_json:
        print_json([asdict(act) for act in acts])
        return
    for act in acts:
        typer.echo(f"{act.number:>5}  {act.at[:16]}  {act.action:<8} {act.by}: {act.because}")
        said = ", ".join(f"{name} {value}" for name, value in act.details.items() if name != "due")
        typer.echo(f"{'':>24}{said}")


def _extent(cutoffs: "RetentionCutoffs", found: "DueForErasure") -> str:
    """How much an erasure would end, and before which days."""
    return (
        f"to erase: {found.decisions:,} decisions before {cutoffs.decisions}, "
        f"{found.records:,} records before {cutoffs.records}, files before {cutoffs.files}"
        + (f", {found.accounts:,} sealed accounts of cases" if found.accounts else "")
    )


def _two_for(number: int, settings: "Settings", by: str | None, files: list[Path]) -> str:
    """Who erases: by name in a trial, by two persons' approvals in live use."""
    from serving.access.actors import Actor
    from serving.audit.retention import no_proposal
    from serving.cli.approved_acts import act_of_erasure, live_use
    from training.model.model_home import ModelHome

    live = live_use(settings, is_signed=bool(files))
    if live is None:
        return _claimed(by, "want --by, who erases")
    proposals = {act.number: act for act in live.retention_acts.all("propose")}
    if number not in proposals:
        raise no_proposal(number, proposals)
    act = act_of_erasure(proposals[number], ModelHome(settings.home).public_key)
    done = live.retention_acts.all("agree", "erase")
    if number in {each.details["proposal"] for each in done}:  # this run carries it out
        return by or Actor.from_command_line().identity
    return live.used_up(act, files, by).approver


def _lifting(number: int, settings: "Settings", by: str | None, files: list[Path]) -> str:
    """Who lifts a hold: by name in a trial, by two persons' approvals in live use."""
    from serving.audit.errors import RetentionRefused
    from serving.cli.approved_acts import act_of_lifting, live_use
    from training.model.model_home import ModelHome

    live = live_use(settings, is_signed=bool(files))
    if live is None:
        return _claimed(by, "want --by, who lifts it")
    holds = {act.number: act for act in live.retention_acts.holds()}
    if number not in holds:
        raise RetentionRefused(f"there is no hold {number}; `tidegate retention acts` has them")
    act = act_of_lifting(holds[number], ModelHome(settings.home).public_key)
    return live.used_up(act, files, by).approver


def _overruling(
    today: str,
    entries: "tuple[Mapping[str, datetime], list[OutOfOrder]]",
    settings: "Settings",
    by: str | None,
    files: list[Path],
) -> str:
    """Who overrules entries: by name in a trial, by two persons' approvals in live use."""
    from serving.cli.approved_acts import act_of_overruling, live_use
    from training.model.model_home import ModelHome

    live = live_use(settings, is_signed=bool(files))
    if live is None:
        return _claimed(by, "want --by, who overrules them")
    later, wrong = entries
    act = act_of_overruling(stated_day(today), later, ModelHome(settings.home).public_key, wrong)
    return live.used_up(act, files, by).approver


def _claimed(by: str | None, want: str) -> str:
    """The name that is enough in a trial."""
    if by is None:
        raise typer.BadParameter(want)
    return by


def _print_number(name: str, number: int, *, as_json: bool) -> None:
    """The number of an act on stdout, alone or as JSON."""
    if as_json:
        print_json({name: number})
    else:
        typer.echo(str(number))


def opened_retention(home: Path, database_url: str | None, today: str | None = None) -> "Retention":
    """What ends the data of a home; `today` is the day that a person says it is."""
    from serving.audit.retention import Retention
    from serving.history.client import rebuild_history
    from serving.settings import settings_of
    from serving.storage.keys.key_destruction import DatabaseErasure
    from serving.storage.newest_instants import clock_check
    from serving.storage.postgres_state import shared_state
    from serving.storage.repositories.decision_repository import DecisionRepository
    from serving.storage.repositories.record_repository import RecordRepository
    from serving.storage.repositories.retention_repository import RetentionRepository

    settings = settings_of(home, database_url)
    engine = opened_database(settings, may_create=False)

    def remake_state() -> None:
        shared = shared_state(engine)
        if shared is None and not settings.state.exists():
            return
        with progress_bar("the online feature store") as progress:
            log, records = DecisionRepository(engine), RecordRepository(engine)
            rebuild_history(settings, log, records, shared, progress=progress)

    return Retention(
        settings,
        DatabaseErasure(engine),
        RetentionRepository(engine),
        remake_state,
        clock_check(engine, settings, stated_day(today) if today else None),
    )


def _now() -> datetime:
    return datetime.now(UTC)
