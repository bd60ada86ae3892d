"""The end of data: masking first, then erasure by two persons.

Masking: people and callers see pseudonyms in place of ids, while measurement continues. Erasure:
one person proposes it for the days that are over, and another agrees. It is carried out after some
days in which anyone may cancel it. Open cases, decisions frozen by an incident and subjects on hold
stay until released. Nothing is ended by a clock that disagrees with the entries written last, and
nothing before its period is over.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.atomic_dir import remove_interrupted, write_durably
from features.home_keys import LOG, private_key
from features.person_names import may_be_one_person
from features.signed_documents import SIGNATURE, sign
from serving.audit.clock_check import BEHIND_AT_MOST, ClockCheck
from serving.audit.erased_accounts import UNREADABLE, accounts_by_case, erase_accounts
from serving.audit.erased_files import erase_files
from serving.audit.erasure import DueForErasure, OutOfOrder, RetainedUnits
from serving.audit.errors import RetentionRefused
from serving.audit.incidents import holding_stretches
from serving.audit.retention_log import RetentionAct, held_subjects, unlifted
from serving.audit.retention_periods import Periods, RetentionCutoffs
from serving.settings import Settings

if TYPE_CHECKING:
    from serving.storage.keys.key_destruction import DatabaseErasure
    from serving.storage.repositories.retention_repository import RetentionRepository

# An older proposal says too little about today.
PROPOSED_FOR = timedelta(days=30)

_CERTIFICATE = "certificate of erasure"


@dataclass(frozen=True)
class WaitingErasure:
    """An erasure that two persons agreed on; `erases_from` is the minute from which it may run."""

    proposal: int
    erases_from: str
    cutoffs: RetentionCutoffs
    due: DueForErasure


@dataclass(frozen=True)
class Retention:
    """The retention of data in one installation.

    `remake_state` rebuilds the online feature store from the remaining data.
    """

    settings: Settings
    erasure: "DatabaseErasure"
    acts: "RetentionRepository"
    remake_state: Callable[[], None]
    clock: ClockCheck

    def cutoffs(self, today: date) -> RetentionCutoffs:
        """Return the cutoffs of a day; raise RetentionRefused if no periods are set."""
        return RetentionCutoffs.on(self._periods(), today)

    def due(self, cutoffs: RetentionCutoffs, at: datetime | None = None) -> DueForErasure:
        """Return the counts that an erasure would find, if `at` is the true time."""
        limits, retained = cutoffs.limits, self._retained(self.acts.all(), at)
        accounts = accounts_by_case(self.settings.accounts_of_cases)
        ending = {UNREADABLE, *self.erasure.ending_of(accounts, limits, retained)}
        count = sum(len(accounts[case_id]) for case_id in accounts.keys() & ending)
        return replace(self.erasure.count_due(limits, retained), accounts=count)

    def mask(self, by: str, because: str, at: datetime, *, is_correction: bool = False) -> str:
        """Mask decisions whose first period is over; return the day before which they are masked.

        Their cases disappear from the search. A correction takes back what was masked before its
        time. Raises ClockDisagrees, or RetentionRefused without a reason.
        """
        self.clock.require(at)
        details: dict[str, Any] = {"before": self.cutoffs(at.date()).mask}
        if is_correction:
            details["is_correction"] = True
        wrong = self.erasure.out_of_order(at)
        reached = max(details["before"], "" if is_correction else self.acts.masked_before())
        details |= _spans(wrong, reached)
        self.acts.append(RetentionAct.stated(at, "mask", by, because, details))
        before = self.acts.masked_before()
        self.erasure.remove_masked_terms(before, self._retained(self.acts.all(), at))
        if is_correction:
            self.erasure.index_again()
        return before

    def propose(self, by: str, because: str, at: datetime) -> int:
        """Propose to erase what is over today; return the number of the proposal.

        Raises ClockDisagrees, or RetentionRefused without a reason.
        """
        self.clock.require(at)
        cutoffs = self.cutoffs(at.date())
        details = asdict(cutoffs) | {"due": asdict(self.due(cutoffs, at))}
        return self.acts.append(RetentionAct.stated(at, "propose", by, because, details))

    def erase(self, number: int, by: str, because: str, at: datetime) -> Path | WaitingErasure:
        """Agree to another person's proposal; erase and certify it once the waiting days are over.

        Units put on hold since then stay. An interrupted run is completed by the next. Returns the
        file of the certificate once it exists. Raises RetentionRefused, ClockDisagrees.
        """
        self.clock.require(at)
        if (begun := self._begun(number)) is not None:
            return self._finish(begun)
        acts = self.acts.all()
        proposal, agreed = open_proposal(acts, number, at), agreement_to(acts, number)
        cutoffs = self._over(proposal, at)
        if agreed is None:
            self._require_another(proposal, by)
            wait_days = self._periods().erasure.wait_days
            if wait_days:
                return self._agree(proposal, cutoffs, wait_days, (by, because, at))
        elif at < datetime.fromisoformat(agreed.details["erases_from"]):
            return self._waiting(number, agreed, cutoffs, at)
        # Before any key is destroyed: a command that is writing may have read what is to end.
        self._require_nothing_half_written()
        details = {"proposal": number, **asdict(cutoffs)}
        act = RetentionAct.stated(at, "erase", by, because, details)
        self.erasure.erase(cutoffs.limits, partial(self._retained_of, number, at), act)
        begun = self._begun(number)
        assert begun is not None
        return self._finish(begun)

    def cancel(self, number: int, by: str, because: str, at: datetime) -> None:
        """Cancel a proposal that was not carried out; raise RetentionRefused."""
        cancel_erasure(self.acts, number, by, because, at)

    def hold(self, kind: str, subject_id: str, by: str, because: str, at: datetime) -> int:
        """Keep everything on a subject, unmasked, until lifted; return the number to lift it by.

        Raises RetentionRefused without a reason.
        """
        details = {"subject_kind": kind, "subject": self.erasure.subject_token(kind, subject_id)}
        number = self.acts.append(RetentionAct.stated(at, "hold", by, because, details))
        self.erasure.index_again()
        return number

    def lift(self, number: int, by: str, because: str, at: datetime) -> None:
        """End a hold; raise RetentionRefused if there is none with this number."""
        act = RetentionAct.stated(at, "lift", by, because, {"hold": number})
        self.acts.append(act, partial(_require_hold, number))
        retained = self._retained(self.acts.all(), at)
        self.erasure.remove_masked_terms(self.acts.masked_before(), retained)

    def overrule(self, later: Mapping[str, datetime], by: str, because: str, at: datetime) -> int:
        """Stop newest entries from counting as evidence of the time; return the number of the act.

        `later` are entries dated by a clock that was ahead, as found by `ClockCheck.dated_later`.
        Entries out of order count from the entry before them from now on. Raises RetentionRefused
        without a reason or if there is nothing to overrule.
        """
        wrong = [
            each
            for each in self.erasure.out_of_order(at)
            if not (each.is_settled or (each.is_ahead and each.kind in later))
        ]
        if not (later or wrong):
            raise RetentionRefused("no entry is dated after today, and none is out of order")
        details: dict[str, Any] = {
            "overruled": {what: dated.isoformat() for what, dated in later.items()}
        }
        if wrong:
            details["out_of_order"] = [asdict(each) for each in wrong]
        return self.acts.append(RetentionAct.stated(at, "overrule", by, because, details))

    def _periods(self) -> Periods:
        return Periods.read(self.settings.retention)

    def _retained(self, acts: Sequence[RetentionAct], at: datetime | None = None) -> RetainedUnits:
        return RetainedUnits(
            out_of_order=self.erasure.out_of_order(at),
            stretches=tuple(holding_stretches(self.settings.incidents)),
            subjects=held_subjects(unlifted(acts)),
        )

    def _retained_of(
        self, number: int, at: datetime, acts: Sequence[RetentionAct]
    ) -> RetainedUnits:
        """Return the retained units, if the proposal is still open; raise RetentionRefused."""
        open_proposal(acts, number, at)
        return self._retained(acts, at)

    def _over(self, proposal: RetentionAct, at: datetime) -> RetentionCutoffs:
        """Return the cutoffs of a proposal; raise RetentionRefused if any is not over by now."""
        proposed = RetentionCutoffs(
            **{name: proposal.details[name] for name in RetentionCutoffs.__annotations__}
        )
        over = asdict(self.cutoffs(at.date()))
        for name, before in asdict(proposed).items():
            if before > over[name]:
                raise RetentionRefused(
                    f"proposal {proposal.number} would end {name} before {before}, and only those "
                    f"before {over[name]} are over; propose anew"
                )
        return proposed

    def _require_another(self, proposal: RetentionAct, by: str) -> None:
        # Two accounts may belong to one person.
        if may_be_one_person(by, proposal.by):
            raise RetentionRefused(f"{proposal.by} proposed it; another person must erase")

    def _agree(
        self,
        proposal: RetentionAct,
        cutoffs: RetentionCutoffs,
        wait_days: int,
        who: tuple[str, str, datetime],
    ) -> WaitingErasure:
        by, because, at = who
        from_instant = (at + timedelta(days=wait_days)).isoformat()
        details = {"proposal": proposal.number, "erases_from": from_instant, **asdict(cutoffs)}
        agreed = RetentionAct.stated(at, "agree", by, because, details)
        # Checked under the write lock: of two simultaneous agreements only one counts.
        self.acts.append(agreed, partial(_require_no_agreement, proposal.number, at))
        return self._waiting(proposal.number, agreed, cutoffs, at)

    def _waiting(
        self, number: int, agreed: RetentionAct, cutoffs: RetentionCutoffs, at: datetime
    ) -> WaitingErasure:
        erases_from = agreed.details["erases_from"][:16]
        return WaitingErasure(number, erases_from, cutoffs, self.due(cutoffs, at))

    def _begun(self, number: int) -> RetentionAct | None:
        """Return the act of an erasure that destroyed keys and is not certified yet."""
        begun = {act.details["proposal"]: act for act in self.acts.all("erase")}.get(number)
        if begun is None or self._certificate(number).exists() or "destroyed" not in begun.details:
            # An older release completed an erasure at once, or not at all.
            return None
        return begun

    def _finish(self, act: RetentionAct) -> Path:
        """Delete the remains of an erasure's units, then certify it."""
        cutoffs = RetentionCutoffs(
            **{name: act.details[name] for name in RetentionCutoffs.__annotations__}
        )
        self.erasure.sweep(cutoffs.limits)
        gone = erase_files(self.settings.home, cutoffs)
        # The online feature store contains values of erased records.
        self.remake_state()
        # After all deletions, so that no free page still has them.
        self.erasure.compact()
        self._require_nothing_half_written()
        return self._certify(act, gone | self._erase_accounts())

    def _erase_accounts(self) -> dict[str, int]:
        """Delete disclosures of cases erased by any erasure; return how many, by case."""
        folder = self.settings.accounts_of_cases
        return erase_accounts(folder, self.erasure.erased_of(accounts_by_case(folder)))

    def _require_nothing_half_written(self) -> None:
        """Remove half-written files of killed commands from the home.

        Raises RetentionRefused if another command is writing: it may have read erased data.
        """
        home = self.settings.home
        parents = {home, *(left.parent for left in home.rglob(".*.partial-*"))}
        busy = [left for parent in sorted(parents) for left in remove_interrupted(parent)]
        if busy:
            raise RetentionRefused(
                f"another command is writing {busy[0]}, of what may have ended; wait for its end, "
                "then run this again: nothing is certified yet"
            )

    def _certificate(self, number: int) -> Path:
        return self.settings.erasures / f"{number}.json"

    def _certify(self, act: RetentionAct, gone: dict[str, int]) -> Path:
        """Write a certificate of what was erased, signed with the key of the log."""
        details = dict(act.details)
        destroyed = details.pop("destroyed")
        certificate = {**asdict(act), "details": details, "destroyed": destroyed, "rows": gone}
        del certificate["number"]
        key = private_key(self.settings.keys, LOG)
        certificate[SIGNATURE] = sign(_CERTIFICATE, certificate, key)
        file = self._certificate(act.details["proposal"])
        file.parent.mkdir(parents=True, exist_ok=True)
        write_durably(file, json.dumps(certificate, indent=1).encode() + b"\n")
        return file


def _spans(wrong: Iterable[OutOfOrder], before: str) -> dict[str, list[list[str]]]:
    """Return the times of decisions that a masking excludes or includes despite their clock."""
    spans: dict[str, list[list[str]]] = {"except": [], "also": []}
    for each in wrong:
        if each.log == "decisions":
            is_left_out = each.keeps_from(before)
            spans["except" if is_left_out else "also"].append([each.earliest, each.latest])
    return {name: found for name, found in spans.items() if found}


def open_proposal(acts: Sequence[RetentionAct], number: int, at: datetime) -> RetentionAct:
    """Return a proposal that may still be carried out or cancelled; raise RetentionRefused.

    It expires after some days, counted from its date, or from the end of waiting once agreed to.
    """
    proposals = {act.number: act for act in acts if act.action == "propose"}
    found = proposals.get(number)
    if found is None:
        raise no_proposal(number, proposals)
    # A clock that was ahead at the proposal would make days appear to be over.
    if datetime.fromisoformat(found.at) - at > BEHIND_AT_MOST:
        raise RetentionRefused(
            f"proposal {number} is of {found.at[:10]}, which has not come yet; propose anew"
        )
    agreed = agreement_to(acts, number)
    since = agreed.details["erases_from"] if agreed else found.at
    if at - datetime.fromisoformat(since) > PROPOSED_FOR:
        raise RetentionRefused(f"proposal {number} is of {found.at[:10]}; propose anew")
    for action, words in (("erase", "followed"), ("cancel", "cancelled")):
        done = [act for act in acts if act.action == action]
        if number in {act.details["proposal"] for act in done}:
            raise RetentionRefused(f"proposal {number} was {words} already; propose anew")
    return found


def cancel_erasure(
    acts: "RetentionRepository", number: int, by: str, because: str, at: datetime
) -> None:
    """Cancel a proposal that was not carried out; raise RetentionRefused."""
    act = RetentionAct.stated(at, "cancel", by, because, {"proposal": number})
    acts.append(act, lambda so_far: open_proposal(so_far, number, at))


def agreement_to(acts: Sequence[RetentionAct], number: int) -> RetentionAct | None:
    """Return the act that agreed to a proposal; None if there is none."""
    agreed = {act.details["proposal"]: act for act in acts if act.action == "agree"}
    return agreed.get(number)


def _require_no_agreement(number: int, at: datetime, acts: Sequence[RetentionAct]) -> None:
    open_proposal(acts, number, at)
    if (agreed := agreement_to(acts, number)) is not None:
        raise RetentionRefused(
            f"{agreed.by} agreed to proposal {number} just now; run this again to see from when "
            "it is carried out"
        )


def _require_hold(number: int, acts: Sequence[RetentionAct]) -> None:
    if number not in {act.number for act in unlifted(acts)}:
        raise RetentionRefused(
            f"there is no hold {number}; `tidegate retention due --acts` has them"
        )


def no_proposal(number: int, known: Iterable[int]) -> RetentionRefused:
    """Return the error for a proposal that does not exist, listing those that do."""
    numbers = ", ".join(map(str, sorted(known)))
    there_are = f"the proposals are {numbers}" if numbers else "nobody proposed any yet"
    return RetentionRefused(
        f"there is no proposal {number}: {there_are}; `tidegate retention erase` makes one"
    )
