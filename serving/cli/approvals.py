"""`tidegate approvals`: people's own keys, and acts that two of them agree to."""

import os
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serving.cli.opened_home import CommandOutput, OpenedHome, on_home
from serving.cli.options import stated_day
from serving.cli.output import messages
from serving.cli.promote import GateName

if TYPE_CHECKING:
    from serving.access.approvals import ProposedAct
    from serving.audit.erasure import OutOfOrder

approvals = typer.Typer(
    help="Approvals of two persons: their keys, acts to agree to, and signatures.",
    no_args_is_help=True,
)


class ActName(StrEnum):
    """Act that two people may agree to."""

    PROMOTE = "promote"
    ROLL_BACK = "roll-back"
    SHADOW = "shadow"
    WAIVE = "waive"
    ERASE = "erase"
    LIFT = "lift"
    OVERRULE = "overrule"
    SWITCH_ON = "switch-on"


class PartName(StrEnum):
    """Part of a person in an act."""

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
@on_home
def propose(
    at: OpenedHome,
    kind: Kind,
    object_: Object,
    waive: Waive = None,
    because: Because = None,
    until: Until = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Print the exact act as JSON, to sign on another machine; no more."
        ),
    ] = False,
) -> CommandOutput:
    """Lay an act before people in the console, where two of them may agree to it."""
    act = _act(at, kind, object_, waive, because, until)
    document = act.model_dump(mode="json")
    if dry_run:
        return CommandOutput(document, (act.model_dump_json(indent=1),), (act.in_words,))
    at.stores.approvals.propose(act, _evidence(at, act), at.by, at.now)
    return CommandOutput(document, (), (f"waits at /console/approvals: {act.in_words}",))


@approvals.command()
@on_home
def sign(
    at: OpenedHome,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="ACT", help="What is agreed to, or a file of `approvals propose --dry-run`."
        ),
    ],
    key: Annotated[Path, typer.Option(help="Your key.")],
    out: Annotated[Path, typer.Option(help="Where the approval goes.")],
    object_: Annotated[str | None, typer.Argument(metavar="OBJECT", help="Of what.")] = None,
    part: Annotated[
        PartName, typer.Option("--as", help="One person proposes, another approves.")
    ] = PartName.APPROVER,
    waive: Waive = None,
    because: Because = None,
    until: Until = None,
    passphrase_fd: PassphraseFd = None,
) -> CommandOutput:
    """Agree to one exact act with your own key; it counts for a week, once."""
    from serving.access.approval_keys import read_private_key, sign_approval
    from serving.access.approvals import GivenApproval

    if object_ is None:
        act = _act_in(Path(kind))
    else:
        act = _act(at, _kind_of(kind), object_, waive, because, until)
    # Show the act before asking for the passphrase, so that nobody signs what they have not read.
    messages.print(f"You are about to agree, as {part.value}, to: {act.in_words}", markup=False)
    private = read_private_key(key, _passphrase(passphrase_fd))
    given = GivenApproval.of(act, part.value, at.now)
    out.write_text(sign_approval(given, private).model_dump_json(indent=1) + "\n")
    says = f"{out}: counts until {given.expires_at:%Y-%m-%d %H:%M} UTC"
    return CommandOutput.note(says, file=str(out), expires_at=given.expires_at)


def _kind_of(word: str) -> ActName:
    try:
        return ActName(word.replace("_", "-"))
    except ValueError:
        raise typer.BadParameter(f"want one of {', '.join(ActName)}, or a file alone") from None


def _act_in(file: Path) -> "ProposedAct":
    from pydantic import ValidationError

    from serving.access.approvals import ProposedAct
    from serving.access.errors import ApprovalRefused

    source = "`approvals propose --dry-run`"
    try:
        return ProposedAct.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ApprovalRefused(
            f"{file}: {error.strerror}; want an act and its object, or a file of {source}"
        ) from None
    except ValidationError:
        raise ApprovalRefused(
            f"{file} contains no act; want the output of {source} prints"
        ) from None


def _act(
    at: OpenedHome,
    kind: ActName,
    object_: str,
    waive: list[GateName] | None,
    because: str | None,
    until: datetime | None,
) -> "ProposedAct":
    """Return the exact act for the current state of its object."""
    from serving.cli import approved_acts
    from training.model.model_home import ModelHome

    models = ModelHome(at.home)
    if bool(waive) != (kind is ActName.WAIVE):
        raise typer.BadParameter("want --waive, --because and --until for the act `waive` alone")
    if kind is ActName.ERASE:
        return approved_acts.act_of_erasure(_proposal(at, object_), models.public_key)
    if kind is ActName.LIFT:
        return approved_acts.act_of_lifting(_hold(at, object_), models.public_key)
    if kind is ActName.OVERRULE:
        today = stated_day(object_)
        later, wrong = _wrongly_dated(at, today)
        return approved_acts.act_of_overruling(today, later, models.public_key, wrong)
    if kind is ActName.SWITCH_ON:
        latest = _switches(at, object_)
        return approved_acts.act_of_switching_on(object_, latest, models.public_key)
    leave = waived_words(waive, because, until) if waive else {}
    return approved_acts.act_on_version(kind.value.replace("-", "_"), models, object_, **leave)


def waived_words(
    waive: list[GateName], because: str | None, until: datetime | None
) -> dict[str, Any]:
    """Return the gates, reason and end of a waiver; raises BadParameter if one is missing."""
    if because is None or until is None:
        raise typer.BadParameter("want --waive, --because and --until together")
    return {
        "gates": tuple(sorted({f"{gate}" for gate in waive})),
        "because": " ".join(because.split()),
        "until": f"{until:%Y-%m-%d}",
    }


def _proposal(at: OpenedHome, number: str) -> Any:
    from serving.access.errors import ApprovalRefused

    found = {str(act.number): act for act in at.stores.retention_acts.all("propose")}
    if number not in found:
        raise ApprovalRefused(
            f"there is no proposal {number}; `tidegate retention due --acts` has them"
        )
    return found[number]


def _hold(at: OpenedHome, number: str) -> Any:
    from serving.access.errors import ApprovalRefused

    found = {str(act.number): act for act in at.stores.retention_acts.holds()}
    if number not in found:
        raise ApprovalRefused(
            f"there is no hold {number}; `tidegate retention due --acts` has them"
        )
    return found[number]


def _wrongly_dated(at: OpenedHome, today: date) -> "tuple[dict[str, datetime], list[OutOfOrder]]":
    """Return the newest entries dated after a day, and the entries that are out of order."""
    from serving.storage.keys.key_destruction import DatabaseErasure
    from serving.storage.newest_instants import clock_check

    found = DatabaseErasure(at.engine).out_of_order(at.now)
    wrong = [each for each in found if not each.is_settled]
    clock = clock_check(at.engine, at.settings, today)
    return clock.dated_later(at.now, may_be_none=bool(wrong)), wrong


def _switches(at: OpenedHome, scope: str) -> dict[str, Any]:
    from serving.cli.switch import Models, latest_of

    if scope not in {*Models}:
        raise typer.BadParameter(f"want one of {', '.join(Models)}")
    return latest_of(at, scope)


def _evidence(at: OpenedHome, act: "ProposedAct") -> dict[str, Any]:
    """Return facts about an act for those who are asked to agree: verdicts or counts."""
    if act.kind == "erase":
        return {"proposal": dict(_proposal(at, act.object_id).details)}
    if act.kind == "lift":
        hold = _hold(at, act.object_id)
        return {"held since": hold.at, "held by": hold.by, "kind": hold.details["subject_kind"]}
    if act.kind == "overrule":
        later, wrong = _wrongly_dated(at, date.fromisoformat(act.object_id))
        newest = {f"newest {what}": f"dated {day:%Y-%m-%d %H:%M}" for what, day in later.items()}
        return newest | {f"out of order {n}": str(each) for n, each in enumerate(wrong, start=1)}
    if act.kind == "switch_on":
        latest = _switches(at, act.object_id)
        return {
            kind: f"off since {event.switched_at.isoformat()}" for kind, event in latest.items()
        }
    return {"gates": _verdicts(act, at.home)}


def _verdicts(act: "ProposedAct", home: Path) -> list[dict[str, str]]:
    from serving.cli.promote import training_set_of
    from training.gates.promotion_verdicts import promotion_verdicts, soundness
    from training.model.model_home import ModelHome

    models, reference = ModelHome(home), f"{act.object_id}/{act.version}"
    folder = models.find(reference)
    if act.kind in ("promote", "waive"):
        data = training_set_of(models, reference, None)
        registration = models.registration_of(folder)
        # The first verdict is about the approver, who is not known yet.
        found = list(promotion_verdicts(registration, models, "", data, None))[1:]
    else:
        found = list(soundness(folder, act.digest, models, None))
    return [{"gate": each.gate, "says": f"{each.answer}: {each.reason}"} for each in found]


def _passphrase(descriptor: int | None, *, is_new: bool = False) -> str:
    if descriptor is None:
        return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=is_new))
    # The caller owns the descriptor, so leave it open.
    with os.fdopen(descriptor, encoding="utf-8", closefd=False) as file:
        return file.readline().rstrip("\n")
