"""Dead letters: a refused message, the reason, and its position in the source.

A refused message may hold personal data that the service does not accept. So a letter has only a
digest unless bodies are configured; the source broker still has the message.
"""

import base64
import hashlib
import json
from typing import Any

from serving.streams.stream_messages import Outgoing, StreamMessage

MAX_BODY_BYTES = 512 * 1024  # bytes; brokers take a megabyte, and base64 adds a third


def dead_letter(
    message: StreamMessage, kind: str | None, problem: dict[str, Any], *, has_body: bool
) -> Outgoing:
    """Return the dead letter of a message; `kind` is None if its header names no valid kind.

    `problem` is the service's problem document (RFC 9457), or one of the same form.
    """
    letter: dict[str, Any] = {
        "id": message.id,
        "kind": kind,
        "source": dict(message.place),
        "sha256": hashlib.sha256(message.body).hexdigest(),
        "size": len(message.body),
        "problem": problem,
    }
    if has_body and len(message.body) <= MAX_BODY_BYTES:
        letter["body_base64"] = base64.b64encode(message.body).decode()
    body = json.dumps(letter, ensure_ascii=False).encode()
    # The message's id is the key too, so a letter that is sent twice keeps its partition.
    return Outgoing(message.id, "dead-letter", message.origin, body, message.id.encode())


def of_refused_kind(detail: str) -> dict[str, Any]:
    """Return the problem document for a message of an unknown kind."""
    return {
        "type": "/problems/unprocessable",
        "title": "The request was refused",
        "status": 422,
        "detail": detail,
    }


def of_refused_records(answer: dict[str, Any]) -> dict[str, Any] | None:
    """Return the problem document for records refused among others; None if all were stored."""
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
