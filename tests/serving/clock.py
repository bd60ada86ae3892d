"""A clock that a test sets."""

from dataclasses import dataclass
from datetime import datetime

from tests.serving.conftest import NOW


@dataclass
class Clock:
    """Tells what it was set to, by a service as by a store."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now
