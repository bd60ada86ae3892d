"""`tidegate exchange`: what this agency shares with others, and what it got from them."""

import json
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serving.cli.opened_home import CommandOutput, OpenedHome, on_existing_home, on_home

if TYPE_CHECKING:
    from serving.exchange.node import ExchangeNode
    from serving.storage.repositories.exchange_repository import Sending

exchange = typer.Typer(
    help="Exchange with other agencies: partners, objects, sendings, recalls.",
    no_args_is_help=True,
)

By = Annotated[str, typer.Option(help="Who does this; the user of this machine is recorded too.")]
Marked = Annotated[str, typer.Option(help="clear, green, amber, amber+strict or red (TLP 2.0).")]
Purposes = Annotated[
    list[str] | None, typer.Option("--purpose", help="What for, as `risk_assessment`; repeat.")
]


class Show(StrEnum):
    """What `tidegate exchange list` shows."""

    PARTNERS = "partners"
    OBJECTS = "objects"
    SENDINGS = "sendings"
    WAITING = "waiting"


@exchange.command("join")
@on_home
def join_exchange(
    at: OpenedHome,
    name: Annotated[str, typer.Argument(help="The name that partners know this agency by.")],
    by: By,
) -> CommandOutput:
    """Give this agency its name and key; hand name and public key to partners in person."""
    from serving.exchange.node import join

    own = join(at.stores, at.settings.keys, name, by, at.now)
    return CommandOutput(
        {"name": own.name, "public_key": own.public_key}, (f"{own.name}  {own.public_key}",)
    )


@exchange.command()
@on_existing_home
def partner(
    at: OpenedHome,
    name: Annotated[str, typer.Argument(help="The agency, by the name that it gave itself.")],
    by: By,
    public_key: Annotated[
        str | None, typer.Option(help="Its public key, as it handed it over.")
    ] = None,
    key_id: Annotated[
        str | None,
        typer.Option(
            help="The API key with the scope `exchange` with which it calls this service."
        ),
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Its TAXII collection that takes objects in, by https.")
    ] = None,
    our_key_file: Annotated[
        Path | None, typer.Option(help="File with the API key that it gave us.")
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="A kind of object that may pass; repeat for more.")
    ] = None,
    by_rule: Annotated[
        list[str] | None,
        typer.Option(help="A kind that is passed on to it without a person; repeat for more."),
    ] = None,
    marking: Marked = "clear",
    purpose: Purposes = None,
    questions_per_day: Annotated[
        int, typer.Option(min=0, help="How many questions it may ask a day, for each purpose.")
    ] = 0,
    end: Annotated[
        bool, typer.Option("--end", help="End the exchange with it; recalls still reach it.")
    ] = False,
) -> CommandOutput:
    """Approve what may pass between this agency and a partner, or end the exchange with it."""
    from serving.exchange.partner_approval import approved_partner
    from serving.exchange.taxii_client import store_key

    if end:
        at.stores.partners.end(name, at.now)
        return CommandOutput.note(f"The exchange with {name} has ended.", name=name)
    found = approved_partner(
        {each.name: each for each in at.stores.partners.all()}.get(name),
        name=name,
        public_key=public_key,
        address=address,
        key_holder=key_id,
        kinds=tuple(kind or ()),
        kinds_by_rule=tuple(by_rule or ()),
        marking=marking,
        purposes=tuple(purpose or ()),
        questions_per_day=questions_per_day,
        approved_by=by,
        approved_at=at.now,
    )
    if our_key_file is not None:
        store_key(at.settings.keys, name, our_key_file.read_text(encoding="utf-8").strip())
    at.stores.partners.approve(found)
    return CommandOutput.note(f"{name} is approved as a partner.", name=name)


@exchange.command()
@on_existing_home
def make(
    at: OpenedHome,
    kind: Annotated[str, typer.Argument(help="The kind of object, as `watch_list_entry`.")],
    details: Annotated[Path, typer.Argument(help="JSON file of its details.")],
    handling: Annotated[str, typer.Option(help="Source and information in 4 × 4, as B2.")],
    marking: Marked = "amber",
    purpose: Purposes = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days until it expires.")] = 30,
    audience: Annotated[
        list[str] | None, typer.Option(help="An agency that may have it; repeat. All without.")
    ] = None,
    fields: Annotated[
        Path | None, typer.Option(help="JSON file of further STIX fields, as `object_refs`.")
    ] = None,
) -> CommandOutput:
    """Make and sign an object; it stays here until somebody sends it."""
    from serving.errors import Unprocessable
    from serving.exchange.distribution import MARKINGS, Distribution

    node = _node(at)
    if marking not in MARKINGS:
        raise Unprocessable(f"want a marking of {', '.join(MARKINGS)}")
    distribution = Distribution(
        marking, frozenset(purpose or ()), at.now + timedelta(days=days), _audience(audience)
    )
    content, others = _json_in(details), _json_in(fields) if fields else None
    made = node.make(kind, content, handling, distribution, at.now, others)
    facts = {"object_id": made.object_id, "nominal": made.is_nominal}
    return CommandOutput(facts, (made.object_id,))


@exchange.command()
@on_existing_home
def send(
    at: OpenedHome,
    object_id: Annotated[str, typer.Argument(help="The object, own or received.")],
    by: By,
    to: Annotated[
        list[str] | None,
        typer.Option(help="A partner; repeat for more. Without, all that may get it."),
    ] = None,
) -> CommandOutput:
    """Send an object; one that names a company, vessel or vehicle waits for a second person."""
    added = _node(at).send(object_id, to or (), by, at.now)
    return CommandOutput([_face(each) for each in added], [_line(each) for each in added])


@exchange.command()
@on_existing_home
def approve(
    at: OpenedHome,
    delivery_id: Annotated[str, typer.Argument(help="What waits, as `list waiting` shows it.")],
    by: By,
) -> CommandOutput:
    """Let a sending leave that another person proposed."""
    _node(at).approve(delivery_id, by, at.now)
    return CommandOutput.note("The sending may leave.", delivery_id=delivery_id)


@exchange.command()
@on_existing_home
def recall(
    at: OpenedHome,
    object_id: Annotated[str, typer.Argument(help="An object that this agency made.")],
    by: By,
) -> CommandOutput:
    """Take an object back from every agency that has it."""
    sent = _node(at).recall(object_id, by, at.now)
    says = f"The recall goes to {len(sent)} partners, and on to all that got it from them."
    return CommandOutput.note(says, object_id=object_id, recipients=len(sent))


@exchange.command()
@on_existing_home
def run(at: OpenedHome) -> CommandOutput:
    """Hand over everything that may leave, and delete what has expired; for a timer."""
    from dataclasses import asdict

    from serving.exchange.outgoing_run import deliver_waiting
    from serving.exchange.taxii_client import TaxiiPost

    node = _node(at)
    expired = at.stores.exchange.remove_expired(at.now)
    partners = {each.name: each for each in at.stores.partners.all()}
    counts = deliver_waiting(node, TaxiiPost(partners, at.settings.keys), at.now)
    says = f"{counts.delivered} delivered, {counts.refused} refused, {counts.waiting} wait"
    return CommandOutput({**asdict(counts), "expired": expired}, (f"{says}; {expired} expired",))


@exchange.command("list")
@on_existing_home
def list_exchange(
    at: OpenedHome,
    what: Annotated[Show, typer.Argument(help="What to show.")] = Show.PARTNERS,
) -> CommandOutput:
    """Show partners, objects without their content, sendings, or what waits for approval."""
    from dataclasses import asdict

    at.record_reading("list", "exchange")
    if what is Show.PARTNERS:
        found = at.stores.partners.all()
        lines = [
            f"{each.name}  {'this agency' if each.is_own else each.marking}  "
            f"{','.join(each.kinds)}  {each.public_key}"
            for each in found
        ]
        return CommandOutput([asdict(each) for each in found], lines)
    if what is Show.OBJECTS:
        held = at.stores.exchange.all_held()
        faces = [{n: v for n, v in asdict(each).items() if n != "document"} for each in held]
        lines = [
            f"{each.object_id}  {each.kind}  of {each.originator}  "
            f"{'recalled' if each.recalled_at else f'until {each.expires_at.isoformat()}'}"
            for each in held
        ]
        return CommandOutput(faces, lines)
    store = at.stores.exchange
    sendings = store.waiting() if what is Show.WAITING else store.sendings()
    return CommandOutput([_face(each) for each in sendings], [_line(each) for each in sendings])


def _node(at: OpenedHome) -> "ExchangeNode":
    from serving.exchange.node import ExchangeNode

    return ExchangeNode.opened(at.stores, at.settings.keys)


def _audience(names: list[str] | None) -> frozenset[str] | None:
    return frozenset(names) if names else None


def _json_in(file: Path) -> dict[str, Any]:
    """Return the JSON object that a file holds."""
    from features.errors import TidegateError

    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise TidegateError(f"{file} is no file with one JSON object")
    return found


def _face(sending: "Sending") -> dict[str, Any]:
    shown = "delivery_id object_id partner is_recall proposed_by approved_by".split()
    return {name: getattr(sending, name) for name in (*shown, "delivered_at", "refusal")}


def _line(sending: "Sending") -> str:
    state = "may leave" if sending.approved_by else "waits for a second person"
    if sending.refusal or sending.delivered_at:
        state = sending.refusal or "delivered"
    return f"{sending.delivery_id}  {sending.object_id}  to {sending.partner}  {state}"
