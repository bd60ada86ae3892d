"""`tidegate rotate-key`: replace one of the keys of a home."""

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer

from serving.cli.opened_home import CommandOutput, OpenedHome, on_existing_home


class RotatedKey(StrEnum):
    """Keys of a home."""

    SIGNING = "signing"
    LOG = "log"
    SUBJECTS = "subjects"
    DRAWS = "draws"
    PSEUDONYMS = "pseudonyms"
    WRAPPING = "wrapping"


_KNOWN_AT_START = ", and start all services again: until then each uses the key that it knows."
_GO_ON = ": until then such a host answers 503, and goes on by itself. No service must start again."
# Work left after a rotation, with its deadline if there is an overlap.
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


@on_existing_home
def rotate_key(
    at: OpenedHome,
    name: Annotated[RotatedKey, typer.Argument(help="Which key.")],
    overlap_days: Annotated[
        int,
        typer.Option(
            min=0,
            help="For the key of the log: days that what the former one signs still counts.",
        ),
    ] = 7,
) -> CommandOutput:
    """Make another key, adopted by the former one; what that signed verifies as before.

    What is to be done on other hosts, and whether services start again, depends on the key: the
    command says it at the end.
    """
    from serving.integrity.audit_log import AuditEvent
    from serving.storage.keys.key_destruction import DatabaseErasure
    from serving.storage.keys.key_rotation import rotate_key as rotated

    if name == RotatedKey.WRAPPING:
        details = {"name": "wrapping"}
        # The database writes this event in the transaction of the rotation.
        event = AuditEvent(at.now, at.by, "rotate_key", "key", "wrapping", details)
        DatabaseErasure(at.engine).rewrap(event)
        says = "every data key is wrapped under a fresh key; the former ones are destroyed"
        document = {"key": name.value}
    else:
        overlap = timedelta(days=overlap_days)
        fresh = rotated(at.engine, at.settings.keys, name.value, at.by, at=at.now, overlap=overlap)
        says = f"the {name.value} key is now {fresh.fingerprint}, was {fresh.adopted_by}"
        document = {"key": name.value, "fingerprint": fresh.fingerprint}
    # Other hosts need the new key before the former one stops counting.
    overlap_ends = f"before {at.now + timedelta(days=overlap_days):%Y-%m-%d %H:%M} UTC"
    until = overlap_ends if overlap_days else "at once"
    afterwards = f"Copy HOME/keys anew, to every other host too{_AFTERWARDS[name](until)}"
    return CommandOutput(document, (), (says, afterwards))
