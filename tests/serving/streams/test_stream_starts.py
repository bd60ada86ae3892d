"""What keeps a stream from starting is one clear line, and tells no secret."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from features.errors import TidegateError
from serving.cli.main import app
from serving.streams.stream_addresses import StreamAddress
from serving.streams.stream_settings import StreamSettings
from tests.clients.conftest import Site
from tests.ports import free_port
from tests.serving.mail_server import certificate
from tests.serving.streams.conftest import Ways, body, kafka_ways, nats_ways, wait_for
from tests.serving.streams.kafka_cluster import KafkaCluster
from tests.serving.streams.nats_server import NatsServer, nats_server
from tests.serving.streams.sasl_listener import SaslListener, sasl_listener

COMMAND = "from serving.cli.main import main; main()"


def stream(*arguments: str) -> Any:
    """What `tidegate stream` ends with: its error as it is, or the code of wrong usage."""
    result = CliRunner().invoke(app, ["stream", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(autouse=True)
def environment(site: Site, properties: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_ADDRESS", site.address)
    monkeypatch.setenv("TIDEGATE_KEY", site.key("score", "ingest", "events"))
    monkeypatch.setenv("TIDEGATE_KAFKA_PROPERTIES", str(properties))
    monkeypatch.setattr("serving.streams.kafka.LOOK_S", 0.5)
    monkeypatch.setattr("serving.streams.jetstream.LOOK_S", 0.5)


def options(ways: Ways, **changes: str) -> Sequence[str]:
    """A stream over these ends, some of them elsewhere."""

    def address(given: StreamAddress | None) -> str:
        assert given is not None
        query = "&".join(f"{name}={value}" for name, value in given.options.items())
        return f"{given.broker}://{given.servers[0]}/{given.name}?{query}"

    ends = {"from": ways.plan.read_from, "to": ways.plan.decisions_to}
    given = {name: address(each) for name, each in ends.items()}
    given |= {"dead_letters": address(ways.plan.dead_letters_to)} | changes
    return [part for name, each in given.items() for part in (f"--{name.replace('_', '-')}", each)]


@pytest.mark.parametrize("end", ["from", "to", "dead_letters"])
@pytest.mark.parametrize("broker", ["kafka", "nats"])
def test_a_broker_that_is_not_there_is_said(ways: Ways, end: str, broker: str) -> None:
    reader = {"kafka": "group", "nats": "consumer"}[broker]
    nowhere = f"{broker}://127.0.0.1:{free_port()}/x?{reader}=g"
    with pytest.raises(TidegateError, match="answers"):
        stream(*options(ways, **{end: nowhere}))


@pytest.mark.parametrize("end", ["from", "to", "dead_letters"])
def test_a_topic_or_stream_that_is_not_there_is_said_and_not_made(ways: Ways, end: str) -> None:
    server = ways.plan.read_from
    reader = "group" if server.broker == "kafka" else "consumer"
    unknown = f"{server.broker}://{server.servers[0]}/nowhere?{reader}=g"

    for _ in range(2):
        with pytest.raises(TidegateError, match="nowhere"):
            stream(*options(ways, **{end: unknown}))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--events-to"),
        (["--from", "kafka://h/t?group=g"], "none is dropped"),
        (["--events-to", "kafka://h/t"], "which events have gone"),
        (
            ["--from", "kafka://h/t?group=g", "--dead-letters", "kafka://h/d", "--kind=messages"],
            "belongs to --kind messages",
        ),
    ],
)
def test_half_a_plan_is_wrong_usage(arguments: list[str], says: str) -> None:
    result = stream(*arguments)

    assert result.exit_code == 2
    assert says in re.sub(r"[│\s]+", " ", result.output)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("kafka://h:9092/t", "add ?group=NAME"),
        ("nats://h:4222/s", "add ?consumer=NAME"),
        ("amqp://h/t?group=g", "want kafka://"),
        ("kafka://h:9092?group=g", "want kafka://"),
        ("kafka://h:9092/t?grupp=g", "knows group, not grupp"),
        ("kafka://user:hunter2@h:9092/t?group=g", "by the environment"),
    ],
)
def test_an_address_that_is_none_is_said_without_repeating_it(address: str, says: str) -> None:
    with pytest.raises(TidegateError, match=re.escape(says)) as refused:
        stream("--from", address, "--dead-letters", "kafka://h:9092/d")
    assert "hunter2" not in str(refused.value)


def test_several_brokers_and_all_options_are_read() -> None:
    assert StreamAddress.parse("kafka://a:1,b:2/t?group=g", "--from") == StreamAddress(
        "kafka", ("a:1", "b:2"), "t", False, {"group": "g"}
    )
    assert StreamAddress.parse("tls://a:1/s?consumer=c&subject=x.%3E", "--from") == StreamAddress(
        "nats", ("a:1",), "s", True, {"consumer": "c", "subject": "x.>"}
    )


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("sasl.password=hunter2\nno property", "line 2: want name=value"),
        ("group.id=theirs", "line 1: group.id is not for it to say"),
        ("enable.auto.offset.store=true", "not for it to say"),
        ("sasl.passwort=hunter2", "sasl.passwort"),
        ("security.protocol=hunter2", "security.protocol"),
    ],
)
def test_properties_that_cannot_be_used_are_named_and_no_value_is(
    kafka: KafkaCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str, says: str
) -> None:
    file = tmp_path / "client.properties"
    file.write_text(lines)
    monkeypatch.setenv("TIDEGATE_KAFKA_PROPERTIES", str(file))

    with pytest.raises(TidegateError, match=says) as refused:
        stream(*options(kafka_ways(kafka)))
    assert "hunter2" not in str(refused.value)


def test_secrets_are_read_from_files_and_shown_nowhere(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("tg_secret\n")
    settings = StreamSettings(key_file=tmp_path / "key", nats_password="hunter2")  # type: ignore[arg-type]  # as the environment has it

    assert settings.api_key() == "tg_secret"
    assert settings.of_nats(is_tls=False) == {"password": "hunter2"}
    assert "hunter2" not in repr(settings)
    with pytest.raises(TidegateError, match="TIDEGATE_KEY_FILE"):
        StreamSettings(key_file=tmp_path / "none").api_key()
    with pytest.raises(TidegateError, match="tidegate keys create"):
        StreamSettings(key=None).api_key()


@pytest.mark.parametrize(
    "unfit", [{"max_deliver": 3}, {"ack_policy": "all"}, {"deliver_subject": "pushed"}]
)
def test_a_consumer_that_could_lose_messages_is_refused(
    jetstream: NatsServer, unfit: dict[str, Any]
) -> None:
    ways = nats_ways(jetstream)
    jetstream.make_consumer(f"{ways.name}-in", durable_name=ways.name, **unfit)

    with pytest.raises(TidegateError, match="could be lost"):
        stream(*options(ways))


def test_nats_refuses_whom_it_does_not_know_and_takes_whom_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nats_server(tmp_path, "--user", "tidegate", "--pass", "hunter2") as server:
        ends = ["--events-to", server.address("s"), "--events-cursor", str(tmp_path / "cursor")]
        with pytest.raises(TidegateError, match="refuses these credentials"):
            stream(*ends)
        monkeypatch.setenv("TIDEGATE_NATS_USER", "tidegate")
        monkeypatch.setenv("TIDEGATE_NATS_PASSWORD", "hunter2")
        with pytest.raises(TidegateError):  # so it is in
            stream(*ends)


def test_nats_with_tls_is_believed_where_its_signer_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = certificate(tmp_path)
    tls = ("--tls", f"--tlscert={signed}", f"--tlskey={signed}")
    with nats_server(tmp_path / "store", *tls) as server:
        address = f"tls://localhost:{server.port}/s"
        ends = ["--events-to", address, "--events-cursor", str(tmp_path / "cursor")]
        with pytest.raises(TidegateError, match="certificate verify failed"):
            stream(*ends)
        monkeypatch.setenv("TIDEGATE_NATS_CA", str(signed))
        with pytest.raises(TidegateError):  # so it is in
            stream(*ends)
    monkeypatch.setenv("TIDEGATE_NATS_CA", str(tmp_path / "none"))
    with pytest.raises(TidegateError, match="TIDEGATE_NATS_CA"):
        stream(*ends)


def test_nats_with_tls_takes_the_right_password_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    signed = certificate(tmp_path)
    tls = ("--tls", f"--tlscert={signed}", f"--tlskey={signed}")
    monkeypatch.setenv("TIDEGATE_NATS_CA", str(signed))
    monkeypatch.setenv("TIDEGATE_NATS_USER", "tidegate")
    with nats_server(tmp_path / "store", *tls, "--user", "tidegate", "--pass", "hunter2") as server:
        ends = ["--events-to", f"tls://localhost:{server.port}/s"]
        ends += ["--events-cursor", str(tmp_path / "cursor")]
        for password, refusal in (("hunter3", TidegateError), ("hunter2", TidegateError)):
            monkeypatch.setenv("TIDEGATE_NATS_PASSWORD", password)
            with pytest.raises(refusal) as refused:
                stream(*ends)
            assert password not in str(refused.value)
    assert caplog.messages == []  # one line, and no warning beside it


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[SaslListener]:
    """Kafka with TLS and SASL, up to the sign-in."""
    with sasl_listener(certificate(tmp_path)) as listening:
        yield listening


def sign_in_to_kafka(
    listener: SaslListener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *properties: str
) -> str:
    """What a stream to a listener says that keeps it from starting, with some properties."""
    file = tmp_path / "sasl.properties"
    own = ("security.protocol=SASL_SSL", "sasl.mechanism=PLAIN", "sasl.username=tidegate")
    file.write_text("\n".join((*own, "sasl.password=hunter2", *properties)))
    monkeypatch.setenv("TIDEGATE_KAFKA_PROPERTIES", str(file))
    monkeypatch.setattr("serving.streams.kafka.LOOK_S", 1.0)
    ends = ["--events-to", f"kafka://{listener.server}/t", "--events-cursor", str(tmp_path / "c")]
    with pytest.raises(TidegateError) as refused:
        stream(*ends)
    said = str(refused.value)
    assert "hunter2" not in said
    assert "\n" not in said
    return said


def test_kafka_with_tls_is_not_believed_where_its_signer_is_not_known(
    listener: SaslListener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    another = certificate(tmp_path / "other")

    said = sign_in_to_kafka(listener, tmp_path, monkeypatch, f"ssl.ca.location={another}")

    assert "certificate" in said
    assert listener.tokens == []


def test_what_signs_in_to_kafka_reaches_it_over_tls_and_a_refusal_is_said(
    listener: SaslListener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = tmp_path / "mail.pem"

    said = sign_in_to_kafka(listener, tmp_path, monkeypatch, f"ssl.ca.location={signed}")

    assert set(listener.tokens) == {b"\0tidegate\0hunter2"}
    assert said.startswith("Kafka refuses")


def test_a_file_of_signers_that_is_not_there_is_said(
    listener: SaslListener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = sign_in_to_kafka(listener, tmp_path, monkeypatch, "ssl.ca.location=/none/ca.pem")

    assert said.startswith("TIDEGATE_KAFKA_PROPERTIES: ssl.ca.location failed")


def test_a_stream_that_is_told_to_stop_finishes_and_leaves(kafka: KafkaCluster) -> None:
    ways = kafka_ways(kafka)
    ways.send(*(body(n, ways.name) for n in range(30)))

    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, "stream", *options(ways)],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_for(lambda: len(ways.answers()) > 5)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)

    assert process.returncode == 0, said
    answers = len(ways.answers())
    assert ways.done() == answers
    assert said.splitlines() == [
        "stream: runs",
        f"stream: {answers} messages answered, 0 dead letters",
    ]
    assert os.environ["TIDEGATE_KEY"] not in said
