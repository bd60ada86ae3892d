"""`tidegate approvals`: keys that persons hold, and acts that two of them agree to."""

import os
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serving.cli.database import opened_database
from serving.cli.options import DEFAULT_HOME, DatabaseUrl, Home, Json, stated_day
from serving.cli.output import messages, print_json
from serving.cli.promote import GateName

if TYPE_CHECKING:
    from serving.access.approvals import ProposedAct
    from serving.audit.erasure import OutOfOrder
    from serving.settings import Settings
    from serving.storage.repositories.approval_repository import ApprovalRepository

approvals = typer.Typer(
    help="Approvals of two persons: their keys, what waits for them, and what they sign.",
    no_args_is_help=True,
)


class ActName(StrEnum):
    """What two persons may agree to."""

    PROMOTE = "promote"
    ROLL_BACK = "roll-back"
    SHADOW = "shadow"
    WAIVE = "waive"
    ERASE = "erase"
    LIFT = "lift"
    OVERRULE = "overrule"
    SWITCH_ON = "switch-on"


class PartName(StrEnum):
    """Which of the two persons one is."""

    PROPOSER = "proposer"
    APPROVER = "approver"


Kind = Annotated[ActName, typer.Argument(help="What is agreed to.")]
Object = Annotated[
    str,
    typer.Argument(
        metavar="OBJECT",
        help="tidegate-shipment/3 for a model, the number of a proposal to erase or of a hold, "
        "the day it is (2026-11-27) to overrule, or route, shipment or all to switch on.",
    ),
]
Waive = Annotated[
    list[GateName] | None, typer.Option(help="For `waive`: a gate to leave open; repeat for more.")
]
Because = Annotated[str | None, typer.Option(help="For `waive`: why it may.")]
Until = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="For `waive`: its end (UTC).")
]
PassphraseFd = Annotated[
    int | None, typer.Option(help="The file descriptor to read the passphrase from; asked without.")
]


@approvals.command("new-key")
def new_key(
    out: Annotated[
        Path, typer.Option(help="Where the private half goes; FILE.pub gets the other.")
    ],
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Make a key of your own, sealed by a passphrase; do it on a machine of your own."""
    from serving.access.approval_keys import write_new_key

    public = write_new_key(out, _passphrase(passphrase_fd, is_new=True))
    messages.print(f"{out} is for you alone; an admin registers {public}", markup=False)


@approvals.command()
def register(
    account: Annotated[str, typer.Argument(help="The account of whoever holds the key.")],
    public_key: Annotated[Path, typer.Argument(help="The file that ends with .pub.")],
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Register the public half of a person's key to their account; it is written down."""
    from serving.access.actors import Actor
    from serving.access.approval_keys import read_public_key

    key = read_public_key(public_key)
    by = Actor.from_command_line()
    key_id = _store(home, database_url).register_key(account, key, by, datetime.now(UTC))
    if as_json:
        print_json({"account": account, "key_id": key_id})
    messages.print(f"key {key_id} counts as {account}'s from now on", markup=False)


@approvals.command()
def revoke(
    account: Annotated[str, typer.Argument(help="Whose key ends.")],
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
) -> None:
    """End the key of an account: what it signs from now on counts for nothing."""
    from serving.access.actors import Actor

    by = Actor.from_command_line()
    key_id = _store(home, database_url).revoke_key(account, by, datetime.now(UTC))
    messages.print(f"key {key_id} of {account} counts no more", markup=False)


@approvals.command("keys")
def list_keys(
    home: Home = DEFAULT_HOME, database_url: DatabaseUrl = None, as_json: Json = False
) -> None:
    """Show every key: whose it is, since when, and who registered it."""
    from dataclasses import asdict

    found = _store(home, database_url).keys()
    if as_json:
        print_json([{name: _plain(value) for name, value in asdict(key).items()} for key in found])
        return
    for key in found:
        state = "live" if key.revoked_at is None else "ended"
        typer.echo(
            f"{state:<5}  {key.key_id}  {key.account}, registered "
            f"{key.registered_at:%Y-%m-%d} by {key.registered_by}"
        )


@approvals.command()
def act(
    kind: Kind,
    object_: Object,
    waive: Waive = None,
    because: Because = None,
    until: Until = None,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
) -> None:
    """Print the exact act as JSON, to be signed on another machine."""
    named = _named(kind, object_, _settings(home, database_url), waive, because, until)
    print_json(named.model_dump(mode="json"))
    messages.print(named.in_words, markup=False)


@approvals.command()
def propose(
    kind: Kind,
    object_: Object,
    waive: Waive = None,
    because: Because = None,
    until: Until = None,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
) -> None:
    """Lay an act before people in the console, where two of them may agree to it."""
    from serving.access.actors import Actor

    settings = _settings(home, database_url)
    named = _named(kind, object_, settings, waive, because, until)
    evidence = _evidence(named, settings)
    by = Actor.from_command_line()
    _store(home, database_url).propose(named, evidence, by, datetime.now(UTC))
    messages.print(f"waits at /console/approvals: {named.in_words}", markup=False)


@approvals.command()
def sign(
    kind: Annotated[
        str, typer.Argument(metavar="ACT", help="What is agreed to, or a file of `approvals act`.")
    ],
    object_: Annotated[str | None, typer.Argument(metavar="OBJECT", help="Of what.")] = None,
    *,
    key: Annotated[Path, typer.Option(help="Your key.")],
    out: Annotated[Path, typer.Option(help="Where the approval goes.")],
    part: Annotated[
        PartName, typer.Option("--as", help="One person proposes, another approves.")
    ] = PartName.APPROVER,
    waive: Waive = None,
    because: Because = None,
    until: Until = None,
    passphrase_fd: PassphraseFd = None,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
) -> None:
    """Agree to one exact act with your own key; it counts for a week, once."""
    from serving.access.approval_keys import is_sealed_weakly, read_private_key, sign_approval
    from serving.access.approvals import GivenApproval

    if object_ is None:
        named = _act_in(Path(kind))
    else:
        named = _named(
            _kind_of(kind), object_, _settings(home, database_url), waive, because, until
        )
    messages.print(f"You are about to agree, as {part.value}, to: {named.in_words}", markup=False)
    private = read_private_key(key, _passphrase(passphrase_fd))
    if is_sealed_weakly(key):
        messages.print(
            f"{key} is sealed as older releases did, which a thief opens sooner: make a new one "
            "with `tidegate approvals new-key`",
            markup=False,
        )
    given = GivenApproval.of(named, part.value, datetime.now(UTC))
    out.write_text(sign_approval(given, private).model_dump_json(indent=1) + "\n")
    messages.print(f"{out}: counts until {given.expires_at:%Y-%m-%d %H:%M} UTC", markup=False)


def _kind_of(word: str) -> ActName:
    try:
        return ActName(word.replace("_", "-"))
    except ValueError:
        raise typer.BadParameter(f"want one of {', '.join(ActName)}, or a file alone") from None


def _act_in(file: Path) -> "ProposedAct":
    from pydantic import ValidationError

    from serving.access.approvals import ProposedAct
    from serving.access.errors import ApprovalRefused

    try:
        return ProposedAct.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ApprovalRefused(
            f"{file}: {error.strerror}; want an act and its object, or a file of `approvals act`"
        ) from None
    except ValidationError:
        raise ApprovalRefused(f"{file} holds no act; want what `approvals act` prints") from None


def _named(
    kind: ActName,
    object_: str,
    settings: "Settings",
    waive: list[GateName] | None,
    because: str | None,
    until: datetime | None,
) -> "ProposedAct":
    """The exact act that is meant, as things are now."""
    from serving.cli.approved_acts import (
        act_of_erasure,
        act_of_lifting,
        act_of_overruling,
        act_of_switching_on,
        act_on_version,
    )
    from training.model.model_home import ModelHome

    models = ModelHome(settings.home)
    if bool(waive) != (kind is ActName.WAIVE):
        raise typer.BadParameter("want --waive, --because and --until for the act `waive` alone")
    if kind is ActName.ERASE:
        return act_of_erasure(_proposal(object_, settings), models.public_key)
    if kind is ActName.LIFT:
        return act_of_lifting(_hold(object_, settings), models.public_key)
    if kind is ActName.OVERRULE:
        today = stated_day(object_)
        later, wrong = _wrongly_dated(today, settings)
        return act_of_overruling(today, later, models.public_key, wrong)
    if kind is ActName.SWITCH_ON:
        latest = _switches(object_, settings)
        return act_of_switching_on(object_, latest, models.public_key)
    leave = waived_words(waive, because, until) if waive else {}
    return act_on_version(kind.value.replace("-", "_"), models, object_, **leave)


def waived_words(
    waive: list[GateName], because: str | None, until: datetime | None
) -> dict[str, Any]:
    """What an act of waiving says of gates; raises BadParameter where something is left out."""
    if because is None or until is None:
        raise typer.BadParameter("want --waive, --because and --until together")
    return {
        "gates": tuple(sorted({f"{gate}" for gate in waive})),
        "because": " ".join(because.split()),
        "until": f"{until:%Y-%m-%d}",
    }


def _proposal(number: str, settings: "Settings") -> Any:
    from serving.access.errors import ApprovalRefused

    found = {str(act.number): act for act in _retention_log(settings).all("propose")}
    if number not in found:
        raise ApprovalRefused(f"there is no proposal {number}; `tidegate retention acts` has them")
    return found[number]


def _hold(number: str, settings: "Settings") -> Any:
    from serving.access.errors import ApprovalRefused

    found = {str(act.number): act for act in _retention_log(settings).holds()}
    if number not in found:
        raise ApprovalRefused(f"there is no hold {number}; `tidegate retention acts` has them")
    return found[number]


def _wrongly_dated(
    today: date, settings: "Settings"
) -> "tuple[dict[str, datetime], list[OutOfOrder]]":
    """The newest entries that are dated after a day, and those that are out of order."""
    from serving.storage.keys.key_destruction import DatabaseErasure
    from serving.storage.newest_instants import clock_check

    engine, now = _engine(settings), datetime.now(UTC)
    found = DatabaseErasure(engine).out_of_order(now)
    wrong = [each for each in found if not each.is_settled]
    clock = clock_check(engine, settings, today)
    return clock.dated_later(now, may_be_none=bool(wrong)), wrong


def _switches(scope: str, settings: "Settings") -> dict[str, Any]:
    from serving.cli.switch import Models, latest_of
    from serving.storage.repositories.kill_switch_repository import KillSwitchRepository

    if scope not in {*Models}:
        raise typer.BadParameter(f"want one of {', '.join(Models)}")
    return latest_of(KillSwitchRepository(_engine(settings)), scope)


def _evidence(named: "ProposedAct", settings: "Settings") -> dict[str, Any]:
    """What is known of an act, for whoever is asked to agree: verdicts of gates, or counts."""
    if named.kind == "erase":
        return {"proposal": dict(_proposal(named.object_id, settings).details)}
    if named.kind == "lift":
        hold = _hold(named.object_id, settings)
        return {"held since": hold.at, "held by": hold.by, "kind": hold.details["subject_kind"]}
    if named.kind == "overrule":
        later, wrong = _wrongly_dated(date.fromisoformat(named.object_id), settings)
        newest = {f"newest {what}": f"dated {at:%Y-%m-%d %H:%M}" for what, at in later.items()}
        return newest | {f"out of order {n}": str(each) for n, each in enumerate(wrong, start=1)}
    if named.kind == "switch_on":
        latest = _switches(named.object_id, settings)
        return {kind: f"off since {event.switched_at}" for kind, event in latest.items()}
    return {"gates": _verdicts(named, settings)}


def _verdicts(named: "ProposedAct", settings: "Settings") -> list[dict[str, str]]:
    from serving.cli.promote import _data_of
    from training.gates.promotion_verdicts import promotion_verdicts, soundness
    from training.model.model_home import ModelHome

    models, reference = ModelHome(settings.home), f"{named.object_id}/{named.version}"
    folder = models.find(reference)
    if named.kind in ("promote", "waive"):
        data = _data_of(models, reference, None)
        registration = models.registration_of(folder)
        found = list(promotion_verdicts(registration, models, "", data, None))[1:]
    else:
        found = list(soundness(folder, named.digest, models, None))
    return [{"gate": each.gate, "says": f"{each.answer}: {each.reason}"} for each in found]


def _retention_log(settings: "Settings") -> Any:
    from serving.storage.repositories.retention_repository import RetentionRepository

    return RetentionRepository(_engine(settings))


def _store(home: Path, database_url: str | None) -> "ApprovalRepository":
    from serving.storage.repositories.approval_repository import ApprovalRepository

    return ApprovalRepository(_engine(_settings(home, database_url)))


def _settings(home: Path, database_url: str | None) -> "Settings":
    from serving.settings import settings_of

    return settings_of(home, database_url)


def _engine(settings: "Settings") -> Any:

    return opened_database(settings)


def _passphrase(descriptor: int | None, *, is_new: bool = False) -> str:
    if descriptor is None:
        return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=is_new))
    with os.fdopen(descriptor, encoding="utf-8", closefd=False) as file:
        return file.readline().rstrip("\n")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
