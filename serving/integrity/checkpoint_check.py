"""Checks the log of a home against all checkpoints: its own and those of its witnesses."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from serving.integrity.checkpoints import public_keys_of
from serving.integrity.log_check import LogCheck, check_log
from serving.integrity.witnesses import Witness, witnesses_of
from serving.settings import Settings

if TYPE_CHECKING:
    from serving.storage.repositories.checkpoint_repository import CheckpointRepository


def check_by_checkpoints(
    store: "CheckpointRepository",
    settings: Settings,
    *,
    by_newest: bool,
    also: Sequence[Witness] = (),
    public_keys: Mapping[str, str] | None = None,
) -> LogCheck:
    """Check a log against its checkpoints, the witnesses of `settings`, and those in `also`.

    With `by_newest`, only the newest checkpoint of each is used. `public_keys` defaults to those of
    the home. Raises LogUnavailable, or AddressRefused for an invalid witness.
    """
    keys = public_keys_of(settings.keys) if public_keys is None else public_keys
    return check_log(store, [*witnesses_of(settings), *also], keys, by_newest=by_newest)
