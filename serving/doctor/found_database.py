"""The database of a home as it is found, for the checks that look into it."""

from functools import cached_property
from pathlib import Path
from typing import Any

from features.errors import TidegateError
from serving.integrity.checkpoint_check import check_by_checkpoints
from serving.integrity.log_check import LogCheck
from serving.models.seat_approvals import SeatApprovals
from serving.settings import Settings
from serving.storage.binding import HomeBinding, identity_of
from serving.storage.engine import connected, failing_as_unavailable, open_database
from serving.storage.repositories.approval_repository import ApprovalRepository
from serving.storage.repositories.checkpoint_repository import CheckpointRepository
from serving.storage.repositories.decision_repository import DecisionRepository

# A log of so many decisions is proved on the way; a longer one by verify-log.
NOT_MANY_RECORDS = 20_000


class FoundDatabase:
    """A database that is opened once, by the first check that looks into it, and never made."""

    def __init__(self, settings: Settings):
        self._settings = settings

    @property
    def is_missing(self) -> bool:
        """Return whether it is a file that is not there."""
        where = self._settings.database
        return isinstance(where, Path) and not where.exists()

    @cached_property
    def engine(self) -> Any:
        """Opened with the keys of the home; raises a TidegateError for what cannot be opened."""
        return open_database(
            self._settings.database, is_service=False, keys=self._settings.keys, may_create=False
        )

    @cached_property
    def size(self) -> int:
        """Return the number of decisions in the log."""
        return DecisionRepository(self.engine).size()

    @property
    def is_long(self) -> bool:
        """Return whether its log is proved by `verify-log` alone."""
        return self.size > NOT_MANY_RECORDS

    @cached_property
    def log_check(self) -> LogCheck:
        """The witnesses' readings of the log, asked for once; of a long log only the newest."""
        store = CheckpointRepository(self.engine)
        return check_by_checkpoints(store, self._settings, by_newest=self.is_long)

    @property
    def is_bound(self) -> bool:
        """Return whether it has keys already, so that no start makes any."""
        if HomeBinding.read(self._settings.keys) is not None:
            return True
        if self.is_missing:
            return False
        engine = connected(self._settings.database, is_service=False)
        try:
            with failing_as_unavailable(), engine.connect() as connection:
                return identity_of(connection) is not None
        except TidegateError:  # which is said of the database
            return False
        finally:
            engine.dispose()

    @property
    def seat_approvals(self) -> SeatApprovals | None:
        """The approvals that live use checks pointers against; None if it cannot be opened."""
        if self.is_missing:
            return None
        try:
            register = ApprovalRepository(self.engine)
            is_live = self._settings.is_live or register.is_live_use()
        except TidegateError:
            return None
        return SeatApprovals(register) if is_live else None

    def close(self) -> None:
        """Let go of it, if any check opened it."""
        if "engine" in self.__dict__:
            self.engine.dispose()
