"""Dead letters: a refused message, why it was refused, and its place in the source.

The message may tell of persons, which the service refuses to take; so the letter has no bytes of it
unless that is asked for, only a digest. The broker that brought it still has it.
"""

import base64
import hashlib
import json
from typing import Any

from serving.streams.stream_messages import Outgoing, StreamMessage

LARGEST_BODY = 512 * 1024  # bytes: brokers take a megabyte, and base64 makes a third more


def dead_letter(
    message: StreamMessage, kind: str | None, problem: dict[str, Any], *, has_body: bool
) -> Outgoing:
    """The letter about a message, of no kind where its header names none that can be sent.

    `problem` is the service's own (RFC 9457), or as one of it.
    """
    letter: dict[str, Any] = {
        "id": message.id,
        "kind": kind,
        "source": dict(message.place),
        "sha256": hashlib.sha256(message.body).hexdigest(),
        "size": len(message.body),
        "problem": problem,
    }
    if has_body and len(message.body) <= LARGEST_BODY:
        letter["body_base64"] = base64.b64encode(message.body).decode()
    body = json.dumps(letter, ensure_ascii=False).encode()
    return Outgoing(message.id, "dead-letter", message.origin, body, message.id.encode())


def of_refused_kind(detail: str) -> dict[str, Any]:
    """The problem of a message for whose kind there is no call."""
    return {
        "type": "/problems/unprocessable",
        "title": "The request was refused",
        "status": 422,
        "detail": detail,
    }


def of_refused_records(answer: dict[str, Any]) -> dict[str, Any] | None:
    """Return the problem of refused records among others; None if none was refused."""
    errors = answer.get("errors")
    if not isinstance(errors, list) or not errors:
        return None
    return {
        "type": "/problems/submission-refused",
        "title": "Some of the records were not kept",
        "status": 422,
        "detail": "the others of this message were kept",
        "errors": errors,
    }
