"""Repeats in a restored home the erasures, masking and holds made since its backup.

The acts of the former database record what two persons agreed to, so nobody is asked again. What
they stated about entries of a wrong clock applies again too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from serving.access.actors import Actor
from serving.audit.erased_accounts import accounts_by_case, erase_accounts
from serving.audit.erased_files import erase_files
from serving.audit.erasure import ErasedUnits, RetainedUnits
from serving.audit.retention_log import RetentionAct, held_subjects
from serving.audit.retention_periods import RetentionCutoffs
from serving.storage.keys.key_destruction import DatabaseErasure, KeysOfDays
from serving.storage.repositories.retention_repository import RetentionRepository

BECAUSE = "it was so when the backup was restored"


@dataclass(frozen=True)
class EndedAgain:
    """The units erased again (None if there were none), and acts of other kinds."""

    erased: ErasedUnits | None = None
    acts: tuple[RetentionAct, ...] = ()


def end_again(former: Engine, engine: Engine, home: Path, actor: Actor, at: str) -> EndedAgain:
    """Repeat in a home being restored what the former database ended since the backup.

    The former database may belong to a later epoch; it is only read.
    """
    acts, former_acts = RetentionRepository(engine), RetentionRepository(former)
    carried = (*_masking(former_acts, acts), *_holds(former_acts, acts))
    for act in carried:
        acts.append(replace(act, at=at))
    # These keep their day: their persons vouched for that one, and nobody vouches for today.
    overruled = _since(former_acts.all("overrule"), acts.all("overrule"))
    for act in overruled:
        acts.append(act)
    carried = (*carried, *overruled)
    _find_as_before(DatabaseErasure(engine), acts, carried)
    keys = KeysOfDays.from_database(former)
    erasures = _since(former_acts.all("erase", "erase_again"), acts.all("erase", "erase_again"))
    # Without this check every restore would rewrap all keys and record an erasure.
    if not erasures and not keys.destroyed & KeysOfDays.from_database(engine).alive:
        return EndedAgain(None, carried)
    cutoffs = _reach(erasures)
    details = {"former_acts": [act.number for act in erasures], **cutoffs}
    act = RetentionAct(at, "erase_again", actor.identity, BECAUSE, details)
    erasure, accounts = DatabaseErasure(engine), home / "accounts"
    erased = erasure.erase_again(keys, act)
    erase_accounts(accounts, erasure.erased_of(accounts_by_case(accounts)))
    if cutoffs:
        _erase_files(home, RetentionCutoffs(**cutoffs))
    return EndedAgain(erased, carried)


def _find_as_before(
    erasure: DatabaseErasure, acts: RetentionRepository, carried: Iterable[RetentionAct]
) -> None:
    """Remove masked cases from the search, and index again those unmasked or held."""
    done = {act.action for act in carried}
    if done & {"mask", "lift"}:
        retained = RetainedUnits(
            subjects=held_subjects(acts.holds()), out_of_order=erasure.out_of_order(None)
        )
        erasure.remove_masked_terms(acts.masked_before(), retained)
    if "hold" in done or any(act.details.get("is_correction") for act in carried):
        erasure.index_again()


def _erase_files(home: Path, cutoffs: RetentionCutoffs) -> None:
    """Erase the files in a separate folder, because `erase_files` locks the home.

    The caller holds that lock already.
    """
    inner = home / ".erasing"
    inner.mkdir(mode=0o700)
    folders = [home / name for name in ("records", "training_sets") if (home / name).exists()]
    for folder in folders:
        folder.rename(inner / folder.name)
    erase_files(inner, cutoffs)
    for folder in folders:
        (inner / folder.name).rename(folder)
    inner.rmdir()


def _since(former: Iterable[RetentionAct], known: Iterable[RetentionAct]) -> list[RetentionAct]:
    before = {(act.at, act.action, act.by) for act in known}
    return [act for act in former if (act.at, act.action, act.by) not in before]


def _reach(erasures: Sequence[RetentionAct]) -> dict[str, str]:
    """Return the latest cutoff of each kind among some erasures."""
    names = RetentionCutoffs.__annotations__
    dated = [act.details for act in erasures if set(names) <= set(act.details)]
    return {name: max(details[name] for details in dated) for name in names} if dated else {}


def _masking(former: RetentionRepository, acts: RetentionRepository) -> Iterable[RetentionAct]:
    since, before = _since(former.all("mask"), acts.all("mask")), former.masked_before()
    if since and before != acts.masked_before():
        details: dict[str, Any] = {**since[-1].details, "before": before}
        # The correction is decided anew: the restored database may be masked less far, or further.
        details.pop("is_correction", None)
        if before < acts.masked_before():
            details["is_correction"] = True
        yield RetentionAct(since[-1].at, "mask", since[-1].by, BECAUSE, details)


def _holds(former: RetentionRepository, acts: RetentionRepository) -> Iterable[RetentionAct]:
    """Yield the holds that were placed or lifted since."""
    placed, known = former.holds(), acts.holds()
    yield from _since(placed, known)
    lifted = {act.details["hold"]: act for act in former.all("lift")}
    ended = [act for act in former.all("hold") if act.number in lifted]
    for hold in known:
        for act in ended:
            if (hold.at, hold.by) == (act.at, act.by):
                lift = lifted[act.number]
                yield replace(lift, details={"hold": hold.number})
