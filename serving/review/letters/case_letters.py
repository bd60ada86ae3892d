"""The letters of a case with their writers and releasers, and their deferral."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from serving.access.actors import Actor

Audience = Literal["consignee", "consignor", "declarant", "carrier"]
AUDIENCES: tuple[Audience, ...] = get_args(Audience)

DeferralGround = Literal[
    "criminal_investigation",
    "report_to_financial_intelligence",
    "conditions_of_the_source",
    "security",
    "protection_of_others",
]

GROUNDS: dict[DeferralGround, str] = {
    "criminal_investigation": "an inquiry or prosecution would be harmed (LED 13(3)(a), (b))",
    "report_to_financial_intelligence": "it would tell of a report to a financial intelligence "
    "unit (AMLR 73: no tipping-off)",
    "conditions_of_the_source": "who gave the information has not agreed (handling conditions)",
    "security": "public or national security (LED 13(3)(c), (d); GDPR 23(1)(a) to (c))",
    "protection_of_others": "somebody else would be harmed (LED 13(3)(e), GDPR 23(1)(i))",
}
assert GROUNDS.keys() == set(get_args(DeferralGround))

MAX_DEFERRAL = timedelta(days=366)
# One person alone can hold a letter back for this long.
UNCONFIRMED_FOR = timedelta(days=3)


@dataclass(frozen=True)
class LetterDeferral:
    """The ground and end of a deferral; unconfirmed, it ends after `UNCONFIRMED_FOR`."""

    ground: DeferralGround
    until: datetime
    because: str
    deferred_by: Actor
    deferred_at: datetime
    confirmed_by: Actor | None = None

    @property
    def ends_at(self) -> datetime:
        """The instant from which a letter may be sent again."""
        alone = self.deferred_at + UNCONFIRMED_FOR
        return self.until if self.confirmed_by else min(self.until, alone)


@dataclass(frozen=True)
class CaseLetter:
    """One letter: its recipient (a pseudonym), its purpose and its content.

    `content` is the JSON of `Letter`, `digest` its digest. The writer never releases it.
    """

    audience: Audience
    recipient: str
    purpose: str
    content: str
    digest: str
    written_by: Actor
    written_at: datetime
    released_by: Actor | None = None
    released_at: datetime | None = None
