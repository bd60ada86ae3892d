"""Check what is missing or unsafe on this machine.

It makes no database and no key; where a home belongs to its database, what names the two to each
other in public may be put right, as by any command that opens them.
"""

import os
import shlex
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from features.engine.store.blob_store import BlobStore
from features.engine.store.lmdb_store import LmdbStore
from features.errors import TidegateError
from features.history.online_store import OnlineStore
from features.home_keys import (
    KEY_FILES,
    PUBLIC_FILES,
    SIGNING,
    has_models,
    is_blank_home,
    is_public_file_of,
    read_key,
)
from serving.access.oidc import Provider
from serving.access.published_keys import PublishedKeys
from serving.audit.errors import ClockDisagrees
from serving.audit.log_check import WAYS_ON, LogCheck, WitnessReport
from serving.audit.retention_periods import Periods
from serving.audit.witness_delivery import Witness
from serving.db.audit_verification import verify_audit_log
from serving.db.binding import HomeBinding, identity_of
from serving.db.checkpoint_check import check_by_checkpoints
from serving.db.data_keys import DataKeys
from serving.db.engine import (
    cause_of,
    connected,
    failing_as_unavailable,
    open_database,
    sqlite_version,
)
from serving.db.errors import DatabaseMissing
from serving.db.log_verification import verify_decision_log
from serving.db.newest_instants import clock_check
from serving.db.postgres_state import shared_state
from serving.db.repositories.api_key_repository import ApiKeyRepository
from serving.db.repositories.approval_repository import ApprovalRepository
from serving.db.repositories.checkpoint_repository import CheckpointRepository
from serving.db.repositories.decision_repository import DecisionRepository
from serving.db.repositories.webhook_repository import WebhookRepository
from serving.db.witnesses import FileWitness, witnesses_of
from serving.history.client import require_same_log
from serving.history.missing_history import missing_types
from serving.installation import CheckGrade, CheckResult
from serving.models.model_pool import MODEL_NAMES, ROLES, load_role
from serving.models.seat_approvals import SeatApprovals
from serving.review.remedies import Remedies
from serving.review.rescue_calls import RescueDirectory
from serving.review.rescue_centres import RescueCentres
from serving.settings import Settings

FEWEST_FREE_BYTES = 1 << 30
NOT_MANY_RECORDS = 20_000
"""A log of so many decisions is proved on the way; a longer one by verify-log."""


def run_checks(settings: Settings, now: datetime | None = None) -> Iterator[CheckResult]:
    """Check everything a service needs from its machine; the reader decides what to do.

    `now` is what the clock says, that of the machine without.
    """
    yield _sqlite()
    home = _home(settings.home)
    yield home
    if home.grade == "wrong":
        return
    yield _disk(settings.home)
    yield _privacy(settings)
    for what, check in _checks(settings, now or datetime.now(UTC)).items():
        try:
            yield from check()
        except OSError as error:
            yield CheckResult(what, "wrong", f"{error.filename}: {error.strerror}")


def _checks(settings: Settings, now: datetime) -> dict[str, Callable[[], Iterable[CheckResult]]]:
    """The checks of a home, each by itself: any of it may be closed to the user."""
    is_own = isinstance(settings.database, Path)
    return {
        "keys": lambda: _secrets(settings),
        "models": lambda: _models(settings),
        "database": lambda: _database(settings),
        "online feature store": lambda: [_own_state(settings)] if is_own else [],
        "witness": lambda: _witnesses(settings),
        "clock": lambda: _clock(settings, now),
        "retention": lambda: [_retention(settings.retention)],
        "letters": lambda: [_letters(settings.letters)],
        "rescue centres": lambda: [_rescue_centres(settings)],
        "access tokens": lambda: _tokens(settings),
        "sign-in with an organisation": lambda: _oidc(settings),
        "attachment scanner": lambda: _attachment_scanner(settings),
    }


def _home(home: Path) -> CheckResult:
    if not os.path.lexists(home):
        says = f"{home} is not there, or cannot be reached; `tidegate init` makes one"
        return CheckResult("home", "wrong", says)
    if not os.path.isdir(home):
        return CheckResult("home", "wrong", f"{home} is no folder")
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        return CheckResult("home", "wrong", f"user {os.getuid()} cannot read and write {home}")
    return CheckResult("home", "good", f"{home.absolute()}")


def _sqlite() -> CheckResult:
    """SQLite's WAL-reset bug does not reach us, since turns keep writers and moves apart."""
    version = sqlite_version()
    is_fixed = tuple(map(int, version.split("."))) >= (3, 51, 3)
    says = "" if is_fixed else "; has the WAL-reset bug, so let nothing but tidegate write the file"
    return CheckResult("sqlite", "good" if is_fixed else "doubtful", f"{version}{says}")


def _disk(home: Path) -> CheckResult:
    free = shutil.disk_usage(home).free
    grade: CheckGrade = "good" if free > FEWEST_FREE_BYTES else "doubtful"
    return CheckResult("disk", grade, f"{free / 2**30:.1f} GiB free below {home}")


def _privacy(settings: Settings) -> CheckResult:
    """Whether other users of this machine can read the home, or lock what is in it.

    Whoever can open a file or a folder can also lock it, and so stop whoever writes.
    """
    home, what = settings.home, "privacy"
    places = (settings.records, settings.state, home / "tidegate.db", home / "training_sets")
    open_files = [file for place in places for file in _open_to_others(place)]
    if open_files:
        some = ", ".join(map(str, open_files[:3]))
        return CheckResult(what, "wrong", f"others can read {some}; chmod -R go= {home}")
    if home.stat().st_mode & 0o055 and _is_reachable(home):
        says = f"others can look into {home}, and lock it; chmod 700 {home}"
        return CheckResult(what, "doubtful", says)
    return CheckResult(what, "good", "nobody but its owner reads the home")


def _open_to_others(place: Path) -> Iterator[Path]:
    """The files at or below a place that others can read."""
    if not place.exists() or not _is_reachable(place):
        return
    if place.is_dir():
        for each in sorted(place.iterdir()):
            yield from _open_to_others(each)
    elif place.stat().st_mode & 0o044:
        yield place


def _is_reachable(place: Path) -> bool:
    """Whether no folder on the way is closed to others."""
    return all(folder.stat().st_mode & 0o011 for folder in place.resolve().parents)


def _secrets(settings: Settings) -> Iterator[CheckResult]:
    keys = settings.keys
    if is_blank_home(keys):
        yield CheckResult("keys", "doubtful", "not there yet; `tidegate init` makes them")
        return
    broken = list(_broken_keys(keys, is_bound=_is_bound(settings)))
    yield from broken
    files = [keys / name for name in KEY_FILES.values() if name not in {b.what for b in broken}]
    for file in (*filter(Path.exists, files), *sorted(keys.rglob("data/**/*.key"))):
        name = str(file.relative_to(keys))
        is_private = not file.stat().st_mode & 0o077
        says = (
            "readable by its owner only" if is_private else f"others can read it; chmod 600 {file}"
        )
        yield CheckResult(name, "good" if is_private else "wrong", says)


def _is_bound(settings: Settings) -> bool:
    """Whether a database has keys already, so that no start makes any."""
    if HomeBinding.read(settings.keys) is not None:
        return True
    if isinstance(settings.database, Path) and not settings.database.exists():
        return False
    engine = connected(settings.database, is_service=False)
    try:
        with failing_as_unavailable(), engine.connect() as connection:
            return identity_of(connection) is not None
    except TidegateError:  # which is said of the database
        return False
    finally:
        engine.dispose()


def _broken_keys(keys: Path, *, is_bound: bool) -> Iterator[CheckResult]:
    """What is missing or cut off; whether a key is the right one, the database knows."""
    for name, file in KEY_FILES.items():
        is_needed = is_bound or (name == SIGNING and has_models(keys))
        if not (keys / file).exists() and not is_needed:
            yield CheckResult(file, "doubtful", "not there yet; the first start makes it")
            continue
        try:
            content = read_key(keys, name)
        except TidegateError as refusal:
            yield CheckResult(file, "wrong", str(refusal))
            continue
        if name in PUBLIC_FILES and not is_public_file_of(keys, name, content):
            says = f"is not the public half of {file}; put it back from the copy of HOME/keys"
            yield CheckResult(PUBLIC_FILES[name], "wrong", says)


def _models(settings: Settings) -> Iterator[CheckResult]:
    approvals = _seat_approvals(settings)
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


def _seat_approvals(settings: Settings) -> SeatApprovals | None:
    """What pointers are held to in live use; none where the database, as is said below, is none."""
    if isinstance(settings.database, Path) and not settings.database.exists():
        return None
    try:
        engine = open_database(
            settings.database, is_service=False, keys=settings.keys, may_create=False
        )
        register = ApprovalRepository(engine)
        is_live = settings.is_live or register.is_live_use()
    except TidegateError:
        return None
    return SeatApprovals(register) if is_live else None


def _database(settings: Settings) -> Iterator[CheckResult]:
    if isinstance(settings.database, Path) and not settings.database.exists():
        yield CheckResult("database", "doubtful", "not there yet; the first start makes it")
        return
    try:
        engine = open_database(
            settings.database, is_service=False, keys=settings.keys, may_create=False
        )
        with engine.connect() as connection:
            DataKeys(engine).probe(connection)
            size = connection.exec_driver_sql("SELECT max(seq) FROM decisions").scalar() or 0
        yield from _api_keys(ApiKeyRepository(engine))
        yield from _webhooks(WebhookRepository(engine))
        if shared := shared_state(engine):
            yield _NO_STATE if shared.is_empty else _state(shared, settings)
        log = _log(settings, engine, size)
    except DatabaseMissing:
        yield CheckResult("database", "doubtful", "empty; the first start makes its tables")
    except TidegateError as refusal:
        says = cause_of(refusal)
        yield CheckResult("database", "wrong", f"{refusal}{says and ': '}{says}")
    else:
        yield log


def _log(settings: Settings, engine: Any, size: int) -> CheckResult:
    """Whether the log is what its checkpoints say, and a short one what it says itself."""
    is_long, store = size > NOT_MANY_RECORDS, CheckpointRepository(engine)
    check = check_by_checkpoints(store, settings, by_newest=is_long)
    if check.why:
        return CheckResult("log", "wrong", f"{check.why}. {WAYS_ON}")
    if is_long:
        return CheckResult("log", "good", f"{size:,} decisions; `tidegate verify-log` proves them")
    proof = verify_decision_log(engine)
    if not proof.is_whole:
        return CheckResult("log", "wrong", str(proof.why))
    audit = verify_audit_log(engine)
    if not audit.is_whole:
        says = f"{audit.findings[0]}; `tidegate verify-log` names all"
        return CheckResult("log", "wrong", says)
    says = f"{proof.mark.size:,} decisions and {audit.mark.size:,} audit events, whole"
    return CheckResult("log", "good", says)


def _webhooks(register: WebhookRepository) -> Iterator[CheckResult]:
    """Which endpoints are not told what they asked for."""
    for endpoint, state in register.all():
        if endpoint.revoked_at is not None or state.condition == "delivering":
            continue
        if state.off_at is not None:
            says = f"{endpoint.endpoint_id} is switched off since {state.off_at:%Y-%m-%d %H:%M} UTC"
            says += f" ({state.failure}); `tidegate webhooks resume {endpoint.endpoint_id}`"
            yield CheckResult("webhook", "wrong", says)
        elif state.failing_since is not None:
            says = f"{endpoint.endpoint_id} fails since {state.failing_since:%Y-%m-%d %H:%M} UTC"
            yield CheckResult("webhook", "doubtful", f"{says} ({state.failure})")


def _api_keys(register: ApiKeyRepository) -> Iterator[CheckResult]:
    """Which keys end soon: whoever calls with one is turned away from one instant to the next."""
    now = datetime.now(UTC)
    for key in register.all():
        if key.expires_at and key.ends_soon(now):
            days = (key.expires_at - now).days
            says = f"{key.name} ends in {days} days; `tidegate keys rotate {key.name}`"
            yield CheckResult("api key", "doubtful", says)


_NO_STATE = CheckResult(
    "online feature store", "doubtful", "not there yet; the first start makes it"
)


def _own_state(settings: Settings) -> CheckResult:
    if not settings.state.exists():
        return _NO_STATE
    try:
        store = LmdbStore(settings.state)
    except TidegateError as refusal:
        return CheckResult("online feature store", "wrong", str(refusal))
    try:
        return _state(store, settings)
    finally:
        store.close()


def _state(store: BlobStore, settings: Settings) -> CheckResult:
    try:
        online = OnlineStore(store)
        known = online.counts
        _require_log_of(online, settings)
    except TidegateError as refusal:
        return CheckResult("online feature store", "wrong", str(refusal))
    for name in MODEL_NAMES.values():
        with suppress(TidegateError, OSError, ValueError):  # what else is wrong is said elsewhere
            champion = load_role(settings.models / name, "champion", settings.keys / "signing.pub")
            trained_on = champion.model.manifest.record_counts
            for kind in missing_types(trained_on, known):
                return _history_missing(kind, known.get(kind, 0), name, trained_on[kind])
    return CheckResult(
        "online feature store", "good", "holds what the windows of this release read"
    )


def _require_log_of(online: OnlineStore, settings: Settings) -> None:
    """Raise HistoryOfAnotherLog where the store followed another log than there is."""
    if isinstance(settings.database, str) or settings.database.exists():
        engine = open_database(
            settings.database, is_service=False, keys=settings.keys, may_create=False
        )
        require_same_log(online, DecisionRepository(engine))


def _history_missing(records: str, known: int, model: str, trained_on: int) -> CheckResult:
    says = f"knows {known:,} {records}, and {model} was trained on {trained_on:,} (history_missing)"
    mend = "lay the record files in HOME/records and run `tidegate state rebuild`"
    return CheckResult("online feature store", "wrong", f"{says}; {mend}")


def _clock(settings: Settings, now: datetime) -> Iterator[CheckResult]:
    """Whether anything newest is dated ahead of the clock: then nothing is masked or erased."""
    if isinstance(settings.database, Path) and not settings.database.exists():
        return
    try:
        engine = open_database(
            settings.database, is_service=False, keys=settings.keys, may_create=False
        )
        clock_check(engine, settings).require_not_behind(now)
    except ClockDisagrees as refusal:
        yield CheckResult("clock", "wrong", f"nothing is masked or erased: {refusal}")
    except TidegateError:  # what is wrong with the database is said elsewhere
        return
    else:
        yield CheckResult("clock", "good", "nothing was written at a later time than it says")


def _retention(file: Path) -> CheckResult:
    if not file.exists():
        says = "no periods are set, so nothing ends; `tidegate retention init` lays them down"
        return CheckResult("retention", "doubtful", says)
    try:
        periods = Periods.read(file)
    except TidegateError as refusal:
        return CheckResult("retention", "wrong", str(refusal))
    limits = periods.decisions
    says = f"masked after {limits.mask_after_days} days, erased after {limits.erase_after_days}"
    return CheckResult("retention", "good", says)


def _letters(file: Path) -> CheckResult:
    try:
        Remedies.read(file)
    except TidegateError as refusal:
        return CheckResult("letters", "doubtful", f"none can be written: {refusal}")
    return CheckResult("letters", "good", "name who answers and where to contest")


def _witnesses(settings: Settings) -> Iterator[CheckResult]:
    """Where witnesses are, and which of them lacks what."""
    try:
        witnesses = witnesses_of(settings)
    except TidegateError as refusal:
        yield CheckResult("witness", "wrong", str(refusal))
        return
    for each in witnesses:
        if isinstance(each, FileWitness) and not each.path.parent.is_dir():
            yield CheckResult("witness", "wrong", f"{each.path.parent} is not there")
            return
    check = _log_check(settings)
    apart = sum(_is_apart(each, settings.home) for each in witnesses)
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
    """Whether it is somewhere else than the home, as far as can be told."""
    if not isinstance(witness, FileWitness):
        return True
    return witness.path.parent.stat().st_dev != home.stat().st_dev


def _lack(report: WitnessReport, check: LogCheck) -> str:
    """What is to be said of a witness; empty where all is well or nothing can be known."""
    if report.failure:
        return f"{report.name} {report.failure}"
    if report.newest is None or report.newest >= check.newest_number:
        return ""
    return f"{report.name} is behind: it has {report.newest} of {check.newest_number} checkpoints"


def _log_check(settings: Settings) -> LogCheck | None:
    """The newest checkpoint of each held to the log; None where there is no log that opens."""
    if isinstance(settings.database, Path) and not settings.database.exists():
        return None
    with suppress(TidegateError):  # what is wrong with the database is said elsewhere
        engine = open_database(
            settings.database, is_service=False, keys=settings.keys, may_create=False
        )
        return check_by_checkpoints(CheckpointRepository(engine), settings, by_newest=True)
    return None


def _rescue_centres(settings: Settings) -> CheckResult:
    file = settings.rescue_centres
    if not file.exists():
        says = "nobody is called when lives are at risk; live use needs HOME/rescue.toml"
        if settings.rescue_webhook:
            says = "one webhook is called when lives are at risk; live use needs HOME/rescue.toml"
        return CheckResult("rescue centres", "doubtful", says)
    try:
        directory = RescueDirectory(RescueCentres.read(file), **settings.rescue_secrets)
    except TidegateError as refusal:
        return CheckResult("rescue centres", "wrong", str(refusal))
    if file.stat().st_mode & 0o077:
        says = f"others can read it, with its secrets; chmod 600 {file}"
        return CheckResult("rescue centres", "wrong", says)
    alone = [each.name for each in directory.centres.centres if not each.has_second_medium]
    if alone:
        says = f"{alone[0]!r} is called over one medium; want an address by HTTPS and one by mail"
        return CheckResult("rescue centres", "doubtful", says)
    minutes = directory.centres.acknowledge_within_minutes
    says = f"{len(directory.centres.centres)} centres; a call goes on after {minutes:g} minutes"
    return CheckResult("rescue centres", "good", says)


def _tokens(settings: Settings) -> Iterator[CheckResult]:
    if settings.token_keys is not None:
        has_keys = PublishedKeys(settings.token_keys).current() is not None
        says = "the key set can be read" if has_keys else "the key set cannot be read"
        yield CheckResult("access tokens", "good" if has_keys else "wrong", says)


def _oidc(settings: Settings) -> Iterator[CheckResult]:
    """Whether the organisation's server can be asked, and browsers come back from it."""
    what, issuer = "sign-in with an organisation", settings.oidc_issuer
    if issuer is None:
        return
    try:
        provider = Provider(
            issuer, settings.oidc_client_id, None, "", "", lambda: datetime.now(UTC)
        )
        provider.require_published()
    except TidegateError as error:
        yield CheckResult(what, "wrong", f"{issuer}: {error}")
        return
    if settings.known_hosts.is_open:
        says = "works at this machine's own names only; set TIDEGATE_PUBLIC_ADDRESS"
        yield CheckResult(what, "doubtful", says)
    else:
        yield CheckResult(what, "good", f"{issuer} says where it is asked, and its keys")


def _attachment_scanner(settings: Settings) -> Iterator[CheckResult]:
    command = settings.attachment_scanner
    if command is None:
        return
    try:
        is_there = shutil.which(shlex.split(command)[0]) is not None
    except (ValueError, IndexError):
        is_there = False
    says = "every file is looked at" if is_there else "the command cannot be run; no file is kept"
    yield CheckResult("attachment scanner", "good" if is_there else "wrong", says)
