"""History of a case, event by event, as text."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from serving.access.actors import Actor
from serving.console.case_forms import WAITING_FOR
from serving.language import say, say_word
from serving.review.cases.actions import CaseAction
from serving.review.cases.case_records import StoredEvent
from serving.review.cases.event_kinds import JUDGEMENTS
from serving.review.cases.results import RESULT_MEANING
from serving.web.html import instant_in_words

# Events whose text is a code to translate.
_CODED = ("read", *JUDGEMENTS)

# Fields that hold a person. Events of earlier versions hold a bare name there.
_WHO = ("owner", "proposed_by")


@dataclass(frozen=True)
class EventView:
    """One event of a case as text; `moves` lists changed fields with old and new value."""

    at: datetime
    actor: str
    words: str
    moves: tuple[tuple[str, str, str], ...]
    text: str
    mentioned: tuple[str, ...] = ()

    @classmethod
    def from_event(cls, event: StoredEvent) -> "EventView":
        """Return an event as the page shows it; reads are shown like other events."""
        changed = json.loads(event.changed)
        # Mentions are shown in the text itself, not as a changed field.
        _, named = changed.pop("mentioned", (None, ()))
        mentioned = tuple(each["name"] for each in named)
        moves = tuple(
            (say_word(name), _value_in_words(name, old), _value_in_words(name, new))
            for name, (old, new) in changed.items()
        )
        words = say_word(event.action)
        text = say_word(event.text) if event.action in _CODED else event.text
        return cls(event.at, event.by.shown, words, moves, text, mentioned)


def _value_in_words(field: str, value: Any) -> str:
    """Return one value of a field as text."""
    if value is None:
        return say("nobody") if field in _WHO else say("none")
    if (words := _IN_WORDS.get(field)) is not None:
        return words(value)
    return str(value)


def _listed(value: dict[str, Any]) -> str:
    said = {name: _said(each) for name, each in value.items() if each}
    return ", ".join(f"{say_word(name)} {words}" for name, words in said.items())


def _said(value: Any) -> str:
    """Return a person's name, or the text itself in events of earlier versions."""
    return Actor(**value).shown if isinstance(value, dict) else str(value)


def _action_in_words(action: dict[str, Any]) -> str:
    return CaseAction(**action).in_words


def _result_in_words(result: dict[str, Any]) -> str:
    words = say(
        "{result}, {reason}, confidence {confidence}",
        result=say(RESULT_MEANING[result["code"]].words),
        reason=say_word(result["reason"]),
        confidence=say_word(result["confidence"]),
    )
    return f"{words}{_found(result)}"


def _statement_in_words(statement: dict[str, Any]) -> str:
    """Return the statement of one of two people, with their name."""
    by, action = _said(statement["by"]), statement.get("action")
    said = _action_in_words(action) if action else _result_in_words(statement["result"])
    return f"{by}: {said}"


def _found(result: dict[str, Any]) -> str:
    """Return the finding of a result as text, empty without one."""
    stated = {name: value for name, value in result.get("finding", {}).items() if value}
    words = "".join(f", {say_word(name)} {say_word(str(value))}" for name, value in stated.items())
    protected = say("handed to protection") if result.get("is_protection") else None
    return words + (f", {protected}" if protected else "")


# Formats by field; all other values are shown as they are.
_IN_WORDS: dict[str, Callable[[Any], str]] = {
    **dict.fromkeys(_WHO, _said),
    **dict.fromkeys(("letter", "deferral"), _listed),
    "action": _action_in_words,
    "result": _result_in_words,
    **dict.fromkeys(("proposal", "second_view"), _statement_in_words),
    "ended_by": lambda value: ", ".join(map(_said, value)) or say("nobody"),
    "escalation": lambda value: say("by {who}", who=_said(value["by"])),
    "reopening": lambda value: say("proposed by {who}", who=_said(value["proposed_by"])),
    "amendment": lambda value: say(
        "version {version}, known since {at}",
        version=value["version"],
        at=instant_in_words(datetime.fromisoformat(value["known_at"])),
    ),
    "due_at": lambda value: instant_in_words(datetime.fromisoformat(value)),
    "waiting_until": lambda value: instant_in_words(datetime.fromisoformat(value)),
    "attachment": lambda value: f"SHA-256 {value['sha256']}",
    "status": lambda value: say_word(str(value)),
    "tags": lambda value: ", ".join(value) or say("none"),
    "waiting_for": lambda value: say(WAITING_FOR.get(value, str(value))),
}
