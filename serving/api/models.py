"""`GET /v1/models`: the models in service."""

from datetime import datetime
from typing import Literal

from fastapi import APIRouter

from features.records import SubjectKind
from serving.api.openapi import problems
from serving.audit.decision import ModelRef
from serving.models.model_pool import LoadedModel, Role
from serving.web.authentication import AnyCaller
from serving.web.bodies import ClosedModel
from serving.web.closed_routes import ClosedRoute
from serving.web.services import TheServices

router = APIRouter(prefix="/v1/models", tags=["models"], route_class=ClosedRoute)


class EstimateAnswer(ClosedModel):
    """A figure with its 95 % interval; null where too little is known."""

    value: float | None
    low: float | None
    high: float | None


class TrainingPeriod(ClosedModel):
    """A period of declarations, with their labels, that a model was fitted or evaluated on."""

    begins: datetime
    ends: datetime
    labelled: int
    confirmed: int


class CountedCasesAnswer(ClosedModel):
    """Cases that a gate decides from: `known` ones of a period, and `needed`; null if unknown."""

    kind: str
    known: int
    needed: int | None
    begins: datetime | None
    ends: datetime | None


class GateAnswer(ClosedModel):
    """The verdict of one gate at promotion, whether people waived it or a trial does without."""

    gate: str
    verdict: Literal["passed", "refused", "undecided"]
    reason: str
    is_waived: bool
    not_required_in: str | None
    cases: CountedCasesAnswer | None


class ModelAnswer(ClosedModel):
    """A model in service: the champion scores, the others score in parallel without effect.

    `verdicts` are those of its promotion; a model that was never promoted has none.
    """

    role: Role
    subject_kind: SubjectKind
    name: str
    version: str
    digest: str
    catalogue: str
    trained_on: dict[str, TrainingPeriod]
    training_set_digest: str
    metrics: dict[str, EstimateAnswer]
    verdicts: list[GateAnswer]

    @classmethod
    def from_loaded(cls, champion: LoadedModel, role: Role) -> "ModelAnswer":
        """Return the manifest data of a loaded model."""
        manifest = champion.model.manifest
        ref = ModelRef.from_loaded(champion)
        return cls(
            role=role,
            subject_kind=manifest.subject,
            **ref.model_dump(),
            trained_on=manifest.training_window.model_dump(),
            training_set_digest=manifest.training_set_digest,
            metrics={
                name: EstimateAnswer(value=figure.value, low=figure.low, high=figure.high)
                for name, figure in manifest.metrics.items()
            },
            verdicts=[GateAnswer(**verdict.model_dump()) for verdict in champion.verdicts],
        )


class ModelsAnswer(ClosedModel):
    """The models in service; of each kind the champion first."""

    models: list[ModelAnswer]


@router.get("", responses=problems())
def list_models(services: TheServices, _: AnyCaller) -> ModelsAnswer:
    """List role, name, version, digest, training, figures and gate verdicts of each model."""
    pool = services.models
    return ModelsAnswer(
        models=[
            ModelAnswer.from_loaded(model, role)
            for kind, champion in pool.champions().items()
            for role, model in (("champion", champion), *pool.challengers(kind).items())
        ]
    )
