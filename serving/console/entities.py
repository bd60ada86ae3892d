"""Page of one party, container or conveyance: its cases over time, without scores."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import HTMLResponse, Response

from serving.audit.decision import Decision
from serving.console.browser_session import TheSession
from serving.console.charts.month_bars import MonthBars
from serving.console.graph_file import entity_graph_file, graph_download
from serving.console.page_scopes import MayReadCase
from serving.console.pages import PageRoute, page, templates
from serving.console.sorted_rows import SortOrder
from serving.explanation.formatting import enumerated
from serving.language import reading, say, say_word, subject_named
from serving.review.cases.case_summary import describe_subject
from serving.review.cases.reviewer import Reviewer
from serving.review.search.entities import (
    MAX_SHOWN,
    EntityCase,
    EntityHistory,
    EntityKind,
    EntityReference,
)
from serving.web.services import TheServices

router = APIRouter(prefix="/console/entities", include_in_schema=False, route_class=PageRoute)


@dataclass(frozen=True)
class EntityCaseRow:
    """One case of the list: its status, and the roles in which it names the entity."""

    case: EntityCase
    title: str
    what: str
    status: str
    roles: str

    @classmethod
    def from_case(cls, each: EntityCase, decision: Decision | None) -> "EntityCaseRow":
        """Return a case with its subject, status and roles as text.

        Without a readable decision, its stored summary stands for the subject, in English.
        """
        row = each.case
        stands = say_word(row.status)
        if each.is_confirmed:
            stands = say("smuggling confirmed")
        elif each.result is not None:
            stands = say("closed: {result}", result=say(each.result.words))
        title = subject_named(row.subject_kind, row.subject_id)
        language = reading().language
        what = describe_subject(decision.submission, language=language) if decision else row.what
        return cls(each, title, what, stands, in_words(each.roles))


@router.get("/{kind}/{token}")
def show_entity(
    services: TheServices,
    caller: MayReadCase,
    session: TheSession,
    kind: EntityKind,
    token: Annotated[str, Path(max_length=64)],
    sort: Annotated[SortOrder, Query()] = "",
) -> HTMLResponse:
    """Show the cases of an entity that the reader may see, and record the read."""
    reviewer = Reviewer.from_caller(caller)
    history = services.entities.history(reviewer, EntityReference(kind, token))
    shown = history.cases[:MAX_SHOWN]
    decisions = services.cases.decisions_of([each.case for each in shown])
    return page(
        "entity.html",
        reader=caller,
        session=session,
        history=history,
        sort=sort,
        called=called_by_kind(history),
        rows=[EntityCaseRow.from_case(each, decisions.get(each.case.case_id)) for each in shown],
        months=MonthBars.from_months(history.months),
    )


@router.get("/{kind}/{token}/links.graphml")
def download_entity_links(
    services: TheServices,
    caller: MayReadCase,
    kind: EntityKind,
    token: Annotated[str, Path(max_length=64)],
) -> Response:
    """Return an entity with its cases as GraphML, and record the export."""
    reviewer = Reviewer.from_caller(caller)
    history = services.entities.history(reviewer, EntityReference(kind, token))
    content = entity_graph_file(history, history.cases[:MAX_SHOWN])
    return graph_download(content, f"links of {kind} {token}")


def called_by_kind(history: EntityHistory) -> str:
    """Return the kind of the entity: a vessel, a vehicle, a container or a party."""
    is_conveyance = history.entity.reference.kind == "conveyance"
    return history.roles[0][0] if is_conveyance else history.entity.reference.kind


def in_words(roles: tuple[str, ...]) -> str:
    """Return roles as a list within a sentence."""
    return enumerated([say_word(role) for role in roles], reading().language)


def address_of(reference: EntityReference) -> str:
    """Return the address of an entity's page, which contains a token and no identifier."""
    return f"/console/entities/{reference.kind}/{reference.token}"


def in_parts(
    text: str, entities: Mapping[str, EntityReference]
) -> list[tuple[str, EntityReference | None]]:
    """Split a text into the entities that it mentions as whole words, and the text between."""
    # Longest first, so that an id is not cut short by another that it starts with.
    known = "|".join(re.escape(value) for value in sorted(entities, key=len, reverse=True))
    parts = re.split(rf"(?<![\w-])({known})(?![\w-])", text) if known else [text]
    return [(part, entities.get(part)) for part in parts if part]


templates.filters["entity_address"] = address_of
templates.filters["in_parts"] = in_parts
