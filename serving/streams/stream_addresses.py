"""Addresses of topics and streams in the options `--from` and `--to`."""

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from features.errors import TidegateError

Broker = Literal["kafka", "nats"]
SCHEMES: dict[str, Broker] = {"kafka": "kafka", "nats": "nats", "tls": "nats"}
OPTIONS: dict[Broker, tuple[str, ...]] = {"kafka": ("group",), "nats": ("consumer", "subject")}
EXAMPLES = "kafka://host:9092/TOPIC?group=NAME or nats://host:4222/STREAM?consumer=NAME"


@dataclass(frozen=True)
class StreamAddress:
    """A Kafka topic, a JetStream stream to read, or a NATS subject to write to."""

    broker: Broker
    servers: tuple[str, ...]
    name: str
    is_tls: bool = False
    options: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, option: str) -> "StreamAddress":
        """Parse the address given in an option.

        Raises TidegateError, whose text never repeats the address: it may hold a password.
        """
        parts = urlsplit(text)
        name = unquote(parts.path.removeprefix("/"))
        if parts.scheme not in SCHEMES or not parts.netloc or not name or "/" in name:
            raise TidegateError(f"{option}: want {EXAMPLES}")
        if "@" in parts.netloc:
            raise TidegateError(
                f"{option}: no name or password in an address, which everyone on this machine can "
                "read: give them by the environment (docs/operations/integration.md)"
            )
        broker = SCHEMES[parts.scheme]
        options = dict(parse_qsl(parts.query))
        if unknown := set(options) - set(OPTIONS[broker]):
            known = ", ".join(OPTIONS[broker])
            raise TidegateError(f"{option}: knows {known}, not {', '.join(sorted(unknown))}")
        # Several servers of one cluster may be given, separated by commas.
        servers = tuple(filter(None, parts.netloc.split(",")))
        return cls(broker, servers, name, parts.scheme == "tls", options)

    def reader(self, option: str) -> str:
        """Return the group or consumer to read as; raises TidegateError if there is none."""
        wanted = OPTIONS[self.broker][0]
        if wanted not in self.options:
            raise TidegateError(
                f"{option}: add ?{wanted}=NAME, under which the broker keeps how far it was read"
            )
        return self.options[wanted]
