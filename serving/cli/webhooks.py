"""`tidegate webhooks`: systems that receive case events by signed calls."""

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serving.cli.opened_home import CommandOutput, OpenedHome, on_existing_home, on_home

if TYPE_CHECKING:
    from serving.outbox.feeds import ReceiverState
    from serving.outbox.webhooks import WebhookEndpoint

webhooks = typer.Typer(
    help="Signed calls that report cases to other systems: create, list, change.",
    no_args_is_help=True,
)


@webhooks.command()
@on_home
def create(
    at: OpenedHome,
    url: Annotated[str, typer.Argument(help="Where to call: https, without a password in it.")],
    events: Annotated[
        list[str] | None,
        typer.Option(help="Types of events, as `tidegate.case.action_ordered`; all without."),
    ] = None,
    office: Annotated[
        list[str] | None,
        typer.Option(help="Offices whose cases it gets; repeat for more, all without."),
    ] = None,
) -> CommandOutput:
    """Make an endpoint and show its secret once; it gets what happens from now on."""
    from serving.access.office_ids import require_offices
    from serving.access.public_webhook_client import CallableAddresses
    from serving.access.webhook_signatures import new_secret
    from serving.administration import hints_of_new_offices
    from serving.outbox.webhooks import WebhookEndpoint
    from serving.review.published_events import EVENT_TYPES

    # A misspelt type would never be sent, and nobody would notice.
    for name in events or ():
        if name not in EVENT_TYPES:
            raise typer.BadParameter(f"want one of {', '.join(EVENT_TYPES)}", param_hint="--events")
    # Trials may call this machine; live use may not.
    is_live = at.settings.is_live or at.stores.approvals.is_live_use()
    networks = at.settings.webhook_networks
    CallableAddresses.from_networks(networks, is_trial=not is_live).refuse_url(url)
    endpoint = WebhookEndpoint(
        endpoint_id=f"we_{secrets.token_hex(6)}",
        url=url,
        types=tuple(dict.fromkeys(events or ())),  # type: ignore[arg-type]  # checked above
        offices=require_offices(office or ()),
        created_at=at.now,
        secret=new_secret(),
    )
    hints = hints_of_new_offices(at.known_offices, endpoint.offices)
    at.stores.webhooks.add(endpoint)
    made = {"endpoint_id": endpoint.endpoint_id, "url": url, "secret": endpoint.secret}
    return CommandOutput(
        made | {"events": endpoint.types, "offices": endpoint.offices},
        (f"{endpoint.endpoint_id}  {endpoint.secret}",),
        (*hints, "This is the only time the secret is shown."),
    )


@webhooks.command("list")
@on_existing_home
def list_endpoints(at: OpenedHome) -> CommandOutput:
    """Show every endpoint, its events and the state of its deliveries; never a secret."""
    at.record_reading("list", "webhooks")
    document, lines = [], []
    for endpoint, state in at.stores.webhooks.all():
        face = _face(endpoint, state)
        document.append(face)
        types = ",".join(face["events"]) or "all events"
        offices = ",".join(endpoint.offices) or "all offices"
        because = f"  ({state.failure})" if state.failure else ""
        lines.append(
            f"{endpoint.endpoint_id}  {face['condition']:<10}  {offices:<20}  {types}  "
            f"{endpoint.url}{because}"
        )
    return CommandOutput(document, lines)


@webhooks.command()
@on_existing_home
def change(
    at: OpenedHome,
    endpoint_id: Annotated[
        str, typer.Argument(help="The endpoint, as `tidegate webhooks list` has it.")
    ],
    rotate: Annotated[bool, typer.Option("--rotate", help="Make another secret.")] = False,
    overlap_hours: Annotated[
        int, typer.Option(min=0, help="With --rotate: hours in which both secrets sign.")
    ] = 24,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Try it again at once, also when it was switched off."),
    ] = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="End it for good.")] = False,
) -> CommandOutput:
    """Rotate the secret of an endpoint, resume it with all it has missed, or revoke it."""
    from serving.access.webhook_signatures import new_secret

    if rotate + resume + revoke != 1:
        raise typer.BadParameter("want one of --rotate, --resume and --revoke")
    if resume:
        at.stores.webhooks.resume(endpoint_id, at.now)
        return CommandOutput.note(
            f"The endpoint {endpoint_id} is tried again.", endpoint_id=endpoint_id
        )
    if revoke:
        at.stores.webhooks.revoke(endpoint_id, at.now)
        return CommandOutput.note(
            f"The endpoint {endpoint_id} is revoked.", endpoint_id=endpoint_id
        )
    secret = new_secret()
    at.stores.webhooks.rotate(endpoint_id, secret, at.now, timedelta(hours=overlap_hours))
    both = f"Calls are signed with the former one too for {overlap_hours} hours."
    notes = (f"This is the only time the secret is shown. {both}",)
    return CommandOutput({"endpoint_id": endpoint_id, "secret": secret}, (secret,), notes)


def _face(endpoint: "WebhookEndpoint", state: "ReceiverState") -> dict[str, Any]:
    return {
        "endpoint_id": endpoint.endpoint_id,
        "url": endpoint.url,
        "events": endpoint.types,
        "offices": endpoint.offices,
        "created_at": endpoint.created_at,
        "revoked_at": endpoint.revoked_at,
        "condition": "revoked" if endpoint.revoked_at else state.condition,
        "attempts": state.attempts,
        "failure": state.failure,
        "next_at": state.next_at,
        "failing_since": state.failing_since,
        "reached_at": state.reached_at,
        "off_at": state.off_at,
    }
