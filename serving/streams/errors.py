"""What ends a stream, and what a message is refused by.

TidegateError
├── StreamAddressRefused   no address of a topic or stream
├── StreamSettingsRefused  a file of credentials or properties cannot be used
├── BrokerAway             no broker answers, or it stopped answering
├── BrokerRefused          the broker does not let this user do that, or an answer is too large
├── TopicUnknown           there is no such topic, stream or subject
├── ConsumerUnfit          a durable consumer would lose messages
├── ServiceAway            no service answers there
├── ServiceRefused         the key, or the service, does not allow what the stream needs
└── CursorRefused          the service does not know the event that a cursor names
RefusedMessage             one message was refused, and goes to the dead letters
"""

from typing import Any

from features.errors import TidegateError


class StreamAddressRefused(TidegateError):
    """What was given is no address of a topic, stream or subject."""


class StreamSettingsRefused(TidegateError):
    """A file of credentials or properties is not there, or holds what it must not."""


class BrokerAway(TidegateError):
    """No broker answers; nothing that was not acknowledged counts as done."""


class BrokerRefused(TidegateError):
    """The broker refuses this user, or what was sent."""


class TopicUnknown(TidegateError):
    """The broker has no such topic, stream or subject, or hides it from this user."""


class ConsumerUnfit(TidegateError):
    """A durable consumer of JetStream is set so that messages could be lost."""


class ServiceAway(TidegateError):
    """No service answers there."""


class ServiceRefused(TidegateError):
    """The service refuses the key, or has no such call: true of every message alike."""


class CursorRefused(TidegateError):
    """The service does not know the event after which case events are to be read."""


class RefusedMessage(Exception):
    """The service refuses one message for good; `problem` says why (RFC 9457)."""

    def __init__(self, problem: dict[str, Any]):
        super().__init__(problem.get("title"))
        self.problem = problem
