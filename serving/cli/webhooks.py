"""`tidegate webhooks`: which systems are told of cases by signed calls."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serving.cli.audit import write_reading
from serving.cli.database import opened_database
from serving.cli.offices import tell_new_offices
from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home, Json
from serving.cli.output import messages, print_json

if TYPE_CHECKING:
    from serving.outbox.webhooks import DeliveryState, WebhookEndpoint
    from serving.storage.repositories.webhook_repository import WebhookRepository

webhooks = typer.Typer(
    help="Signed calls that tell other systems of cases: create, list, rotate, resume, revoke.",
    no_args_is_help=True,
)

EndpointId = Annotated[
    str, typer.Argument(help="The endpoint, as `tidegate webhooks list` has it.")
]


@webhooks.command()
def create(
    url: Annotated[str, typer.Argument(help="Where to call: https, without a password in it.")],
    events: Annotated[
        list[str] | None,
        typer.Option(help="Types of events, as `tidegate.case.action_ordered`; all without."),
    ] = None,
    office: Annotated[
        list[str] | None,
        typer.Option(help="Offices of whose cases it is told; repeat for more, all without."),
    ] = None,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Make an endpoint and show its secret once; it is told what happens from now on."""
    from serving.access.office_ids import require_offices
    from serving.access.webhook_client import CallableAddresses
    from serving.access.webhook_signatures import new_secret
    from serving.outbox.webhooks import WebhookEndpoint
    from serving.settings import settings_of
    from serving.storage.repositories.approval_repository import ApprovalRepository

    types = _types(events or [])
    repository, engine = _register(home, database_url)
    settings = settings_of(home, database_url)
    is_live = settings.is_live or ApprovalRepository(engine).is_live_use()
    CallableAddresses.from_networks(settings.webhook_networks, is_trial=not is_live).refuse_url(url)
    endpoint = WebhookEndpoint(
        endpoint_id=f"we_{secrets.token_hex(6)}",
        url=url,
        types=types,
        offices=require_offices(office or ()),
        created_at=datetime.now(UTC),
        secret=new_secret(),
    )
    tell_new_offices(engine, home, endpoint.offices)
    repository.add(endpoint)
    if as_json:
        made = {"endpoint_id": endpoint.endpoint_id, "url": url, "secret": endpoint.secret}
        print_json(made | {"events": types, "offices": endpoint.offices})
        return
    typer.echo(f"{endpoint.endpoint_id}  {endpoint.secret}")
    messages.print("This is the only time the secret is shown.")


@webhooks.command("list")
def list_endpoints(
    home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None, as_json: Json = False
) -> None:
    """Show every endpoint, what it is told and how it fares; never a secret."""
    write_reading("list", "webhooks", home=home, database_url=database_url)
    found = _register(home, database_url, may_create=False)[0].all()
    if as_json:
        print_json([_face(*each) for each in found])
        return
    for endpoint, state in found:
        face = _face(endpoint, state)
        told = ",".join(face["events"]) or "all events"
        offices = ",".join(endpoint.offices) or "all offices"
        because = f"  ({state.failure})" if state.failure else ""
        typer.echo(
            f"{endpoint.endpoint_id}  {face['condition']:<10}  {offices:<20}  {told}  "
            f"{endpoint.url}{because}"
        )


@webhooks.command()
def rotate(
    endpoint_id: EndpointId,
    overlap_hours: Annotated[
        int, typer.Option(min=0, help="Hours in which calls are signed with both secrets.")
    ] = 24,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Make another secret, shown once; calls are signed with both until the overlap is over."""
    from serving.access.webhook_signatures import new_secret

    secret, overlap = new_secret(), timedelta(hours=overlap_hours)
    repository, _ = _register(home, database_url, may_create=False)
    repository.rotate(endpoint_id, secret, datetime.now(UTC), overlap)
    if as_json:
        print_json({"endpoint_id": endpoint_id, "secret": secret})
        return
    typer.echo(secret)
    messages.print(
        "This is the only time the secret is shown. "
        f"Calls are signed with the former one too for {overlap_hours} hours."
    )


@webhooks.command()
def resume(
    endpoint_id: EndpointId, home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None
) -> None:
    """Try an endpoint again at once, also one that was switched off; it is told all since then."""
    _register(home, database_url, may_create=False)[0].resume(endpoint_id, datetime.now(UTC))
    messages.print(f"The endpoint {endpoint_id} is tried again.")


@webhooks.command()
def revoke(
    endpoint_id: EndpointId, home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None
) -> None:
    """Tell an endpoint nothing any more; it does not come back."""
    _register(home, database_url, may_create=False)[0].revoke(endpoint_id, datetime.now(UTC))
    messages.print(f"The endpoint {endpoint_id} is revoked.")


def _types(names: list[str]) -> Any:
    """The types of events of these names; raises BadParameter for what is none."""
    from serving.review.published_events import EVENT_TYPES

    for name in names:
        if name not in EVENT_TYPES:
            raise typer.BadParameter(f"want one of {', '.join(EVENT_TYPES)}", param_hint="--events")
    return tuple(dict.fromkeys(names))


def _face(endpoint: "WebhookEndpoint", state: "DeliveryState") -> dict[str, Any]:
    instants = ("next_at", "failing_since", "reached_at", "off_at")
    fares = {name: getattr(state, name) for name in instants}
    return {
        "endpoint_id": endpoint.endpoint_id,
        "url": endpoint.url,
        "events": endpoint.types,
        "offices": endpoint.offices,
        "created_at": endpoint.created_at.isoformat(),
        "revoked_at": endpoint.revoked_at and endpoint.revoked_at.isoformat(),
        "condition": "revoked" if endpoint.revoked_at else state.condition,
        "attempts": state.attempts,
        "failure": state.failure,
        **{name: at and at.isoformat() for name, at in fares.items()},
    }


def _register(
    home: Path, database_url: str | None, *, may_create: bool = True
) -> "tuple[WebhookRepository, Any]":
    from serving.settings import settings_of
    from serving.storage.repositories.webhook_repository import WebhookRepository

    settings = settings_of(home, database_url)
    engine = opened_database(settings, may_create=may_create)
    return WebhookRepository(engine), engine
