"""What an officer may have done with a subject: inspect, check, hold, release or refer it.

What an ordered action found is a result (`results`). An action that cannot be is refused by its
constructor, so that no caller, form or stored text enters it.
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

# What needs a reason in words: it ends a case, weighs on a trader, or others act on it.
SAID_WHY: frozenset[ActionKind] = frozenset({"hold", "release", "refer"})

NAMED_PLACES: frozenset[ReferredTo] = frozenset({"office", "agency"})


@dataclass(frozen=True)
class CaseAction:
    """One action; `text` is the officer's own words.

    `refer_to` says to whom a case is referred, `destination` which office or agency that is. What
    `is_reported` nobody ordered: another system says that it was done. Raises Unprocessable for
    a combination that cannot be.
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
        """The action as an infinitive, with the office or agency, as whoever reads it is told."""
        words = REFERRED_WORDS[self.refer_to] if self.refer_to else ACTION_WORDS[self.kind]
        if self.destination:
            return say("{action} ({destination})", action=say(words), destination=self.destination)
        return say(words)

    @property
    def takes_two_persons(self) -> bool:
        """Return whether one person proposes it and a second one orders it."""
        return self.kind == "hold" or self.refer_to == "agency"

    @property
    def closes(self) -> bool:
        """Return whether it ends the case, without a label."""
        return self.kind == "release" or self.refer_to == "protection"

    @property
    def moves(self) -> bool:
        """Return whether others have the case from then on: another office, or those who rescue."""
        return self.refer_to in ("office", "rescue")

    @property
    def finds(self) -> Literal["inspect", "check_documents", "refer"] | None:
        """As what it finds a result; None of what finds nothing by itself."""
        if self.kind in ("inspect", "check_documents"):
            return self.kind
        return "refer" if self.refer_to == "agency" else None
