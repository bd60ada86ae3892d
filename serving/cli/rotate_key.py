"""`tidegate rotate-key`: another key in the place of one of the home's."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.database import opened_database
from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home
from serving.cli.output import messages

if TYPE_CHECKING:
    from serving.access.actors import Actor
    from serving.storage.keys.key_destruction import DatabaseErasure


class RotatedKey(StrEnum):
    """Which key."""

    SIGNING = "signing"
    LOG = "log"
    SUBJECTS = "subjects"
    DRAWS = "draws"
    PSEUDONYMS = "pseudonyms"
    WRAPPING = "wrapping"


_KNOWN_AT_START = ", and start all services again: until then each uses the key that it knows."
_GO_ON = ": until then such a host answers 503, and goes on by itself. No service must start again."
_AFTERWARDS: dict[RotatedKey, Callable[[str], str]] = {
    RotatedKey.SIGNING: lambda _: ". Services go on: they read signing.pub with every model.",
    RotatedKey.LOG: lambda until: (
        f", and start all services again {until}: from then on a checkpoint by the former key is "
        "refused, and the log is not sealed."
    ),
    RotatedKey.SUBJECTS: lambda _: _GO_ON,
    RotatedKey.DRAWS: lambda _: _KNOWN_AT_START,
    RotatedKey.PSEUDONYMS: lambda _: _KNOWN_AT_START,
    RotatedKey.WRAPPING: lambda _: _GO_ON,
}
"""What is still to be done after a rotation, and until when where there is an overlap."""


def rotate_key(
    name: Annotated[RotatedKey, typer.Argument(help="Which key.")],
    overlap_days: Annotated[
        int,
        typer.Option(
            min=0,
            help="For the key of the log: days that what the former one signs still counts.",
        ),
    ] = 7,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
) -> None:
    """Make another key, adopted by the former one; what that signed verifies as before.

    What is to be done on other hosts, and whether services start again, depends on the key: the
    command says it at the end.
    """
    from serving.access.actors import Actor
    from serving.settings import settings_of
    from serving.storage.keys.key_destruction import DatabaseErasure
    from serving.storage.keys.key_rotation import rotate_key as rotated

    settings = settings_of(home, database_url)
    engine = opened_database(settings, may_create=False)
    now, actor = datetime.now(UTC), Actor.from_command_line()
    if name == RotatedKey.WRAPPING:
        _rewrap(DatabaseErasure(engine), actor, now)
    else:
        overlap = timedelta(days=overlap_days)
        fresh = rotated(engine, settings.keys, name.value, actor, at=now, overlap=overlap)
        messages.print(f"the {name.value} key is now {fresh.fingerprint}, was {fresh.adopted_by}")
    overlap_ends = f"before {now + timedelta(days=overlap_days):%Y-%m-%d %H:%M} UTC"
    until = overlap_ends if overlap_days else "at once"
    messages.print(f"Copy HOME/keys anew, to every other host too{_AFTERWARDS[name](until)}")


def _rewrap(erasure: "DatabaseErasure", actor: "Actor", now: datetime) -> None:
    from serving.integrity.audit_log import AuditEvent

    erasure.rewrap(AuditEvent(now, actor, "rotate_key", "key", "wrapping", {"name": "wrapping"}))
    messages.print("every data key is wrapped under a fresh key; the former ones are destroyed")
