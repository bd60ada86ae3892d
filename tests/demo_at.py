"""The demonstration by a clock that is set, as if the machine's said this.

    python -m tests.demo_at 2026-12-01T13:22:00+00:00 HOME

It shows what `tidegate demo --once` does; the service runs in a thread, since only there it can go
by the same clock.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from serving.cli.demo import MIN_JOURNEYS, run_demo
from serving.cli.demo_service import Client, new_client_key
from serving.container import Clock
from serving.settings import settings_of
from tests.browser.served_site import served


def clock_from(start: datetime) -> Clock:
    """A clock that says `start` now, and runs as fast as time itself."""
    began_s = time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - began_s)


@contextmanager
def served_here(home: Path, _: int, clock: Clock) -> Iterator[Client]:
    """Serve a home by a clock, with log lines in a file."""
    with (home / "service.log").open("w") as lines:
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(lines))
        with served(settings_of(home), clock) as site:
            yield Client(site.address, new_client_key(home, clock()))


def main() -> None:
    """Show the demonstration at the instant and in the home that are given."""
    start, home = sys.argv[1:]
    clock = clock_from(datetime.fromisoformat(start))
    run_demo(Path(home), MIN_JOURNEYS, 0, is_once=True, clock=clock, serve=served_here)


if __name__ == "__main__":
    main()
