"""`tidegate rotate-key`: another key in the place of one of the home's."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.database import opened_database
from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home
from serving.cli.output import messages

if TYPE_CHECKING:
    from serving.access.actors import Actor
    from serving.db.key_destruction import DatabaseErasure


class RotatedKey(StrEnum):
    """Which key."""

    SIGNING = "signing"
    LOG = "log"
    SUBJECTS = "subjects"
    DRAWS = "draws"
    PSEUDONYMS = "pseudonyms"
    WRAPPING = "wrapping"


def rotate_key(
    name: Annotated[RotatedKey, typer.Argument(help="Which key.")],
    overlap_days: Annotated[
        int,
        typer.Option(min=0, help="Days that what the former key signs still counts."),
    ] = 7,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
) -> None:
    """Make another key, adopted by the former one; what that signed verifies as before.

    Copy HOME/keys to every other host and start all services again within the overlap.
    """
    from serving.access.actors import Actor
    from serving.db.key_destruction import DatabaseErasure
    from serving.db.key_rotation import rotate_key as rotated
    from serving.settings import settings_of

    settings = settings_of(home, database_url)
    engine = opened_database(settings, may_create=False)
    now, actor = datetime.now(UTC), Actor.from_command_line()
    if name == RotatedKey.WRAPPING:
        _rewrap(DatabaseErasure(engine), actor, now)
    else:
        overlap = timedelta(days=overlap_days)
        fresh = rotated(engine, settings.keys, name.value, actor, at=now, overlap=overlap)
        messages.print(f"the {name.value} key is now {fresh.fingerprint}, was {fresh.adopted_by}")
    messages.print("Copy HOME/keys anew, to every other host too, and start all services again.")


def _rewrap(erasure: "DatabaseErasure", actor: "Actor", now: datetime) -> None:
    from serving.audit.audit_log import AuditEvent

    erasure.rewrap(AuditEvent(now, actor, "rotate_key", "key", "wrapping", {"name": "wrapping"}))
    messages.print("every data key is wrapped under a fresh key; the former ones are destroyed")
