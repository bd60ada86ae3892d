"""Note: write a note on a case; `@name` in it notifies a colleague."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from features.person_names import looks_of
from serving.access.actors import Actor
from serving.errors import Unprocessable
from serving.language import say
from serving.review.acts.act_declaration import ActRequest, CaseAct, Note
from serving.review.cases.case_change import CaseChange, CaseRule, acted
from serving.review.cases.case_records import CaseRow, StoredEvent
from serving.review.cases.case_state import Case

MAX_NOTES = 200  # of one person or key on one case
MAX_MENTIONS = 20
# An `@` within an e-mail address begins no mention.
_AT = re.compile(r"(?<![\w.@])@(?=\w)")
_WORD = re.compile(r"\w[\w.'+-]*")


def note(
    case: Case, actor: Actor, at: datetime, text: str, mentioned: Sequence[Actor] = ()
) -> CaseChange:
    """Write a note; anyone who sees the case may, even when it is closed.

    `mentioned` are the colleagues named in the text.
    """
    _, event = acted(case, actor, at, "note", text)
    changed: dict[str, tuple[object, object]] = {"mentioned": (None, list(mentioned))}
    return case, replace(event, changed=changed if mentioned else {})


def note_case(acting: ActRequest, text: str) -> Case:
    """Write a note and notify the colleagues whom it mentions.

    Raises Unprocessable for a name of nobody who may see the case, and above MAX_NOTES.
    """
    actor = acting.actor
    colleagues = acting.cases.colleagues() if "@" in text else ()

    def write(row: CaseRow) -> CaseRule:
        # Rescues create no notices, so a note on one mentions nobody.
        readers = [each for each in colleagues if row.lane != "rescue" and each.access.shows(row)]
        named = {each.actor.name: each.actor for each in readers}
        mentioned = [named[name] for name in find_mentions(text, named)]
        return lambda case: note(case, actor, acting.at, text, mentioned)

    def require_room(events: Sequence[StoredEvent]) -> None:
        own = [e for e in events if e.action == "note" and actor.is_holder(e.by)]
        if len(own) >= MAX_NOTES:
            raise Unprocessable(
                say("one may write {most} notes on a case: attach a file", most=MAX_NOTES)
            )

    return acting.cases.act_on_row(acting.reviewer, acting.case_id, write, require_room)


def find_mentions(text: str, names: Collection[str]) -> tuple[str, ...]:
    """Return the names that a text mentions, in order.

    Raises Unprocessable for an unknown name, with a similar one as a suggestion only: a misspelt
    name must not notify somebody else.
    """
    found = [_mention(text[match.end() :], names) for match in _AT.finditer(text)]
    mentioned = tuple(dict.fromkeys(found))
    if len(mentioned) > MAX_MENTIONS:
        raise Unprocessable(f"a note mentions at most {MAX_MENTIONS} people")
    return mentioned


def _mention(rest: str, names: Collection[str]) -> str:
    """Return the longest name with which a text begins; a name may contain blanks."""
    begun = [
        name for name in names if rest.startswith(name) and not re.match(r"\w", rest[len(name) :])
    ]
    if begun:
        return max(begun, key=len)
    word = _WORD.match(rest)
    written = word[0].rstrip(".'+-") if word else ""
    alike = next((name for name in names if _looks_like(rest, written, name)), None)
    near = f"; `@{alike}` may" if alike else ""
    raise Unprocessable(f"nobody called `@{written[:64]}` may see this case{near}")


def _looks_like(rest: str, written: str, name: str) -> bool:
    # Characters that look alike count as equal, so that a lookalike name is reported.
    looks = looks_of(name)
    return not all(map(looks.isdisjoint, map(looks_of, (written, rest[: len(name)]))))


NOTE = CaseAct(
    name="notes",
    operation="note_case",
    description=(
        "Write something down about a case; `@name` in it tells a colleague who may see the case."
    ),
    perform=lambda acting, body: note_case(acting, body.text),
    records=("note",),
    input=Note,
    revision="any",
    keeps_forms=True,
)
