"""The identity of the database, and its current and former keys."""

from serving.storage.binding import BoundKey, bound_keys, identity_of
from serving.storage.repository import Repository


class InstallationRepository(Repository):
    """The binding of one database to its home."""

    @property
    def database_id(self) -> str:
        """The identity of this database; empty if it was never bound."""
        with self._reading() as connection:
            return identity_of(connection) or ""

    def all_keys(self) -> list[BoundKey]:
        """Return every key, by name, oldest first."""
        with self._reading() as connection:
            return bound_keys(connection)

    def current_keys(self) -> list[BoundKey]:
        """Return the keys in use."""
        return [each for each in self.all_keys() if each.retires_at is None]
