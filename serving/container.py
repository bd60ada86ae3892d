"""The services of one application, built over one home folder."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Self

import structlog

from features.errors import TidegateError
from features.home_keys import LOG, party_key, private_key
from serving.access.actors import SERVICE
from serving.access.errors import AddressRefused
from serving.access.oidc import Provider
from serving.access.password_gate import PasswordGate
from serving.access.pseudonyms import Pseudonyms
from serving.access.public_webhook_client import CallableAddresses
from serving.access.published_keys import PublishedKeys
from serving.access.rate_limits import RateLimits
from serving.access.sign_in_threads import SignInThreads
from serving.access.tokens import Tokens
from serving.audit.audit_writer import AuditWriter
from serving.audit.clock_check import ClockCheck
from serving.audit.decision_log_writer import LogWriter
from serving.audit.errors import ClockDisagrees
from serving.audit.masking import Masking
from serving.audit.purpose import PurposeGuard
from serving.future_declarations import DoubtsClock
from serving.history.client import HistoryClient, open_history
from serving.history.ingestion import RecordIngestion
from serving.integrity.checkpoint_check import check_by_checkpoints
from serving.integrity.checkpoints import CheckpointWriter
from serving.integrity.witnesses import witnesses_of
from serving.models.kill_switch import KillSwitch
from serving.models.model_pool import ModelPool
from serving.models.slot_approvals import SlotApprovals
from serving.monitor.daily_report import DailyReports
from serving.observability import Metrics
from serving.outbox.alert_channel import AlertChannel, alert_webhook
from serving.outbox.outbox import Outbox
from serving.outbox.rescue import RescueChannel
from serving.outbox.webhooks import WebhookChannel
from serving.outbox.witness_channel import WitnessChannel
from serving.process.background_threads import BackgroundThread
from serving.process.start_stages import StageReport, ignore_stage
from serving.process.worker_metrics import is_shared, reserve, shared_folder
from serving.review.cases.case_links import CaseLinks
from serving.review.cases.case_opening_worker import CaseOpening
from serving.review.cases.cases import Cases
from serving.review.cases.escalations import EscalationRule, Escalations
from serving.review.cases.message_evidence import MessageEvidence
from serving.review.cases.message_list import MessageList
from serving.review.cases.reviewer import Reviewer
from serving.review.letters.letter_writer import LetterWriter
from serving.review.published_events import PublishedEvents
from serving.review.rescue.rescue_calls import RescueDirectory
from serving.review.rescue.rescue_centres import rescue_centres
from serving.review.rescue.rescue_watch import RescueWatch
from serving.review.search.entities import Entities
from serving.scoring.assessment import Assessor
from serving.scoring.batcher import RequestBatcher
from serving.scoring.danger_watch import DangerWatch
from serving.scoring.earlier_finds import EarlierFinds
from serving.scoring.enrichment import with_newest_positions
from serving.scoring.message_intake import MessageIntake
from serving.scoring.message_readers import MessageReaders
from serving.scoring.rescoring import Rescoring
from serving.scoring.shadow_scoring import ShadowScoring
from serving.scoring.ships import EarlierCalls
from serving.settings import Settings
from serving.storage.known_offices import known_offices
from serving.storage.repositories.account_repository import AccountRepository
from serving.storage.repositories.api_key_repository import ApiKeyRepository
from serving.storage.repositories.approval_repository import ApprovalRepository
from serving.storage.repositories.audit_repository import AuditRepository
from serving.storage.repositories.case_load_repository import CaseLoadRepository
from serving.storage.repositories.case_repository import CaseRepository
from serving.storage.repositories.checkpoint_repository import CheckpointRepository
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.repositories.distress_alert_repository import DistressAlertRepository
from serving.storage.repositories.kill_switch_repository import KillSwitchRepository
from serving.storage.repositories.notice_repository import NoticeRepository
from serving.storage.repositories.placement_repository import PlacementRepository
from serving.storage.repositories.record_repository import RecordRepository
from serving.storage.repositories.rescue_call_repository import RescueCallRepository
from serving.storage.repositories.retention_repository import RetentionRepository
from serving.storage.repositories.rollup_repository import RollupRepository
from serving.storage.repositories.saved_view_repository import SavedViewRepository
from serving.storage.repositories.second_factor_repository import SecondFactorRepository
from serving.storage.repositories.session_repository import SessionRepository
from serving.storage.repositories.sign_in_repository import SignInRepository
from serving.storage.repositories.team_repository import TeamRepository
from serving.storage.repositories.webhook_repository import WebhookRepository
from serving.storage.stores import Stores
from serving.triage.lanes import Lanes
from serving.triage.other_workers import OtherWorkers

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]

# A larger difference between the wall clock and elapsed time means that the clock was set.
MAX_CLOCK_DRIFT_S = 60.0


@dataclass(frozen=True)
class StartClock:
    """The start of the service by the wall clock, and by the monotonic one, which cannot be set."""

    at: datetime
    monotonic_s: float = field(default_factory=time.monotonic)

    def drift_s(self, now: datetime) -> float:
        """Return how many seconds the wall clock has gained on elapsed time since the start."""
        return (now - self.at).total_seconds() - (time.monotonic() - self.monotonic_s)

    def has_jumped(self, now: datetime) -> bool:
        """Return True if the wall clock was set since the start, and so may be wrong."""
        return abs(self.drift_s(now)) > MAX_CLOCK_DRIFT_S


@dataclass(frozen=True)
class Services:
    """The services shared by the API and the console; `clock` is the only source of the present."""

    settings: Settings
    clock: Clock
    start_clock: StartClock
    metrics: Metrics
    stores: Stores
    # Scoring
    batcher: RequestBatcher
    assessor: Assessor
    models: ModelPool
    kill_switch: KillSwitch
    switch_events: KillSwitchRepository
    lanes: Lanes
    placements: PlacementRepository
    shadow_scoring: ShadowScoring
    rescoring: Rescoring
    # History and the decision log
    history: HistoryClient
    ingestion: RecordIngestion
    message_intake: MessageIntake
    message_readers: MessageReaders
    message_evidence: MessageEvidence
    message_list: MessageList
    records: RecordRepository
    decisions: DecisionRepository
    earlier_finds: EarlierFinds
    log_writer: LogWriter
    audit_log: AuditWriter
    audit_events: AuditRepository
    checkpoints: CheckpointRepository
    witnesses: WitnessChannel
    # Review
    cases: Cases
    case_store: CaseRepository
    case_load: CaseLoadRepository
    case_links: CaseLinks
    case_opening: CaseOpening
    entities: Entities
    escalations: Escalations
    saved_views: SavedViewRepository
    teams: TeamRepository
    retention_acts: RetentionRepository
    notices: NoticeRepository
    letters: LetterWriter
    events: PublishedEvents
    webhooks: WebhookRepository
    outbox: Outbox
    masking: Masking
    rescue_calls: RescueChannel | None
    rescue_outbox: RescueCallRepository
    distress_alerts: DistressAlertRepository
    rescue_watch: RescueWatch
    rollups: RollupRepository
    daily_reports: DailyReports
    # Access
    api_keys: ApiKeyRepository
    approvals: ApprovalRepository
    accounts: AccountRepository
    second_factors: SecondFactorRepository
    sessions: SessionRepository
    sign_ins: SignInRepository
    sign_in_threads: SignInThreads
    password_gate: PasswordGate
    tokens: Tokens | None
    oidc: Provider | None
    rate_limits: RateLimits
    purpose: PurposeGuard
    pseudonyms: Pseudonyms

    @property
    def is_live_use(self) -> bool:
        """True if this database is or ever was in live use; two-person rules then stay."""
        return self.settings.is_live or self.approvals.is_live_use()

    @property
    def background_threads(self) -> list[BackgroundThread]:
        """The background threads, including those that are never started."""
        polling = [
            self.case_opening.polling,
            self.rescoring.polling,
            self.escalations.polling,
            self.outbox.polling,
            self.daily_reports.polling,
            self.models.polling,
            self.kill_switch.polling,
        ]
        return [
            self.batcher.thread,
            self.log_writer.thread,
            self.audit_log.thread,
            self.shadow_scoring.thread,
            *(each.thread for each in polling),
        ]

    def as_read(self, revision: int | None) -> Self:
        """Return services that act on a case only if it is still at this revision; None for any."""
        cases = replace(self.cases, revision_read=revision)
        return replace(self, cases=cases, letters=replace(self.letters, cases=cases))

    def start(self) -> None:
        """Start the background threads."""
        self.audit_log.start()
        self.batcher.open()
        self.rescoring.start()
        self.case_opening.start()
        self.escalations.start()
        self.daily_reports.start()
        self.outbox.start()

    def stop(self) -> None:
        """Finish accepted work, write it, and close state and database.

        A part that fails does not keep the others from stopping; the failure is raised at the end.
        """
        # Parts that submit work stop before the batcher. The audit log, history and database close
        # after the parts that write to them.
        parts = [
            self.rescoring.stop,
            self.daily_reports.stop,
            self.batcher.close,
            self.sign_in_threads.close,
            self.case_opening.stop,
            self.escalations.stop,
            self.password_gate.close,
            self.message_readers.close,
            self.outbox.stop,
            self.audit_log.stop,
            self.history.close,
            self.decisions.close,
            self.rate_limits.close,
        ]
        with ExitStack() as stopping:
            # ExitStack calls back in reverse order, so the parts stop in the order of the list.
            for stop in reversed(parts):
                stopping.callback(stop)


def build_services(
    settings: Settings, clock: Clock, report: StageReport = ignore_stage
) -> Services:
    """Build the services of a home folder; raises TidegateError if it is unusable.

    After a refusal the database is closed at once, so others can open it.
    """
    report("opening the database", 0, 0)
    stores = Stores.of_service(settings.database, settings.keys, clock)
    try:
        return _services_over(stores, settings, clock, report)
    except BaseException:
        stores.decisions.close()
        raise


def _services_over(
    stores: Stores, settings: Settings, clock: Clock, report: StageReport
) -> Services:
    # Before any metric is written: on a full disk, writing to a mapped file kills the process.
    if is_shared():
        reserve()
    metrics = Metrics()
    # First of all: a log that was cut or changed must not be extended.
    witnesses = _witnesses(settings, clock, stores)
    stores.data_keys.prepare()
    stores.decisions.read_time(clock())
    # A database keeps the purpose for which it was first served.
    stores.purposes.bind(settings.purpose)
    history = _history(settings, stores, report)
    masking = Masking(stores.retention_acts, stores.data_keys, Pseudonyms.kept_in(settings.keys))
    report("checking models", 0, 0)
    # Recorded for good, so that the rules of two persons outlast a return to trial mode.
    if settings.is_live:
        stores.approvals.begin_live_use(SERVICE, clock())
    models = _models(settings, stores)
    start_clock = StartClock(clock())
    doubts_clock = partial(_doubts_clock, start_clock, ClockCheck(stores.newest_instants))
    batcher = _batcher(settings, clock, stores, models, history, metrics, doubts_clock)
    events = PublishedEvents(stores.published_events, masking)
    cases = Cases(
        stores.cases,
        stores.case_files,
        stores.decisions,
        history.ingest_outcome,
        masking,
        batcher.assessor.lanes.plan.office_of_place,
        stores.teams.all,
        partial(_reviewers, stores),
        partial(
            known_offices,
            stores.accounts,
            stores.api_keys,
            stores.cases,
            batcher.assessor.lanes.plan,
        ),
        partial(with_newest_positions, records=stores.records, clock=clock),
        blind_share=settings.blind_share,
    )
    rescue_calls = _rescue_calls(settings, stores, clock)
    witnessing = witnesses if settings.witnesses else None
    alerts = _alerts(settings, stores, clock)
    webhooks = _webhooks(settings, clock, stores, events, metrics)
    # With several workers each has one reader process, to bound their total memory.
    readers = MessageReaders(1 if is_shared() else 2, party_key(settings.keys))
    ingestion = RecordIngestion(
        stores.records, stores.decisions, history, settings.purpose, doubts_clock
    )
    return Services(
        settings=settings,
        clock=clock,
        start_clock=start_clock,
        metrics=metrics,
        stores=stores,
        batcher=batcher,
        assessor=batcher.assessor,
        models=models,
        kill_switch=models.kill_switch,
        switch_events=stores.switch_events,
        lanes=batcher.assessor.lanes,
        placements=stores.placements,
        shadow_scoring=batcher.shadow_scoring,
        rescoring=Rescoring(
            stores.rescorings,
            stores.records,
            batcher,
            settings.rescoring_rules,
            clock,
            metrics.decisions.count,
            masking.hides,
        ),
        history=history,
        ingestion=ingestion,
        message_intake=MessageIntake(
            stores.messages,
            ingestion,
            batcher,
            stores.decisions,
            settings.max_batch_subjects,
            settings.max_body_bytes,
            stores.ship_journeys,
            readers,
        ),
        message_readers=readers,
        message_evidence=(evidence := MessageEvidence(stores.messages, cases)),
        message_list=MessageList(stores.messages, evidence),
        records=stores.records,
        decisions=stores.decisions,
        earlier_finds=EarlierFinds(history, stores.decisions, stores.records, masking),
        log_writer=batcher.writer,
        audit_events=stores.audit_log,
        checkpoints=stores.checkpoints,
        audit_log=AuditWriter(stores.audit_log, settings.queue_capacity),
        witnesses=witnesses,
        cases=cases,
        case_store=stores.cases,
        case_load=stores.case_load,
        case_links=CaseLinks(cases),
        case_opening=CaseOpening(cases, clock),
        entities=Entities(stores.entities, masking),
        escalations=Escalations(cases, EscalationRule(*settings.escalation_rule), clock),
        saved_views=stores.saved_views,
        teams=stores.teams,
        retention_acts=stores.retention_acts,
        notices=stores.notices,
        letters=LetterWriter(cases, settings.letters, batcher.assessor.lanes.plan, models, history),
        events=events,
        webhooks=stores.webhooks,
        outbox=Outbox([each for each in (rescue_calls, witnessing, webhooks, alerts) if each]),
        masking=masking,
        rescue_calls=rescue_calls,
        rescue_outbox=stores.rescue_calls,
        distress_alerts=stores.distress_alerts,
        rescue_watch=RescueWatch(
            (stores.distress_alerts, stores.rescue_calls), clock, cases.open_new
        ),
        rollups=stores.rollups,
        daily_reports=DailyReports(stores.rollups, settings, clock),
        api_keys=stores.api_keys,
        approvals=stores.approvals,
        accounts=stores.accounts,
        second_factors=stores.second_factors,
        sessions=stores.sessions,
        sign_ins=stores.sign_ins,
        sign_in_threads=SignInThreads(),
        password_gate=PasswordGate(),
        tokens=_tokens(settings, clock),
        oidc=_oidc(settings, clock),
        rate_limits=_rate_limits(settings),
        purpose=PurposeGuard(settings.purpose, stores.purposes, clock),
        pseudonyms=masking.pseudonyms,
    )


def _doubts_clock(start_clock: StartClock, check: ClockCheck, now: datetime) -> bool:
    """Return True if the clock was set since the start, or is behind earlier entries.

    Witnesses are not asked: some are on other machines, and a caller is waiting.
    """
    if start_clock.has_jumped(now):
        return True
    try:
        check.require_not_behind(now)
    except ClockDisagrees:
        return True
    return False


def _rate_limits(settings: Settings) -> RateLimits:
    """Return rate limits that all workers share, if there are several."""
    shared = shared_folder()
    folder = shared / "rate_limits" if shared else None
    return RateLimits(settings.rate_per_s, settings.rate_burst, folder)


def _reviewers(stores: Stores) -> list[Reviewer]:
    """Return the holders of active accounts who work on cases or rescues."""
    callers = [each.caller() for each in stores.accounts.all() if each.disabled_at is None]
    reviewers = map(Reviewer.from_caller, callers)
    return [reviewer for reviewer in reviewers if reviewer.works_on_cases]


def _history(settings: Settings, stores: Stores, report: StageReport) -> HistoryClient:
    progress = partial(report, "reading history")
    return open_history(
        settings,
        stores.decisions,
        stores.records,
        stores.online_store,
        progress,
    )


def _models(settings: Settings, stores: Stores) -> ModelPool:
    kill_switch = KillSwitch(stores.switch_events.latest_by_kind)
    is_live = stores.approvals.is_live_use()
    approvals = SlotApprovals(stores.approvals) if is_live else None
    return ModelPool(settings.models, settings.keys / "signing.pub", kill_switch, approvals)


def _batcher(
    settings: Settings,
    clock: Clock,
    stores: Stores,
    models: ModelPool,
    history: HistoryClient,
    metrics: Metrics,
    doubts_clock: DoubtsClock,
) -> RequestBatcher:
    return RequestBatcher(
        assessor=Assessor(
            models=models,
            history=history,
            records=stores.records,
            decided=stores.decisions,
            purpose=settings.purpose,
            doubts_clock=doubts_clock,
            lanes=Lanes.from_settings(
                settings,
                OtherWorkers(stores.placements, clock()),
                stores.alerts.exploration,
                stores.placements.first_drawn,
            ),
        ),
        answers=stores.decisions,
        writer=LogWriter(
            stores.decisions,
            _checkpoints(settings, clock, stores),
            settings.queue_capacity,
            metrics.observe_commit,
            history,
        ),
        shadow_scoring=ShadowScoring(
            models, stores.shadow_scores, metrics.shadow_scores_left_out.inc
        ),
        deadline_s=settings.commit_deadline_s,
        earlier_calls=EarlierCalls(stores.records, history),
        danger_watch=DangerWatch(settings.arrivals_are_reported),
    )


def _witnesses(settings: Settings, clock: Clock, stores: Stores) -> WitnessChannel:
    """Check the log against the witnesses' checkpoints before anything is served.

    Raises TidegateError, after closing the database, if the log differs from what they hold.
    """
    check = check_by_checkpoints(stores.checkpoints, settings, by_newest=True)
    try:
        check.require_whole()
    except TidegateError:
        stores.decisions.close()
        raise
    witnesses = witnesses_of(settings)
    channel = WitnessChannel(witnesses, stores.checkpoints, stores.receivers, clock)
    for report in check.witnesses:
        channel.redeliver_after(report.name, report.newest)
        if report.failure:
            log.warning("witness_not_heard", witness=report.name, reason=report.failure)
    return channel


def _checkpoints(settings: Settings, clock: Clock, stores: Stores) -> CheckpointWriter:
    writer = CheckpointWriter(
        private_key(settings.keys, LOG),
        stores.checkpoints,
        clock,
        every=settings.checkpoint_every,
        within_s=settings.checkpoint_within_s,
    )
    writer.write_if_due(is_last=True)  # seal existing entries before adding any
    return writer


def _webhooks(
    settings: Settings,
    clock: Clock,
    stores: Stores,
    events: PublishedEvents,
    metrics: Metrics,
) -> WebhookChannel:
    is_live = settings.is_live or stores.approvals.is_live_use()
    return WebhookChannel(
        stores.webhooks,
        stores.receivers,
        events,
        CallableAddresses.from_networks(settings.webhook_networks, is_trial=not is_live),
        clock,
        settings.webhook_off_after,
        metrics.count_webhook_call,
    )


def _alerts(settings: Settings, stores: Stores, clock: Clock) -> AlertChannel | None:
    try:
        webhook = alert_webhook(settings)
    # Alerts of monitoring must not keep a service from deciding; each report names the cause.
    except AddressRefused as refusal:
        log.warning("alerts_cannot_be_sent", reason=str(refusal))
        return None
    if webhook is None:
        return None
    return AlertChannel(webhook, stores.alerts, stores.receivers, clock)


def _tokens(settings: Settings, clock: Clock) -> Tokens | None:
    if settings.token_keys is None:
        return None
    return Tokens(
        PublishedKeys(settings.token_keys),
        settings.token_audience,
        settings.token_issuer,
        clock,
        longest_life_s=settings.max_token_minutes * 60,
        scope_prefixes=settings.token_scope_prefixes,
        role_claim=settings.token_role_claim,
        subject_claim=settings.subject_claim,
    )


def _oidc(settings: Settings, clock: Clock) -> Provider | None:
    if settings.oidc_issuer is None:
        return None
    secret = settings.oidc_client_secret
    return Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=secret.get_secret_value() if secret else None,
        role_claim=settings.oidc_role_claim,
        role_prefix=settings.oidc_role_prefix,
        clock=clock,
        role_order=settings.oidc_role_order,
        subject_claim=settings.subject_claim,
    )


def _rescue_calls(settings: Settings, stores: Stores, clock: Clock) -> RescueChannel | None:
    centres = rescue_centres(settings.rescue_centres, settings.rescue_webhook)
    if centres is None:
        return None
    directory = RescueDirectory(
        centres, public_address=settings.public_address, **settings.rescue_secrets
    )
    enriched = partial(with_newest_positions, records=stores.records, clock=clock)
    return RescueChannel(stores.rescue_calls, directory, clock, enriched, stores.distress_alerts)
