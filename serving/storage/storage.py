"""Every repository of one database, for whoever puts the services together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Self

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
from serving.storage.repositories.kill_switch_repository import KillSwitchRepository
from serving.storage.repositories.message_repository import MessageRepository
from serving.storage.repositories.notice_repository import NoticeRepository
from serving.storage.repositories.placement_repository import PlacementRepository
from serving.storage.repositories.published_event_repository import PublishedEventRepository
from serving.storage.repositories.purpose_repository import PurposeRepository
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


@dataclass(frozen=True)
class Storage:
    """The repositories of one database; `online_store` is None where the database is a file."""

    accounts: AccountRepository
    alerts: AlertRepository
    api_keys: ApiKeyRepository
    approvals: ApprovalRepository
    audit_log: AuditRepository
    case_files: CaseFileRepository
    case_load: CaseLoadRepository
    cases: CaseRepository
    checkpoints: CheckpointRepository
    data_keys: DataKeys
    decisions: DecisionRepository
    distress_alerts: DistressAlertRepository
    entities: EntityRepository
    messages: MessageRepository
    newest_instants: Callable[[], Mapping[str, datetime]]
    notices: NoticeRepository
    online_store: PostgresStateStore | None
    placements: PlacementRepository
    published_events: PublishedEventRepository
    purposes: PurposeRepository
    records: RecordRepository
    rescorings: RescoringRepository
    rescue_calls: RescueCallRepository
    retention_acts: RetentionRepository
    rollups: RollupRepository
    saved_views: SavedViewRepository
    second_factors: SecondFactorRepository
    sessions: SessionRepository
    shadow_scores: ShadowScoreRepository
    ship_journeys: ShipJourneyRepository
    sign_ins: SignInRepository
    switch_events: KillSwitchRepository
    teams: TeamRepository
    webhooks: WebhookRepository

    @classmethod
    def of_service(
        cls,
        database: Path | str,
        keys: Path,
        clock: Callable[[], datetime],
    ) -> Self:
        """Open the database of a service, or of one of its workers; raises as `open_database`.

        Raises LogNotWhole where its tables are not as the migrations make them.
        """
        engine = open_database(
            database,
            is_service=True,
            keys=keys,
            clock=clock,
        )
        try:
            require_schema(engine)
        except BaseException:
            engine.dispose()  # whoever was refused holds neither the file nor a connection
            raise
        return cls(
            accounts=AccountRepository(engine),
            alerts=AlertRepository(engine),
            api_keys=ApiKeyRepository(engine),
            approvals=ApprovalRepository(engine),
            audit_log=AuditRepository(engine),
            case_files=CaseFileRepository(engine),
            case_load=CaseLoadRepository(engine),
            cases=CaseRepository(engine),
            checkpoints=CheckpointRepository(engine),
            data_keys=DataKeys(engine),
            decisions=DecisionRepository(engine),
            distress_alerts=DistressAlertRepository(engine),
            entities=EntityRepository(engine),
            messages=MessageRepository(engine),
            newest_instants=partial(newest_instants, engine, ()),
            notices=NoticeRepository(engine),
            online_store=shared_state(engine),
            placements=PlacementRepository(engine),
            published_events=PublishedEventRepository(engine),
            purposes=PurposeRepository(engine),
            records=RecordRepository(engine),
            rescorings=RescoringRepository(engine),
            rescue_calls=RescueCallRepository(engine),
            retention_acts=RetentionRepository(engine),
            rollups=RollupRepository(engine),
            saved_views=SavedViewRepository(engine),
            second_factors=SecondFactorRepository(engine),
            sessions=SessionRepository(engine),
            shadow_scores=ShadowScoreRepository(engine),
            ship_journeys=ShipJourneyRepository(engine),
            sign_ins=SignInRepository(engine),
            switch_events=KillSwitchRepository(engine),
            teams=TeamRepository(engine),
            webhooks=WebhookRepository(engine),
        )
