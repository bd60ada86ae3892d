"""Several end data, or keep from it, at the same instant: one wins, and every other is told so."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Semaphore
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection

from serving.access.acting import begin_acting
from serving.access.actors import Actor
from serving.audit.erasure import ErasedUnits
from serving.audit.errors import RetentionRefused
from serving.audit.retention import Retention
from serving.audit.retention_log import Requirement, RetentionAct
from serving.integrity.audit_log import EventFilter
from serving.settings import Settings
from serving.storage.keys.key_destruction import DatabaseErasure
from serving.storage.repositories.audit_repository import AuditRepository
from serving.storage.repositories.retention_repository import RetentionRepository, append_act
from serving.storage.verification.audit_verification import verify_audit_log
from serving.storage.write_lock import write_transaction
from tests.serving.audit.installation import LATER, PERIODS, Installation
from tests.serving.storage.test_key_destruction import decide, readable

Wish = Callable[[Retention], object]


@pytest.fixture
def place(where: Path | str, tmp_path: Path, nobody_acts: None) -> Iterator[Installation]:
    """An empty home with periods, over either engine, in which two decisions are over."""
    begin_acting(Actor.from_command_line())
    url = SecretStr(where) if isinstance(where, str) else None
    place = Installation(Settings(home=tmp_path / "home", database_url=url))
    place.settings.home.mkdir()
    place.settings.retention.write_text(PERIODS)
    engine = place.engine()
    decide(engine, first="2026-03-08T09:00:00+00:00", second="2026-03-08T09:00:00+00:00")
    yield place
    assert verify_audit_log(engine).is_whole
    engine.dispose()


def at_once(
    place: Installation,
    *wishes: Wish,
    meanwhile: Callable[[Connection], object] = lambda _: None,
) -> list[Future[Any]]:
    """What came of wishes that all came up to their act while somebody else was writing."""
    coming = Semaphore(0)
    with ThreadPoolExecutor(len(wishes)) as pool:
        with write_transaction(place.engine()) as connection:
            asked = [pool.submit(wish, _announced(place, coming)) for wish in wishes]
            assert all(coming.acquire(timeout=4) for _ in wishes)
            meanwhile(connection)
        return asked


def _announced(place: Installation, coming: Semaphore) -> Retention:
    """What ends its data, and says just before an act that it comes."""

    class Acts(RetentionRepository):
        def append(self, act: RetentionAct, requirement: Requirement | None = None) -> int:
            coming.release()
            return super().append(act, requirement)

    class Erasing(DatabaseErasure):
        def erase(self, *given: Any) -> ErasedUnits:
            coming.release()
            return super().erase(*given)

        def compact(self) -> None:
            """Nothing: it takes seconds, and nobody else waits for it."""

    engine = place.engine()
    return replace(
        place.retention(), acts=Acts(engine), erasure=Erasing(engine), remake_state=lambda: None
    )


def cancelling(number: int) -> Wish:
    return lambda retention: retention.cancel(number, "sam", "a court asks", LATER)


def erasing(number: int) -> Wish:
    return lambda retention: retention.erase(number, "grace", "as proposed", LATER)


def refusals(asked: list[Future[Any]]) -> list[str]:
    failures = [each.exception() for each in asked]
    assert all(each is None or isinstance(each, RetentionRefused) for each in failures), failures
    return [str(each) for each in failures if each]


def actions(place: Installation) -> list[str]:
    """The acts so far, each of which one audit event tells."""
    acts = [act.action for act in place.retention().acts.all()]
    told = AuditRepository(place.engine()).newest(EventFilter(object_kind="retention_act"), 99)
    assert [event.action for event in reversed(told)] == acts
    return acts


def proposed(place: Installation) -> int:
    return place.retention().propose("ada", "the time is over", LATER)


def test_of_two_who_cancel_one_erasure_at_once_one_is_told_that_it_was(place: Installation) -> None:
    number = proposed(place)

    (refusal,) = refusals(at_once(place, cancelling(number), cancelling(number)))

    assert refusal == f"proposal {number} was cancelled already; propose anew"
    assert actions(place) == ["propose", "cancel"]


def test_an_erasure_is_cancelled_or_carried_out_and_never_both(place: Installation) -> None:
    number = proposed(place)

    (refusal,) = refusals(at_once(place, cancelling(number), erasing(number)))

    (won,) = actions(place)[1:]
    told, left = {
        "cancel": ("was cancelled already", ["first", "second"]),
        "erase": ("was followed already", []),
    }[won]
    assert told in refusal
    assert readable(place.engine(), "first", "second") == left


def test_of_two_who_agree_to_one_erasure_at_once_one_is_told_who_did(place: Installation) -> None:
    waiting = PERIODS.replace("wait_days = 0", "wait_days = 7")
    place.settings.retention.write_text(waiting)
    number = proposed(place)

    (refusal,) = refusals(at_once(place, erasing(number), erasing(number)))

    assert f"grace agreed to proposal {number} just now" in refusal
    assert actions(place) == ["propose", "agree"]


def test_of_two_who_lift_one_hold_at_once_one_is_told_that_there_is_none(
    place: Installation,
) -> None:
    number = place.retention().hold("shipment", "S-first", "ada", "a court asks", LATER)

    def lift(retention: Retention) -> None:
        retention.lift(number, "grace", "the court has ended", LATER)

    (refusal,) = refusals(at_once(place, lift, lift))

    assert f"there is no hold {number}" in refusal
    assert actions(place) == ["hold", "lift"]


def test_what_is_held_while_an_erasure_waits_for_its_turn_stays(place: Installation) -> None:
    number = proposed(place)
    token = DatabaseErasure(place.engine()).subject_token("shipment", "S-first")
    subject = {"subject_kind": "shipment", "subject": token}
    hold = RetentionAct((LATER - timedelta(hours=1)).isoformat(), "hold", "ada", "court", subject)

    asked = at_once(
        place, erasing(number), meanwhile=lambda connection: append_act(connection, hold)
    )

    assert refusals(asked) == []
    assert actions(place) == ["propose", "hold", "erase"]
    assert readable(place.engine(), "first", "second") == ["first"]
