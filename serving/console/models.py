"""Page of models: those in service, their quality, and their registration."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter
from pydantic import BaseModel, ValidationError
from starlette.responses import HTMLResponse

from features.offences import OFFENCES
from features.records import SubjectKind
from serving.console.browser_session import TheSession
from serving.console.page_scopes import MayStudy
from serving.console.pages import PageRoute, page
from serving.container import Services
from serving.explanation.formatting import capital
from serving.language import say
from serving.models.model_pool import LoadedModel, Role
from serving.triage.lane_declarations import LANE_NAMES
from serving.web.figure_words import FIRST_FIGURES
from serving.web.html import date_in_words
from serving.web.services import TheServices
from training.model.model_pointer import GateVerdict
from training.model.risk_model import RiskModel

DRAWN_AT_RANDOM = "Inspection, drawn at random"

router = APIRouter(prefix="/console/models", include_in_schema=False, route_class=PageRoute)

COUNTED = timedelta(days=14)


class RegistrationRecord(BaseModel):
    """Content of `registration.json` next to an artefact."""

    trainer: str
    registered_at: datetime
    run_id: str


@dataclass(frozen=True)
class ModelInService:
    """A model in service; `registered` is None without a record next to its artefact."""

    role: Role
    version: str
    model: RiskModel
    registered: RegistrationRecord | None
    verdicts: tuple[GateVerdict, ...]

    @classmethod
    def from_loaded(cls, role: Role, holder: LoadedModel, models: Path) -> "ModelInService":
        """Return a loaded model with the record next to its artefact."""
        folder = models / holder.model.manifest.name / holder.version
        try:
            registered = RegistrationRecord.model_validate_json(
                (folder / "registration.json").read_bytes()
            )
        # A model without a readable registration still serves, and the page says so.
        except (OSError, ValidationError):
            registered = None
        return cls(role, holder.version, holder.model, registered, holder.verdicts)


@router.get("")
def show_models(services: TheServices, reader: MayStudy, session: TheSession) -> HTMLResponse:
    """Show champions, challengers and shadows, their figures, and the use of lanes."""
    now = services.clock()
    kinds = services.models.champions()
    return page(
        "models.html",
        reader=reader,
        session=session,
        seated={kind: _seated(services, kind, champion) for kind, champion in kinds.items()},
        first_figures=FIRST_FIGURES,
        lanes=services.placements.counts(now - COUNTED),
        lane_names=LANE_NAMES | {"control": DRAWN_AT_RANDOM},
        days=COUNTED.days,
        harm=harm_table(services),
        plan=services.lanes.plan.edition,
        cases=lambda verdict: cases_in_words(verdict, now),
        run_address=lambda run_id: _run_address(services.settings.mlflow_ui, run_id),
    )


def cases_in_words(verdict: GateVerdict, now: datetime) -> str | None:
    """Return the cases that a gate knows and needs in the reader's language; None without any."""
    if verdict.cases is None:
        return None
    text, values = verdict.cases.phrase(verdict.verdict, now)
    shown = {
        name: date_in_words(value) if isinstance(value, datetime) else value
        for name, value in values.items()
    }
    return say(text, cases=capital(say(verdict.cases.kind)), **shown)


@dataclass(frozen=True)
class HarmRow:
    """A class of offence for one kind of subject: weight in the plan, and share of findings."""

    kind: SubjectKind
    offence: str
    weight: float
    share: float


def harm_table(services: Services) -> list[HarmRow]:
    """Return the weights of offences in lanes, with their shares; empty without weights.

    Shares refer to the findings in the champion's training outcomes.
    """
    weights = services.lanes.plan.harm
    if not weights:
        return []
    rows = []
    for kind, champion in services.models.champions().items():
        shares = champion.model.manifest.offence_shares.of_all
        rows += [
            HarmRow(
                kind, offence.replace("_", " "), weights.get(offence, 1.0), shares.get(offence, 0.0)
            )
            for offence in OFFENCES
            if offence in weights or offence in shares
        ]
    return rows


def _seated(services: Services, kind: SubjectKind, champion: LoadedModel) -> list[ModelInService]:
    champions, models = services.models, services.settings.models
    holders = {"champion": champion, **champions.challengers(kind)}
    return [ModelInService.from_loaded(role, holder, models) for role, holder in holders.items()]


def _run_address(ui: str | None, run_id: str) -> str | None:
    return f"{ui.rstrip('/')}/#/runs/{quote(run_id, safe='')}" if ui else None
