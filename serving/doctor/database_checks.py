"""Checks of the database: its log, its API keys and webhooks, and the clock."""

from collections.abc import Iterator
from datetime import datetime

from features.errors import TidegateError
from serving.audit.errors import ClockDisagrees
from serving.doctor.found_database import FoundDatabase
from serving.doctor.state_checks import NO_STATE, state
from serving.integrity.log_check import WAYS_ON
from serving.package_extras import CheckResult
from serving.settings import Settings
from serving.storage.engine import cause_of
from serving.storage.errors import DatabaseMissing
from serving.storage.keys.data_keys import DataKeys
from serving.storage.keys.key_destruction import DatabaseErasure
from serving.storage.newest_instants import clock_check
from serving.storage.postgres_state import shared_state
from serving.storage.repositories.api_key_repository import ApiKeyRepository
from serving.storage.repositories.webhook_repository import WebhookRepository
from serving.storage.verification.audit_verification import verify_audit_log
from serving.storage.verification.log_verification import verify_decision_log
from serving.storage.verification.schema_check import schema_faults

# Out-of-order ranges of a log to list; `verify-log` lists all.
MAX_LISTED = 5


def database_and_log(
    settings: Settings, found: FoundDatabase, now: datetime
) -> Iterator[CheckResult]:
    """Check that the database opens, that its log is intact, and which keys expire soon."""
    try:
        engine = found.engine
        with engine.connect() as connection:
            # Opening alone does not show that the data keys still decrypt.
            DataKeys(engine).probe(connection)
        yield from _api_keys(ApiKeyRepository(engine), now)
        yield from _webhooks(WebhookRepository(engine))
        if faults := schema_faults(engine):
            more = f"; {len(faults) - MAX_LISTED:,} more" if len(faults) > MAX_LISTED else ""
            says = f"not as this release makes it: {'; '.join(map(str, faults[:MAX_LISTED]))}{more}"
            yield CheckResult("tables", "wrong", f"{says}; `tidegate verify-log` names all")
        if shared := shared_state(engine):
            yield NO_STATE if shared.is_empty else state(shared, settings, found)
        log = _log(found)
    except DatabaseMissing:
        says = "not there yet; the first start makes it"
        if not found.is_missing:
            says = "empty; the first start makes its tables"
        yield CheckResult("database", "doubtful", says)
    except TidegateError as refusal:
        says = cause_of(refusal)
        yield CheckResult("database", "wrong", f"{refusal}{says and ': '}{says}")
    else:
        yield log


def _log(found: FoundDatabase) -> CheckResult:
    """Check the log against its checkpoints; a short log is also verified completely."""
    if why := found.log_check.why:
        return CheckResult("log", "wrong", f"{why}. {WAYS_ON}")
    # Verifying a long log takes too long for a quick check.
    if found.is_long:
        says = f"{found.size:,} decisions; `tidegate verify-log` proves them"
        return CheckResult("log", "good", says)
    proof = verify_decision_log(found.engine)
    if not proof.is_whole:
        return CheckResult("log", "wrong", str(proof.why))
    audit = verify_audit_log(found.engine)
    if not audit.is_whole:
        says = f"{audit.findings[0]}; `tidegate verify-log` names all"
        return CheckResult("log", "wrong", says)
    says = f"{proof.mark.size:,} decisions and {audit.mark.size:,} audit events, whole"
    return CheckResult("log", "good", says)


def _webhooks(register: WebhookRepository) -> Iterator[CheckResult]:
    """Check for webhook endpoints whose deliveries fail."""
    for endpoint, delivery in register.all():
        if endpoint.revoked_at is not None or delivery.condition == "delivering":
            continue
        if delivery.off_at is not None:
            says = (
                f"{endpoint.endpoint_id} is switched off since {delivery.off_at:%Y-%m-%d %H:%M} UTC"
            )
            says += (
                f" ({delivery.failure}); `tidegate webhooks change {endpoint.endpoint_id} --resume`"
            )
            yield CheckResult("webhook", "wrong", says)
        elif delivery.failing_since is not None:
            says = f"{endpoint.endpoint_id} fails since {delivery.failing_since:%Y-%m-%d %H:%M} UTC"
            yield CheckResult("webhook", "doubtful", f"{says} ({delivery.failure})")


def _api_keys(register: ApiKeyRepository, now: datetime) -> Iterator[CheckResult]:
    """Check for API keys that expire soon, after which their callers are refused."""
    for key in register.all():
        if key.expires_at and key.ends_soon(now):
            days = (key.expires_at - now).days
            says = f"{key.name} ends in {days} days; `tidegate keys rotate {key.name}`"
            yield CheckResult("api key", "doubtful", says)


def clock(settings: Settings, found: FoundDatabase, now: datetime) -> Iterator[CheckResult]:
    """Check that entries are in order and none is later than the clock.

    If the newest entries are later, masking and erasure stop; otherwise only those entries stay.
    """
    if found.is_missing:
        return
    faults = []
    try:
        try:
            clock_check(found.engine, settings).require_not_behind(now)
        except ClockDisagrees as refusal:
            faults.append(f"nothing is masked or erased: {refusal}")
        entries = DatabaseErasure(found.engine).out_of_order(now)
    # Another check reports what is wrong with the database.
    except TidegateError:
        return
    wrong = [str(each) for each in entries if not each.is_settled]
    if wrong:
        more = f"; {len(wrong) - MAX_LISTED:,} more" if len(wrong) > MAX_LISTED else ""
        faults.append(
            f"out of order, and kept until two persons agree that the clock was wrong "
            f"(`tidegate retention overrule --help`): {'; '.join(wrong[:MAX_LISTED])}{more}"
        )
    if faults:
        yield CheckResult("clock", "wrong", ". ".join(faults))
        return
    says = "nothing was written at a later time than it says, or out of order"
    yield CheckResult("clock", "good", says)
