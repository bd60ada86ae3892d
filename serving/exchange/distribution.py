"""Distribution of an object: how far it may go, and for what. Each step may only narrow it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self, get_args

from serving.exchange.errors import ExchangeRefused

# TLP 2.0, from the widest to the narrowest.
Marking = Literal["clear", "green", "amber", "amber+strict", "red"]
MARKINGS: tuple[Marking, ...] = get_args(Marking)

# Of TLP 2.0, these alone may be passed on to another organisation than the recipient's.
PASSED_ON: frozenset[Marking] = frozenset({"clear", "green"})

# The longest way of an object, in steps from one agency to the next.
MAX_STEPS = 8


@dataclass(frozen=True)
class Distribution:
    """Marking, purposes, audience and end of what an agency hands over.

    Without an audience it may reach every agency; otherwise those alone, by their names.
    """

    marking: Marking
    purposes: frozenset[str]
    expires_at: datetime
    audience: frozenset[str] | None = None

    def is_within(self, wider: "Distribution") -> bool:
        """Return whether this one permits nothing that `wider` does not permit."""
        return (
            MARKINGS.index(self.marking) >= MARKINGS.index(wider.marking)
            and self.purposes <= wider.purposes
            and self.expires_at <= wider.expires_at
            and (wider.audience is None or self._audience_is_in(wider.audience))
        )

    def _audience_is_in(self, wider: frozenset[str]) -> bool:
        return self.audience is not None and self.audience <= wider

    def narrowed_to(self, purposes: Collection[str]) -> Self:
        """Return the distribution for those of its purposes that are also in `purposes`."""
        kept = self.purposes.intersection(purposes)
        return type(self)(self.marking, kept, self.expires_at, self.audience)

    def includes(self, agency: str) -> bool:
        """Return whether an agency may have the object."""
        return self.audience is None or agency in self.audience

    def to_document(self) -> dict[str, Any]:
        """Return the distribution as JSON."""
        return {
            "marking": self.marking,
            "purposes": sorted(self.purposes),
            "expires_at": self.expires_at.isoformat(),
            "audience": None if self.audience is None else sorted(self.audience),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the distribution that a document states; raise ExchangeRefused."""
        try:
            audience = document["audience"]
            found = cls(
                document["marking"],
                frozenset(document["purposes"]),
                datetime.fromisoformat(document["expires_at"]),
                None if audience is None else frozenset(audience),
            )
        except (KeyError, TypeError, ValueError):
            raise ExchangeRefused("malformed", "a distribution is not complete") from None
        names = [*found.purposes, *(found.audience or ())]
        if found.expires_at.tzinfo is None or not all(isinstance(name, str) for name in names):
            raise ExchangeRefused("malformed", "a distribution has no zone, or no texts")
        if found.marking not in MARKINGS:
            raise ExchangeRefused("malformed", "a distribution has an unknown marking")
        return found


@dataclass(frozen=True)
class PartnerTerms:
    """What an administrator approved for one partner, in both directions.

    `marking` is the narrowest marking that may pass between the two.
    """

    kinds: frozenset[str]
    marking: Marking
    purposes: frozenset[str]

    def refuse(self, kind: str, distribution: Distribution) -> None:
        """Raise ExchangeRefused for an object that the terms do not permit."""
        if MARKINGS.index(distribution.marking) > MARKINGS.index(self.marking):
            raise ExchangeRefused("over-marked", "the marking is not approved for this partner")
        if kind not in self.kinds:
            raise ExchangeRefused("not-approved", "the kind is not approved for this partner")
        if not distribution.purposes or not distribution.purposes <= self.purposes:
            raise ExchangeRefused("not-approved", "a purpose is not approved for this partner")


def refuse_step(
    distribution: Distribution, receiver: str, way: Collection[str], at: datetime
) -> None:
    """Raise ExchangeRefused unless an object may go one step on, after its `way` so far.

    `way` has the agencies that handed it over, the originator first.
    """
    if receiver in way or len(way) > MAX_STEPS:
        raise ExchangeRefused("looped", "the object was at this agency, or came a long way")
    if not distribution.includes(receiver):
        raise ExchangeRefused("misaddressed", "the audience does not include this agency")
    if len(way) > 1 and distribution.marking not in PASSED_ON:
        raise ExchangeRefused("over-marked", "this marking forbids to pass an object on")
    if distribution.expires_at <= at:
        raise ExchangeRefused("expired", "the object has expired")


def recipients_of(
    kind: str,
    distribution: Distribution,
    way: tuple[str, ...],
    partners: Mapping[str, PartnerTerms],
    at: datetime,
) -> dict[str, Distribution]:
    """Return the partners that may get an object, each with the distribution it gets.

    `way` ends with the agency that hands the object over.
    """
    found = {}
    for partner, terms in partners.items():
        narrowed = distribution.narrowed_to(terms.purposes)
        try:
            refuse_step(narrowed, partner, way, at)
            terms.refuse(kind, narrowed)
        except ExchangeRefused:
            continue
        found[partner] = narrowed
    return found


def recall_recipients(handed_to: Collection[str], reached: Collection[str]) -> frozenset[str]:
    """Return the agencies that a recall must still reach from here.

    All that ever got the object: no later change of terms, marking or audience takes one out.
    """
    return frozenset(handed_to).difference(reached)
