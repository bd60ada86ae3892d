"""Database of a home, for the checks that read it."""

from functools import cached_property
from pathlib import Path
from typing import Any

from features.errors import TidegateError
from serving.integrity.checkpoint_check import check_by_checkpoints
from serving.integrity.log_check import LogCheck
from serving.models.slot_approvals import SlotApprovals
from serving.settings import Settings
from serving.storage.binding import HomeBinding, identity_of
from serving.storage.engine import connected, database_errors_as_503, open_database
from serving.storage.repositories.approval_repository import ApprovalRepository
from serving.storage.repositories.checkpoint_repository import CheckpointRepository
from serving.storage.repositories.decision_repository import DecisionRepository

# A log of at most this many decisions is verified by the checks; a longer one by verify-log.
NOT_MANY_RECORDS = 20_000


class FoundDatabase:
    """Existing database, opened by the first check that needs it and never created."""

    def __init__(self, settings: Settings):
        self._settings = settings

    @property
    def is_missing(self) -> bool:
        """Return whether the database is a file that does not exist."""
        where = self._settings.database
        return isinstance(where, Path) and not where.exists()

    @cached_property
    def engine(self) -> Any:
        """Engine with the keys of the home; raises a TidegateError if it cannot be opened."""
        return open_database(
            self._settings.database, is_service=False, keys=self._settings.keys, may_create=False
        )

    @cached_property
    def size(self) -> int:
        """Number of decisions in the log."""
        return DecisionRepository(self.engine).size()

    @property
    def is_long(self) -> bool:
        """Return whether only `verify-log` verifies the log, because of its length."""
        return self.size > NOT_MANY_RECORDS

    @cached_property
    def log_check(self) -> LogCheck:
        """Witnesses' readings of the log, obtained once; for a long log only the newest."""
        store = CheckpointRepository(self.engine)
        return check_by_checkpoints(store, self._settings, by_newest=self.is_long)

    @property
    def is_bound(self) -> bool:
        """Return whether the home or database already has keys, so that no start creates any."""
        if HomeBinding.read(self._settings.keys) is not None:
            return True
        if self.is_missing:
            return False
        engine = connected(self._settings.database, is_service=False)
        try:
            with database_errors_as_503(), engine.connect() as connection:
                return identity_of(connection) is not None
        # The check of the database reports this.
        except TidegateError:
            return False
        finally:
            engine.dispose()

    @property
    def slot_approvals(self) -> SlotApprovals | None:
        """Approvals that live use checks pointers against; None if unavailable or in a trial."""
        if self.is_missing:
            return None
        try:
            register = ApprovalRepository(self.engine)
            is_live = self._settings.is_live or register.is_live_use()
        except TidegateError:
            return None
        return SlotApprovals(register) if is_live else None

    def close(self) -> None:
        """Close the database if a check opened it."""
        # Reading the property would open the database just to close it.
        if "engine" in self.__dict__:
            self.engine.dispose()
