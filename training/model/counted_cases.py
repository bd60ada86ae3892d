"""Cases that a gate has counted, from how many it can decide, and when the others are expected."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Case = Literal[
    "canaries in the training set",
    "confirmed subjects",
    "confirmed subjects drawn at random",
    "decisions with results",
    "inspections that found nothing",
    "results drawn with a probability",
    "subjects of all traffic",
]

# Farther ahead, the rate of today says nothing of a date.
MAX_AHEAD = timedelta(days=365)

ENOUGH = "{cases}: {known} are known, which is enough"
FROM = "{cases}: {known} are known; about {needed} are enough"
BY_DATE = (
    "{cases}: {known} are known, about {needed} are needed; expected by {date} at the present rate"
)
OVERDUE = (
    "{cases}: {known} are known, about {needed} are needed; at their rate newer records hold them "
    "since {date}"
)
NOT_WITHIN_A_YEAR = (
    "{cases}: {known} are known, about {needed} are needed; not within a year at the present rate"
)
NO_RATE = "{cases}: {known} are known, about {needed} are needed; no rate tells when"
CANNOT_SAY = "{cases}: {known} are known; how many are needed cannot be said yet"


@dataclass(frozen=True)
class CountedCases:
    """Cases of one kind, `known` of subjects declared from `begins` until before `ends`.

    `needed` is the number from which on a gate decides, if all stays as measured; None if that
    cannot be said. Without both instants there is no rate.
    """

    kind: Case
    known: int
    needed: int | None = None
    begins: datetime | None = None
    ends: datetime | None = None

    @property
    def expected_at(self) -> datetime | None:
        """When so many cases as needed are known, at the rate so far; None without a rate.

        A date beyond ten years stays at ten years.
        """
        if not self.known or self.needed is None or self.begins is None or self.ends is None:
            return None
        lasted = self.ends - self.begins
        return self.ends + min((self.needed / self.known - 1) * lasted, 10 * MAX_AHEAD)

    def phrase(self, verdict: str, at: datetime) -> tuple[str, dict[str, int | datetime]]:
        """Return one of the texts above with its values but for the kind, as of `at`."""
        values: dict[str, int | datetime] = {"known": self.known}
        is_decided = verdict != "undecided"
        if self.needed is None or (is_decided and self.needed > self.known):
            return ENOUGH if is_decided else CANNOT_SAY, values
        values["needed"] = self.needed
        if self.needed <= self.known:
            return FROM, values
        if (expected := self.expected_at) is None:
            return NO_RATE, values
        if expected > at + MAX_AHEAD:
            return NOT_WITHIN_A_YEAR, values
        return BY_DATE if expected > at else OVERDUE, values | {"date": expected}

    def in_words(self, verdict: str, at: datetime) -> str:
        """Return the phrase in English."""
        text, values = self.phrase(verdict, at)
        shown = {
            name: f"{value:%Y-%m-%d}" if isinstance(value, datetime) else f"{value:,}"
            for name, value in values.items()
        }
        return text.format(cases=self.kind, **shown)
