"""Assembles the service; everything it does is elsewhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from serving.access.oidc import Provider
from serving.access.pseudonyms import Pseudonyms
from serving.access.rate_limits import Limits
from serving.access.tokens import PublishedKeys, Tokens
from serving.api import (
    batches,
    cases,
    catalogue,
    decisions,
    health,
    inference,
    invocations,
    kill_switches,
    models,
    records,
    scores,
)
from serving.api.admission import Admission
from serving.api.openapi import DESCRIPTION, describe
from serving.api.problems import add_problem_handlers
from serving.api.request_ids import RequestIds
from serving.audit.checkpointing import Sealing
from serving.audit.checkpoints import Notary
from serving.audit.impact_assessment import require_assessment
from serving.audit.log_writer import DecisionWriter
from serving.audit.masking import Masking
from serving.audit.purpose import Uses
from serving.console import (
    accounts,
    api_reference,
    attachments,
    monitoring,
    oidc_login,
    queue,
    sign_in,
    supervision,
)
from serving.console import cases as case_pages
from serving.console import decisions as decision_pages
from serving.console import features as feature_pages
from serving.console import models as model_pages
from serving.console import switches as switch_pages
from serving.console.pages import STATIC
from serving.container import Beginning, Clock, House
from serving.db.data_keys import DataKeys
from serving.db.engine import open_database
from serving.db.postgres_state import shared_state
from serving.db.repositories.account_repository import AccountRegister, SessionRegister
from serving.db.repositories.alert_repository import AlertBook
from serving.db.repositories.api_key_repository import KeyRegister
from serving.db.repositories.case_file_repository import CaseFiles
from serving.db.repositories.case_repository import CaseBook
from serving.db.repositories.checkpoint_repository import CheckpointRegister
from serving.db.repositories.decision_log import DecisionLog
from serving.db.repositories.kill_switch_repository import KillSwitchRepository
from serving.db.repositories.placement_log import PlacedLog
from serving.db.repositories.purpose_repository import PurposeRegister
from serving.db.repositories.record_repository import RecordStore
from serving.db.repositories.rescue_outbox import RescueOutbox
from serving.db.repositories.retention_repository import RetentionActs
from serving.db.repositories.rollup_repository import SummaryStore
from serving.db.repositories.shadow_score_repository import OpinionRegister
from serving.degradation import keep_telling
from serving.errors import ExtraMissing
from serving.history.client import opened
from serving.history.ingestion import Intake
from serving.metrics_multiprocess import is_shared
from serving.models.kill_switch import KillSwitch
from serving.models.model_pool import ModelPool
from serving.observability import Metrics
from serving.review.rescue_call import Webhook
from serving.review.rescue_calls import RescueCalls
from serving.review.reviewing import Reviewing
from serving.scoring.assessment import Assessor
from serving.scoring.batcher import Desk
from serving.scoring.shadow_scoring import SecondOpinions
from serving.settings import Settings
from serving.start_stages import Report, unheard
from serving.triage.lanes import Lanes
from serving.triage.other_workers import Others


def utc_now() -> datetime:
    """The present: the only place where the service reads it."""
    return datetime.now(UTC)


def create_app(settings: Settings, clock: Clock = utc_now, report: Report = unheard) -> FastAPI:
    """The service over one home folder; raises TidegateError where the folder cannot be used."""
    if settings.is_live:
        require_assessment(settings.impact, clock().date())
    house = build_house(settings, clock, report)
    app = FastAPI(
        title="Tidegate",
        version="1",
        description=DESCRIPTION,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Spans and figures are our own: these would hold paths, and paths hold ids.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.house = house
    app.router.routes.extend(scores.router.routes)  # an included router is gone through twice
    for resource in (
        *(batches, records, decisions, cases, catalogue, models, health),
        *(invocations, inference, kill_switches),
    ):
        app.include_router(resource.router)
    app.mount("/console/static", StaticFiles(directory=STATIC), name="static")
    for pages in (  # the last answers every address of the console that is left
        sign_in,
        oidc_login,
        queue,
        attachments,
        case_pages,
        supervision,
        monitoring,
        decision_pages,
        feature_pages,
        model_pages,
        switch_pages,
        accounts,
        api_reference,
    ):
        app.include_router(pages.router)
    add_problem_handlers(app)
    app.add_middleware(RequestIds, metrics=house.metrics)
    if settings.telemetry:
        _trace(app)
    app.add_middleware(Admission, most=settings.most_in_flight, metrics=house.metrics)
    describe(app, inference.InferenceRequest)
    return app


def _trace(app: FastAPI) -> None:
    try:
        from serving.api.tracing import Tracing, exporting_provider

        app.add_middleware(Tracing, provider=exporting_provider())
    except ImportError:
        raise ExtraMissing(
            "TIDEGATE_TELEMETRY needs the extra: pip install 'tidegate[telemetry]'"
        ) from None


def build_house(settings: Settings, clock: Clock, report: Report = unheard) -> House:
    """The parts of the service, put together."""
    metrics = Metrics()
    report("opening the database", 0, 0)
    engine = open_database(settings.database, is_service=True, keys=settings.keys)
    data_keys = DataKeys(engine)
    data_keys.prepare()
    purposes = PurposeRegister(engine)
    purposes.bind(settings.purpose)
    log = DecisionLog(engine)
    sealing = Sealing(
        Notary.kept_in(settings.keys),
        CheckpointRegister(engine, settings.witness_file),
        clock,
        every=settings.checkpoint_every,
        within_s=settings.checkpoint_within_s,
    )
    records = RecordStore(engine)
    reading = partial(report, "reading history")
    past = opened(settings, log, records, shared_state(engine), reading)
    intake = Intake(records, log, past, settings.purpose)
    pseudonyms = Pseudonyms.kept_in(settings.keys)
    masking = Masking(RetentionActs(engine), data_keys, pseudonyms)
    switch_register = KillSwitchRepository(engine)
    report("checking models", 0, 0)
    champions = ModelPool(
        settings.models, settings.keys / "signing.pub", KillSwitch(switch_register.latest_by_kind)
    )
    desk = Desk(
        assessor=Assessor(
            champions=champions,
            past=past,
            records=records,
            purpose=settings.purpose,
            lanes=Lanes.of(
                settings,
                Others(PlacedLog(engine), clock()),
                AlertBook(engine).exploration,
            ),
        ),
        log=log,
        writer=DecisionWriter(log, sealing, settings.queue_capacity, metrics.committed, past),
        opinions=SecondOpinions(champions, OpinionRegister(engine), metrics.opinions_left_out.inc),
        deadline_s=settings.commit_deadline_s,
    )
    return House(
        settings=settings,
        clock=clock,
        desk=desk,
        log=log,
        keys=KeyRegister(engine),
        accounts=AccountRegister(engine),
        sessions=SessionRegister(engine),
        metrics=metrics,
        reviewing=Reviewing(CaseBook(engine), CaseFiles(engine), log, past.learn, masking),
        intake=intake,
        limits=Limits(settings.rate_per_s, settings.rate_burst),
        tokens=_tokens(settings, clock),
        provider=_provider(settings, clock),
        placed=PlacedLog(engine),
        pseudonyms=masking.pseudonyms,
        rescue_calls=_rescue_calls(settings, RescueOutbox(engine), clock),
        began=Beginning(clock()),
        summaries=SummaryStore(engine),
        switches=switch_register,
        uses=Uses(settings.purpose, purposes, clock),
    )


def _tokens(settings: Settings, clock: Clock) -> Tokens | None:
    if settings.token_keys is None:
        return None
    keys = PublishedKeys(settings.token_keys)
    return Tokens(keys, settings.token_audience, settings.token_issuer, clock)


def _provider(settings: Settings, clock: Clock) -> Provider | None:
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
    )


def _rescue_calls(settings: Settings, outbox: RescueOutbox, clock: Clock) -> RescueCalls | None:
    if settings.rescue_webhook is None:
        return None
    secret = settings.rescue_secret.get_secret_value() if settings.rescue_secret else ""
    return RescueCalls(outbox, Webhook.of(settings.rescue_webhook, secret), clock)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    house: House = app.state.house
    house.desk.open()
    if house.rescue_calls:
        house.rescue_calls.start()
    telling = asyncio.create_task(keep_telling(house)) if is_shared() else None
    try:
        yield
    finally:
        if telling:
            telling.cancel()
        house.desk.close()
        if house.rescue_calls:
            house.rescue_calls.stop()
        house.desk.assessor.past.close()
        house.log.close()
