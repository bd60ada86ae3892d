"""What happened to a case, event by event, in words."""

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
from serving.review.cases.results import RESULT_MEANING
from serving.web.html import instant_in_words

# Events whose text is a code.
_CODED = ("read", "judge")

# Fields of a case that say who; older events have a bare name there.
_WHO = ("owner", "proposed_by")


@dataclass(frozen=True)
class EventView:
    """One event of a case, in words; `moves` are every field that changed, its old and its new."""

    at: datetime
    actor: str
    words: str
    moves: tuple[tuple[str, str, str], ...]
    text: str
    mentioned: tuple[str, ...] = ()

    @classmethod
    def from_event(cls, event: StoredEvent) -> "EventView":
        """An event as the page shows it; reading is shown like any other act."""
        changed = json.loads(event.changed)
        _, named = changed.pop("mentioned", (None, ()))
        mentioned = tuple(each["name"] for each in named)
        moves = tuple(
            (say_word(name), _value_in_words(name, old), _value_in_words(name, new))
            for name, (old, new) in changed.items()
        )
        words = say_word(event.action)
        text = say_word(event.text) if event.action in _CODED else event.text
        at = datetime.fromisoformat(event.at)
        return cls(at, event.by.shown, words, moves, text, mentioned)


def _value_in_words(field: str, value: Any) -> str:
    """One value of a field as the history tells it."""
    if value is None:
        return say("nobody") if field in _WHO else say("none")
    if (words := _IN_WORDS.get(field)) is not None:
        return words(value)
    return str(value)


def _listed(value: dict[str, Any]) -> str:
    said = {name: _said(each) for name, each in value.items() if each}
    return ", ".join(f"{say_word(name)} {words}" for name, words in said.items())


def _said(value: Any) -> str:
    """Who it is, or a text as it is; older events have a bare name."""
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
    """Return what one of two persons said, and who it was."""
    by, action = _said(statement["by"]), statement.get("action")
    said = _action_in_words(action) if action else _result_in_words(statement["result"])
    return f"{by}: {said}"


def _found(result: dict[str, Any]) -> str:
    """Return what a result states of the finding, in words."""
    stated = {name: value for name, value in result.get("finding", {}).items() if value}
    words = "".join(f", {say_word(name)} {say_word(str(value))}" for name, value in stated.items())
    protected = say("handed to protection") if result.get("is_protection") else None
    return words + (f", {protected}" if protected else "")


# How values of a field are told; others by themselves.
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
