"""Checks of the online feature store."""

from contextlib import suppress

from features.engine.store.blob_store import BlobStore
from features.engine.store.lmdb_store import LmdbStore
from features.errors import TidegateError
from features.history.online_store import OnlineStore
from serving.doctor.found_database import FoundDatabase
from serving.history.client import require_same_log
from serving.history.missing_history import missing_types
from serving.models.model_pool import MODEL_NAMES, load_role
from serving.package_extras import CheckResult
from serving.settings import Settings
from serving.storage.repositories.decision_repository import DecisionRepository

NO_STATE = CheckResult(
    "online feature store", "doubtful", "not there yet; the first start makes it"
)


def own_state(settings: Settings, found: FoundDatabase) -> CheckResult:
    """Check that this machine's store exists and follows the log."""
    if not settings.state.exists():
        return NO_STATE
    try:
        store = LmdbStore(settings.state)
    except TidegateError as refusal:
        return CheckResult("online feature store", "wrong", str(refusal))
    try:
        return state(store, settings, found)
    finally:
        store.close()


def state(store: BlobStore, settings: Settings, found: FoundDatabase) -> CheckResult:
    """Check that a store follows the log and has the history that champions were trained on."""
    try:
        online = OnlineStore(store)
        known = online.counts
        _require_log_of(online, found)
    except TidegateError as refusal:
        return CheckResult("online feature store", "wrong", str(refusal))
    for name in MODEL_NAMES.values():
        # Other checks report this.
        with suppress(TidegateError, OSError, ValueError):
            champion = load_role(settings.models / name, "champion", settings.keys / "signing.pub")
            trained_on = champion.model.manifest.record_counts
            for kind in missing_types(trained_on, known):
                return _history_missing(kind, known.get(kind, 0), name, trained_on[kind])
    return CheckResult(
        "online feature store", "good", "holds what the windows of this release read"
    )


def _require_log_of(online: OnlineStore, found: FoundDatabase) -> None:
    """Raise TidegateError if the store followed another log."""
    if not found.is_missing:
        require_same_log(online, DecisionRepository(found.engine))


def _history_missing(records: str, known: int, model: str, trained_on: int) -> CheckResult:
    says = f"knows {known:,} {records}, and {model} was trained on {trained_on:,} (history_missing)"
    mend = "lay the record files in HOME/records and run `tidegate state rebuild`"
    return CheckResult("online feature store", "wrong", f"{says}; {mend}")
