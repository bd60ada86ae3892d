"""All checks of what a service needs from its machine."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from features.errors import TidegateError
from serving.doctor.database_checks import clock, database_and_log
from serving.doctor.found_database import FoundDatabase
from serving.doctor.home_checks import disk, home_folder, keys, models, privacy, sqlite
from serving.doctor.setting_checks import (
    access_tokens,
    attachment_scanner,
    check_rescue_centres,
    letters,
    organisation,
    retention,
)
from serving.doctor.state_checks import own_state
from serving.doctor.witness_checks import witnesses
from serving.package_extras import CheckResult
from serving.settings import Settings


def run_checks(settings: Settings, now: datetime | None = None) -> Iterator[CheckResult]:
    """Yield the results of all checks of this machine; the caller decides what to do.

    `now` defaults to the machine's clock.
    """
    if isinstance(settings.database, Path):
        yield sqlite()
    home = home_folder(settings.home)
    yield home
    # Without a home, all further checks would only fail again.
    if home.grade == "wrong":
        return
    yield disk(settings.home, settings.disk_reserve_bytes)
    yield privacy(settings)
    found = FoundDatabase(settings)
    try:
        for what, check in _checks(settings, found, now or datetime.now(UTC)).items():
            try:
                yield from check()
            except OSError as error:
                yield CheckResult(what, "wrong", f"{error.filename}: {error.strerror}")
            except TidegateError as refusal:
                yield CheckResult(what, "wrong", str(refusal))
    finally:
        found.close()


def _checks(
    settings: Settings, found: FoundDatabase, now: datetime
) -> dict[str, Callable[[], Iterable[CheckResult]]]:
    """Return the checks of a home by name; each runs separately, in case files are unreadable."""
    is_own = isinstance(settings.database, Path)
    return {
        "keys": lambda: keys(settings.keys, is_bound=found.is_bound),
        "models": lambda: models(settings, found.slot_approvals),
        "database": lambda: database_and_log(settings, found, now),
        "online feature store": lambda: [own_state(settings, found)] if is_own else [],
        "witness": lambda: witnesses(settings, found),
        "clock": lambda: clock(settings, found, now),
        "retention": lambda: [retention(settings.retention)],
        "letters": lambda: [letters(settings.letters)],
        "rescue centres": lambda: [check_rescue_centres(settings)],
        "access tokens": lambda: access_tokens(settings),
        "sign-in with an organisation": lambda: organisation(settings, now),
        "attachment scanner": lambda: attachment_scanner(settings),
    }
