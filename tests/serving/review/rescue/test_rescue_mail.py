"""Rescue calls by e-mail: a medium of their own, over TLS, and taken only by who can be called."""

import json
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from features.errors import TidegateError
from serving.access.errors import AddressRefused
from serving.outbox.rescue import RescueChannel
from serving.review.rescue import rescue_mail
from serving.review.rescue.rescue_calls import RescueDirectory
from serving.review.rescue.rescue_centres import RescueCentre, RescueCentres
from serving.review.rescue.rescue_mail import MailServer, RescueMail
from tests.serving.access.test_public_webhook_client import answering
from tests.serving.mail_server import Mailbox, certificate, serving_mail
from tests.serving.review.cases.decisions import AT
from tests.serving.review.rescue.centres import CENTRES
from tests.serving.review.rescue.test_rescue_calls import (
    KEY,
    TAKEN,
    Rescued,
    rescued,
    secret,
    station,
)
from tests.serving.review.rescue.test_rescue_centres import read

__all__ = ["rescued"]

WATCH = "mailto:watch@mrcc.example"


@pytest.fixture
def mailbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """A mailbox whose certificate this machine trusts."""
    file = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with serving_mail(Mailbox(file)) as served:
        yield served


def of(mailbox: Mailbox, **changed: Any) -> MailServer:
    at = {"host": "127.0.0.1", "port": mailbox.port, "sender": "tidegate@desk.example"}
    return MailServer(**at | changed)


def directory(server: MailServer, *addresses: str, password: str = "") -> RescueDirectory:
    centre = RescueCentre(
        name="MRCC Piraeus",
        receives_for_state="GR",
        brings_to_place_of_safety=True,
        addresses=addresses,
        covers=("sea", "land"),
    )
    centres = RescueCentres(centres=(centre,), mail=server)
    return RescueDirectory(centres, secret(KEY), "https://desk.example", password)


def test_a_call_that_nobody_acknowledges_goes_on_over_the_other_medium(
    rescued: Rescued, mailbox: Mailbox
) -> None:
    rescued.decide("d-1")
    with station(TAKEN) as (first, heard):
        found = directory(of(mailbox), first, WATCH)
        calls = RescueChannel(rescued.outbox, found, rescued.clock)
        for _ in range(3):
            calls.deliver_due()
            rescued.now += timedelta(minutes=4)

    assert (len(heard), len(mailbox.taken)) == (1, 1)
    assert mailbox.was_encrypted == [True]
    assert rescued.steps("d-1")[-1] == ("called", "MRCC Piraeus, address 2")
    (message,) = mailbox.taken
    assert (message["To"], message["From"]) == ("watch@mrcc.example", "tidegate@desk.example")
    assert message["Subject"].startswith("Rescue call: ")
    text = message.get_body().get_content()  # type: ignore[union-attr]  # it has one
    assert "https://desk.example/v1/rescue-calls/d-1/acknowledgement" in text
    (attached,) = message.iter_attachments()
    content = json.loads(attached.get_content())
    assert content["data"]["case_id"] == "d-1"
    assert content["data"].keys() == json.loads(heard[0].partition(b"\r\n\r\n")[2])["data"].keys()


def test_a_server_that_is_down_or_knows_no_such_mailbox_is_tried_again_and_passed_by(
    rescued: Rescued, mailbox: Mailbox
) -> None:
    rescued.decide("d-1")
    mailbox.knows = "somebody@else.example"
    with station(TAKEN) as (second, heard):
        found = directory(of(mailbox), WATCH, second)
        calls = RescueChannel(rescued.outbox, found, rescued.clock)
        calls.deliver_due()
        assert calls.is_refused
        assert rescued.steps("d-1") == [("refused", "MRCC Piraeus, address 1")]
        for _ in range(31):
            rescued.now += timedelta(seconds=10)
            calls.deliver_due()

    assert (len(heard), mailbox.taken) == (1, [])


@pytest.mark.parametrize("password", ["right", "wrong"])
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_the_password_goes_over_tls_alone_and_who_is_not_known_delivers_nothing(
    mailbox: Mailbox, tls: Any, password: str
) -> None:
    mailbox.login, mailbox.is_implicit = ("desk", "right"), tls == "implicit"
    mail = RescueMail(WATCH, of(mailbox, tls=tls, user_name="desk"), password)

    if password == "right":
        mail.post("d-1", CONTENT, AT)
        assert mailbox.was_encrypted == [True]
    else:
        with pytest.raises(OSError, match="535"):
            mail.post("d-1", CONTENT, AT)
        assert mailbox.taken == []


@pytest.mark.parametrize("fault", ["a server without TLS", "a certificate of nobody known"])
def test_nothing_is_said_to_a_server_that_cannot_be_proven(
    mailbox: Mailbox, fault: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if fault == "a server without TLS":
        mailbox.offers_tls = False
    else:
        (tmp_path / "other").mkdir()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate(tmp_path / "other")))

    with pytest.raises(OSError, match=r"STARTTLS|certificate"):
        RescueMail(WATCH, of(mailbox), "").post("d-1", CONTENT, AT)
    assert mailbox.taken == []


def test_a_server_that_drips_is_heard_so_long_and_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert rescue_mail.MAX_MAIL_S == 30.0
    monkeypatch.setattr(rescue_mail, "MAX_MAIL_S", 0.1)

    def dripping(accepted: socket.socket) -> None:
        for _ in range(100):
            accepted.sendall(b"220-")
            time.sleep(0.03)

    with answering(dripping, hears_first=False) as url:
        server = MailServer(
            host="127.0.0.1", port=urlsplit(url).port, tls="none", sender="tidegate@desk.example"
        )
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            RescueMail(WATCH, server).post("d-1", CONTENT, AT)
        assert time.monotonic() - began < 2


MAIL = '[mail]\nhost = "mail.example"\nsender = "tidegate@desk.example"\n'
WITH_MAIL = CENTRES.replace("https://desk.example/piraeus", WATCH)


def test_a_centre_has_a_second_medium_where_one_address_is_by_mail(tmp_path: Path) -> None:
    centres = read(tmp_path, WITH_MAIL + MAIL)

    assert [each.has_second_medium for each in centres.centres] == [True, False, False]
    assert isinstance(RescueDirectory(centres).address(centres.centres[0], 1), RescueMail)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (WITH_MAIL, "'MRCC Piraeus' is called by mail; want `\\[mail\\]`"),
        (WITH_MAIL.replace("mrcc.example", "") + MAIL, "'MRCC Piraeus': want one mailbox"),
        (WITH_MAIL + MAIL + 'tls = "none"\n', "want `tls` as"),
        (WITH_MAIL + MAIL + 'password = "x"\n', "mail.password"),
        (WITH_MAIL + MAIL.replace("@", " at "), "mail.sender"),
    ],
)
def test_a_file_whose_mail_cannot_be_sent_is_refused_by_name(
    tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(TidegateError, match=says):
        read(tmp_path, text)


def test_a_mail_server_with_a_user_needs_its_password_from_the_environment(tmp_path: Path) -> None:
    centres = read(tmp_path, WITH_MAIL + MAIL + 'user_name = "desk"\n')

    with pytest.raises(AddressRefused, match="TIDEGATE_RESCUE_MAIL_PASSWORD"):
        RescueDirectory(centres)
    assert RescueDirectory(centres, mail_password="x").centres == centres


CONTENT = json.dumps(
    {
        "data": {
            **dict.fromkeys(
                (
                    *("certified_capacity", "conveyance_kind", "imo_number", "mmsi", "call_sign"),
                    *("plate_number", "registration_country", "cargo_unit", "conveyance_id"),
                    *("origin", "destination", "due_at", "last_heard", "advice"),
                    "desk_telephone",
                )
            ),
            "is_declared": True,
            "earlier_alerts": [],
            "signal": "more persons than the craft is certified for",
            "persons_on_board": 41,
            "mode": "sea",
            "centre": {"name": "MRCC Piraeus"},
            "acknowledge": {"within_minutes": 5, "address": "https://desk.example"},
            "case_id": "d-1",
        }
    }
).encode()
