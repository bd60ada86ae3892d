"""Kept messages end with the decisions or records that they made, and stay as long as one does."""

from datetime import timedelta

from sqlalchemy import select

from serving.storage.repositories.message_repository import MessageRepository
from serving.storage.tables.scoring import kept_messages, message_subjects
from tests.serving.api.test_messages import PLAN, WAYBILL, sample, send
from tests.serving.audit.installation import PERIODS, Installation
from tests.serving.conftest import NOW

DAY_LATER = NOW + timedelta(days=1)


def keep_messages(place: Installation) -> tuple[str, str]:
    """A waybill that makes a shipment, and payments that make records alone; their ids."""
    with place.serving() as service:
        sender = service.key("ingest", "score")
        waybill = send(service, sender, WAYBILL, key="waybill").json()
        pattern = {"shipment_pattern": "AC{digits}"}
        payment = send(
            service, sender, sample("iso20022"), "iso20022", key="payment", **pattern
        ).json()
    assert (len(waybill["decisions"]), payment["records"]) == (1, {"transactions": 1})
    return waybill["message_id"], payment["message_id"]


def kept(place: Installation) -> dict[str, int]:
    """The messages that are kept, with the number of subjects of each."""
    with place.engine().connect() as connection:
        ids = connection.scalars(select(kept_messages.c.message_id)).all()
        subjects = connection.scalars(select(message_subjects.c.message_id)).all()
    return {message_id: subjects.count(message_id) for message_id in ids}


def test_messages_are_unreadable_and_gone_when_their_time_is_over(place: Installation) -> None:
    ids = keep_messages(place)
    messages = MessageRepository(place.engine())
    assert all("AC4711" in str(messages.message(each).content.text) for each in ids)  # type: ignore[union-attr]  # they are there
    assert kept(place) == dict.fromkeys(ids, 1)

    place.erased()

    assert kept(place) == {}
    assert MessageRepository(place.engine()).message(ids[0]) is None
    with place.serving(DAY_LATER) as service:
        again = send(service, service.key("ingest", "score"), key="waybill")
        assert again.json()["message_id"] not in ids


def test_messages_about_an_open_case_stay_with_it(file_place: Installation) -> None:
    (file_place.settings.home / "lanes.toml").write_text(PLAN)
    ids = keep_messages(file_place)
    with file_place.serving() as service:
        service.services.cases.open_new()

    file_place.erased()

    assert kept(file_place) == dict.fromkeys(ids, 1)
    messages = MessageRepository(file_place.engine())
    assert "AC4711" in str(messages.message(ids[0]).content.text)  # type: ignore[union-attr]  # it is there


def test_records_that_end_before_decisions_end_with_their_messages(
    file_place: Installation,
) -> None:
    soon = PERIODS.replace("[records]\nerase_after_days = 1825", "[records]\nerase_after_days = 30")
    (file_place.settings.home / "retention.toml").write_text(soon)
    waybill, _ = keep_messages(file_place)

    file_place.erased(NOW + timedelta(days=60))

    assert kept(file_place) == {waybill: 1}


def test_a_hold_on_one_subject_keeps_its_messages(file_place: Installation) -> None:
    ids = keep_messages(file_place)
    file_place.retention().hold("shipment", "AC4711", "ada", "asked for by a court", DAY_LATER)

    file_place.erased()

    assert kept(file_place) == dict.fromkeys(ids, 1)
