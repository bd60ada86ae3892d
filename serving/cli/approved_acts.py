"""Acts that need two people in live use: their exact content, and whether two agreed to it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serving.cli.opened_home import has_no_database, opened_database

if TYPE_CHECKING:
    from serving.access.approvals import ProposedAct, TwoPersons
    from serving.audit.erasure import OutOfOrder
    from serving.audit.retention_log import RetentionAct
    from serving.models.kill_switch import SwitchEvent
    from serving.settings import Settings
    from serving.storage.repositories.account_repository import AccountRepository
    from serving.storage.repositories.approval_repository import ApprovalRepository
    from serving.storage.repositories.retention_repository import RetentionRepository
    from training.model.model_home import ModelHome

Approvals = Annotated[
    list[Path] | None,
    typer.Option(
        "--approval",
        help="What `tidegate approvals sign` wrote; one of each of two persons. Without them, what "
        "was approved in the console counts. Live use wants them.",
    ),
]


class LiveUse:
    """Approvals and accounts of an installation in live use."""

    def __init__(
        self,
        approvals: "ApprovalRepository",
        accounts: "AccountRepository",
        retention_acts: "RetentionRepository",
    ):
        self.approvals = approvals
        self.accounts = accounts
        self.retention_acts = retention_acts

    def agreed(
        self, act: "ProposedAct", files: Sequence[Path], now: datetime, claimed: str | None
    ) -> "TwoPersons":
        """Return the two people of an act; raises ApprovalRefused with instructions.

        `claimed` is a name given as approver, which has no effect in live use.
        """
        from serving.access.approvals import GivenApproval, two_persons
        from serving.access.errors import ApprovalRefused

        given = [GivenApproval.parse(_content(file)) for file in files]
        # The files may also contain the approvals of a waiver.
        given = [each for each in given if each.act.kind == act.kind]
        if len(given) < 2:
            # A person may sign a file while the other agreed in the console.
            parts = {each.part for each in given}
            in_console = self.approvals.given_in_console(act, now)
            given += [each for each in in_console if each.part not in parts]
        if not given:
            name = f"{claimed!r} is a name and no approval: " if claimed else ""
            raise ApprovalRefused(
                f"{name}in live use two persons must agree to {act.in_words}. Lay it before them "
                f"in the console with `tidegate approvals propose {_spelt(act)}`, or let each "
                f"sign it with `tidegate approvals sign {_spelt(act)} --key FILE --out FILE`, "
                "and give both files with --approval"
            )
        return two_persons(act, given, self.approvals, self.accounts, now)

    def used_up(
        self, act: "ProposedAct", files: Sequence[Path], claimed: str | None
    ) -> "TwoPersons":
        """Return the two people of an act that is done next, and use their approvals up.

        If the process was killed before the act itself, the same two have still agreed to it. So
        callers must not call this again once it is done.
        """
        from serving.access.actors import Actor
        from serving.access.approvals import agreed

        if used := self.approvals.used_for(act):
            return agreed(act, used, self.approvals)
        now = datetime.now(UTC)
        two = self.agreed(act, files, now, claimed)
        with self.approvals.using(two.documents, Actor.from_command_line(), now):
            # The act itself writes in its own transactions.
            pass
        return two


def live_use(settings: "Settings", *, is_signed: bool = False) -> LiveUse | None:
    """Return the requirements of live use; None in a trial, where a name is enough.

    Signed approvals given in a trial are checked too, so that live use can begin with them.
    """
    from serving.storage.repositories.account_repository import AccountRepository
    from serving.storage.repositories.approval_repository import ApprovalRepository
    from serving.storage.repositories.retention_repository import RetentionRepository

    # A database that was ever in live use stays so, even if the setting is lost.
    is_wanted = settings.is_live or is_signed
    if not is_wanted and has_no_database(settings):
        return None
    engine = opened_database(settings)
    approvals = ApprovalRepository(engine)
    if not is_wanted and not approvals.is_live_use():
        return None
    return LiveUse(approvals, AccountRepository(engine), RetentionRepository(engine))


def act_on_version(kind: Any, models: "ModelHome", reference: str, **leave: Any) -> "ProposedAct":
    """Return the promotion, shadow or waiver of a version, or the return to the last champion."""
    from serving.access.approvals import ProposedAct

    name, version, digest = (
        _former_champion(models, reference) if kind == "roll_back" else _version(models, reference)
    )
    return ProposedAct(
        kind=kind,
        object_id=name,
        version=version,
        digest=digest,
        before=_champion_now(models, name),
        installation=installation_of(models.public_key),
        **leave,
    )


def act_of_erasure(proposal: "RetentionAct", public_key: bytes) -> "ProposedAct":
    """Return the erasure that a proposal describes."""
    from serving.access.approvals import ProposedAct, digest_of

    return ProposedAct(
        kind="erase",
        object_id=str(proposal.number),
        digest=digest_of(asdict(proposal)),
        installation=installation_of(public_key),
    )


def act_of_lifting(hold: "RetentionAct", public_key: bytes) -> "ProposedAct":
    """Return the end of a hold, after which its data may be masked and erased."""
    from serving.access.approvals import ProposedAct, digest_of

    return ProposedAct(
        kind="lift",
        object_id=str(hold.number),
        digest=digest_of(asdict(hold)),
        installation=installation_of(public_key),
    )


def act_of_overruling(
    today: date,
    later: Mapping[str, datetime],
    public_key: bytes,
    out_of_order: "Sequence[OutOfOrder]" = (),
) -> "ProposedAct":
    """Return the statement that a wrong clock dated these newest or out-of-order entries."""
    from serving.access.approvals import ProposedAct, digest_of

    named = {what: at.isoformat() for what, at in later.items()}
    return ProposedAct(
        kind="overrule",
        object_id=today.isoformat(),
        digest=digest_of(named | {str(each): each.counts_from for each in out_of_order}),
        installation=installation_of(public_key),
    )


def act_of_switching_on(
    scope: str, latest: "dict[str, SwitchEvent]", public_key: bytes
) -> "ProposedAct":
    """Return the act of switching models on, bound to the current state of the switches."""
    from serving.access.approvals import ProposedAct, digest_of

    states = {
        kind: asdict(event) | {"switched_at": event.switched_at.isoformat()}
        for kind, event in latest.items()
    }
    return ProposedAct(
        kind="switch_on",
        object_id=scope,
        digest=digest_of(states),
        installation=installation_of(public_key),
    )


def installation_of(public_key: bytes) -> str:
    """Return the id in approvals of the installation whose key signs pointers."""
    return f"sha256:{hashlib.sha256(public_key).hexdigest()}"


def _version(models: "ModelHome", reference: str) -> tuple[str, str, str]:
    registration = models.registration_of(models.find(reference))
    return registration.name, registration.version, registration.digest


def _former_champion(models: "ModelHome", reference: str) -> tuple[str, str, str]:
    import re

    from training.errors import PromotionRefused, TrainingError

    name = re.split(r"[@/]", reference, maxsplit=1)[0]
    pointer = models.pointer(name, "champion")
    if pointer is None:
        raise TrainingError(f"{name} has no champion here")
    if not pointer.previous:
        raise PromotionRefused((f"version {pointer.version} is the first champion of {name}",))
    former = pointer.previous[0]
    return former.name, former.version, former.digest


def _champion_now(models: "ModelHome", name: str) -> str:
    """Return the champion and since when; approvals of a change expire with the next change."""
    from serving.access.approvals import digest_of
    from training.errors import ChampionUnreadable

    try:
        pointer = models.champion_pointer(name)
    except ChampionUnreadable:
        # An approval must also be possible when the pointer has to be repaired.
        return "unreadable"
    if pointer is None:
        return ""
    return digest_of([pointer.version, pointer.digest, pointer.set_at.isoformat()])


def _content(file: Path) -> bytes:
    from serving.access.errors import ApprovalRefused

    try:
        return file.read_bytes()
    except OSError as error:
        raise ApprovalRefused(f"{file}: {error.strerror}") from None


def _spelt(act: "ProposedAct") -> str:
    """Return an act in the syntax of `tidegate approvals`."""
    import shlex

    kind = act.kind.replace("_", "-")
    version = f"/{act.version}" if act.version and act.kind != "roll_back" else ""
    words = [kind, f"{act.object_id}{version}"]
    if act.gates:
        gates = (word for gate in act.gates for word in ("--waive", shlex.quote(gate)))
        words += [*gates, "--because", shlex.quote(act.because), "--until", act.until]
    return " ".join(words)
