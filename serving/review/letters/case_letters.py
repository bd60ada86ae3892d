"""The letters of a case: each as it was written, by whom, and who let it go; and their deferral."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from serving.access.actors import StoredActor

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

LONGEST_DEFERRAL = timedelta(days=366)
# How long one person alone can hold a letter back.
UNCONFIRMED_FOR = timedelta(days=3)


@dataclass(frozen=True)
class LetterDeferral:
    """Why and until when no letter goes; one person alone holds it for `UNCONFIRMED_FOR`."""

    ground: DeferralGround
    until: datetime
    because: str
    deferred_by: StoredActor
    deferred_at: datetime
    confirmed_by: StoredActor | None = None

    @property
    def ends_at(self) -> datetime:
        """When a letter may go again."""
        alone = self.deferred_at + UNCONFIRMED_FOR
        return self.until if self.confirmed_by else min(self.until, alone)


@dataclass(frozen=True)
class CaseLetter:
    """One letter: to whom (`recipient` is its pseudonym), for which purpose, and its content.

    `content` is the JSON of `Letter`; `digest` is of it. Whoever released it is not its writer.
    """

    audience: Audience
    recipient: str
    purpose: str
    content: str
    digest: str
    written_by: StoredActor
    written_at: datetime
    released_by: StoredActor | None = None
    released_at: datetime | None = None
