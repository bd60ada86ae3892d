"""`tidegate demo`: the whole product once, from an invented world to an explained score."""

import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.errors import TidegateError
from features.records import SUBJECT_KINDS, SubjectKind
from serving.cli.demo_service import Client, served_apart
from serving.cli.opened_home import opened_database
from serving.cli.options import DEFAULT_HOME, Home, Subject
from serving.cli.output import messages, progress_bar
from serving.extras import require
from serving.process.shutdown import STOPPED, ending_at_once, exit_on_signal

if TYPE_CHECKING:
    from features.submission import Submission
    from serving.cli.demo_later_records import Sent
    from serving.cli.demo_world import OfficesById
    from serving.storage.repositories.decision_repository import DecisionRepository

# Serves a home on a port by a clock, for the duration of a `with` block.
Serve = Callable[[Path, int, Callable[[], datetime]], AbstractContextManager[Client]]

# A year to learn from, and half a year before it, so that parties are known on its first day.
DAYS, HISTORY_DAYS, SEED = 365, 180, 7
MONTH = timedelta(days=30)
# The last day of the world is not in the record files; it arrives as live traffic.
LIVE_DAYS = 1

# Of each kind; fewer give too few cases to show each act on one.
SCORED_AT_ONCE = 80

# Maximum wait for subjects to be scored again.
MAX_WAIT_S = 20

# With fewer journeys, too few are smuggling for the gates to decide.
MIN_JOURNEYS = 60_000
# With the usual fifth for each of them, calibration and evaluation would see too few finds.
FIT_SHARE, CALIBRATION_SHARE = 0.5, 0.25

# Closing the terminal must end the service too.
HUNG_UP: dict[int, int] = {signal.SIGHUP: 128 + signal.SIGHUP}
TRAINER, APPROVER = "demo-trainer", "demo-approver"


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after one explained score.")] = False,
    journeys: Annotated[
        int,
        typer.Option(min=MIN_JOURNEYS, help="Size of the world: so many journeys and shipments."),
    ] = MIN_JOURNEYS,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the service.")] = 8000,
    home: Home = DEFAULT_HOME,
) -> None:
    """Invent a world, train and promote both models, serve them, score live traffic, explain."""
    require("demo")
    run_demo(home, journeys, port, is_once=once, clock=partial(datetime.now, UTC))


def run_demo(
    home: Path,
    journeys: int,
    port: int,
    *,
    is_once: bool,
    clock: Callable[[], datetime],
    serve: Serve = served_apart,
) -> None:
    """Show everything once, in a world that ends now by `clock`.

    `serve` starts the service, which must use the same clock.
    """
    from serving.cli.demo_world import later_records

    world = home / "world"
    with ending_at_once({**STOPPED, **HUNG_UP}):
        live_from, passwords = _prepare(world, home, journeys, clock)
    # From here on, a signal must not leave a service running behind.
    for number in (signal.SIGTERM, *HUNG_UP):
        # Under nohup a hang-up is ignored, and must stay so.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, exit_on_signal)
    _step(4, "Serving the champions")
    with serve(home, port, clock) as client:
        _step(5, "Scoring live traffic: the world's last day, as border systems would submit it")
        waiting = _live(world, live_from)
        at_once, to_come = waiting[: 2 * SCORED_AT_ONCE], waiting[2 * SCORED_AT_ONCE :]
        _score_and_explain(client, at_once)
        _send_later_records(client, later_records(world, at_once), home)
        typer.echo(f"\nConsole: {client.address}/console")
        _let_people_work(client, home, passwords, at_once, clock())
        typer.echo(f"API:     {client.address}/docs  (key {client.key})")
        typer.echo(f"Models:  mlflow ui --backend-store-uri sqlite:///{home / 'mlflow.db'}")
        if not is_once:
            _show_a_sequel(client, at_once, home)
            _keep_serving(client, to_come, later_records(world, to_come))


def _prepare(
    world: Path, home: Path, journeys: int, clock: Callable[[], datetime]
) -> tuple[datetime, dict[str, str]]:
    """Prepare a home for serving; return when its live traffic begins, and people's passwords.

    By then these people have worked in it for a month.
    """
    from serving.cli.demo_world import bring_up_to

    _step(1, "Inventing a world, since real smuggling data cannot be public")
    _invent(world, journeys)
    bring_up_to(world, clock())
    live_from, offices = _hold_back(world, home)
    for kind in SUBJECT_KINDS:
        _step(2, f"What is known about every {kind}, as of its declaration")
        _build(home, kind)
    for kind in SUBJECT_KINDS:
        _step(
            3, f"A model for {kind}s: trained, judged on later months, promoted through the gates"
        )
        _train_and_promote(home, kind, clock())
    return live_from, _play_month(world, home, offices, clock())


def _step(number: int, what: str) -> None:
    messages.print(f"[bold]{number}/5[/bold] {what}")


def _invent(world: Path, journeys: int) -> None:
    from synthetic.scenario import Scenario
    from synthetic.world import invent

    with progress_bar("the world") as progress:
        invent(
            world,
            scenario=Scenario(history_days=HISTORY_DAYS),
            journeys=journeys,
            days=DAYS,
            seed=SEED,
            progress=progress,
            cores=2,
        )


def _hold_back(world: Path, home: Path) -> tuple[datetime, "OfficesById"]:
    """Write the records known before the live traffic; return the played subjects' offices.

    Outcomes of these subjects are held back, because people find them during the month.
    """
    from serving.cli.demo_world import last_days_begin, offices_of_month, write_known_by

    live_from = last_days_begin(world, LIVE_DAYS)
    offices = offices_of_month(world, live_from - MONTH, live_from)
    write_known_by(world, live_from, home / "records", [*chain(*offices.values())])
    return live_from, offices


def _play_month(world: Path, home: Path, offices: "OfficesById", now: datetime) -> dict[str, str]:
    """Let people work for a month in a home without a database; return their passwords."""
    from serving.cli.demo_history import play_month
    from serving.cli.demo_world import OFFICES_OF_MONTH, month_of
    from serving.settings import settings_of

    settings = settings_of(home)
    # A database that exists has a history of its own, which must not be mixed with an invented one.
    is_first = isinstance(settings.database, Path) and not settings.database.exists()
    month = month_of(world, offices) if is_first and not settings.is_live else None
    if not month or not month.submissions:
        return {}
    messages.print(
        f"  The month before, at {OFFICES_OF_MONTH} offices: {len(month.submissions)} subjects are "
        "decided about, and people work on their cases, by a clock that starts a month ago"
    )
    return play_month(settings, month, now)


def _build(home: Path, kind: SubjectKind) -> None:
    from features.build_training_set import build_training_set

    with progress_bar(f"{kind}: features") as progress:
        build_training_set(home / "records", kind, home / "training_sets" / kind, progress)


def _train_and_promote(home: Path, kind: SubjectKind, now: datetime) -> None:
    from serving.cli.train import trained
    from training.parameters import SplitParameters, TrainingParameters

    data = home / "training_sets" / kind
    # What was declared before is history: features of it know too little of what came before.
    day_one = (now - timedelta(days=DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)
    split = SplitParameters(
        fit_from=day_one, fit_share=FIT_SHARE, calibration_share=CALIBRATION_SHARE
    )
    candidate, registration = trained(
        Subject(kind), data, TrainingParameters(split=split), home, None, TRAINER, at=now
    )
    messages.print(
        f"  version {registration.version}: {candidate.report.population_in_words}", markup=False
    )
    at = next(p for p in candidate.report.inspected.at_capacity if p.share == 0.05)
    messages.print(
        f"  Of the 5 % it ranks highest among those inspected, {at.precision.value:.0%} were "
        f"confirmed, {at.lift.value:.1f} times as many as among all of these"
    )
    _promote(f"{registration.name}@challenger", home, now)


def _promote(reference: str, home: Path, now: datetime) -> None:
    from serving.cli.promote import approved, carry_out, print_promotion
    from serving.settings import settings_of
    from training.model.model_home import ModelHome
    from training.registry.mlflow.store import TrackingStore

    models, settings, store = ModelHome(home), settings_of(home), TrackingStore.open(home, None)
    approval, _ = approved("promote", models, reference, settings, APPROVER, [], None, now)
    print_promotion(carry_out("promote", reference, models, store, settings, approval))


def _live(world: Path, since: datetime) -> list["Submission"]:
    """Return submissions of both kinds alternating, each kind in order of declaration."""
    from features.replay_submissions import submissions_of

    routes, shipments = (list(submissions_of(world, kind, since)) for kind in SUBJECT_KINDS)
    # Alternate, so that both kinds appear from the beginning.
    return [s for pair in zip(routes, shipments, strict=False) for s in pair]


def _score_and_explain(client: Client, submissions: list["Submission"]) -> None:
    from serving.cli.demo_explanation import explained

    if not submissions:
        raise TidegateError("the world's last days brought nothing to score; use more journeys")
    scored = []
    with progress_bar("live traffic") as progress:
        for done, submission in enumerate(submissions, start=1):
            scored.append((client.score(submission), submission))
            progress(done, len(submissions))
    # Rescues show no score.
    inspectable = [pair for pair in scored if pair[0]["lane"] != "rescue"]
    answer, submission = max(inspectable, key=lambda pair: pair[0]["probability"])
    typer.echo()
    typer.echo(explained(answer, f"{submission.declared_at:%Y-%m-%d %H:%M} UTC"))


def _show_a_sequel(client: Client, scored: list["Submission"], home: Path) -> None:
    """Send a document, payment, gate move and arrival of a shipment, and show its decisions."""
    from serving.cli.demo_later_records import decisions_in_words, in_words, invented_sequel

    shipments = [one for one in scored if one.subject_kind == "shipment"]
    if not shipments:
        return
    # The earliest one has had the most time for later records.
    first = min(shipments, key=lambda one: one.declared_at)
    sequel = invented_sequel(first)
    log = _decision_log(home)
    known = log.size()
    client.send(sequel)
    _wait_for_decisions(log, known)
    typer.echo(
        f"\nInvented for this demonstration, of shipment {first.subject_id}: {in_words(sequel)}."
    )
    for line in decisions_in_words(log.records(), first.subject_id):
        typer.echo(f"  {line}")


def _send_later_records(client: Client, known: "Sent", home: Path) -> None:
    """Send later records of the scored subjects, and show which were scored again."""
    from serving.cli.demo_later_records import change_in_words, in_words, most_changed

    if not known:
        return
    client.send(known)
    log = _decision_log(home)
    typer.echo(
        f"\nAfter the declarations of these subjects became known: {in_words(known)}.\n"
        f"{_scored_again(log)} subjects were scored again for them so far."
    )
    if changed := most_changed(log.records()):
        typer.echo("The one that changed most:")
        for line in change_in_words(*changed):
            typer.echo(f"  {line}")


def _let_people_work(
    client: Client,
    home: Path,
    made: dict[str, str],
    submissions: list["Submission"],
    now: datetime,
) -> None:
    """Show an account for each role, and let these people work on cases, except in live use.

    `made` has the passwords of those who worked in the preceding month.
    """
    from serving.cli.demo_people import accounts_in_words, make_accounts, work_on_cases
    from serving.storage.repositories.account_repository import AccountRepository
    from serving.storage.repositories.approval_repository import ApprovalRepository
    from serving.storage.repositories.case_repository import CaseRepository
    from serving.storage.repositories.team_repository import TeamRepository

    engine = _database(home)
    passwords = made | make_accounts(AccountRepository(engine), now)
    typer.echo("\n".join(accounts_in_words(passwords, home)))
    # Invented people must never act on real cases.
    if ApprovalRepository(engine).is_live_use():
        return
    cases, teams = CaseRepository(engine), TeamRepository(engine)
    if worked_on := work_on_cases(client.address, passwords, cases, teams, submissions, now):
        names = " and ".join(team.name for team in teams.all())
        typer.echo(f"  They have worked on {worked_on} cases; the others are yours.")
        typer.echo(f"  Some of them are in two teams, each with an inbox: {names}.")


def _decision_log(home: Path) -> "DecisionRepository":
    from serving.storage.repositories.decision_repository import DecisionRepository

    return DecisionRepository(_database(home))


def _database(home: Path) -> Any:
    from serving.settings import settings_of

    settings = settings_of(home)
    return opened_database(settings)


def _scored_again(log: "DecisionRepository") -> int:
    """Return the number of subjects scored again, once it no longer grows."""
    ends, before, found = time.monotonic() + MAX_WAIT_S, -1, 0
    # Subjects are scored again in the background, so wait until the number is stable.
    while time.monotonic() < ends and (found == 0 or found != before):
        time.sleep(2)
        before, found = found, log.count_scored_again()
    return found


def _wait_for_decisions(log: "DecisionRepository", known: int) -> None:
    """Wait until there are new decisions and no more follow."""
    ends, before, found = time.monotonic() + MAX_WAIT_S, known, known
    while time.monotonic() < ends and (found == known or found != before):
        time.sleep(2)
        before, found = found, log.size()


def _keep_serving(client: Client, waiting: list["Submission"], later: "Sent") -> None:
    """Send a subject every ten seconds, and serve until interrupted.

    Later records of these subjects follow after the last of them.
    """
    from serving.cli.demo_later_records import in_words

    messages.print("Traffic keeps arriving; Ctrl-C ends the demonstration.")
    try:
        for submission in waiting:
            client.score(submission)
            time.sleep(10)
        if later:
            client.send(later)
            messages.print(f"  became known: {in_words(later)}")
        messages.print("All that was declared by now has arrived; the service goes on.")
        while True:
            time.sleep(60)
    except KeyboardInterrupt:
        messages.print("Done. `tidegate serve` starts the service again at once.")
