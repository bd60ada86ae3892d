"""The stores of one database by name, each created on first use."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Generic, Self, TypeVar, overload

from sqlalchemy import Engine

from serving.storage.engine import open_database
from serving.storage.keys.data_keys import DataKeys
from serving.storage.newest_instants import newest_instants
from serving.storage.postgres_state import PostgresStateStore, shared_state
from serving.storage.repositories.account_repository import AccountRepository
from serving.storage.repositories.alert_repository import AlertRepository
from serving.storage.repositories.api_key_repository import ApiKeyRepository
from serving.storage.repositories.approval_repository import ApprovalRepository
from serving.storage.repositories.audit_repository import AuditRepository
from serving.storage.repositories.case_file_repository import CaseFileRepository
from serving.storage.repositories.case_load_repository import CaseLoadRepository
from serving.storage.repositories.case_repository import CaseRepository
from serving.storage.repositories.checkpoint_repository import CheckpointRepository
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.repositories.distress_alert_repository import DistressAlertRepository
from serving.storage.repositories.entity_repository import EntityRepository
from serving.storage.repositories.exchange_repository import ExchangeRepository
from serving.storage.repositories.kill_switch_repository import KillSwitchRepository
from serving.storage.repositories.message_repository import MessageRepository
from serving.storage.repositories.notice_repository import NoticeRepository
from serving.storage.repositories.partner_repository import PartnerRepository
from serving.storage.repositories.placement_repository import PlacementRepository
from serving.storage.repositories.published_event_repository import PublishedEventRepository
from serving.storage.repositories.purpose_repository import PurposeRepository
from serving.storage.repositories.receiver_repository import ReceiverRepository
from serving.storage.repositories.record_repository import RecordRepository
from serving.storage.repositories.rescoring_repository import RescoringRepository
from serving.storage.repositories.rescue_call_repository import RescueCallRepository
from serving.storage.repositories.retention_repository import RetentionRepository
from serving.storage.repositories.rollup_repository import RollupRepository
from serving.storage.repositories.saved_view_repository import SavedViewRepository
from serving.storage.repositories.second_factor_repository import SecondFactorRepository
from serving.storage.repositories.session_repository import SessionRepository
from serving.storage.repositories.shadow_score_repository import ShadowScoreRepository
from serving.storage.repositories.ship_journey_repository import ShipJourneyRepository
from serving.storage.repositories.sign_in_repository import SignInRepository
from serving.storage.repositories.team_repository import TeamRepository
from serving.storage.repositories.webhook_repository import WebhookRepository
from serving.storage.verification.schema_check import require_schema

T = TypeVar("T")


class Lazy(Generic[T]):
    """An attribute that is created from the engine when it is first read, and then kept."""

    def __init__(self, make: Callable[[Engine], T]):
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, stores: None, owner: type) -> Self: ...
    @overload
    def __get__(self, stores: "Stores", owner: type) -> T: ...
    def __get__(self, stores: "Stores | None", owner: type) -> "T | Self":
        if stores is None:
            return self
        # Two threads may both create one; the first to be set stays for all.
        made: T = stores.__dict__.setdefault(self._name, self._make(stores.engine))
        return made


class Stores:
    """The stores of one database; `online_store` is None for a SQLite file."""

    accounts = Lazy(AccountRepository)
    alerts = Lazy(AlertRepository)
    api_keys = Lazy(ApiKeyRepository)
    approvals = Lazy(ApprovalRepository)
    audit_log = Lazy(AuditRepository)
    case_files = Lazy(CaseFileRepository)
    case_load = Lazy(CaseLoadRepository)
    cases = Lazy(CaseRepository)
    checkpoints = Lazy(CheckpointRepository)
    data_keys = Lazy(DataKeys)
    decisions = Lazy(DecisionRepository)
    distress_alerts = Lazy(DistressAlertRepository)
    entities = Lazy(EntityRepository)
    exchange = Lazy(ExchangeRepository)
    messages = Lazy(MessageRepository)
    notices = Lazy(NoticeRepository)
    partners = Lazy(PartnerRepository)
    placements = Lazy(PlacementRepository)
    published_events = Lazy(PublishedEventRepository)
    purposes = Lazy(PurposeRepository)
    receivers = Lazy(ReceiverRepository)
    records = Lazy(RecordRepository)
    rescorings = Lazy(RescoringRepository)
    rescue_calls = Lazy(RescueCallRepository)
    retention_acts = Lazy(RetentionRepository)
    rollups = Lazy(RollupRepository)
    saved_views = Lazy(SavedViewRepository)
    second_factors = Lazy(SecondFactorRepository)
    sessions = Lazy(SessionRepository)
    shadow_scores = Lazy(ShadowScoreRepository)
    ship_journeys = Lazy(ShipJourneyRepository)
    sign_ins = Lazy(SignInRepository)
    switch_events = Lazy(KillSwitchRepository)
    teams = Lazy(TeamRepository)
    webhooks = Lazy(WebhookRepository)
    online_store = Lazy[PostgresStateStore | None](shared_state)

    def __init__(self, engine: Engine):
        self.engine = engine

    @classmethod
    def of_service(cls, database: Path | str, keys: Path, clock: Callable[[], datetime]) -> Self:
        """Open the database of a service or one of its workers; raise as `open_database`.

        Raises TidegateError if its tables differ from the migrations.
        """
        engine = open_database(database, is_service=True, keys=keys, clock=clock)
        try:
            # A service must not run on manipulated triggers or tables.
            require_schema(engine)
        except BaseException:
            # A refused process must hold neither the file nor a connection.
            engine.dispose()
            raise
        return cls(engine)

    def newest_instants(self) -> Mapping[str, datetime]:
        """Return when each kind of row was last written."""
        return newest_instants(self.engine, ())
