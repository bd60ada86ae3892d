"""Nothing is ended by a clock that is wrong, or was when somebody proposed it."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from serving.access.acting import begin_acting
from serving.access.actors import Actor
from serving.audit.clock_check import AHEAD_AT_MOST, BEHIND_AT_MOST, ClockCheck
from serving.audit.errors import ClockDisagrees, RetentionRefused
from serving.audit.open_erasures import open_erasures
from serving.audit.retention import PROPOSED_FOR, Retention, WaitingErasure
from serving.integrity.audit_log import EventFilter
from serving.integrity.witnesses import witnesses_of
from serving.storage.engine import open_database
from serving.storage.newest_instants import newest_instants
from serving.storage.repositories.audit_repository import AuditRepository
from tests.serving.audit.installation import (
    PERIODS,
    Installation,
    certificate,
    closed_case,
)
from tests.serving.canaries import decided
from tests.serving.conftest import NOW

SOON = NOW + timedelta(hours=1)
TEN_YEARS_AHEAD = NOW + timedelta(days=3_650)
MOMENT = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def by_command(nobody_acts: None) -> None:
    """Commands end data, and what they write by the clock in doubt is no evidence of the time."""
    begin_acting(Actor.from_command_line())


def checked(place: Installation, today: datetime | None = None) -> Retention:
    """What ends the data of a place, with its own evidence of what time it is."""
    newest = partial(newest_instants, place.engine(), witnesses_of(place.settings))
    return replace(place.retention(), clock=ClockCheck(newest, today.date() if today else None))


def test_a_clock_is_held_to_every_newest_entry() -> None:
    check = ClockCheck(lambda: {"decision": NOW, "checkpoint": NOW - timedelta(days=9)})

    check.require(NOW - BEHIND_AT_MOST)
    check.require(NOW + AHEAD_AT_MOST)
    with pytest.raises(ClockDisagrees, match="newest decision is of 2026-11-24"):
        check.require(NOW - BEHIND_AT_MOST - MOMENT)
    with pytest.raises(ClockDisagrees, match="nothing was written since 2026-11-24"):
        check.require(NOW + AHEAD_AT_MOST + MOMENT)


def test_a_person_may_say_which_day_it_is_and_no_other_day_counts() -> None:
    later = NOW + timedelta(days=30)
    for day in (later - timedelta(days=1), later + timedelta(days=1)):
        with pytest.raises(ClockDisagrees):
            ClockCheck(lambda: {"decision": NOW}, day.date()).require(later)
    ClockCheck(lambda: {"decision": NOW}, later.date()).require(later)
    with pytest.raises(ClockDisagrees, match="set the clock right"):
        ClockCheck(lambda: {"decision": later}, NOW.date()).require(NOW)


@pytest.mark.parametrize("step", ["mask", "propose", "erase"])
def test_nothing_is_done_by_a_clock_that_is_ahead_or_behind(place: Installation, step: str) -> None:
    closed_case(place)
    number = checked(place).propose("ada", "the time is over", SOON)
    acts = checked(place).acts.all()
    for wrong in (TEN_YEARS_AHEAD, NOW - timedelta(days=1)):
        act = getattr(checked(place), step)
        named = (number,) if step == "erase" else ()
        with pytest.raises(ClockDisagrees):
            act(*named, "grace", "the time is over", wrong)
    assert checked(place).acts.all() == acts


def test_every_kind_of_entry_is_evidence(place: Installation) -> None:
    closed_case(place)

    newest = newest_instants(place.engine(), witnesses_of(place.settings))
    assert newest == dict.fromkeys(
        ("decision", "checkpoint", "audit event", "witness's checkpoint"), NOW
    )


def test_the_witness_alone_shows_that_a_clock_is_behind(
    file_place: Installation, tmp_path: Path
) -> None:
    closed_case(file_place)
    emptied = open_database(tmp_path / "another" / "tidegate.db", is_service=False)

    newest = newest_instants(emptied, witnesses_of(file_place.settings))
    with pytest.raises(ClockDisagrees, match="witness's checkpoint is of 2026-11-24"):
        ClockCheck(lambda: {"witness's checkpoint": newest["witness's checkpoint"]}).require(
            NOW - timedelta(days=1)
        )


AHEAD = NOW + timedelta(days=30)


def test_only_entries_of_days_after_the_stated_one_can_be_overruled() -> None:
    newest = {"decision": AHEAD, "audit event": NOW + timedelta(hours=2), "checkpoint": NOW}

    assert ClockCheck(lambda: newest, NOW.date()).dated_later(NOW) == {"decision": AHEAD}
    for stated in (None, AHEAD.date()):
        with pytest.raises(ClockDisagrees, match="you say that it is"):
            ClockCheck(lambda: newest, stated).dated_later(NOW)
    with pytest.raises(RetentionRefused, match="nothing newest is dated after 2026-11-24"):
        ClockCheck(lambda: {"checkpoint": NOW}, NOW.date()).dated_later(NOW)


def test_what_a_clock_that_was_ahead_wrote_stops_nothing_once_it_is_overruled(
    place: Installation,
) -> None:
    closed_case(place)
    with place.serving(AHEAD) as service:
        decided(service, shipment_id="canary-ahead")
    with pytest.raises(ClockDisagrees, match="tidegate retention overrule"):
        checked(place, SOON).propose("ada", "the time is over", SOON)  # a day alone lifts nothing

    later = checked(place, SOON).clock.dated_later(SOON)
    number = checked(place).overrule(later, "ada", "the battery was empty", SOON)

    assert set(later) == {"decision", "checkpoint", "audit event", "witness's checkpoint"}
    assert checked(place).mask("timer", "daily", SOON)
    (told,) = AuditRepository(place.engine()).newest(EventFilter(action="overrule"), 9)
    assert (told.at, told.object_id) == (SOON, str(number))
    assert told.details["overruled"] == {what: at.isoformat() for what, at in later.items()}
    with pytest.raises(ClockDisagrees, match="newest overruling is of 2026-11-24"):
        checked(place).mask("timer", "daily", SOON - timedelta(hours=1))
    with place.serving(AHEAD + timedelta(hours=1)) as service:
        decided(service, shipment_id="canary-again")
    with pytest.raises(ClockDisagrees, match="newest decision is of 2026-12-24"):
        checked(place).mask("timer", "daily", SOON)


def test_what_a_wrong_clock_proposed_is_never_erased(place: Installation) -> None:
    """The clock said 2036 once, with a person who believed it; periods are five years."""
    case_id = closed_case(place)
    number = checked(place, TEN_YEARS_AHEAD).propose("ada", "the time is over", TEN_YEARS_AHEAD)

    with pytest.raises(RetentionRefused, match="has not come yet; propose anew"):
        checked(place).erase(number, "grace", "as proposed", SOON)
    assert place.record(case_id)


def test_what_is_younger_than_its_period_is_never_erased(place: Installation) -> None:
    """Whoever shortened the periods, proposed, and set them right again."""
    closed_case(place)
    later = NOW + timedelta(days=400)
    place.settings.retention.write_text(PERIODS.replace("1825", "200"))
    number = place.retention().propose("ada", "the time is over", later)
    place.settings.retention.write_text(PERIODS)

    with pytest.raises(RetentionRefused, match="and only those before"):
        place.retention().erase(number, "grace", "as proposed", later)


def test_what_a_wrong_clock_masked_is_taken_back_by_a_correction(place: Installation) -> None:
    closed_case(place)
    masked = checked(place, TEN_YEARS_AHEAD).mask("timer", "daily", TEN_YEARS_AHEAD)
    assert masked > SOON.isoformat()

    assert checked(place).mask("timer", "daily", SOON) == masked  # nobody's past comes back unasked
    corrected = checked(place).mask("ada", "the clock was wrong", SOON, is_correction=True)

    assert corrected < NOW.isoformat()
    assert place.retention().acts.masked_before() == corrected
    with place.serving(SOON) as service:
        assert service.services.masking._current().before == corrected


def waiting(place: Installation, days: int) -> tuple[int, datetime]:
    """A proposal that was agreed on and waits; its number, and when all of it is over."""
    closed_case(place)
    place.settings.retention.write_text(PERIODS.replace("wait_days = 0", f"wait_days = {days}"))
    at = NOW + timedelta(days=2_000)
    number = place.retention().propose("ada", "the time is over", at)
    done = place.retention().erase(number, "grace", "as proposed", at)
    assert isinstance(done, WaitingErasure)
    assert (done.proposal, done.due.decisions) == (number, 1)
    assert done.erases_from == (at + timedelta(days=days)).isoformat()[:16]
    return number, at


def test_keys_are_destroyed_only_after_the_days_of_waiting(place: Installation) -> None:
    number, at = waiting(place, 7)
    due = at + timedelta(days=7)

    for sooner in (at, due - MOMENT):
        done = place.retention().erase(number, "timer", "daily", sooner)
        assert isinstance(done, WaitingErasure)
    erased = place.retention().erase(number, "timer", "daily", due)

    assert json.loads(certificate(erased).read_text())["destroyed"]["decisions"] == 1
    actions = [(act.action, act.by) for act in place.retention().acts.all()]
    assert actions == [("propose", "ada"), ("agree", "grace"), ("erase", "timer")]


def test_an_erasure_that_waits_can_be_cancelled_by_anyone(place: Installation) -> None:
    number, at = waiting(place, 7)
    place.retention().cancel(number, "sam", "a court asks", at + timedelta(days=6))

    for again in (at + timedelta(days=6), at + timedelta(days=8)):
        with pytest.raises(RetentionRefused, match="was cancelled already"):
            place.retention().erase(number, "timer", "daily", again)
    with pytest.raises(RetentionRefused, match="was cancelled already"):
        place.retention().cancel(number, "sam", "a court asks", at)


def test_an_erasure_can_be_cancelled_for_as_long_as_it_can_be_carried_out(
    file_place: Installation,
) -> None:
    """However long it waits: a proposal that nobody agreed to lapses sooner."""
    number, at = waiting(file_place, 60)
    last = at + timedelta(days=60) + PROPOSED_FOR
    retention = file_place.retention()

    assert [each.proposal.number for each in open_erasures(retention.acts, last)] == [number]
    for carry_out in (retention.cancel, retention.erase):
        with pytest.raises(RetentionRefused, match="propose anew"):
            carry_out(number, "sam", "too late", last + MOMENT)
    retention.cancel(number, "sam", "a court asks", last)


def test_whoever_proposed_cannot_agree_and_what_was_erased_cannot_be_cancelled(
    place: Installation,
) -> None:
    number, at = waiting(place, 1)
    second = place.retention().propose("ada", "the time is over", at)
    with pytest.raises(RetentionRefused, match="another person must erase"):
        place.retention().erase(second, "Ada", "as proposed", at)
    place.retention().erase(number, "timer", "daily", at + timedelta(days=1))
    with pytest.raises(RetentionRefused, match="was followed already"):
        place.retention().cancel(number, "sam", "a court asks", at + timedelta(days=1))


def test_what_killed_commands_left_is_removed_before_an_erasure_is_certified(
    file_place: Installation,
) -> None:
    closed_case(file_place)
    home = file_place.settings.home
    left = [home / ".state.partial-01234567", home / "training_sets" / ".route.partial-01234567"]
    for folder in left:
        folder.mkdir(parents=True)
        (folder / "ids").write_text("canary")

    file_place.erased()

    assert not [folder for folder in left if folder.exists()]


def test_a_run_that_was_killed_after_its_keys_were_destroyed_is_finished_by_the_next(
    place: Installation,
) -> None:
    closed_case(place)
    at = NOW + timedelta(days=2_000)
    number = place.retention().propose("ada", "the time is over", at)
    killed = place.retention()

    def die() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace(killed, remake_state=die).erase(number, "grace", "as proposed", at)
    assert not [*place.settings.erasures.glob("*.json")]

    file = certificate(place.retention().erase(number, "timer", "again", at))

    told = json.loads(file.read_text())
    assert (told["by"], told["destroyed"]["decisions"]) == ("grace", 1)
    with pytest.raises(RetentionRefused, match="was followed already"):
        place.retention().erase(number, "timer", "again", at)
