"""An officer's action on a subject: inspect, check documents, hold, release or refer.

The finding of an ordered action is a result (`results`). The constructor refuses impossible
actions, so that none can enter through a caller, a form or stored text.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from serving.access.visible_texts import is_visible
from serving.errors import Unprocessable
from serving.language import say

ActionKind = Literal["inspect", "check_documents", "hold", "release", "refer"]
ReferredTo = Literal["rescue", "protection", "office", "agency"]

ACTION_WORDS: dict[ActionKind, str] = {
    "inspect": "inspect the goods or the conveyance",
    "check_documents": "check the documents",
    "hold": "hold the goods",
    "release": "release the goods",
    "refer": "refer it to others",
}
REFERRED_WORDS: dict[ReferredTo, str] = {
    "rescue": "refer it to rescue: lives may be at risk",
    "protection": "refer people to those who protect them",
    "office": "refer it to another office",
    "agency": "refer it to another agency",
}
assert ACTION_WORDS.keys() == set(get_args(ActionKind))
assert REFERRED_WORDS.keys() == set(get_args(ReferredTo))

# These need a reason in words: they close a case, burden a trader or make others act.
SAID_WHY: frozenset[ActionKind] = frozenset({"hold", "release", "refer"})

NAMED_PLACES: frozenset[ReferredTo] = frozenset({"office", "agency"})


@dataclass(frozen=True)
class CaseAction:
    """One action; `text` is the officer's own words.

    `refer_to` is the recipient of a referral, `destination` the office or agency. `is_reported`
    marks an action that nobody ordered here: another system reports it as done. Raises
    Unprocessable for an impossible combination.
    """

    kind: ActionKind
    text: str = ""
    refer_to: ReferredTo | None = None
    destination: str | None = None
    is_reported: bool = False

    def __post_init__(self) -> None:
        if (self.kind == "refer") != (self.refer_to is not None):
            raise Unprocessable(
                say(
                    "say to whom it is referred ({referred_words}), and only of `refer`",
                    referred_words=", ".join(REFERRED_WORDS),
                ),
                code="impossible-action",
            )
        if (self.refer_to in NAMED_PLACES) != bool(self.destination):
            raise Unprocessable(
                "name the office or agency as `destination`, and only where it is referred to one",
                in_words=say("say which office or agency, and only where it is referred to one"),
                code="impossible-action",
            )
        if self.kind in SAID_WHY and not is_visible(self.text):
            raise Unprocessable(
                say("say in your own words why to {action}", action=self.in_words),
                code="impossible-action",
            )

    @property
    def in_words(self) -> str:
        """Return the action as a translated infinitive, with the office or agency."""
        words = REFERRED_WORDS[self.refer_to] if self.refer_to else ACTION_WORDS[self.kind]
        if self.destination:
            return say("{action} ({destination})", action=say(words), destination=self.destination)
        return say(words)

    @property
    def takes_two_persons(self) -> bool:
        """Return whether one person proposes it and a second one orders it."""
        # Both burden people outside the office, so one officer alone must not order them.
        return self.kind == "hold" or self.refer_to == "agency"

    @property
    def closes(self) -> bool:
        """Return whether it closes the case without a label."""
        return self.kind == "release" or self.refer_to == "protection"

    @property
    def moves(self) -> bool:
        """Return whether it hands the case to others: another office or the rescuers."""
        return self.refer_to in ("office", "rescue")

    @property
    def finds(self) -> Literal["inspect", "check_documents", "refer"] | None:
        """The kind of result that it yields; None if it yields none."""
        if self.kind in ("inspect", "check_documents"):
            return self.kind
        return "refer" if self.refer_to == "agency" else None
