"""Pages of features: their meaning, and where they are computed."""

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from features.catalogue import feature_named, features_by_name
from features.definition import Feature
from features.indicators import sign_of
from serving.console.browser_session import TheSession
from serving.console.page_scopes import MayExplainOrStudy
from serving.console.pages import PageRoute, page
from serving.container import Services
from serving.explanation.formatting import value_in_words
from serving.language import reading, say
from serving.models.model_pool import LoadedModel
from serving.review.cases.case_records import CaseAccess
from serving.review.supervision.first_judgements import MIN_PEOPLE
from serving.review.supervision.supervision import MarkedReason, Supervision
from serving.web.html import words_of
from serving.web.services import TheServices

router = APIRouter(prefix="/console/features", include_in_schema=False, route_class=PageRoute)


@dataclass(frozen=True)
class InTraining:
    """Typical values of a feature in the training window of a model."""

    model: str
    figures: tuple[tuple[str, str], ...]


@router.get("")
def catalogue(reader: MayExplainOrStudy, session: TheSession) -> HTMLResponse:
    """Show all features by kind of evidence."""
    families: dict[str, list[Feature]] = {}
    for feature in features_by_name().values():
        families.setdefault(words_of(feature.family), []).append(feature)
    return page("features.html", reader=reader, session=session, families=families)


@router.get("/{name}")
def one(
    services: TheServices, reader: MayExplainOrStudy, session: TheSession, name: str
) -> HTMLResponse:
    """Show one feature: its definition, and its values in training of the models in service."""
    feature = feature_named(name)
    champions = services.models.champions()
    seen = [_in_training(feature, c) for kind, c in champions.items() if kind in feature.subjects]
    return page(
        "feature.html",
        reader=reader,
        session=session,
        feature=feature,
        sign_of=sign_of(feature.indicator),
        seen=seen,
        checked=_checked(services, feature),
    )


def _checked(services: Services, feature: Feature) -> MarkedReason | None:
    """Return how checks of a feature's indicator ended of late; None if too few people checked."""
    everywhere = CaseAccess(frozenset(), is_rescue=False)
    reasons = Supervision.from_cases(services.case_load, everywhere, services.clock()).reasons
    of_indicator = (each for each in reasons if each.indicator == feature.indicator)
    return next((each for each in of_indicator if each.people >= MIN_PEOPLE), None)


def _in_training(feature: Feature, champion: LoadedModel) -> InTraining:
    manifest = champion.model.manifest
    reference = manifest.reference[feature.name]
    figures = [(say("missing"), f"{100 * reference.missing_share:.0f} %")]
    if reference.quantiles:
        below = (
            (say("5 % are below"), 1),
            (say("half are below"), 10),
            (say("95 % are below"), 19),
        )
        for label, step in below:
            value = value_in_words(reference.quantiles[step], feature.unit, reading().language)
            figures.append((label, value))
    common = sorted(reference.shares.items(), key=lambda item: (-item[1], item[0]))[:5]
    figures += [(category, f"{100 * share:.0f} %") for category, share in common]
    return InTraining(
        say("{model}, version {version}", model=manifest.name, version=str(champion.version)),
        tuple(figures),
    )
