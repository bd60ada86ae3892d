"""The database of a home as commands open it, beside a service that may run."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from serving.settings import Settings


def has_no_database(settings: "Settings") -> bool:
    """Whether a home has no database yet; raises DatabaseForeign where it has one elsewhere."""
    from serving.storage.binding import is_missing

    return is_missing(settings.database, settings.keys)


def opened_database(settings: "Settings", *, may_create: bool = True) -> Any:
    """The engine of a home's database; raises what `open_database` raises."""
    from serving.storage.engine import open_database

    return open_database(
        settings.database, is_service=False, keys=settings.keys, may_create=may_create
    )
