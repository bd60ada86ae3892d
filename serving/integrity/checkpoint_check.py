"""The log of a home held to every checkpoint there is of it: its own and those of its witnesses."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from serving.integrity.checkpoints import public_keys_of
from serving.integrity.log_check import LogCheck, check_log
from serving.integrity.witness_delivery import Witness
from serving.integrity.witnesses import witnesses_of
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
    """Hold a log to what it and the witnesses of `settings` have, and `also` others.

    With `by_newest` to the newest checkpoint of each. `public_keys` are those of the home unless
    others are given. Raises LogUnavailable, or AddressRefused for what can be no witness.
    """
    keys = public_keys_of(settings.keys) if public_keys is None else public_keys
    return check_log(store, [*witnesses_of(settings), *also], keys, by_newest=by_newest)
