"""`tidegate verify-log`: verify the log, and export its checkpoints for a witness."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serving.cli.opened_home import CommandOutput, OpenedHome, on_existing_home
from serving.cli.output import messages

if TYPE_CHECKING:
    from serving.audit.erasure import OutOfOrder
    from serving.integrity.log_check import LogCheck
    from serving.settings import Settings
    from serving.storage.verification.audit_verification import AuditProof
    from serving.storage.verification.log_verification import LogProof, ProvenHead
    from serving.storage.verification.schema_check import SchemaFault


@on_existing_home
def verify_log(
    at: OpenedHome,
    size: Annotated[
        int | None, typer.Option(min=1, help="How many records the log had earlier.")
    ] = None,
    head: Annotated[str | None, typer.Option(help="Its head at that size.")] = None,
    witness: Annotated[
        list[str] | None,
        typer.Option(
            help="Who has checkpoints of it, as TIDEGATE_WITNESS names them: a file, an address, "
            "a command; may be given several times. Those of the settings without."
        ),
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="The key that signs them, as the witness noted it.")
    ] = None,
    begin_epoch: Annotated[
        bool,
        typer.Option(
            "--begin-epoch",
            help="This database was restored on purpose: begin an epoch, signed and on record, "
            "that names what is lost.",
        ),
    ] = False,
    because: Annotated[
        str, typer.Option(help="Why it was restored; witnesses read it, so name no party.")
    ] = "",
    checkpoints: Annotated[
        Path | None,
        typer.Option(
            help="Write every signed checkpoint to this file instead, for a witness; "
            "`--witness FILE` compares the log with them later."
        ),
    ] = None,
) -> CommandOutput:
    """Check decisions, audit events, checkpoints, the rows that these tell of, and the tables.

    Names the first decision that is wrong, and every other row; where the keys of the home are
    there, each outline is compared with the decision that it outlines. Every checkpoint that the
    database or a witness has is held to the log. Those kept where the service cannot write show
    whether the end was cut off or an older copy put in place.
    """
    from serving.storage.verification.log_verification import ProvenHead

    if checkpoints is not None:
        return _checkpoints(at, checkpoints)
    if (size is None) != (head is None):
        raise typer.BadParameter("give --size and --head together")
    if begin_epoch and not because.strip():
        raise typer.BadParameter("say --because WHY with --begin-epoch")
    given = [ProvenHead(size, head)] if size is not None and head is not None else []
    settings = at.settings
    if witness:
        settings = settings.model_copy(update={"witness": ";".join(witness)})
    check = _check(at, settings, key)
    # Check again afterwards: the new epoch explains what was lost.
    if begin_epoch:
        _begin_epoch(at, settings, check, because.strip())
        check = _check(at, settings, key)
    found = _verified(at, settings, check, given)
    return CommandOutput(found.document(), list(found.lines()), (), 0 if found.is_whole else 1)


@dataclass(frozen=True)
class _Verified:
    """Findings about decisions, audit events and checkpoints.

    `is_compared` is whether outlines were compared with decisions.
    """

    proof: "LogProof"
    audit: "AuditProof"
    check: "LogCheck"
    is_compared: bool
    out_of_order: "tuple[OutOfOrder, ...]"
    schema: "list[SchemaFault]"

    @property
    def is_whole(self) -> bool:
        return self.proof.is_whole and self.audit.is_whole and not self.schema

    def document(self) -> dict[str, Any]:
        proof, audit, verdict = self.proof, self.audit, self.check.verdict
        return {
            "whole": self.is_whole,
            "size": proof.mark.size,
            "head": proof.mark.head,
            "checkpoints": proof.checkpoints,
            "first_bad": proof.first_bad,
            "why": proof.why,
            "epoch": verdict.epoch,
            "epochs": self._epochs,
            "explained": verdict.explained,
            "foreign": verdict.foreign,
            "witnesses": [vars(each) for each in self.check.witnesses],
            "outlines_compared": self.is_compared,
            "schema": [vars(each) for each in self.schema],
            "out_of_order": [vars(each) for each in self.out_of_order],
            "audit": {
                "size": audit.mark.size,
                "head": audit.mark.head,
                "rows": audit.rows,
                "findings": [vars(finding) for finding in audit.findings],
            },
        }

    def lines(self) -> Iterator[str]:
        """Yield the findings as text: all faults, or that there are none."""
        proof, audit = self.proof, self.audit
        yield from map(_epoch_in_words, self._epochs)
        for report in self.check.witnesses:
            if report.failure:
                yield f"{report.name} {report.failure}"
        if not proof.is_whole:
            yield f"record {proof.first_bad}: {proof.why}" if proof.first_bad else str(proof.why)
        yield from map(str, audit.findings)
        yield from map(str, self.schema)
        for each in self.out_of_order:
            settled = " (two persons agreed that the clock was wrong)" if each.is_settled else ""
            yield f"out of order: {each}{settled}"
        if not self.is_whole:
            return
        yield (
            f"whole: {proof.mark.size:,} records, {proof.checkpoints:,} checkpoints, epoch "
            f"{self.check.verdict.epoch}, head {proof.mark.head}"
        )
        yield (
            f"whole: {audit.mark.size:,} audit events, {audit.rows:,} rows that they cover, "
            f"head {audit.mark.head}"
        )
        if not self.is_compared:
            yield "outlines were not compared with decisions: the keys are not there"

    @property
    def _epochs(self) -> list[dict[str, Any]]:
        return [_epoch(epoch, begun) for epoch, begun in self.check.verdict.beginnings.items()]


def _epoch(epoch: int, first: Any) -> dict[str, Any]:
    begun = first.begun
    told = {"epoch": epoch, "at": first.signed_at, "by": begun.by, "because": begun.because}
    return told | {"lost": {chain: list(rows) for chain, rows in begun.lost.items()}}


def _checkpoints(at: OpenedHome, out: Path) -> CommandOutput:
    from serving.integrity.checkpoints import public_key_of
    from serving.integrity.witness_lines import framed

    lines = at.stores.checkpoints.lines()
    out.write_bytes(b"".join(map(framed, lines)))
    key, *_ = public_key_of(at.settings.keys).splitlines() or [""]
    says = f"{out}: {len(lines):,} checkpoints, signed by {key}"
    return CommandOutput({"file": str(out), "checkpoints": len(lines), "key": key}, (), (says,))


def _check(at: OpenedHome, settings: "Settings", key: str | None) -> "LogCheck":
    from serving.integrity.checkpoint_check import check_by_checkpoints
    from serving.storage.keys.key_rotation import trusted_log_keys

    keys = None
    if key:
        keys = {line[:16]: line for line in trusted_log_keys(at.engine, key).splitlines()}
    return check_by_checkpoints(at.stores.checkpoints, settings, by_newest=False, public_keys=keys)


def _begin_epoch(at: OpenedHome, settings: "Settings", check: "LogCheck", because: str) -> None:
    from features.errors import TidegateError
    from features.home_keys import LOG, private_key
    from serving.integrity.log_check import EpochRequest, begin_epoch
    from serving.integrity.witnesses import witnesses_of
    from serving.outbox.witness_channel import WitnessChannel

    if check.why is None:
        raise TidegateError(
            "the log agrees with its checkpoints: there is no reason to begin an epoch"
        )
    store = at.stores.checkpoints
    request = EpochRequest(at.by, because, at.now)
    begun = begin_epoch(store, check, private_key(settings.keys, LOG), request)
    messages.print(f"epoch {begun.epoch} begins", markup=False)
    witnesses = witnesses_of(settings)
    channel = WitnessChannel(witnesses, store, at.stores.receivers, lambda: at.now)
    for place in channel.deliver_all():
        name = witnesses[place - 1].name
        messages.print(f"{name}: took nothing; the service goes on trying", markup=False)


def _verified(
    at: OpenedHome, settings: "Settings", check: "LogCheck", given: "list[ProvenHead]"
) -> _Verified:
    """Return the proof of all rows; if these are valid, the first contradicting checkpoint."""
    from dataclasses import replace

    from serving.storage.keys.key_destruction import DatabaseErasure
    from serving.storage.verification.audit_verification import verify_audit_log
    from serving.storage.verification.log_verification import verify_decision_log
    from serving.storage.verification.outline_comparison import OutlineComparison
    from serving.storage.verification.schema_check import schema_faults

    comparison = OutlineComparison.where_possible(at.engine, settings.keys)
    proof = verify_decision_log(at.engine, given, comparison or (lambda _: None))
    proof = replace(proof, checkpoints=check.verdict.checked)
    if proof.is_whole and check.why is not None:
        # Rows first: a broken chain explains more than a contradicting checkpoint.
        first = check.verdict.contradictions[0]
        proof = replace(proof, first_bad=first.record, why=first.why)
    audit = verify_audit_log(at.engine, keys=comparison.keys if comparison else None)
    wrong = DatabaseErasure(at.engine).out_of_order(at.now)
    faults = schema_faults(at.engine)
    return _Verified(proof, audit, check, comparison is not None, wrong, faults)


def _epoch_in_words(told: dict[str, Any]) -> str:
    lost = ", ".join(f"{a} to {b} of {chain}" for chain, (a, b) in told["lost"].items())
    return (
        f"epoch {told['epoch']} began on {told['at']}, by {told['by']}, because "
        f"{told['because']}; lost: {lost or 'nothing'}"
    )
