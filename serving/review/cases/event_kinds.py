"""The kinds of case events, and everything that depends on a kind.

Acts name the kinds that they record (`serving/review/acts`); news and reads are events as well. The
texts after an act, undo, notices and what readers may see all follow from this table.
"""

from dataclasses import dataclass
from typing import Literal, get_args

EventAction = Literal[
    "assign",
    "hand_over",
    "give_back",
    "put_into_inbox",
    "wait",
    "note",
    "propose_action",
    "order_action",
    "state_result",
    "state_view",
    "agree",
    "disagree",
    "close",
    "propose_reopening",
    "reopen",
    "mark_reason",
    "judge",
    "judge_blind",
    "reread",
    "attach",
    "download",
    "read_message",
    "write_letter",
    "letter",
    "defer_letter",
    "confirm_deferral",
    "seal",
    "justify",
    "undo",
    "escalate",
    "tag",
    "amend_declaration",
    "withdraw_declaration",
    "amend_journey",
    "score_again",
    "come_back",
]


@dataclass(frozen=True)
class CaseEventKind:
    """One kind of event.

    `done` is shown right after the act, `rescue_log` in the log of a rescue. `is_undoable`: one
    person acted alone and may take it back at once. `is_reading`: the case is unchanged. `is_news`:
    nobody acted, something became known. `keeps_revision`: a page loaded earlier still shows the
    case correctly. `is_of_proposal`: hidden from a possible second person. `says_view`: the actor
    has stated an opinion, so the score can no longer bias it. `asks_second`: a second person is
    asked if it leaves a proposal. `has_code`: its text is a code or a fact, not a sentence, so
    masking keeps it.
    """

    name: str
    done: str = ""
    rescue_log: str = ""
    is_undoable: bool = False
    is_reading: bool = False
    is_news: bool = False
    keeps_revision: bool = False
    is_of_proposal: bool = False
    says_view: bool = False
    asks_second: bool = False
    has_code: bool = False


EVENT_KINDS: dict[str, CaseEventKind] = {
    kind.name: kind
    for kind in (
        CaseEventKind("assign", "assigned", "took the rescue", is_undoable=True),
        CaseEventKind("hand_over", "handed over", "handed the rescue over", is_undoable=True),
        CaseEventKind("give_back", "given back", "gave the rescue back", is_undoable=True),
        CaseEventKind("put_into_inbox", "put into an inbox", is_undoable=True),
        CaseEventKind("wait", "waits", "set a reminder", is_undoable=True),
        CaseEventKind("note", "note added", "wrote a note"),
        CaseEventKind(
            "propose_action",
            "proposed; a second person must agree",
            is_undoable=True,
            is_of_proposal=True,
            says_view=True,
            asks_second=True,
        ),
        CaseEventKind(
            "order_action", "ordered", "referred it to rescue", is_undoable=True, says_view=True
        ),
        CaseEventKind(
            "state_result",
            "result stated",
            "ended the rescue",
            is_undoable=True,
            is_of_proposal=True,
            says_view=True,
            asks_second=True,
        ),
        CaseEventKind(
            "state_view",
            "your own view is kept",
            "said what they think",
            is_undoable=True,
            is_of_proposal=True,
            says_view=True,
        ),
        CaseEventKind(
            "agree", "agreed", "agreed, as a second person", is_of_proposal=True, says_view=True
        ),
        CaseEventKind(
            "disagree",
            "disagreed",
            "disagreed, as a second person",
            is_of_proposal=True,
            says_view=True,
            asks_second=True,
        ),
        CaseEventKind("close", rescue_log="ended the rescue"),
        CaseEventKind("propose_reopening", "proposed to open again"),
        CaseEventKind("reopen", "open again", "opened the rescue again"),
        CaseEventKind("mark_reason", keeps_revision=True, has_code=True),
        CaseEventKind("judge", is_reading=True, says_view=True, has_code=True),
        CaseEventKind("judge_blind", is_reading=True, says_view=True, has_code=True),
        CaseEventKind("reread", "your blind reading is kept", keeps_revision=True, has_code=True),
        CaseEventKind("attach", rescue_log="attached a file"),
        CaseEventKind("read", is_reading=True, has_code=True),
        CaseEventKind("download", rescue_log="opened a file", is_reading=True),
        CaseEventKind("read_message", rescue_log="read a message", is_reading=True),
        CaseEventKind("justify", rescue_log="said why they look at it", is_reading=True),
        CaseEventKind("write_letter"),
        CaseEventKind("letter"),
        CaseEventKind("defer_letter"),
        CaseEventKind("confirm_deferral"),
        CaseEventKind("seal", keeps_revision=True),
        CaseEventKind("undo", "undone", "took the last step back"),
        CaseEventKind("escalate", "escalated", is_undoable=True),
        CaseEventKind("tag", "tags changed", is_undoable=True),
        CaseEventKind("amend_declaration", is_news=True),
        CaseEventKind("withdraw_declaration", is_news=True),
        CaseEventKind("amend_journey", is_news=True),
        CaseEventKind("score_again", rescue_log="had newer records", is_news=True, has_code=True),
        CaseEventKind("come_back", is_news=True, has_code=True),
    )
}
assert EVENT_KINDS.keys() == {*get_args(EventAction), "read"}


def _named(flag: str) -> frozenset[str]:
    return frozenset(name for name, kind in EVENT_KINDS.items() if getattr(kind, flag))


# First judgements: with the lane and the reasons in view, and without.
JUDGEMENTS: tuple[EventAction, ...] = ("judge", "judge_blind")

READING_EVENTS = _named("is_reading")
# A page loaded before such an event is still correct, so its forms stay valid.
REVISION_KEEPING_EVENTS = READING_EVENTS | _named("keeps_revision")
# Events by which nobody acts on a case: it was read, or something became known.
PASSIVE_EVENTS = READING_EVENTS | _named("is_news")
